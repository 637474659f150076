package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest/internal/gateway"
)

// ears are what is listened on, by address and kind. An address that a new configuration keeps is not opened again: its
// connections live on.
type ears struct {
	mu    sync.Mutex
	at    map[string]*ear
	admin *http.Server
}

type ear struct {
	l      net.Listener
	s      *http.Server
	cert   atomic.Pointer[tls.Certificate]
	config gateway.Listen
}

func keyOf(l *gateway.Listen) string {
	kind := "plain"
	switch {
	case l.ACME != nil:
		kind = "acme " + strings.Join(l.ACME.Domains, ",")
	case l.Cert != "":
		kind = "tls"
	}
	return fmt.Sprintf("%s %s %v", l.Address, kind, l.H2C)
}

// open listens, unless it does already; then it only takes new certificates.
func (e *ears) open(ctx context.Context, cfg *gateway.Config, l *gateway.Listen, h http.Handler, acme func(context.Context, *gateway.ACME) (*tls.Config, error), down chan<- error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.at == nil {
		e.at = map[string]*ear{}
	}
	at := e.at[keyOf(l)]
	if at == nil {
		at = &ear{s: server(&cfg.Server, h), config: *l}
		at.s.ErrorLog = log.New(io.Discard, "", 0) // handshakes of scanners
	}
	tc, err := at.tls(ctx, l, acme)
	if err != nil {
		return fmt.Errorf("listen %s: %w", l.Address, err)
	}
	if at.l != nil {
		return nil
	}
	at.s.TLSConfig = tc
	at.s.Protocols.SetUnencryptedHTTP2(l.H2C)
	if at.l, err = net.Listen("tcp", l.Address); err != nil {
		return fmt.Errorf("listen: %w; another process has the port, or it needs rights", err)
	}
	e.at[keyOf(l)] = at
	go func() {
		var err error
		if tc != nil {
			err = at.s.ServeTLS(at.l, "", "")
		} else {
			err = at.s.Serve(at.l)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			select {
			case down <- fmt.Errorf("listen %s: %w", l.Address, err):
			default:
			}
		}
	}()
	return nil
}

// tls returns the settings for TLS, nil for none.
func (at *ear) tls(ctx context.Context, l *gateway.Listen, acme func(context.Context, *gateway.ACME) (*tls.Config, error)) (*tls.Config, error) {
	switch {
	case l.ACME != nil && acme == nil:
		return nil, errors.New("acme: this build gets no certificates by itself; use the full inquest, or cert and key")
	case l.ACME != nil && at.l == nil:
		return acme(ctx, l.ACME)
	case l.Cert == "":
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(l.Cert, l.Key)
	if err != nil {
		return nil, err
	}
	at.cert.Store(&pair)
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return at.cert.Load(), nil }}, nil
}

// keep closes what the configuration does not name; requests on it end by themselves.
func (e *ears) keep(cfg *gateway.Config) {
	e.mu.Lock()
	defer e.mu.Unlock()
	wanted := map[string]bool{}
	for i := range cfg.Listen {
		wanted[keyOf(&cfg.Listen[i])] = true
	}
	for key, at := range e.at {
		if !wanted[key] {
			delete(e.at, key)
			go func() { _ = shut(at.s, cfg.Server.DrainTimeout) }() // the listener closes at once; late requests are cut at the limit
		}
	}
}

func (e *ears) addrs(cfg *gateway.Config) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for i := range cfg.Listen {
		if at := e.at[keyOf(&cfg.Listen[i])]; at != nil {
			out = append(out, at.l.Addr().String())
		}
	}
	return out
}

// openAdmin listens for operators on a socket of the file system, readable by its owner only, or on a loopback address.
func (e *ears) openAdmin(addr string, h http.Handler, down chan<- error) error {
	if addr == "" {
		return nil
	}
	var l net.Listener
	var err error
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		l, err = listenUnix(path)
	} else {
		l, err = net.Listen("tcp", addr)
	}
	if err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	e.admin = &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := e.admin.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			select {
			case down <- fmt.Errorf("admin: %w", err):
			default:
			}
		}
	}()
	return nil
}

// listenUnix takes the place of a socket that a killed process left behind, but not of one that is served.
func listenUnix(path string) (net.Listener, error) {
	if st, err := os.Lstat(path); err == nil && st.Mode()&os.ModeSocket != 0 {
		if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
			_ = c.Close() // somebody is there: that is the answer
			return nil, fmt.Errorf("%s is served by another gateway", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	return l, os.Chmod(path, 0o600)
}

// drain stops listening and waits for the requests under way.
func (e *ears) drain(limit time.Duration) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var wg sync.WaitGroup
	errs := make(chan error, len(e.at)+1)
	for _, at := range e.at {
		wg.Go(func() { errs <- shut(at.s, limit) })
	}
	if e.admin != nil {
		wg.Go(func() { errs <- shut(e.admin, limit) })
	}
	wg.Wait()
	close(errs)
	var err error
	for one := range errs {
		err = errors.Join(err, one)
	}
	return err
}

func shut(s *http.Server, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := s.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(fmt.Errorf("requests were still under way after %v and were cut", limit), s.Close())
	}
	return err
}

func (e *ears) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, at := range e.at {
		_ = at.s.Close() // the start failed; that is the error
	}
	if e.admin != nil {
		_ = e.admin.Close()
	}
}
