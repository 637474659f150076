// Package maintenance takes routes out of service on purpose: 503 with Retry-After and a page, for a time that ends by
// itself, with exceptions for those who mend. All other routes are untouched, and a switch works from the next request
// on.
package maintenance

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest/guard/problem"
)

// Window is the maintenance of one route.
type Window struct {
	Route   string         `json:"route"`   // a path such as /login; everything below it belongs to it, and / is all
	Until   time.Time      `json:"until"`   // when it ends by itself; required, at most a week ahead
	Message string         `json:"message"` // told to clients (default a general sentence)
	Allow   []netip.Prefix `json:"allow"`   // addresses that may pass, to try the repair
}

// longest is how far ahead a window may end: what is down for longer should say so in another way than 503.
const longest = 7 * 24 * time.Hour

// Switch holds the windows. The zero value has none and is ready.
type Switch struct {
	mu      sync.Mutex // of those who change
	windows atomic.Pointer[[]Window]
	ids     problem.IDs
}

// On begins the maintenance of a route, or changes it.
func (s *Switch) On(w Window) error {
	now := time.Now()
	switch {
	case !strings.HasPrefix(w.Route, "/"):
		return fmt.Errorf("maintenance: the route %q is no path: begin it with /", w.Route)
	case w.Until.IsZero():
		return errors.New("maintenance: it has no end: say until when, so that it ends if it is forgotten")
	case !w.Until.After(now):
		return fmt.Errorf("maintenance: it would have ended at %s already", w.Until.Format(time.RFC3339))
	case w.Until.Sub(now) > longest:
		return errors.New("maintenance: it would last for more than a week; set a shorter time and renew it")
	}
	if len(w.Route) > 1 {
		w.Route = strings.TrimSuffix(w.Route, "/")
	}
	if w.Message == "" {
		w.Message = "This part of the service is under maintenance. Please come back later."
	}
	s.change(func(all []Window) []Window {
		all = slices.DeleteFunc(all, func(o Window) bool { return o.Route == w.Route || !o.Until.After(now) })
		return append(all, w)
	})
	return nil
}

// Off ends the maintenance of a route, and reports whether there was any.
func (s *Switch) Off(route string) bool {
	if len(route) > 1 {
		route = strings.TrimSuffix(route, "/")
	}
	had := false
	s.change(func(all []Window) []Window {
		return slices.DeleteFunc(all, func(w Window) bool {
			had = had || w.Route == route && w.Until.After(time.Now())
			return w.Route == route
		})
	})
	return had
}

func (s *Switch) change(f func([]Window) []Window) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := f(slices.Clone(s.all()))
	s.windows.Store(&all)
}

func (s *Switch) all() []Window {
	if p := s.windows.Load(); p != nil {
		return *p
	}
	return nil
}

// Active returns the windows that are open now.
func (s *Switch) Active() []Window {
	now := time.Now()
	return slices.DeleteFunc(slices.Clone(s.all()), func(w Window) bool { return !w.Until.After(now) })
}

// find returns the most specific window that a path is in, if the address may not pass.
func (s *Switch) find(path, remote string) *Window {
	all := s.all()
	if len(all) == 0 {
		return nil
	}
	now := time.Now()
	var best *Window
	for i := range all {
		w := &all[i]
		if below(path, w.Route) && w.Until.After(now) && (best == nil || len(w.Route) > len(best.Route)) {
			best = w
		}
	}
	if best == nil || best.allows(remote) {
		return nil
	}
	return best
}

func below(path, route string) bool {
	return route == "/" || path == route || strings.HasPrefix(path, route) && path[len(route)] == '/'
}

func (w *Window) allows(remote string) bool {
	if len(w.Allow) == 0 {
		return false
	}
	at, err := netip.ParseAddrPort(remote)
	return err == nil && slices.ContainsFunc(w.Allow, func(p netip.Prefix) bool { return p.Contains(at.Addr().Unmap()) })
}

// Wrap puts the switch before a handler. Outside of maintenance it costs one load of a pointer.
func (s *Switch) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		window := s.find(r.URL.Path, r.RemoteAddr)
		if window == nil {
			next.ServeHTTP(w, r)
			return
		}
		p := problem.Problem{Status: http.StatusServiceUnavailable, Code: "MAINTENANCE", Message: window.Message,
			RetryAfter: time.Until(window.Until), ID: s.ids.Next(time.Now()), Fields: map[string]any{"until": window.Until.UTC().Format(time.RFC3339)}}
		p.Write(w, r)
	})
}

// API serves the switch: GET lists the open windows, PUT with a [Window] as JSON begins one, DELETE with ?route= ends one. Put
// it where only operators come.
func (s *Switch) API() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
		case http.MethodPut:
			var window Window
			d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
			d.DisallowUnknownFields()
			err := d.Decode(&window)
			if err == nil {
				err = s.On(window)
			}
			if err != nil {
				(&problem.Problem{Status: http.StatusBadRequest, Code: "INVALID_WINDOW", Message: err.Error()}).Write(w, r)
				return
			}
		case http.MethodDelete:
			if !s.Off(r.URL.Query().Get("route")) {
				(&problem.Problem{Status: http.StatusNotFound, Code: "NO_SUCH_WINDOW", Message: "That route is not under maintenance."}).Write(w, r)
				return
			}
		default:
			w.Header().Set("Allow", "GET, PUT, DELETE")
			(&problem.Problem{Status: http.StatusMethodNotAllowed, Code: "METHOD_NOT_ALLOWED", Message: "Use GET, PUT or DELETE."}).Write(w, r)
			return
		}
		active := s.Active()
		if active == nil {
			active = []Window{}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(active) // whoever asked is gone
	})
}
