package ingest

import (
	"net"
	"sync"
)

// LimitListener accepts at most n connections at a time; others wait in the system's queue, or are refused when that is full.
func LimitListener(l net.Listener, n int) net.Listener {
	return &limitListener{Listener: l, room: make(chan struct{}, n), done: make(chan struct{})}
}

type limitListener struct {
	net.Listener
	room chan struct{}
	done chan struct{}
	once sync.Once
}

func (l *limitListener) Accept() (net.Conn, error) {
	select {
	case l.room <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.room
		return nil, err
	}
	return &limitConn{Conn: c, release: sync.OnceFunc(func() { <-l.room })}, nil
}

func (l *limitListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

type limitConn struct {
	net.Conn
	release func()
}

func (c *limitConn) Close() error {
	err := c.Conn.Close()
	c.release()
	return err
}
