package hook_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/ingest/hook"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/spool"
)

var now = time.Date(2026, 11, 29, 14, 30, 0, 0, time.UTC)

type world struct {
	t      testing.TB
	mu     sync.Mutex
	lines  map[spool.Source]string
	alerts []inquest.Alert
	fail   error
	intake *ingest.Intake
	hooks  http.Handler
}

func (w *world) Append(_ context.Context, src spool.Source, lines []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail == nil {
		w.lines[src] += string(lines)
	}
	return w.fail
}

func onlyShop(r *http.Request, source string) error {
	switch {
	case r.Header.Get("Authorization") == "":
		return fmt.Errorf("%w", ingest.ErrUnauthenticated)
	case source != "" && source != "shop" && source != "alertmanager":
		return errors.New("this token sends for shop")
	}
	return nil
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, lines: map[spool.Source]string{}}
	var err error
	if w.intake, err = ingest.New(ingest.Config{MaxBody: 1 << 20, InFlight: 8 << 20, Now: func() time.Time { return time.Time{} }}); err != nil {
		t.Fatal(err)
	}
	h, err := hook.New(hook.Config{Intake: w.intake, Spool: w, Auth: onlyShop, GitHubSecret: "s3cret", GitLabToken: "t0ken", Now: func() time.Time { return now },
		Alerts: func(_ context.Context, a []inquest.Alert) error {
			w.alerts = append(w.alerts, a...)
			return w.fail
		}})
	if err != nil {
		t.Fatal(err)
	}
	w.hooks = h.Handler()
	return w
}

func (w *world) post(path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer shop")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.hooks.ServeHTTP(rec, r)
	if n := w.intake.Held(); n != 0 {
		w.t.Errorf("%d bytes are held after the request", n)
	}
	return rec
}

type changes struct{ list []inquest.Change }

func (c *changes) Log(*parse.Record) {}

func (c *changes) Signal(s parse.Signal) {
	if s.Change != nil {
		s.Change.Source = inquest.Source{}
		c.list = append(c.list, *s.Change)
	}
}

// changes has the reader of investigations read what was kept.
func (w *world) changes() []inquest.Change {
	w.t.Helper()
	dir := w.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "changes.log"), []byte(w.lines[spool.Source{Name: "changes", Kind: "changes"}]), 0o600); err != nil {
		w.t.Fatal(err)
	}
	c := &changes{}
	rep := parse.ReadFile(context.Background(), dir, "changes.log", parse.Options{Workers: 1}, func() parse.Sink { return c })
	if rep.Err != nil || len(c.list) > 0 && rep.Format != "changes" {
		w.t.Fatalf("%+v", rep)
	}
	return c.list
}

func signed(body, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func TestChangesAreKeptAsLinesThatInvestigationsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `{"time":"2026-11-29T14:00:00+02:00","kind":"deploy","service":"shop","version":"5.18.1","summary":"loyalty\npoints <script>"}
		{"kind":"flag","service":"shop","unknown":[1]}`
	if rec := w.post("/api/v1/changes", body); rec.Code != 200 || rec.Body.String() != "2 changes\n" {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if rec := w.post("/api/v1/changes", `[{"kind":"config","service":"shop","summary":"timeout 5s"}]`); rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	want := []inquest.Change{
		{Time: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), Kind: "deploy", Service: "shop", Version: "5.18.1", Summary: "loyalty"},
		{Time: now, Kind: "flag", Service: "shop", Summary: "flag shop"},
		{Time: now, Kind: "config", Service: "shop", Summary: "timeout 5s"},
	}
	if diff := cmp.Diff(want, w.changes()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]ingest.Stat{{Source: "changes", Signal: "changes", Received: 3}}, w.intake.Stats()); diff != "" {
		t.Error(diff)
	}
}

func TestChangesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"empty":                  {"", 400, "there is no change"},
		"an empty array":         {"[]", 400, "there is no change"},
		"no JSON":                {"deploy checkout", 400, "5.18.1"},
		"half an object":         {`{"kind":"deploy"`, 400, "no change"},
		"no service":             {`{"kind":"deploy"}`, 400, "which service"},
		"another kind":           {`{"kind":"party","service":"shop"}`, 400, "party"},
		"a time that cannot be":  {`{"kind":"deploy","service":"shop","time":"0001-01-01T00:00:00Z"}`, 400, "cannot be"},
		"a time of another form": {`{"kind":"deploy","service":"shop","time":"yesterday"}`, 400, "2026-11-20T16:00:00Z"},
		"one of two is wrong":    {`{"kind":"deploy","service":"shop"}{"kind":"x","service":"shop"}`, 400, "change 2"},
		"another's service":      {`{"kind":"deploy","service":"payments"}`, 403, "this token"},
		"nested deep":            {strings.Repeat("[", 500_000), 400, ""},
		"too large":              {strings.Repeat(" ", 2<<20), 413, "smaller"},
		"too many":               {strings.Repeat(`{"kind":"deploy","service":"shop"}`, 1001), 400, "1000"},
	} {
		w := newWorld(t)
		rec := w.post("/api/v1/changes", c.body)
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.want) {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
		if len(w.lines) > 0 || len(w.intake.Stats()) != 1 {
			t.Errorf("%s: kept %v, counted %v", name, w.lines, w.intake.Stats())
		}
	}
	w := newWorld(t)
	w.fail = errors.New("the disk is full")
	if rec := w.post("/api/v1/changes", `{"kind":"deploy","service":"shop"}`); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
}

func TestGitHubTellsOfDeployments(t *testing.T) {
	t.Parallel()
	deployment := `"deployment":{"sha":"9049f1265b7d61be4a8904a9a27120d2064dab3b","ref":"main","environment":"production","created_at":"2026-11-29T14:01:00Z"},"repository":{"name":"shop"}`
	for name, c := range map[string]struct {
		event, body, query string
		want               []inquest.Change
	}{
		"a deployment":       {"deployment", `{"action":"created",` + deployment + `}`, "", []inquest.Change{{Time: time.Date(2026, 11, 29, 14, 1, 0, 0, time.UTC), Kind: "deploy", Service: "shop", Version: "9049f126", Summary: "deploy shop main (production)"}}},
		"one that failed":    {"deployment_status", `{"deployment_status":{"state":"failure","created_at":"2026-11-29T14:03:00Z"},` + deployment + `}`, "?service=cart", []inquest.Change{{Time: time.Date(2026, 11, 29, 14, 3, 0, 0, time.UTC), Kind: "deploy", Service: "cart", Version: "9049f126", Summary: "deploy shop main (production), failed"}}},
		"one that waits":     {"deployment_status", `{"deployment_status":{"state":"queued"},` + deployment + `}`, "", nil},
		"a release":          {"release", `{"action":"published","release":{"tag_name":"v2","name":"Two","published_at":"2026-11-29T14:05:00Z"},"repository":{"name":"shop"}}`, "", []inquest.Change{{Time: time.Date(2026, 11, 29, 14, 5, 0, 0, time.UTC), Kind: "deploy", Service: "shop", Version: "v2", Summary: "release Two published"}}},
		"a tag":              {"push", `{"ref":"refs/tags/v3","head_commit":{"message":"three\n\nlong"},"repository":{"name":"shop"}}`, "", []inquest.Change{{Time: now, Kind: "deploy", Service: "shop", Version: "v3", Summary: "tag v3 pushed: three"}}},
		"a push to a branch": {"push", `{"ref":"refs/heads/main","repository":{"name":"shop"}}`, "", nil},
		"a ping":             {"ping", `{"zen":"x"}`, "", nil},
	} {
		w := newWorld(t)
		rec := w.post("/api/v1/hooks/github"+c.query, c.body, "X-GitHub-Event", c.event, "X-Hub-Signature-256", signed(c.body, "s3cret"), "Authorization", "")
		if rec.Code != 200 {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
		if diff := cmp.Diff(c.want, w.changes()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestGitLabTellsOfDeployments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want []inquest.Change
	}{
		"a deployment": {`{"object_kind":"deployment","status":"success","status_changed_at":"2026-11-29 16:01:00 +0200","environment":"production","project":{"name":"shop"},"short_sha":"279484c0","ref":"main","commit_title":"Add points"}`,
			[]inquest.Change{{Time: time.Date(2026, 11, 29, 14, 1, 0, 0, time.UTC), Kind: "deploy", Service: "shop", Version: "279484c0", Summary: "Add points (production)"}}},
		"one that was cancelled": {`{"object_kind":"deployment","status":"canceled","project":{"name":"shop"}}`, nil},
		"a release":              {`{"object_kind":"release","action":"create","tag":"v2","name":"Two","project":{"name":"shop"}}`, []inquest.Change{{Time: now, Kind: "deploy", Service: "shop", Version: "v2", Summary: "release Two published"}}},
		"a tag":                  {`{"object_kind":"tag_push","ref":"refs/tags/v3","after":"82b3d5ae","project":{"name":"shop"}}`, []inquest.Change{{Time: now, Kind: "deploy", Service: "shop", Version: "v3", Summary: "tag v3 pushed"}}},
		"a tag that goes":        {`{"object_kind":"tag_push","ref":"refs/tags/v3","after":"0000","project":{"name":"shop"}}`, nil},
		"an issue":               {`{"object_kind":"issue"}`, nil},
	} {
		w := newWorld(t)
		if rec := w.post("/api/v1/hooks/gitlab", c.body, "X-Gitlab-Token", "t0ken", "Authorization", ""); rec.Code != 200 {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
		if diff := cmp.Diff(c.want, w.changes()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestForgesMustProveWhoTheyAre(t *testing.T) {
	t.Parallel()
	body := `{"object_kind":"tag_push","ref":"refs/tags/v3","after":"82b3d5ae","project":{"name":"shop"},"repository":{"name":"shop"}}`
	w := newWorld(t)
	for name, headers := range map[string][]string{
		"/api/v1/hooks/github": {"X-GitHub-Event", "push", "X-Hub-Signature-256", signed(body, "another")},
		"/api/v1/hooks/gitlab": {"X-Gitlab-Token", "another"},
	} {
		for _, h := range [][]string{headers, nil} {
			if rec := w.post(name, body, h...); rec.Code != 401 {
				t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
			}
		}
	}
	h, err := hook.New(hook.Config{Intake: w.intake, Spool: w, Alerts: func(context.Context, []inquest.Alert) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	w.hooks = h.Handler()
	for _, path := range []string{"/api/v1/hooks/github", "/api/v1/hooks/gitlab"} { // without a secret in the settings an empty one is none
		if rec := w.post(path, body, "X-Hub-Signature-256", signed(body, ""), "X-GitHub-Event", "push"); rec.Code != 404 {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
	if len(w.lines) > 0 {
		t.Errorf("%v", w.lines)
	}
}

func TestAlertsOfAnAlertmanager(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `{"version":"4","groupKey":"{}:{}","status":"firing","receiver":"inquest","externalURL":"http://am","alerts":[
		{"status":"firing","labels":{"alertname":"HighErrors","service":"shop","severity":"page"},"annotations":{"summary":"5%"},"startsAt":"2026-11-29T14:00:00.123Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prom/graph","fingerprint":"c"},
		{"status":"resolved","labels":{"alertname":"Slow"},"annotations":null,"startsAt":"2026-11-29T13:00:00Z","endsAt":"2026-11-29T13:30:00Z","generatorURL":"javascript:alert(1)"}]}`
	if rec := w.post("/api/v1/hooks/alertmanager", body); rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	begin := time.Date(2026, 11, 29, 14, 0, 0, 123e6, time.UTC)
	want := []inquest.Alert{
		{Rule: "HighErrors", Labels: map[string]string{"service": "shop", "severity": "page"}, Annotations: map[string]string{"summary": "5%"}, State: "firing", Since: begin, Fired: begin, Source: "alertmanager", URL: "http://prom/graph"},
		{Rule: "Slow", Labels: map[string]string{}, Annotations: map[string]string{}, State: "resolved", Since: begin.Truncate(time.Hour).Add(-time.Hour), Fired: begin.Truncate(time.Hour).Add(-time.Hour), Resolved: time.Date(2026, 11, 29, 13, 30, 0, 0, time.UTC), Source: "alertmanager"},
	}
	if diff := cmp.Diff(want, w.alerts); diff != "" {
		t.Error(diff)
	}
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"another version": {`{"version":"5"}`, 400}, "no JSON": {`x`, 400}, "no name": {`{"version":"4","alerts":[{"status":"firing"}]}`, 400},
		"another status": {`{"version":"4","alerts":[{"status":"x","labels":{"alertname":"a"}}]}`, 400}, "none": {`{"version":"4"}`, 200},
	} {
		if rec := w.post("/api/v1/hooks/alertmanager", c.body); rec.Code != c.status {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
	w.fail = errors.New("the database is away")
	if rec := w.post("/api/v1/hooks/alertmanager", body); rec.Code != 503 {
		t.Errorf("%d", rec.Code)
	}
	hold, err := w.intake.TryHold(8 << 20)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/v1/hooks/alertmanager", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer shop")
	rec := httptest.NewRecorder()
	w.hooks.ServeHTTP(rec, r)
	if rec.Code != 503 { // an Alertmanager does not send again what 429 has answered
		t.Errorf("%d", rec.Code)
	}
	hold.Release()
}

func TestLinesOfAnyFormat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, "b\n")
	_ = z.Close()
	for _, c := range []struct {
		path, body, encoding string
		status               int
	}{
		{"/api/v1/logs?service=shop&file=access.log", "a\nhalf", "", 200},
		{"/api/v1/logs?service=shop&file=access.log", packed.String(), "gzip", 200},
		{"/api/v1/logs", "a\n", "", 400},
		{"/api/v1/logs?service=payments", "a\n", "", 403},
		{"/api/v1/logs?service=shop", "a\x00\n", "", 400},
	} {
		if rec := w.post(c.path, c.body, "Content-Encoding", c.encoding); rec.Code != c.status {
			t.Errorf("%s: %d %s", c.path, rec.Code, rec.Body)
		}
	}
	if diff := cmp.Diff(map[spool.Source]string{{Name: "shop/access.log", Kind: "log"}: "a\nhalfb\n"}, w.lines); diff != "" { // the spool itself ends lines
		t.Error(diff)
	}
}

func FuzzHooks(f *testing.F) {
	f.Add("/api/v1/changes", "", `{"kind":"deploy","service":"shop"}`)
	f.Add("/api/v1/hooks/alertmanager", "", `{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"a"}}]}`)
	f.Add("/api/v1/hooks/github", "deployment", `{"repository":{"name":"a"}}`)
	f.Add("/api/v1/hooks/gitlab", "", `{"object_kind":"deployment","status":"success","project":{"name":"a"}}`)
	f.Fuzz(func(t *testing.T, path, event, body string) {
		switch path {
		case "/api/v1/changes", "/api/v1/hooks/alertmanager", "/api/v1/hooks/github", "/api/v1/hooks/gitlab":
		default:
			return
		}
		w := newWorld(t)
		rec := w.post(path, body, "X-GitHub-Event", strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return -1
			}
			return r
		}, event), "X-Hub-Signature-256", signed(body, "s3cret"), "X-Gitlab-Token", "t0ken")
		if rec.Code != 200 && rec.Code != 400 && rec.Code != 403 {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
		text := w.lines[spool.Source{Name: "changes", Kind: "changes"}]
		if got := len(w.changes()); got != strings.Count(text, "\n") {
			t.Errorf("%d of %d lines are read back: %q", got, strings.Count(text, "\n"), text)
		}
	})
}
