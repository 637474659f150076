package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/inquesthq/inquest/internal/gateway/upstream"
)

// Status is what the admin API says of the whole gateway.
type Status struct {
	Routes    []RouteState    `json:"routes"`
	Upstreams []UpstreamState `json:"upstreams"`
}

// RouteState is one route of it.
type RouteState struct {
	Name        string `json:"name"`
	Host        string `json:"host,omitempty"`
	Path        string `json:"path"`
	Upstream    string `json:"upstream"`
	Maintenance bool   `json:"maintenance"`
	Until       string `json:"until,omitempty"`
	Audit       bool   `json:"audit,omitempty"`
}

// UpstreamState is one upstream of it.
type UpstreamState struct {
	Name    string                 `json:"name"`
	Servers []upstream.ServerState `json:"servers"`
}

// Status returns the present state, routes in the order in which they are tried.
func (g *Gateway) Status() Status {
	t, now := g.table.Load(), time.Now()
	var s Status
	for _, r := range t.routes {
		st := RouteState{Name: r.name, Host: r.Host, Path: r.path + "/", Upstream: r.up.Name(), Audit: r.audit}
		if c := r.closed.state.Load(); c != nil && (c.until.IsZero() || now.Before(c.until)) {
			st.Maintenance = true
			if !c.until.IsZero() {
				st.Until = c.until.UTC().Format(time.RFC3339)
			}
		}
		s.Routes = append(s.Routes, st)
	}
	for _, name := range sortedKeys(t.upstreams) {
		s.Upstreams = append(s.Upstreams, UpstreamState{name, t.upstreams[name].State()})
	}
	return s
}

// SetMaintenance opens or closes a route at once. It holds until the next one, a reload, or the time it was given.
func (g *Gateway) SetMaintenance(route string, m Maintenance, by string) error {
	for _, r := range g.table.Load().routes {
		if r.name != route {
			continue
		}
		if err := r.closed.set(&m); err != nil {
			return err
		}
		state := "off"
		if m.On {
			state = "on"
			if !m.Until.IsZero() {
				state += " until " + m.Until.UTC().Format(time.RFC3339)
			}
		}
		g.tell(Event{Time: time.Now(), Kind: "maintenance", Route: route, Text: state, By: by})
		return nil
	}
	var names []string
	for _, r := range g.table.Load().routes {
		names = append(names, r.name)
	}
	return fmt.Errorf("there is no route %q; known: %q", route, names)
}

// ResetBreaker closes the circuits of an upstream, or of one of its servers, and leaves a record of who did it.
func (g *Gateway) ResetBreaker(name, server, by string) ([]string, error) {
	u := g.table.Load().upstreams[name]
	if u == nil {
		return nil, fmt.Errorf("there is no upstream %q; known: %q", name, sortedKeys(g.table.Load().upstreams))
	}
	reset, err := u.ResetBreaker(server)
	if err != nil {
		return nil, err
	}
	for _, s := range reset {
		g.tell(Event{Time: time.Now(), Kind: "breaker-reset", Upstream: name, Server: s, Text: "closed by hand", By: by})
	}
	return reset, nil
}

// Admin is the API for operators: GET /status, GET /metrics, POST /maintenance, POST /breakers/reset, POST /reload. It asks for no
// password: serve it on a socket that only operators reach, or on a loopback address. Requests that a browser could be made to send from
// another site are refused.
func (g *Gateway) Admin(reload func() error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, g.Status()) })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_ = g.WriteMetrics(w) // a scraper that left
	})
	mux.HandleFunc("POST /maintenance", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Route string `json:"route"`
			By    string `json:"by"`
			Maintenance
		}
		if take(w, r, &in) {
			done(w, g.SetMaintenance(in.Route, in.Maintenance, in.By))
		}
	})
	mux.HandleFunc("POST /breakers/reset", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Upstream, Server, By string }
		if !take(w, r, &in) {
			return
		}
		reset, err := g.ResetBreaker(in.Upstream, in.Server, in.By)
		if err != nil {
			done(w, err)
			return
		}
		reply(w, http.StatusOK, map[string]any{"reset": append([]string{}, reset...)})
	})
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, _ *http.Request) { done(w, reload()) })
	return local(mux)
}

// local refuses what comes by way of a browser: another origin, or a name that was made to point here.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		ip := net.ParseIP(host)
		if r.Header.Get("Origin") != "" || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			done(w, errors.New("the admin API is for this machine: address it as localhost, and not from a web page"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func take(w http.ResponseWriter, r *http.Request, to any) bool {
	dec := json.NewDecoder(io.LimitReader(r.Body, 64<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		done(w, fmt.Errorf("the body is not the JSON that is expected here: %w", err))
		return false
	}
	return true
}

func done(w http.ResponseWriter, err error) {
	if err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	reply(w, http.StatusOK, map[string]bool{"ok": true})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that left
}
