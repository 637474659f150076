// Package web is what people see of the server: pages, the same pages as JSON, and what they may do there.
//
// One table (table.go) holds every route: what it takes, what it answers, who may. Pages, the JSON interface below /api/v1 and its OpenAPI
// document all come from it, so they cannot differ. A page works without scripts; app.js adds keys, live updates and copying of commands. The
// content security policy forbids inline script and style, and requests to anywhere else.
//
// It knows the other rooms by the small interfaces in rooms.go and decides nothing itself: what an incident allows, the desk says.
package web

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/report"
	"github.com/inquesthq/inquest/internal/store"
)

//go:embed templates assets
var files embed.FS

// Config is what New needs. Auth, Desk, Records, Querier and Now are required; a room that is missing makes its page say so.
type Config struct {
	Auth    *auth.Auth
	Desk    Desk
	Records store.Records
	Querier store.Querier
	Now     func() time.Time

	Lookup      Lookup
	Runbooks    Runbooks
	Postmortems Postmortems
	Objectives  Objectives
	Findings    Auditor
	Settings    Settings
	Signals     Signals

	Failed        func(error)                      // is told why an answer is 5xx, under the id that it carries; may be nil
	Title         func(inquest.MechanismID) string // name of a mechanism; default: made of its id
	Zones         []*time.Location                 // times are shown in the first, in timelines in all; default: UTC
	Version       string
	Ways          []Way // in, served beside the pages: they are described, too
	PublicReports bool  // the form on which users tell of a failure needs no login
}

// Web serves pages and API.
type Web struct {
	cfg    Config
	routes []route
	pages  *pages
	assets map[string]asset
	live   *live
	guests *pace // reports by people who are not signed in
	seen   *overviewCache
}

// New parses the templates and builds the table.
func New(cfg Config) (*Web, error) {
	if cfg.Auth == nil || cfg.Desk == nil || cfg.Records == nil || cfg.Querier == nil || cfg.Now == nil {
		return nil, errors.New("web: Auth, Desk, Records, Querier and Now are required")
	}
	if len(cfg.Zones) == 0 {
		cfg.Zones = []*time.Location{time.UTC}
	}
	cfg.Version = cmp.Or(cfg.Version, "dev")
	w := &Web{cfg: cfg, live: newLive(), guests: &pace{now: cfg.Now, most: 10, per: time.Minute}, seen: &overviewCache{}}
	w.routes = w.table()
	var err error
	if w.assets, err = readAssets(report.Style()); err != nil {
		return nil, err
	}
	if w.pages, err = parsePages(w.funcs()); err != nil {
		return nil, err
	}
	if err := checkWays(cfg.Ways); err != nil {
		return nil, err
	}
	for _, r := range w.routes {
		if r.page != "" && !w.pages.has(r.page) {
			return nil, fmt.Errorf("web: no template %s", r.page)
		}
	}
	return w, nil
}

// Handler answers everything below "/". The server mounts its receivers beside it.
func (w *Web) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range w.routes {
		for _, p := range r.patterns() {
			mux.Handle(p, w.serve(r))
		}
	}
	mux.HandleFunc("GET /assets/{name}", w.serveAsset)
	mux.HandleFunc("GET /login", w.loginPage)
	mux.HandleFunc("POST /login", w.login)
	mux.HandleFunc("GET /login/oidc", w.loginProvider)
	mux.HandleFunc("GET /login/callback", w.loginCallback)
	mux.HandleFunc("POST /logout", w.logout)
	mux.HandleFunc("GET /events", w.serveEvents)
	mux.HandleFunc("GET /api/v1/openapi.json", w.serveOpenAPI)
	mux.HandleFunc("/", w.notFound)
	return headers(mux)
}

// policy forbids everything that the pages do not need: no inline script or style, no requests elsewhere, no frames.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // an id in a path is nobody else's business; our own pages may know
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		r.Body = http.MaxBytesReader(rw, r.Body, mostBody)
		next.ServeHTTP(rw, r)
	})
}

// mostBody bounds what a request may carry: the longest is a postmortem.
const mostBody = 1 << 20
