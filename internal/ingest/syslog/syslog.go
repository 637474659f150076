// Package syslog receives syslog over UDP and TCP: RFC 5424 and RFC 3164 as programs send it, framed by counting octets or by lines
// (RFC 6587). Messages are kept as they came, one a line; only who sent them is looked at.
//
// What it will not do: answer (the protocol has no acknowledgement, so what comes while the spool cannot take it waits in the system's buffers
// over TCP, and is shed and counted over UDP), or check who sends: bind it to a network that you trust.
package syslog

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/spool"
)

// Spool takes lines and returns when the disk has them.
type Spool interface {
	Append(ctx context.Context, src spool.Source, lines []byte) error
}

// Config of New. Intake and Spool are required.
type Config struct {
	Intake      *ingest.Intake
	Spool       Spool
	Connections int           // over TCP at a time, 0: 500
	Idle        time.Duration // a connection that says nothing for so long is closed, 0: 10 minutes
	MaxMessage  int           // bytes of one message, 0: 64 KiB; the rest of a longer one is cut off
}

// Server receives. Safe for concurrent use.
type Server struct{ cfg Config }

// New returns a Server.
func New(cfg Config) (*Server, error) {
	if cfg.Intake == nil || cfg.Spool == nil {
		return nil, errors.New("syslog: an intake and a spool are needed")
	}
	cfg.Connections = cmp.Or(cfg.Connections, 500)
	cfg.Idle = cmp.Or(cfg.Idle, 10*time.Minute)
	cfg.MaxMessage = cmp.Or(cfg.MaxMessage, 64<<10)
	if cfg.Connections < 0 || cfg.Idle < 0 || cfg.MaxMessage < 480 { // RFC 5424 wants 480 at least
		return nil, errors.New("syslog: limits must not be negative, and a message has at least 480 bytes")
	}
	return &Server{cfg}, nil
}

// ServeTCP receives on a listener until ctx ends, and closes it.
func (s *Server) ServeTCP(ctx context.Context, l net.Listener) error {
	l = ingest.LimitListener(l, s.cfg.Connections)
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			_ = l.Close()
			return fmt.Errorf("syslog on %s: %w", l.Addr(), err)
		}
		wg.Go(func() { s.connection(ctx, c) })
	}
}

// connection reads messages, and hands on those that are there together.
func (s *Server) connection(ctx context.Context, c net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	defer func() { _ = c.Close() }()
	in := bufio.NewReaderSize(c, 32<<10)
	b := newBatch(s, hostOf(c.RemoteAddr()))
	wait := func() error { // before a read that may wait
		if err := b.flush(ctx); err != nil {
			return err
		}
		_ = c.SetReadDeadline(time.Now().Add(s.cfg.Idle))
		return ctx.Err() // the deadline of the end may have been overwritten
	}
	for {
		err := s.frame(in, b, wait)
		if err == nil && b.bytes > flushBytes {
			err = b.flush(ctx)
		}
		if err != nil {
			_ = b.flush(context.WithoutCancel(ctx)) // what was read is not lost when the server stops
			return
		}
	}
}

// flushBytes is how much of a connection is handed to the spool at a time.
const flushBytes = 64 << 10

// frame reads one message: "123 <34>1 ..." has 123 octets, any other ends with its line, or with a zero byte.
func (s *Server) frame(in *bufio.Reader, b *batch, wait func() error) error {
	there, _ := in.Peek(in.Buffered())
	if bytes.IndexByte(there, '\n') < 0 && bytes.IndexByte(there, ' ') < 0 {
		if err := wait(); err != nil {
			return err
		}
	}
	head, err := in.Peek(1)
	if err != nil {
		return err
	}
	if head[0] >= '1' && head[0] <= '9' {
		if n, digits := counted(in); n > 0 {
			_, _ = in.Discard(digits)
			if in.Buffered() < n {
				if err := wait(); err != nil {
					return err
				}
			}
			return s.octets(in, n, b)
		}
	}
	if bytes.IndexByte(there, '\n') < 0 {
		if err := wait(); err != nil {
			return err
		}
	}
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if i := bytes.IndexByte(part, 0); i >= 0 && bytes.IndexByte(part[i+1:], 0) >= 0 { // several that end with zeros
			part = bytes.ReplaceAll(bytes.Clone(part), []byte{0}, []byte{'\n'})
		}
		if room := s.cfg.MaxMessage - len(line); room > 0 {
			line = append(line, part[:min(len(part), room)]...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		for m := range bytes.SplitSeq(line, []byte{'\n'}) {
			b.add(m)
		}
		return err
	}
}

// counted reads "123 " at the head, if what follows begins a message. It waits for no more bytes than it needs.
func counted(in *bufio.Reader) (n, digits int) {
	for i := 1; i <= 8; i++ {
		head, err := in.Peek(i + 1)
		if err != nil {
			return 0, 0
		}
		switch c := head[i]; {
		case c == ' ':
			n, err := strconv.Atoi(string(head[:i]))
			if next, _ := in.Peek(i + 2); err != nil || len(next) < i+2 || next[i+1] != '<' {
				return 0, 0
			}
			return n, i + 1
		case c < '0' || c > '9':
			return 0, 0
		}
	}
	return 0, 0
}

func (s *Server) octets(in *bufio.Reader, n int, b *batch) error {
	if n > 16<<20 {
		return errors.New("syslog: a message of more than 16 MiB: the framing is lost")
	}
	m := make([]byte, min(n, s.cfg.MaxMessage))
	if _, err := io.ReadFull(in, m); err != nil {
		return err
	}
	if _, err := in.Discard(n - len(m)); err != nil {
		return err
	}
	b.add(m)
	return nil
}

// ServeUDP receives datagrams until ctx ends, and closes the connection. What comes faster than the spool takes it is shed.
func (s *Server) ServeUDP(ctx context.Context, c net.PacketConn) error {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	const queue = 64
	full, free := make(chan *batch, queue), make(chan *batch, queue)
	for range queue {
		free <- newBatch(s, "")
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for b := range full {
				_ = b.flush(context.WithoutCancel(ctx)) // counted; nobody can be told
				free <- b
			}
		})
	}
	err := s.datagrams(ctx, c, full, free)
	close(full)
	wg.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (s *Server) datagrams(ctx context.Context, c net.PacketConn, full, free chan *batch) error {
	buf := make([]byte, 64<<10)
	var b *batch
	hand := func() {
		if b != nil && len(b.lines) > 0 {
			full <- b // has room for all that there are
			b = nil
		}
	}
	for {
		wait := time.Now().Add(time.Second)
		if b != nil && len(b.lines) > 0 {
			wait = time.Now().Add(5 * time.Millisecond) // what comes together shares a commit
		}
		_ = c.SetReadDeadline(wait)
		n, from, err := c.ReadFrom(buf)
		var timeout net.Error
		switch {
		case ctx.Err() != nil || err != nil && !(errors.As(err, &timeout) && timeout.Timeout()):
			hand()
			return fmt.Errorf("syslog on %s: %w", c.LocalAddr(), err)
		case err != nil:
			hand()
			continue
		}
		if b == nil {
			select {
			case b = <-free:
			default:
				s.cfg.Intake.NotTaken(s.cfg.Intake.Source(hostOf(from), unnamed), ingest.Logs, 1, ingest.ErrBusy)
				continue
			}
		}
		b.peer = hostOf(from)
		b.add(buf[:min(n, s.cfg.MaxMessage)])
		if b.bytes > flushBytes {
			hand()
		}
	}
}

func hostOf(a net.Addr) string {
	if a == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}
