package rates_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/casefile"
	"github.com/inquesthq/inquest/internal/rates"
	"github.com/inquesthq/inquest/internal/spool"
	"github.com/inquesthq/inquest/internal/store"
)

// records is a store.Records in memory.
type records struct {
	mu   sync.Mutex
	all  map[string]store.Record
	puts int
	fail error
}

func newRecords() *records { return &records{all: map[string]store.Record{}} }

func (m *records) Get(_ context.Context, kind, id string) (store.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.all[kind+" "+id]
	if !ok {
		return r, store.ErrNotFound
	}
	return r, nil
}

func (m *records) Put(_ context.Context, list ...store.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.puts += len(list)
	if m.fail != nil {
		return m.fail
	}
	for _, r := range list {
		if m.all[r.Kind+" "+r.ID].Version != r.Version {
			return store.ErrConflict
		}
	}
	for _, r := range list {
		r.Version++
		m.all[r.Kind+" "+r.ID] = r
	}
	return nil
}

func (m *records) List(_ context.Context, q store.Query) (out []store.Record, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.all {
		if r.Kind == q.Kind && (q.Parent == "" || q.Parent == r.Parent) && !r.Time.Before(q.From) && (q.To.IsZero() || r.Time.Before(q.To)) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b store.Record) int { return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.ID, b.ID)) })
	if q.Limit > 0 {
		out = out[:min(len(out), q.Limit)]
	}
	return out, nil
}

// appender keeps the last value of each series, and that samples ascend.
type appender struct {
	mu   sync.Mutex
	t    testing.TB
	last map[string]inquest.Sample
	back bool // the clock may be set back
	fail error
}

func (a *appender) Append(_ context.Context, series []inquest.Series) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil {
		return a.fail
	}
	for _, s := range series {
		name := s.Name + inquest.LabelText(s.Labels)
		for _, x := range s.Samples {
			if old, ok := a.last[name]; ok && !x.Time.After(old.Time) && !a.back {
				a.t.Errorf("%s: a sample at %s after one at %s", name, x.Time, old.Time)
			}
			a.last[name] = x
		}
	}
	return nil
}

func (a *appender) value(name string) float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last[name].Value
}

// world is a follower with a spool and stores.
type world struct {
	t        testing.TB
	dir      string
	now      time.Time
	spool    *spool.Spool
	reader   *spool.Reader
	records  *records
	series   *appender
	told     []string // of changes
	reports  []rates.UserReport
	refuse   error // whom reports are handed to
	follower *rates.Follower
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, dir: t.TempDir(), now: noon, records: newRecords(), series: &appender{t: t, last: map[string]inquest.Sample{}}}
	w.start()
	t.Cleanup(func() { _ = w.spool.Close() })
	return w
}

func (w *world) start() {
	w.t.Helper()
	var err error
	clock := func() time.Time { return w.now }
	if w.spool, err = spool.Open(spool.Config{Dir: w.dir, Now: clock}); err != nil {
		w.t.Fatal(err)
	}
	if w.reader, err = w.spool.Reader("rates"); err != nil {
		w.t.Fatal(err)
	}
	changed := func(_ context.Context, c inquest.Change) { w.told = append(w.told, fmt.Sprint(c.Kind, " ", c.Version)) }
	reported := func(_ context.Context, r rates.UserReport) error {
		if w.refuse == nil {
			w.reports = append(w.reports, r)
		}
		return w.refuse
	}
	w.follower, err = rates.New(rates.Config{Reader: w.reader, Spool: w.spool, Series: w.series, Records: w.records, Writer: casefile.ServiceOf, Changed: changed, Reported: reported, Now: clock})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) add(name, text string) {
	w.t.Helper()
	if err := w.spool.Append(context.Background(), spool.Source{Name: name}, []byte(text)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tick() error {
	w.now = w.now.Add(2 * time.Second)
	return w.follower.Tick(context.Background())
}

func (w *world) patterns() map[string]map[string]any {
	list, _ := w.records.List(context.Background(), store.Query{Kind: "pattern"})
	out := map[string]map[string]any{}
	for _, r := range list {
		var b map[string]any
		if err := json.Unmarshal(r.Body, &b); err != nil {
			w.t.Fatal(err)
		}
		b["state"] = r.State
		out[fmt.Sprint(r.Parent, ": ", b["template"])] = b
	}
	return out
}

func access(n, status int) string {
	return fmt.Sprintf("10.0.0.1 - - [29/Nov/2026:12:00:%02d +0000] \"GET /products/%d HTTP/1.1\" %d 5 \"-\" \"curl/8\"\n", n%60, n, status)
}

const requests200 = `inquest_requests_total{code="200", route="GET /products/{id}", service="nginx"}`

func TestTheFollowerCountsWhatArrives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("nginx", access(1, 200)+access(2, 502))
	w.add("checkout", `{"time":"2026-11-29T12:00:01Z","level":"ERROR","msg":"pool exhausted after 5s","password":"hunter2"}`+"\n")
	if err := w.tick(); err != nil {
		t.Fatal(err)
	}
	w.add("nginx", access(3, 200))
	if err := w.tick(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		requests200: 2,
		`inquest_failures_total{kind="5xx", route="GET /products/{id}", service="nginx"}`: 1,
		`inquest_log_records_total{level="error", service="checkout"}`:                    1,
		`inquest_spool_lag_seconds`: 0,
	} {
		if got := w.series.value(name); got != want {
			t.Errorf("%s = %g, want %g", name, got, want)
		}
	}
	if w.series.value("inquest_spool_bytes") == 0 {
		t.Error("the spool's bytes are not told")
	}
	p := w.patterns()["checkout: pool exhausted after <*>"]
	if p == nil || p["count"] != 1.0 || p["level"] != "error" || p["state"] != "steady" || p["first"] != "2026-11-29T12:00:01Z" {
		t.Errorf("pattern %v of %v", p, w.patterns())
	}
	example, _ := p["example"].(map[string]any)
	if example["file"] != "checkout.log/checkout-20261129T120000.log" || example["line"] != 1.0 || strings.Contains(fmt.Sprint(example), "hunter2") {
		t.Errorf("example %v", example)
	}
	if st := w.follower.Status(); st.Err != nil || st.Lag != 0 || st.Unread != 0 || st.Passed != 0 {
		t.Errorf("status %+v", st)
	}
}

func TestAFollowerThatIsStartedAgainGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("nginx", access(1, 200)+access(2, 200))
	w.add("checkout", "2026-11-29T12:00:00Z ERROR one\n2026-11-29T12:00:01Z ERROR two words\n")
	if err := w.tick(); err != nil {
		t.Fatal(err)
	}
	_ = w.spool.Close()
	w.start()
	w.add("nginx", access(3, 200))
	w.add("checkout", "2026-11-29T12:00:02Z ERROR one\n2026-11-29T12:00:03Z ERROR something else\n"+strings.Repeat("2026-11-29T12:00:04Z ERROR something else\n", 2))
	if err := w.tick(); err != nil {
		t.Fatal(err)
	}
	if got := w.series.value(requests200); got != 1 {
		t.Errorf("%g requests since it was started again, want 1", got)
	}
	all := w.patterns()
	if p := all["checkout: one"]; p == nil || p["count"] != 2.0 || p["state"] != "steady" {
		t.Errorf("known pattern: %v", p)
	}
	p := all["checkout: something else"]
	if p == nil || p["state"] != "new" {
		t.Fatalf("a pattern that a service did not have before: %v of %v", p, all)
	}
	if line := p["example"].(map[string]any)["line"]; line != 4.0 {
		t.Errorf("its example is line %v of the segment, want 4", line)
	}
	if got := w.series.value(`inquest_new_patterns_total{level="error", service="checkout"}`); got != 1 {
		t.Errorf("%g new patterns", got)
	}
}

func TestAStoreThatFailsLosesNoCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	down := errors.New("the store is down")
	w.records.fail, w.series.fail = down, down
	w.add("nginx", access(1, 200))
	w.add("checkout", "2026-11-29T12:00:00Z ERROR one\n")
	w.add("changes", `{"time":"2026-11-29T12:00:00Z","kind":"deploy","service":"checkout","version":"2","summary":"x"}`+"\n")
	if err := w.tick(); !errors.Is(err, down) || !errors.Is(w.follower.Status().Err, down) {
		t.Errorf("got %v, status %+v", err, w.follower.Status())
	}
	w.records.fail, w.series.fail = nil, nil
	w.add("nginx", access(2, 200))
	w.now = w.now.Add(time.Second) // at once, not when a pattern is due again
	if err := w.tick(); err != nil {
		t.Fatal(err)
	}
	if got := w.series.value(requests200); got != 2 {
		t.Errorf("%g requests, want 2", got)
	}
	if p := w.patterns()["checkout: one"]; p == nil || p["count"] != 1.0 {
		t.Errorf("pattern %v", p)
	}
	if list, _ := w.records.List(context.Background(), store.Query{Kind: "change"}); len(list) != 1 {
		t.Errorf("%d changes", len(list))
	}
}

func TestChangesAreStoredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deploy := `{"time":"2026-11-29T11:50:00Z","kind":"deploy","service":"checkout","version":"2","summary":"release 2"}` + "\n"
	w.add("changes", deploy+`{"time":"2026-11-29T11:55:00Z","kind":"config","service":"checkout","summary":"timeout 5s"}`+"\n")
	line := `{"time":"2026-11-29T12:00:%02dZ","level":"info","msg":"served","service":"checkout","version":"%d"}` + "\n"
	w.add("checkout", fmt.Sprintf(line, 0, 1)+fmt.Sprintf(line, 1, 2)+fmt.Sprintf(line, 2, 3))
	for range 2 {
		if err := w.tick(); err != nil {
			t.Fatal(err)
		}
		w.add("changes", deploy)
	}
	list, _ := w.records.List(context.Background(), store.Query{Kind: "change"})
	var got []string
	for _, r := range list {
		var c inquest.Change
		if err := json.Unmarshal(r.Body, &c); err != nil || r.Parent != "checkout" || !r.Time.Equal(c.Time) {
			t.Errorf("%+v: %v", r, err)
		}
		got = append(got, fmt.Sprint(c.Kind, " ", c.Version))
	}
	// Version 2 in the log is the deploy that was told; version 3 nobody has told.
	want := []string{"deploy 2", "config ", "deploy 3"}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(want, w.told); diff != "" {
		t.Errorf("of each that is new somebody is told once (-want +got):\n%s", diff)
	}
}

func TestTwoServersShareAPattern(t *testing.T) {
	t.Parallel()
	a, b := newWorld(t), newWorld(t)
	b.records = a.records
	_ = b.spool.Close()
	b.start()
	for _, w := range []*world{a, b} {
		for range 3 {
			w.add("checkout", "2026-11-29T12:00:00Z ERROR one\n")
			w.now = w.now.Add(time.Minute)
			if err := w.tick(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if p := a.patterns()["checkout: one"]; p["count"] != 6.0 {
		t.Errorf("pattern %v, want 3 of each server", p)
	}
}

func TestWhatCannotBeReadDoesNotHoldUpTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("dump", "\x7fELF\x01\x01\x02\x03\n")
	w.add("nginx", access(1, 200))
	for range 2 {
		if err := w.tick(); err != nil {
			t.Fatal(err)
		}
	}
	if st := w.follower.Status(); st.Passed != 9 || st.Unread != 0 {
		t.Errorf("status %+v", st)
	}
	if w.series.value(requests200) != 1 {
		t.Error("the other source was not counted")
	}
}

func TestRunCountsOnceMoreWhenItEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.follower.Run(ctx) }()
	w.add("nginx", access(1, 200))
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := w.series.value(requests200); got != 1 {
		t.Errorf("%g requests", got)
	}
}

func TestAFollowerNeedsItsParts(t *testing.T) {
	t.Parallel()
	if _, err := rates.New(rates.Config{}); err == nil {
		t.Error("no parts, no error")
	}
}

// busy is a reader while lines go on arriving: when a piece has been read there is always more.
type busy struct {
	*spool.Reader
	w *world
}

func (b busy) Next(most int64) []spool.Range {
	out := b.Reader.Next(most)
	b.w.add("nginx", access(1, 200))
	return out
}

func TestLinesThatGoOnArrivingAreNoLag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var err error
	w.follower, err = rates.New(rates.Config{Reader: busy{w.reader, w}, Spool: w.spool, Series: w.series, Records: w.records, Writer: casefile.ServiceOf, Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		w.now = w.now.Add(2 * time.Second)
		if err := w.tick(); err != nil {
			t.Fatal(err)
		}
	}
	if st := w.follower.Status(); st.Lag != 0 || st.Unread == 0 {
		t.Errorf("%+v: what arrived before each look was counted", st)
	}
}

func TestAClockThatIsSetFarBackIsFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.series.back = true
	w.add("nginx", access(1, 200)+access(2, 200)+access(3, 200))
	if err := w.tick(); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(-5 * time.Minute) // a correction: waited for
	w.add("nginx", access(4, 200))
	if err := w.tick(); err != nil {
		t.Fatal(err)
	}
	if got := w.series.last[requests200]; got.Value != 3 {
		t.Errorf("five minutes back: %+v, want the count of before", got)
	}
	w.now = noon.Add(-time.Hour)
	w.add("nginx", access(5, 200)+access(6, 200))
	if err := w.tick(); err != nil {
		t.Fatal(err)
	}
	if got := w.series.last[requests200]; got.Value != 2 || !got.Time.Equal(w.now) {
		t.Errorf("an hour back: %+v, want the two of now, counted from zero", got)
	}
	if st := w.follower.Status(); st.Lag != 0 || st.Err != nil {
		t.Errorf("%+v", st)
	}
}

func TestReportsOfUsersAreHandedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	line := func(at, kind, text string) string {
		return fmt.Sprintf(`{"time":%q,"level":"warn","service":"inquest-gateway","msg":"a user reports ERR-1: %s","kind":%q,"error_id":"ERR-1","request_id":"r1"}`, at, text, kind) + "\n"
	}
	const at = "2026-11-29T12:00:01Z"
	w.refuse = errors.New("the store takes nothing")
	w.add("gateway", line(at, "user-report", "I cannot pay")+line(at, "circuit", "no report")+line("2026-11-29T12:00:02Z", "user-report", "(no text)"))
	if err := w.tick(); !errors.Is(err, w.refuse) {
		t.Errorf("%v, want what the desk said", err)
	}
	w.refuse = nil
	w.add("gateway", line(at, "user-report", "I cannot pay")) // read twice, as after kill -9
	if err := w.tick(); err != nil {
		t.Fatal(err)
	}
	if len(w.reports) != 3 || w.reports[0].ID == "" || w.reports[0].ID != w.reports[2].ID || w.reports[0].ID == w.reports[1].ID {
		t.Fatalf("%+v", w.reports)
	}
	first, second := w.reports[0], w.reports[1]
	first.ID, second.ID = "", ""
	when := time.Date(2026, 11, 29, 12, 0, 1, 0, time.UTC)
	if want := (rates.UserReport{ErrorID: "ERR-1", Text: "I cannot pay", Time: when}); first != want {
		t.Errorf("%+v, want %+v", first, want)
	}
	if want := (rates.UserReport{ErrorID: "ERR-1", Time: when.Add(time.Second)}); second != want {
		t.Errorf("%+v, want %+v", second, want)
	}
}
