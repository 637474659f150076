package peers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/casefile"
	"github.com/inquesthq/inquest/internal/server/peers"
	"github.com/inquesthq/inquest/internal/spool"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

const token = "the servers' own"

// world is a server with a spool, which another one asks.
type world struct {
	t      *testing.T
	now    time.Time
	spool  *spool.Spool
	at     string
	shared *peers.Shared
	asked  []string // "PATH RANGE"
	told   []string // whether it answers
	down   bool     // it answers with 500
	downAt string   // the same, at one of its addresses
	hold   func()   // called once, before it answers
	cut    bool     // answers break off in the middle
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)}
	var err error
	if w.spool, err = spool.Open(spool.Config{Dir: t.TempDir(), SegmentAge: time.Minute, Now: func() time.Time { return w.now }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.spool.Close() })
	mux := http.NewServeMux()
	w.shared = &peers.Shared{ID: "b", Spool: w.spool, Log: func(text string) { t.Error(text) },
		Mount: func(way web.Way, h http.Handler) { mux.Handle(way.Pattern(), h) },
		May: func(r *http.Request) error {
			if r.Header.Get("Authorization") != "Bearer "+token {
				return auth.ErrForbidden
			}
			return nil
		},
		Find: func(_ context.Context, ids ...string) (*web.Trace, error) {
			if !slices.Contains(ids, "req-1") {
				return nil, store.ErrNotFound
			}
			return &web.Trace{IDs: ids, Lines: []web.Line{{Time: w.now, Service: "shop", Source: inquest.Source{File: "shop.log/x.log", Line: 3}, Text: "failed"}}}, nil
		}}
	w.shared.Open()
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked = append(w.asked, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("Range")))
		if hold := w.hold; hold != nil {
			w.hold = nil
			hold()
		}
		if w.down || w.downAt == r.Host {
			http.Error(rw, "no", http.StatusInternalServerError)
			return
		}
		if w.cut && strings.HasSuffix(r.URL.Path, "/lines") {
			rec := httptest.NewRecorder()
			mux.ServeHTTP(rec, r)
			for name, values := range rec.Header() {
				rw.Header()[name] = values
			}
			rw.WriteHeader(rec.Code)
			_, _ = rw.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
			rw.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		mux.ServeHTTP(rw, r)
	}))
	t.Cleanup(s.Close)
	w.at = s.URL
	return w
}

func (w *world) write(source, text string) {
	w.t.Helper()
	if err := w.spool.Append(w.t.Context(), spool.Source{Name: source, Kind: "log"}, []byte(text)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) peer(change func(*peers.Config)) *peers.Peer {
	w.t.Helper()
	cfg := peers.Config{URL: w.at, Name: "1", Known: new(peers.Known), Self: "a", Folder: w.t.TempDir(), MaxBytes: 1 << 20, Token: func() (string, error) { return token, nil }, Now: func() time.Time { return w.now },
		Log: func(text string) { w.told = append(w.told, text) }}
	if change != nil {
		change(&cfg)
	}
	p, err := peers.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = p.Close() })
	return p
}

// window is the minutes before now, and the second that has just begun.
func (w *world) window(before time.Duration) inquest.Window {
	return inquest.Window{From: w.now.Add(-before), To: w.now.Add(time.Second)}
}

// texts reads copies, as far as they are said to go.
func texts(t *testing.T, all []spool.Segment) []string {
	t.Helper()
	out := []string{}
	for _, s := range all {
		b, err := os.ReadFile(filepath.Join(s.Dir, filepath.FromSlash(s.Name)))
		if err != nil || int64(len(b)) < s.Size {
			t.Fatalf("%s: %d bytes of %d: %v", s.Name, len(b), s.Size, err)
		}
		out = append(out, s.Source.Name+"."+s.Source.Kind+": "+string(b[:s.Size]))
	}
	slices.Sort(out)
	return out
}

func TestLinesOfAnotherServerAreReadAndOnlyWhatWasAddedIsFetchedAgain(t *testing.T) {
	w := newWorld(t)
	p := w.peer(nil)
	w.write("shop", "one\n")
	w.write("nginx/access.log", "GET /\n")
	got, notes := p.Lines(t.Context(), w.window(time.Minute))
	if diff := cmp.Diff([]string{"nginx/access.log.log: GET /\n", "shop.log: one\n"}, texts(t, got)); diff != "" || notes != nil {
		t.Errorf("%v\n%s", notes, diff)
	}
	for _, s := range got {
		if !strings.HasPrefix(s.Name, "1/") || s.Start != w.now || s.End != w.now {
			t.Errorf("%+v", s)
		}
	}
	w.now = w.now.Add(time.Second)
	w.write("shop", "two\n")
	w.asked = nil
	got, notes = p.Lines(t.Context(), w.window(time.Minute))
	if diff := cmp.Diff([]string{"nginx/access.log.log: GET /\n", "shop.log: one\ntwo\n"}, texts(t, got)); diff != "" || notes != nil {
		t.Errorf("%v\n%s", notes, diff)
	}
	if diff := cmp.Diff([]string{"/api/v1/peers/segments", "/api/v1/peers/lines bytes=4-7"}, w.asked); diff != "" {
		t.Errorf("asked -want +got\n%s", diff)
	}
	// Another window has other segments.
	w.now = w.now.Add(time.Hour)
	w.write("shop", "three\n")
	if got, _ = p.Lines(t.Context(), w.window(time.Minute)); cmp.Diff([]string{"shop.log: three\n"}, texts(t, got)) != "" {
		t.Errorf("an hour later: %v", texts(t, got))
	}
	if got, _ = p.Lines(t.Context(), w.window(2*time.Hour)); len(got) != 3 {
		t.Errorf("of both hours: %v", texts(t, got))
	}
}

// What came of whole lines is used, and so is what was copied before.
func TestWhatBreaksOffIsSaidAndTheRestIsUsed(t *testing.T) {
	w := newWorld(t)
	p := w.peer(nil)
	w.write("nginx", "GET /\n")
	w.write("shop", "one\n")
	if got, notes := p.Lines(t.Context(), w.window(time.Minute)); len(got) != 2 || notes != nil {
		t.Fatalf("%v %v", got, notes)
	}
	w.write("shop", "two\nthree and so on\n")
	w.cut = true
	got, notes := p.Lines(t.Context(), w.window(time.Minute))
	if diff := cmp.Diff([]string{"nginx.log: GET /\n", "shop.log: one\ntwo\n"}, texts(t, got)); diff != "" || len(notes) != 1 || !strings.HasPrefix(notes[0], "what the server "+strings.TrimPrefix(w.at, "http://")+" has received could not be read: ") || !strings.Contains(notes[0], "unexpected EOF") {
		t.Errorf("%q\n%s", notes, diff)
	}
	w.cut, w.asked = false, nil
	got, notes = p.Lines(t.Context(), w.window(time.Minute))
	if diff := cmp.Diff([]string{"nginx.log: GET /\n", "shop.log: one\ntwo\nthree and so on\n"}, texts(t, got)); diff != "" || notes != nil {
		t.Errorf("%q\n%s", notes, diff)
	}
	if diff := cmp.Diff([]string{"/api/v1/peers/segments", "/api/v1/peers/lines bytes=8-23"}, w.asked); diff != "" {
		t.Errorf("asked -want +got\n%s", diff)
	}
	// Its server dies: what was copied stays, and for a while nobody waits for it.
	w.down = true
	w.asked = nil
	for range 2 {
		got, notes = p.Lines(t.Context(), w.window(time.Minute))
		if len(got) != 2 || len(notes) != 1 || !strings.Contains(notes[0], "it answered 500") {
			t.Errorf("away: %v %q", texts(t, got), notes)
		}
	}
	if len(w.asked) != 1 {
		t.Errorf("asked %v", w.asked)
	}
	w.now = w.now.Add(30 * time.Second)
	w.down = false
	if got, notes = p.Lines(t.Context(), w.window(time.Minute)); len(got) != 2 || notes != nil {
		t.Errorf("back: %v %q", texts(t, got), notes)
	}
	host := strings.TrimPrefix(w.at, "http://")
	if diff := cmp.Diff([]string{"peers: " + host + ": it answered 500", "peers: " + host + " answers again"}, w.told); diff != "" {
		t.Errorf("told -want +got\n%s", diff)
	}
}

func TestTheNewestLinesAreReadWhenThereAreTooMany(t *testing.T) {
	w := newWorld(t)
	folder := t.TempDir()
	p := w.peer(func(c *peers.Config) { c.MaxBytes, c.Folder = 20, folder })
	for _, text := range []string{"old old\n", "newer\n", "newest\n"} {
		w.write("shop", text)
		w.now = w.now.Add(2 * time.Minute)
	}
	got, notes := p.Lines(t.Context(), w.window(time.Hour))
	if diff := cmp.Diff([]string{"shop.log: newer\n", "shop.log: newest\n"}, texts(t, got)); diff != "" || len(notes) != 1 || !strings.Contains(notes[0], "lines before 2026-11-29T08:00:00Z were left out") {
		t.Errorf("%q\n%s", notes, diff)
	}
	left := func() int {
		all, err := filepath.Glob(filepath.Join(folder, "*", "*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	// Copies of an earlier look give way, but not while somebody may be reading them.
	w.write("shop", "and one more line\n")
	if got, _ := p.Lines(t.Context(), w.window(time.Second)); len(got) != 1 || left() != 3 {
		t.Errorf("%v, %d copies", got, left())
	}
	w.now = w.now.Add(2*time.Minute + time.Second)
	if got, _ := p.Lines(t.Context(), w.window(3*time.Minute)); len(got) != 1 || left() != 1 {
		t.Errorf("%v, %d copies", got, left())
	}
}

func TestCopiesThatNobodyAsksForAreRemoved(t *testing.T) {
	w := newWorld(t)
	folder := t.TempDir()
	p := w.peer(func(c *peers.Config) { c.Folder = folder })
	w.write("shop", "one\n")
	if got, _ := p.Lines(t.Context(), w.window(time.Second)); len(got) != 1 {
		t.Errorf("%v", got)
	}
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{time.Hour, 1}, {time.Second, 0}} {
		w.now = w.now.Add(c.after)
		p.Sweep(t.Context())
		if left, err := filepath.Glob(filepath.Join(folder, "*", "*", "*")); err != nil || len(left) != c.want {
			t.Errorf("after %s more: %v, %v", c.after, left, err)
		}
	}
}

// Two looks at a time: the second waits for the first, and as long as whoever asked has time.
func TestASecondLookWaitsItsTurn(t *testing.T) {
	w := newWorld(t)
	p := w.peer(nil)
	w.write("shop", "one\n")
	held, release := make(chan struct{}), make(chan struct{})
	w.hold = func() { close(held); <-release }
	first := make(chan int)
	go func() {
		got, _ := p.Lines(context.Background(), w.window(time.Minute))
		first <- len(got)
	}()
	<-held
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got, notes := p.Lines(ctx, w.window(time.Minute)); got != nil || len(notes) != 1 || !strings.Contains(notes[0], "deadline") {
		t.Errorf("%v %q", got, notes)
	}
	close(release)
	if n := <-first; n != 1 {
		t.Errorf("%d segments", n)
	}
}

func TestAServerIsReadOnce(t *testing.T) {
	w := newWorld(t)
	w.write("shop", "one\n")
	known := new(peers.Known)
	self := w.peer(func(c *peers.Config) { c.Self = "b" })
	one := w.peer(func(c *peers.Config) { c.Known = known })
	other := w.peer(func(c *peers.Config) {
		c.Known, c.Name, c.URL = known, "2", strings.Replace(w.at, "127.0.0.1", "localhost", 1)
	})
	for name, c := range map[string]struct {
		p    *peers.Peer
		want int
	}{"this one among the others": {self, 0}, "the first of two addresses": {one, 1}} {
		if got, notes := c.p.Lines(t.Context(), w.window(time.Minute)); len(got) != c.want || notes != nil {
			t.Errorf("%s: %v %v", name, got, notes)
		}
	}
	if got, notes := other.Lines(t.Context(), w.window(time.Minute)); got != nil || notes != nil {
		t.Errorf("the second address: %v %v", got, notes)
	}
	if got, err := other.Trace(t.Context(), "req-1"); got != nil || err != nil {
		t.Errorf("%v %v", got, err)
	}
	// The server is started again, as another process: its first address goes on.
	w.shared.ID = "c"
	if got, notes := one.Lines(t.Context(), w.window(time.Minute)); len(got) != 1 || notes != nil {
		t.Errorf("another process: %v %v", got, notes)
	}
	if got, _ := other.Lines(t.Context(), w.window(time.Minute)); got != nil {
		t.Errorf("another process, the second address: %v", got)
	}
	// The first address is given up: the second takes its place.
	w.downAt = strings.TrimPrefix(w.at, "http://")
	if got, notes := one.Lines(t.Context(), w.window(time.Minute)); len(got) != 1 || len(notes) != 1 {
		t.Errorf("given up: %v %q", got, notes)
	}
	if got, notes := other.Lines(t.Context(), w.window(time.Minute)); len(got) != 1 || notes != nil {
		t.Errorf("in its place: %v %q", got, notes)
	}
	// One address of two servers, by turns: what one lists the other has not.
	w.now = w.now.Add(time.Minute)
	w.write("shop", "two\n")
	w.hold = func() { w.hold = func() { w.shared.ID = "d" } }
	if got, notes := other.Lines(t.Context(), w.window(2*time.Minute)); len(notes) != 1 || !strings.Contains(notes[0], "by turns") {
		t.Errorf("by turns: %v %q", texts(t, got), notes)
	}
}

// Services are named after the logs on every server alike: what the server is called must not become one.
func TestTheNameOfTheServerIsNoService(t *testing.T) {
	w := newWorld(t)
	for _, source := range []string{"app", "access.log", "production.log", "checkout"} {
		w.write(source, "one\n")
	}
	got, _ := w.peer(nil).Lines(t.Context(), w.window(time.Minute))
	for _, s := range got {
		own := strings.TrimPrefix(s.Name, "1/")
		if a, b := casefile.ServiceOf(own, "plain"), casefile.ServiceOf(s.Name, "plain"); a != b {
			t.Errorf("%s is of %q here and of %q there", own, a, b)
		}
	}
	if len(got) != 4 {
		t.Errorf("%v", got)
	}
}

func TestWhatWasDeletedThereIsSaid(t *testing.T) {
	w := newWorld(t)
	var err error
	if w.shared.Spool, err = spool.Open(spool.Config{Dir: t.TempDir(), MaxBytes: 40, SegmentBytes: 5, Now: func() time.Time { return w.now }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.shared.Spool.Close() })
	for range 20 {
		if err := w.shared.Spool.Append(t.Context(), spool.Source{Name: "shop", Kind: "log"}, []byte("one line\n")); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Second)
	}
	if w.shared.Spool.Stats().DeletedTo.IsZero() {
		t.Fatal("nothing was deleted")
	}
	if got, notes := w.peer(nil).Lines(t.Context(), w.window(time.Minute)); len(got) == 0 || len(notes) != 1 || !strings.Contains(notes[0], "were deleted there") {
		t.Errorf("%v %q", got, notes)
	}
}

// An error id leads to the trace id on one server, and that to the lines of another.
func TestIDsThatOneServerLinksAreLookedForOnAll(t *testing.T) {
	w := newWorld(t)
	own := func(_ context.Context, ids ...string) (*web.Trace, error) {
		if !slices.Contains(ids, "ERR-1") {
			return nil, store.ErrNotFound
		}
		return &web.Trace{IDs: append(slices.Clone(ids), "req-1"), Lines: []web.Line{{Time: w.now.Add(time.Second), Service: "gateway", Text: "500"}}}, nil
	}
	g := &peers.Group{Find: own, Others: []peers.Source{w.peer(nil)}}
	got, err := g.Lookup(t.Context(), "ERR-1")
	if err != nil || len(got.Lines) != 2 || got.Lines[0].Service != "shop" || got.Lines[1].Service != "gateway" || got.Missing != nil || strings.Join(got.IDs, " ") != "ERR-1 req-1" {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := g.Lookup(t.Context(), "nobody-knows"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%+v %v", got, err)
	}
	// Who answered with an error: here, there, or nobody.
	for id, want := range map[string]string{"ERR-1": "gateway", "req-1": "shop", "nobody-knows": ""} {
		if service, at, err := g.Answered(t.Context(), id); service != want || (want == "") != errors.Is(err, store.ErrNotFound) || (want == "") != at.IsZero() {
			t.Errorf("%s was answered by %q at %s, %v", id, service, at, err)
		}
	}
	// A search that goes wrong, or an id that is none, says nothing about whether lines can be had.
	w.asked = nil
	if got, err := g.Lookup(t.Context(), "abc"); !errors.Is(err, store.ErrNotFound) || w.asked != nil {
		t.Errorf("%+v %v, asked %v", got, err, w.asked)
	}
	w.down = true
	got, err = g.Lookup(t.Context(), "nobody-knows")
	w.down = false
	if segments, notes := g.Others[0].Lines(t.Context(), w.window(time.Minute)); notes != nil {
		t.Errorf("%v %q", segments, notes)
	}
	if err != nil || len(got.Lines) != 0 || len(got.Missing) != 1 || !strings.Contains(got.Missing[0], "could not be looked at: it answered 500") {
		t.Errorf("%+v %v", got, err)
	}
}

func TestTheLinesOfOneRequest(t *testing.T) {
	w := newWorld(t)
	p := w.peer(nil)
	got, err := p.Trace(t.Context(), "req-1")
	if err != nil || len(got.Lines) != 1 || got.Lines[0].Source.File != "1/shop.log/x.log" {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := p.Trace(t.Context(), "req-2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%+v %v", got, err)
	}
}

func TestAServerThatDoesNotAnswerIsNamed(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		change func(*peers.Config)
		want   string
	}{
		"a wrong token":        {func(c *peers.Config) { c.Token = func() (string, error) { return "wrong", nil } }, "it answered 403: peers.token_file must hold a token with the role admin"},
		"no file of the token": {func(c *peers.Config) { c.Token = func() (string, error) { return "", os.ErrNotExist } }, "file does not exist"},
		"nobody there":         {func(c *peers.Config) { c.URL = "http://127.0.0.1:1" }, "connection refused"},
		"something else":       {func(c *peers.Config) { c.URL = w.at + "/prefix" }, "it answered 404: it is no server"},
	} {
		got, notes := w.peer(c.change).Lines(t.Context(), w.window(time.Minute))
		if got != nil || len(notes) != 1 || !strings.Contains(notes[0], c.want) {
			t.Errorf("%s: %v %q", name, got, notes)
		}
	}
	if _, err := peers.New(peers.Config{URL: "inquest-b:7117", Name: "1", Folder: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "https://inquest-b") {
		t.Errorf("no address: %v", err)
	}
	for _, name := range []string{"", ".", "..", "../a", "a/b"} {
		if _, err := peers.New(peers.Config{URL: "https://inquest-b", Name: name, Folder: t.TempDir()}); err == nil {
			t.Errorf("a folder called %q", name)
		}
	}
}

// Another server may be taken over: what it calls its files stays below one folder, and is no more than it said.
func TestAServerThatLiesWritesNothingElsewhere(t *testing.T) {
	now := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	outside := filepath.Join(t.TempDir(), "outside")
	for name, c := range map[string]struct{ listing, lines, span string }{
		"above its folder":      {`{"segments":[{"name":"../outside","size":4}]}`, "evil", "bytes 0-3/4"},
		"an absolute name":      {fmt.Sprintf(`{"segments":[{"name":%q,"size":4}]}`, outside), "evil", "bytes 0-3/4"},
		"no name":               {`{"segments":[{"name":".","size":4}]}`, "evil", "bytes 0-3/4"},
		"a size below zero":     {`{"segments":[{"name":"a/b","size":-4}]}`, "evil", "bytes 0-3/4"},
		"other bytes than said": {`{"segments":[{"name":"a/b","size":4}]}`, "evil", "bytes 4-7/8"},
		"less than said":        {`{"segments":[{"name":"a/b","size":4}]}`, "ev", "bytes 0-3/4"},
		"no JSON":               {`<html>`, "", ""},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/segments") {
				_, _ = io.WriteString(w, c.listing)
				return
			}
			w.Header().Set("Content-Range", c.span)
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, c.lines)
		}))
		folder := t.TempDir()
		p, err := peers.New(peers.Config{URL: s.URL, Name: "1", Known: new(peers.Known), Self: "a", Log: func(string) {}, Folder: filepath.Join(folder, "peers"), MaxBytes: 1 << 20, Token: func() (string, error) { return "", nil }, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		got, notes := p.Lines(t.Context(), inquest.Window{From: now, To: now})
		if got != nil || len(notes) != 1 {
			t.Errorf("%s: %v %q", name, got, notes)
		}
		var wrote []string
		if err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				if i, _ := d.Info(); i.Size() > 0 {
					wrote = append(wrote, path)
				}
			}
			return err
		}); err != nil || wrote != nil {
			t.Errorf("%s: wrote %v, %v", name, wrote, err)
		}
		if _, err := os.Stat(outside); err == nil {
			t.Errorf("%s: wrote %s", name, outside)
		}
		s.Close()
		_ = p.Close()
	}
}

func TestOnlySegmentsAreServedAndOnlyToServers(t *testing.T) {
	w := newWorld(t)
	w.write("shop", "one\n")
	get := func(path, key string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.at+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	for path, want := range map[string]int{
		"/api/v1/peers/segments":                                                     200,
		"/api/v1/peers/segments?from=2026-11-29T08:00:00Z":                           400,
		"/api/v1/peers/segments?from=now&to=then":                                    400,
		"/api/v1/peers/segments?from=2026-11-29T08:00:00Z&to=2026-11-29T09:00:00.5Z": 200,
		"/api/v1/peers/lines":                                                        404,
		"/api/v1/peers/lines?segment=../peers_test.go":                               404,
		"/api/v1/peers/lines?segment=/etc/passwd":                                    404,
		"/api/v1/peers/lines?segment=" + w.spool.Segments(inquest.Window{})[0].Name:  200,
		"/api/v1/peers/trace?id=req-1":                                               200,
		"/api/v1/peers/trace?id=req":                                                 400,
		"/api/v1/peers/trace":                                                        400,
		"/api/v1/peers/trace?id=req-2&id=req-1":                                      200,
		"/api/v1/peers/trace?id=req-2":                                               404,
	} {
		if got := get(path, token); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
		if got := get(path, "stolen"); got != http.StatusForbidden {
			t.Errorf("%s without the right: %d", path, got)
		}
	}
}
