package peers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	"github.com/inquesthq/inquest/internal/server/peers"
	"github.com/inquesthq/inquest/internal/spool"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

const token = "the servers' own"

// world is a server with a spool, which another one asks.
type world struct {
	t     *testing.T
	now   time.Time
	spool *spool.Spool
	at    string
	asked []string // "PATH RANGE"
	cut   bool     // answers break off in the middle
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)}
	var err error
	if w.spool, err = spool.Open(spool.Config{Dir: t.TempDir(), SegmentAge: time.Minute, Now: func() time.Time { return w.now }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.spool.Close() })
	mux := http.NewServeMux()
	shared := &peers.Shared{Name: "b", Spool: w.spool, Log: func(text string) { t.Error(text) },
		Mount: func(way web.Way, h http.Handler) { mux.Handle(way.Pattern(), h) },
		May: func(r *http.Request) error {
			if r.Header.Get("Authorization") != "Bearer "+token {
				return auth.ErrForbidden
			}
			return nil
		},
		Find: func(_ context.Context, id string) (*web.Trace, error) {
			if id != "req-1" {
				return nil, store.ErrNotFound
			}
			return &web.Trace{IDs: []string{id}, Lines: []web.Line{{Time: w.now, Service: "shop", Source: inquest.Source{File: "shop.log/x.log", Line: 3}, Text: "failed"}}}, nil
		}}
	shared.Open()
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked = append(w.asked, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("Range")))
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
	cfg := peers.Config{URL: w.at, Self: "a", Folder: w.t.TempDir(), MaxBytes: 1 << 20, Token: func() (string, error) { return token, nil }, Now: func() time.Time { return w.now }}
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
		if !strings.HasPrefix(s.Name, "127.0.0.1_") || s.Start != w.now || s.End != w.now {
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

func TestWhatBreaksOffIsSaidAndFetchedAgain(t *testing.T) {
	w := newWorld(t)
	p := w.peer(nil)
	w.write("shop", "one\n")
	if got, notes := p.Lines(t.Context(), w.window(time.Minute)); len(got) != 1 || notes != nil {
		t.Fatalf("%v %v", got, notes)
	}
	w.write("shop", "two and more\n")
	w.cut = true
	got, notes := p.Lines(t.Context(), w.window(time.Minute))
	if len(got) != 0 || len(notes) != 1 || !strings.Contains(notes[0], "what the server 127.0.0.1_") || !strings.Contains(notes[0], "unexpected EOF") {
		t.Errorf("%v %q", got, notes)
	}
	w.cut = false
	if got, notes = p.Lines(t.Context(), w.window(time.Minute)); notes != nil || cmp.Diff([]string{"shop.log: one\ntwo and more\n"}, texts(t, got)) != "" {
		t.Errorf("%v %q", texts(t, got), notes)
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
	// Copies of earlier looks give way.
	w.now = w.now.Add(time.Minute)
	w.write("shop", "and one more line\n")
	if got, _ := p.Lines(t.Context(), w.window(time.Minute)); len(got) != 1 {
		t.Errorf("%v", got)
	}
	left, err := filepath.Glob(filepath.Join(folder, "*", "*", "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestCopiesThatNobodyAsksForAreRemoved(t *testing.T) {
	w := newWorld(t)
	folder := t.TempDir()
	p := w.peer(func(c *peers.Config) { c.Folder = folder })
	w.write("shop", "one\n")
	copies := func() int {
		p.Lines(t.Context(), w.window(time.Second))
		left, err := filepath.Glob(filepath.Join(folder, "*", "*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(left)
	}
	if n := copies(); n != 1 {
		t.Errorf("%d copies", n)
	}
	w.now = w.now.Add(time.Hour)
	if n := copies(); n != 1 {
		t.Errorf("after an hour: %d copies", n)
	}
	w.now = w.now.Add(time.Second)
	if n := copies(); n != 0 {
		t.Errorf("after more than an hour: %d copies", n)
	}
	// A process that begins does not trust what another left.
	w.write("shop", "two\n")
	w.now = w.now.Add(time.Millisecond)
	if n := copies(); n != 1 {
		t.Errorf("again: %d copies", n)
	}
	w.peer(func(c *peers.Config) { c.Folder = folder })
	if left, _ := filepath.Glob(filepath.Join(folder, "*", "*")); len(left) != 0 {
		t.Errorf("begun anew with %v", left)
	}
}

func TestAServerThatListsItselfIsNotReadTwice(t *testing.T) {
	w := newWorld(t)
	w.write("shop", "one\n")
	p := w.peer(func(c *peers.Config) { c.Self = "b" })
	if got, notes := p.Lines(t.Context(), w.window(time.Minute)); got != nil || notes != nil {
		t.Errorf("%v %v", got, notes)
	}
	if got, err := p.Trace(t.Context(), "req-1"); got != nil || err != nil {
		t.Errorf("%v %v", got, err)
	}
}

func TestTheLinesOfOneRequest(t *testing.T) {
	w := newWorld(t)
	p := w.peer(nil)
	got, err := p.Trace(t.Context(), "req-1")
	if err != nil || len(got.Lines) != 1 || !strings.HasSuffix(got.Lines[0].Source.File, "/shop.log/x.log") || !strings.HasPrefix(got.Lines[0].Source.File, "127.0.0.1_") {
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
		"something else":       {func(c *peers.Config) { c.URL = w.at + "/prefix" }, "it is no server, or an older one"},
	} {
		got, notes := w.peer(c.change).Lines(t.Context(), w.window(time.Minute))
		if got != nil || len(notes) != 1 || !strings.Contains(notes[0], c.want) {
			t.Errorf("%s: %v %q", name, got, notes)
		}
	}
	if _, err := peers.New(peers.Config{URL: "inquest-b:7117"}); err == nil || !strings.Contains(err.Error(), "https://inquest-b") {
		t.Errorf("no address: %v", err)
	}
}

// Another server may be taken over: what it calls its files stays below one folder, and is no more than it said.
func TestAServerThatLiesWritesNothingElsewhere(t *testing.T) {
	now := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	outside := filepath.Join(t.TempDir(), "outside")
	for name, c := range map[string]struct{ listing, lines, span string }{
		"above its folder":      {`{"segments":[{"name":"../../outside","size":4}]}`, "evil", "bytes 0-3/4"},
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
		p, err := peers.New(peers.Config{URL: s.URL, Self: "a", Folder: folder, MaxBytes: 1 << 20, Token: func() (string, error) { return "", nil }, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		got, notes := p.Lines(t.Context(), inquest.Window{From: now, To: now})
		if got != nil || len(notes) != 1 {
			t.Errorf("%s: %v %q", name, got, notes)
		}
		if left, _ := filepath.Glob(filepath.Join(folder, "outside")); left != nil {
			t.Errorf("%s: wrote %v", name, left)
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
