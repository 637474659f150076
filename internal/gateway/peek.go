package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/inquesthq/inquest/guard/answer"
)

// patience is how long a successful answer may take to show its whole body before it is handed on unjudged: a slow body is to
// pass as it comes, not when it is complete.
const patience = 250 * time.Millisecond

// peek returns the body up to the limit of judging, and leaves the answer as it was.
func (c *call) peek(resp *http.Response) (body []byte, whole bool, err error) {
	if b, ok := resp.Body.(interface{ Whole() ([]byte, bool) }); ok {
		if body, whole := b.Whole(); whole {
			return body, true, nil
		}
	}
	p := &peeked{ReadCloser: resp.Body, leave: c.x.Leave}
	buf := make([]byte, 0, min(answer.Limit, max(4<<10, int(resp.ContentLength)+1)))
	if resp.StatusCode < 300 {
		buf, err = p.hasty(buf)
	} else {
		buf, err = p.all(buf)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	p.Reader = io.MultiReader(bytes.NewReader(buf), readerFunc(p.rest))
	resp.Body = p
	return buf, errors.Is(err, io.EOF), nil
}

// peeked is a body of which a part was read already, and of which one Read may still be under way.
type peeked struct {
	io.Reader // what the client is sent: the part read, then the rest
	io.ReadCloser
	leave   func()
	pending chan int // the bytes of the Read under way; nil: none is
	piece   []byte   // what it read
	err     error    // what it ended in
}

func (p *peeked) Read(b []byte) (int, error) { return p.Reader.Read(b) }

// all reads to the end, or to the limit of judging.
func (p *peeked) all(buf []byte) ([]byte, error) {
	for len(buf) < answer.Limit {
		var free []byte
		buf, free = room(buf)
		n, err := p.ReadCloser.Read(free)
		if buf = buf[:len(buf)+n]; err != nil {
			return buf, err
		}
	}
	return buf, nil
}

// hasty does the same until it is plain that there is no error in disguise, or patience ends. A Read does not end when patience
// does: a stream that says one line a minute would be held back for the minute.
func (p *peeked) hasty(buf []byte) ([]byte, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for len(buf) < answer.Limit && !notAnObject(buf) {
		buf, p.piece = room(buf)
		p.pending = make(chan int, 1)
		go func(done chan<- int) {
			var n int
			n, p.err = p.ReadCloser.Read(p.piece)
			done <- n
		}(p.pending)
		select {
		case n := <-p.pending:
			buf, p.pending, p.piece = buf[:len(buf)+n], nil, nil
			if p.err != nil {
				return buf, p.err
			}
		case <-timer.C:
			return buf, nil
		}
	}
	return buf, nil
}

// room returns buf, grown if it is full, and what is free of it.
func room(buf []byte) (grown, free []byte) {
	if len(buf) == cap(buf) {
		buf = append(buf, 0)[:len(buf)]
	}
	return buf, buf[len(buf):min(cap(buf), answer.Limit)]
}

// rest is the body behind the part that was read.
func (p *peeked) rest(b []byte) (int, error) {
	if p.pending != nil {
		p.piece = p.piece[:<-p.pending]
		p.pending = nil
	}
	if len(p.piece) > 0 {
		n := copy(b, p.piece)
		p.piece = p.piece[n:]
		return n, nil
	}
	if p.err != nil {
		return 0, p.err
	}
	return p.ReadCloser.Read(b)
}

// Close ends the Read under way first: nobody waits for it but a client that could not be written to.
func (p *peeked) Close() error {
	if p.pending != nil {
		p.leave()
		<-p.pending
		p.pending = nil
	}
	return p.ReadCloser.Close()
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// notAnObject reports whether JSON begins with anything but an object: lists and plain values are no error envelopes.
func notAnObject(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n\ufeff")
	return len(b) > 0 && b[0] != '{' && b[0] != '<' && b[0] != 0x1f // gzip's first byte: it cannot be seen yet
}
