package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// HealthConfig is an active check of each server.
type HealthConfig struct {
	Path     string        // asked for with GET (default /livez)
	Host     string        // header field Host (default the server's address)
	Interval time.Duration // between two checks of a server (default 10 s)
	Timeout  time.Duration // for one (default 2 s)
	Fall     int           // failures in a row until the server is down (default 3)
	Rise     int           // successes in a row until it is up (default 2)
}

func (h *HealthConfig) fill() error {
	if h.Interval < 0 || h.Timeout < 0 || h.Fall < 0 || h.Rise < 0 {
		return errors.New("upstream: health check: a negative setting; leave it out for the default")
	}
	if h.Path == "" {
		h.Path = "/livez"
	}
	if h.Interval == 0 {
		h.Interval = 10 * time.Second
	}
	if h.Timeout == 0 {
		h.Timeout = 2 * time.Second
	}
	if h.Fall == 0 {
		h.Fall = 3
	}
	if h.Rise == 0 {
		h.Rise = 2
	}
	return nil
}

// watch checks each server in a goroutine of its own until the returned function is called, which waits for them.
func (u *Upstream) watch(h HealthConfig) (stop func(), err error) {
	if err := h.fill(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	client := &http.Client{Transport: u.transport, Timeout: h.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var wg sync.WaitGroup
	for i, s := range u.servers {
		// The checks of the servers are spread over the interval, so that they do not come all at once.
		delay := h.Interval * time.Duration(i) / time.Duration(len(u.servers))
		wg.Go(func() { u.checks(ctx, client, &h, s, delay) })
	}
	return func() { cancel(); wg.Wait() }, nil
}

func (u *Upstream) checks(ctx context.Context, client *http.Client, h *HealthConfig, s *server, delay time.Duration) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	failed, passed := 0, 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		timer.Reset(h.Interval)
		err := u.check(ctx, client, h, s)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			failed, passed = failed+1, 0
		} else {
			failed, passed = 0, passed+1
		}
		switch down := s.down.Load(); {
		case !down && failed >= h.Fall:
			s.down.Store(true)
			u.tell(s, false, err.Error())
		case down && passed >= h.Rise:
			s.down.Store(false)
			u.tell(s, true, "")
		}
	}
}

func (u *Upstream) tell(s *server, up bool, why string) {
	if u.cfg.OnHealth != nil {
		u.cfg.OnHealth(s.addr, up, why)
	}
}

// check asks once. Anything but an answer of 200 to 399 in time is a failure.
func (u *Upstream) check(ctx context.Context, client *http.Client, h *HealthConfig, s *server) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.cfg.Scheme+"://"+s.addr+h.Path, nil)
	if err != nil {
		return err
	}
	r.Host = h.Host
	r.Header.Set("User-Agent", "inquest-gateway-check")
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()                      // only read
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection is kept; the status has been read
	if resp.StatusCode < 200 || resp.StatusCode >= 400 {
		return fmt.Errorf("GET %s answered %d", h.Path, resp.StatusCode)
	}
	return nil
}
