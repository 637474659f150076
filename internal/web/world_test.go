package web_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/web"
)

const (
	openIncident   = "INC-20261121-7KQ2"
	beforeIncident = "INC-20261107-4M9T"
	knownError     = "ERR-543C9BC8940"
)

// world is a server with believable data: the example's incident is open, another was a fortnight ago.
type world struct {
	*web.Web
	cfg     web.Config
	desk    *desk
	records *records
	querier *querier
	now     time.Time
	server  *httptest.Server
}

// investigated is the example, investigated once for all tests.
var investigated = sync.OnceValues(func() (*inquest.Diagnosis, error) {
	out, err := flow.Investigate(context.Background(), "../../examples/black-friday", flow.Options{})
	if err != nil {
		return nil, err
	}
	return out.Diagnosis, nil
})

var passwords = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for _, name := range []string{"vic", "ann", "root"} {
		out[name], _ = auth.HashPassword(rand.Reader, name+" has a long password")
	}
	return out
})

// users are one of each role: vic (viewer), ann (responder), root (admin).
func users() []auth.User {
	p := passwords()
	return []auth.User{{Name: "vic", Password: p["vic"], Role: auth.Viewer}, {Name: "ann", Password: p["ann"], Role: auth.Responder}, {Name: "root", Password: p["root"], Role: auth.Admin}}
}

// newWorld makes one; change may alter what New gets.
func newWorld(t testing.TB, people []auth.User, change func(*web.Config, *world)) *world {
	t.Helper()
	d, err := investigated()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{records: newRecords(), now: d.Window.To.Add(8 * time.Minute)}
	clock := func() time.Time { return w.now }
	w.desk = newDesk(d, clock)
	w.querier = newQuerier(d)
	a, err := auth.New(auth.Config{Records: w.records, Now: clock, Users: people})
	if err != nil {
		t.Fatal(err)
	}
	fillRecords(w.records, d)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	more := &told{objectives: someObjectives(), findings: someFindings(d, w.now), setup: someSetup(w.now), arrivals: someArrivals(w.now)}
	w.cfg = web.Config{Auth: a, Desk: w.desk, Records: w.records, Querier: w.querier, Now: clock, Lookup: &lookup{someTrace(d)}, Runbooks: someRunbook(),
		Postmortems: &postmortems{saved: map[string]web.Postmortem{}}, Objectives: more, Findings: more, Settings: more, Signals: more,
		Title: title, Zones: []*time.Location{time.UTC, berlin}, Version: "test"}
	if change != nil {
		change(&w.cfg, w)
	}
	if w.Web, err = web.New(w.cfg); err != nil {
		t.Fatal(err)
	}
	w.desk.changed = w.Changed
	return w
}

// title is the catalogue's name of a mechanism, as the reports have it.
func title(id inquest.MechanismID) string {
	for _, m := range mechanism.All() {
		if m.ID == id {
			return m.Title
		}
	}
	return string(id)
}

// serve starts a server on this machine.
func (w *world) serve(t testing.TB) *httptest.Server {
	if w.server == nil {
		w.server = httptest.NewServer(w.Handler())
		t.Cleanup(func() {
			w.server.CloseClientConnections() // streams of events do not end by themselves
			w.server.Close()
		})
	}
	return w.server
}

// do sends a request to the handler, from this machine.
func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	if r.RemoteAddr == "192.0.2.1:1234" { // httptest's
		r.RemoteAddr = "127.0.0.1:4711"
	}
	out := httptest.NewRecorder()
	w.Handler().ServeHTTP(out, r)
	return out
}
