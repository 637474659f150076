package conformance_test

import (
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/conformance"
	"github.com/inquesthq/inquest/internal/gateway"
	"github.com/inquesthq/inquest/internal/gateway/accesslog"
)

// inProcess is the gateway as a handler behind a server of this test.
type inProcess struct{}

type lines struct {
	mu  sync.Mutex
	all [][]byte
}

func (l *lines) Write(e *accesslog.Entry) {
	l.mu.Lock()
	l.all = append(l.all, e.Append(nil))
	l.mu.Unlock()
}

func (l *lines) last(path string) (found conformance.Line, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.all {
		line, uri, err := conformance.ParseLine(b)
		if err != nil {
			panic(err)
		}
		if uri == path {
			found, ok = line, true
		}
	}
	return found, ok
}

func (inProcess) Start(ups map[string]conformance.Server, l conformance.Limits) (string, func(string) (conformance.Line, bool), func(), error) {
	cfg := gateway.Config{Upstreams: map[string]gateway.Upstream{}}
	cfg.Server.StallTimeout = 5 * time.Second
	for name, s := range ups {
		cfg.Upstreams[name] = gateway.Upstream{Servers: []string{s.URL}, Timeouts: gateway.Timeouts{Connect: l.Connect, Response: l.Response, Stall: l.Stall}}
		cfg.Routes = append(cfg.Routes, gateway.Route{Path: "/" + name, StripPrefix: "/" + name, Upstream: name})
	}
	log := &lines{}
	g, err := gateway.New(cfg, gateway.Options{Log: log})
	if err != nil {
		return "", nil, nil, err
	}
	s := httptest.NewServer(g)
	return s.Listener.Addr().String(), log.last, func() { s.CloseClientConnections(); s.Close(); g.Close() }, nil
}

func TestBehaviours(t *testing.T) {
	for _, name := range conformance.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := conformance.Run(inProcess{}, func(n string) bool { return n == name })
			if len(r) != 1 {
				t.Fatalf("%d results", len(r))
			}
			if !r[0].OK {
				t.Errorf("%s: expected %s, observed %s: %s", r[0].Sentence, r[0].Expected, r[0].Observed, r[0].Why)
			}
		})
	}
}
