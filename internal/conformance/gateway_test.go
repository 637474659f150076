package conformance_test

import (
	"encoding/json"
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
	all []map[string]any
}

func (l *lines) Write(e *accesslog.Entry) {
	var m map[string]any
	if err := json.Unmarshal(e.Append(nil), &m); err != nil {
		panic(err)
	}
	l.mu.Lock()
	l.all = append(l.all, m)
	l.mu.Unlock()
}

func (l *lines) last(path string) (conformance.Line, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.all) - 1; i >= 0; i-- {
		m := l.all[i]
		if m["request_uri"] != path {
			continue
		}
		num := func(k string) int { f, _ := m[k].(float64); return int(f) }
		str := func(k string) string { s, _ := m[k].(string); return s }
		return conformance.Line{Status: num("status"), Upstream: num("upstream_status"), Attempts: num("attempts"), Reason: str("reason"),
			RequestID: str("request_id"), TraceID: str("trace_id"), ErrorID: str("error_id"), Address: str("upstream_addr")}, true
	}
	return conformance.Line{}, false
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
