package server

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// certificate is a pair of files that is read again when they change.
type certificate struct {
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

// openCertificate reads the certificate that all is served with; there may be none.
func (p *process) openCertificate() error {
	l := p.Settings.Listen
	if l.Cert == "" {
		return nil
	}
	c := &certificate{cert: l.Cert, key: l.Key, now: p.Now, failed: p.failed("listen")}
	if err := c.load(); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	p.tls = &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}
	return nil
}

// load reads the files if they are others than those read last.
func (c *certificate) load() error {
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

// get is the certificate for a connection. While the files are being replaced, or make no pair, it is the last one that did.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
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

// Warnings are what works and is dangerous.
func Warnings(s Settings) []string {
	s = s.Complete()
	if s.Listen.Cert != "" || len(s.Access.Users) == 0 && s.Access.OIDC == nil || strings.HasPrefix(s.URL, "https://") || loopback(s.Listen.Address) {
		return nil
	}
	return []string{fmt.Sprintf("WARNING: passwords, sessions and tokens go over the network unencrypted: listen.address %s serves plain HTTP to other machines. "+
		"Set listen.cert and listen.key; or let a proxy that does TLS stand in front, and write its https address as url", s.Listen.Address)}
}

// loopback reports whether an address is for this machine only.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback())
}
