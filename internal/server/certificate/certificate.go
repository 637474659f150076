// Package certificate serves TLS from files that somebody else renews: they are read again when they change, and what cannot be read never takes the place of
// what is served.
package certificate

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// Certificate is a pair of files that is read again when they change. Safe for concurrent use.
type Certificate struct {
	cert, key string
	now       func() time.Time
	failed    func(error)

	mu     sync.Mutex
	pair   *tls.Certificate
	loaded [2]stamp // of the files that pair was made of
	broken [2]stamp // of files that make none
	looked time.Time
	told   string // what was wrong then
}

// stamp is how one tells that a file changed.
type stamp struct {
	at   time.Time
	size int64
}

// lookAgain is how long a renewed certificate is not noticed at most.
const lookAgain = 3 * time.Second

// Open reads a pair of PEM files. failed is told when they were replaced by what cannot be read.
func Open(cert, key string, now func() time.Time, failed func(error)) (*Certificate, error) {
	c := &Certificate{cert: cert, key: key, now: now, failed: failed}
	return c, c.load()
}

// load reads the files if they are others than those read last.
func (c *Certificate) load() error {
	var seen [2]stamp
	for i, file := range []string{c.cert, c.key} {
		s, err := os.Stat(file)
		if err != nil {
			return err
		}
		seen[i] = stamp{s.ModTime(), s.Size()}
	}
	if seen == c.loaded || seen == c.broken {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		c.broken = seen
		return err
	}
	c.pair, c.loaded = &pair, seen
	return nil
}

// Get is the certificate for a connection. While the files are being replaced, or make no pair, it is the last one that did.
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if since := now.Sub(c.looked); since < 0 || since >= lookAgain {
		c.looked = now
		err := c.load()
		if err != nil && err.Error() != c.told {
			c.failed(fmt.Errorf("the certificate was replaced by what cannot be read; the last one is still served: %w", err))
		}
		c.told = ""
		if err != nil {
			c.told = err.Error()
		}
	}
	return c.pair, nil
}
