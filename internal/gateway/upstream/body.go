package upstream

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

// body reads the answer of an upstream under the stall limit and tells an end from a cut.
type body struct {
	rc    io.ReadCloser
	x     *Exchange
	stall time.Duration
	head  []byte          // read ahead, not yet handed on
	err   error           // what reading ahead ended in
	buf   *[headSize]byte // behind head; given back by Close

	open    bool // its end is still to come
	ticket  ticket
	status  int
	outcome policy.Outcome // of an answer that comes whole
}

func (b *body) Read(p []byte) (int, error) {
	if len(b.head) > 0 {
		n := copy(p, b.head)
		b.head = b.head[n:]
		if len(b.head) == 0 && b.err != nil {
			return n, b.err
		}
		return n, nil
	}
	if b.err != nil {
		return 0, b.err
	}
	return b.read(p)
}

// Whole returns the body if all of it is here already and nothing was read of it. It is valid until the body is read or closed.
func (b *body) Whole() ([]byte, bool) { return b.head, b.buf != nil && errors.Is(b.err, io.EOF) }

// read asks the upstream. The limit runs only while it does: a client that reads slowly is not the upstream's stall.
func (b *body) read(p []byte) (int, error) {
	b.x.touch(b.stall)
	n, err := b.rc.Read(p)
	b.x.touch(0)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		b.end(nil)
		b.err = io.EOF
	default:
		f := b.x.fail(b.x.bodyFailure(err))
		b.end(f)
		b.err = f
	}
	return n, b.err
}

// end closes the books once, when the body ended or will not be read on.
func (b *body) end(f *Failure) {
	if b.open {
		b.open = false
		b.x.Ended = time.Now()
		b.settle(f)
	}
}

// settle tells how the exchange came out, for the server's circuit and for the log.
func (b *body) settle(f *Failure) {
	switch {
	case f != nil:
		b.ticket.failed(f)
	case b.outcome == policy.Failure:
		b.ticket.failed(&Failure{Reason: reasonStatus + policy.Reason(strconv.Itoa(b.status)), Err: fmt.Errorf("it answered %d", b.status)})
	default:
		b.ticket.done(b.outcome)
	}
}

// Close gives the connection back, or closes it if the body was not read to its end.
func (b *body) Close() error {
	err := b.rc.Close()
	if b.buf != nil {
		b.head = nil
		headPool.Put(b.buf)
		b.buf = nil
	}
	if b.open { // nobody wanted the rest: a client that left, or an answer that is replaced
		var f *Failure
		if b.x.clientLeft() {
			f = b.x.fail(&Failure{Reason: policy.ClientLeft, Err: b.x.Context.Err()})
		}
		b.end(f)
	}
	return err
}

// readAhead reads until the first bytes of the body are there, so that a body that fails before them can still become a 502.
func (b *body) readAhead(buf []byte) error {
	for {
		n, err := b.read(buf)
		if n > 0 {
			b.head = buf[:n]
			return nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// bodyFailure says why reading a body ended early.
func (x *Exchange) bodyFailure(err error) *Failure {
	if f := x.Failure(); f != nil {
		return f
	}
	if x.clientLeft() {
		return &Failure{Reason: policy.ClientLeft, Err: err}
	}
	if f := failureOf(err); f.Reason == policy.Malformed {
		return f // a chunk that is none
	}
	return &Failure{Reason: policy.Cut, Err: err}
}

// replay is the body of a request that may have to be sent again. It keeps what was read while that is little; a longer body cannot
// be sent twice.
type replay struct {
	mu    sync.Mutex
	rc    io.ReadCloser
	kept  []byte
	over  bool  // more than keepBody was read
	ended error // what the source ended in
	gen   int   // of the reader that may read on
}

// keepBody bounds what is kept of a request body, in bytes.
const keepBody = 64 << 10

var errReplay = errors.New("the request body is too long to be sent again")

// reader returns a reader of the body from its start; it takes over from the one before.
func (r *replay) reader(x *Exchange, limit time.Duration) (io.ReadCloser, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return nil, errReplay
	}
	r.gen++
	return &replayReader{r: r, gen: r.gen, x: x, limit: limit}, nil
}

type replayReader struct {
	r     *replay
	gen   int
	off   int
	x     *Exchange
	limit time.Duration
}

// Read hands on what was kept and then what the client sends. While the client is waited for, the upstream's limit stands still;
// each piece sent starts it again, so a long upload that makes progress is no timeout.
func (p *replayReader) Read(b []byte) (int, error) {
	r := p.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.gen != r.gen {
		return 0, errReplay // a later attempt reads now
	}
	if p.off < len(r.kept) {
		n := copy(b, r.kept[p.off:])
		p.off += n
		return n, nil
	}
	if r.ended != nil {
		return 0, r.ended
	}
	waiting := p.x.phase.Load() == phaseHeader
	if waiting {
		p.x.touch(0)
	}
	n, err := r.rc.Read(b)
	if waiting && p.x.phase.Load() == phaseHeader {
		p.x.touch(p.limit)
	}
	if !r.over {
		if len(r.kept)+n <= keepBody {
			r.kept = append(r.kept, b[:n]...)
			p.off += n
		} else {
			r.over, r.kept, p.off = true, nil, 0
		}
	}
	if err != nil {
		r.ended = err
	}
	return n, err
}

func (p *replayReader) Close() error { return nil } // the server closes the client's body
