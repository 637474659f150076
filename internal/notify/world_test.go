package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/notify"
	"github.com/inquesthq/inquest/internal/store"
)

// request is what a channel's server got.
type request struct {
	path   string
	header http.Header
	body   []byte
}

// server records what it gets and answers as the test says.
type server struct {
	*httptest.Server
	mu   sync.Mutex
	got  []request
	when []time.Time
}

func serve(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.got = append(s.got, request{r.URL.Path, r.Header, body})
		s.when = append(s.when, time.Now())
		n := len(s.got)
		s.mu.Unlock()
		if answer != nil {
			answer(n, w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) requests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.got...)
}

var loopback = []string{"127.0.0.0/8", "::1"}

// hook is a webhook channel at a server of the test.
func hook(name string, s *server) notify.Channel {
	return notify.Channel{Name: name, Webhook: &notify.Webhook{URL: notify.Secret(s.URL + "/hook")}, Allow: loopback}
}

var began = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func outage() inquest.Incident {
	return inquest.Incident{
		ID: "INC-20261129-7KQ2", Title: "HighErrorRate on checkout", State: inquest.IncidentOpen, Severity: inquest.SEV2, Services: []string{"checkout"}, Alerts: []inquest.Alert{},
		Onset: began, Detected: began.Add(2 * time.Minute), Opened: began.Add(2 * time.Minute), Revision: 1, Failed: 120, Requests: 1000, Reports: 2, Cost: 9000, Currency: "EUR",
		Verdict: inquest.VerdictSummary{Level: inquest.Probable, Mechanism: "database/pool-exhausted", Culprit: "checkout-db", Confidence: 0.8, Summary: "The pool of checkout-db is exhausted.", Action: "Restart the <workers>"},
	}
}

// world is a store with one incident.
type world struct {
	t       *testing.T
	records *memory
}

func newWorld(t *testing.T) *world {
	w := &world{t, newMemory()}
	w.put("incident", "INC-20261129-7KQ2", "", "open", began, outage())
	return w
}

func (w *world) put(kind, id, parent, state string, at time.Time, body any) {
	w.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	old, _ := w.records.Get(context.Background(), kind, id)
	if err := w.records.Put(context.Background(), store.Record{Kind: kind, ID: id, Parent: parent, State: state, Time: at, Version: old.Version, Body: b}); err != nil {
		w.t.Fatal(err)
	}
}

// due puts a notice that is to be sent.
func (w *world) due(o inquest.Occasion, channel string, created time.Time) string {
	w.t.Helper()
	id := fmt.Sprintf("INC-20261129-7KQ2/%s-1/%s", o, channel)
	w.put("notice", id, "INC-20261129-7KQ2", "due", created, inquest.Notice{
		ID: id, Incident: "INC-20261129-7KQ2", Occasion: o, Channel: channel, State: inquest.NoticeDue, Created: created, Next: created,
	})
	return id
}

func (w *world) notice(id string) inquest.Notice {
	w.t.Helper()
	r, err := w.records.Get(context.Background(), "notice", id)
	if err != nil {
		w.t.Fatal(err)
	}
	var n inquest.Notice
	if err := json.Unmarshal(r.Body, &n); err != nil {
		w.t.Fatal(err)
	}
	if r.State != string(n.State) {
		w.t.Errorf("%s: the record says %s, its body %s", id, r.State, n.State)
	}
	return n
}

// entries lists the texts of the incident's timeline.
func (w *world) entries() string {
	w.t.Helper()
	records, err := w.records.List(context.Background(), store.Query{Kind: "entry", Parent: "INC-20261129-7KQ2"})
	if err != nil {
		w.t.Fatal(err)
	}
	var b strings.Builder
	for _, r := range records {
		var e inquest.IncidentEntry
		if err := json.Unmarshal(r.Body, &e); err != nil {
			w.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\n", e.Kind, e.Text)
	}
	return b.String()
}

// sender makes one that does not wait long.
func (w *world) sender(change func(*notify.Config), channels ...notify.Channel) *notify.Sender {
	w.t.Helper()
	cfg := notify.Config{
		Records: w.records, Channels: channels, BaseURL: "https://inquest.example.com/", Poll: 5 * time.Millisecond, Backoff: 20 * time.Millisecond, Timeout: 5 * time.Second,
		Failed: func(err error) { w.t.Errorf("Run went on after: %v", err) },
	}
	if change != nil {
		change(&cfg)
	}
	s, err := notify.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// runUntil runs a sender until the condition holds, and waits for its end.
func (w *world) runUntil(s *notify.Sender, done func() bool) {
	w.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	deadline := time.Now().Add(30 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			w.t.Error("what was waited for did not come in 30 s")
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	stop()
	if err := <-ended; err != nil {
		w.t.Errorf("Run: %v", err)
	}
}

// settled reports whether no notice is due any more.
func (w *world) settled() bool {
	records, err := w.records.List(context.Background(), store.Query{Kind: "notice", State: "due"})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(records) == 0
}
