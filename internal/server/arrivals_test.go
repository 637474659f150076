package server_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/web"
)

func TestWhatArrivesAndWhatDoesNotIsShown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	well := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("up_since 1\n")) }))
	t.Cleanup(well.Close)
	gone := "http://" + freeAddress(t) + "/metrics?token=hunter2"
	s := start(t, server.Settings{Data: t.TempDir(), In: server.In{
		Files:  []server.File{{Path: filepath.Join(dir, "shop*.log"), Service: "shop"}, {Path: filepath.Join(dir, "nowhere", "*.log")}},
		Scrape: []server.Scrape{{Job: "well", Targets: []string{well.URL}, Interval: time.Second}, {Job: "gone", Targets: []string{gone}, Interval: time.Second}}}}, nil)
	p := nobody(t, s.at)
	until(t, "the first look for files: what is there by then is not read from its start", func() bool { return len(read[web.Arrivals](p, "/signals").Warnings) >= 2 })
	if err := os.WriteFile(filepath.Join(dir, "shop.log"), []byte("2026-11-30T10:00:00Z INFO a\n2026-11-30T10:00:01Z INFO b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, text := p.send("POST", "/api/v1/logs?service=cart", "text/plain", "one\ntwo\nthree\n"); code != http.StatusOK {
		t.Fatalf("%d %s", code, text)
	}
	p.send("POST", "/api/v1/changes", "application/json", `{"kind":`)
	var got web.Arrivals
	signal := func(source, kind string) (out web.Signal) {
		for _, s := range got.Signals {
			if s.Source == source && s.Signal == kind {
				out = s
			}
		}
		return out
	}
	until(t, "everything has been looked at", func() bool {
		got = read[web.Arrivals](p, "/signals")
		return len(got.Files) == 2 && got.Files[0].Files == 1 && signal("shop/shop.log", "logs").Received == 2 && !slices.ContainsFunc(got.Targets, func(t web.ScrapeTarget) bool { return t.Last.IsZero() })
	})
	if c := signal("cart", "logs"); c.Received != 3 || c.Shed != 0 || time.Since(c.Last) > time.Minute {
		t.Errorf("what was sent: %+v", c)
	}
	if c := signal("changes", "changes"); c.Refused != 1 || c.Received != 0 || time.Since(c.LastRef) > time.Minute {
		t.Errorf("what was refused: %+v in %+v", c, got.Signals)
	}
	if f := got.Files; f[0].Matched != 1 || f[0].Service != "shop" || f[0].Behind != 0 || f[1].Matched != 0 || f[1].Files != 0 {
		t.Errorf("files: %+v", f)
	}
	if w, g := got.Targets[0], got.Targets[1]; !w.Up || w.Error != "" || g.Up || !strings.Contains(g.Error, "refused") || strings.Contains(g.Error+g.URL, "hunter2") {
		t.Errorf("targets: %+v", got.Targets)
	}
	if c := signal("gone", "metrics"); c.Shed != 0 {
		t.Errorf("a target that is down has sent nothing to be shed: %+v", c)
	}
	if w := got.Warnings; len(w) != 2 || !strings.Contains(w[0], "No file matches "+filepath.Join(dir, "nowhere", "*.log")) || !strings.Contains(w[1], "job gone) is down") {
		t.Errorf("warnings: %q", w)
	}
	for _, path := range []string{"/", "/signals"} {
		if _, page := p.send("GET", path, "", ""); !strings.Contains(page, "No file matches") || !strings.Contains(page, "job gone) is down") || strings.Contains(page, "hunter2") {
			t.Errorf("%s does not say so: %s", path, page)
		}
	}
}
