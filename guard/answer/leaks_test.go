package answer_test

import (
	"bytes"
	"compress/gzip"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/guard/answer"
)

func newJudge(t testing.TB, off ...string) *answer.Judge {
	t.Helper()
	j, err := answer.New(answer.Config{Off: off})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// corpus reads a folder of bodies; the extension is the type.
func corpus(t testing.TB, folder string) map[string]answer.Answer {
	t.Helper()
	files, err := filepath.Glob("testdata/" + folder + "/*")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files in %s: %v", len(files), folder, err)
	}
	out := map[string]answer.Answer{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		ct := map[string]string{".json": "application/json", ".html": "text/html; charset=utf-8", ".txt": "text/plain", ".xml": "application/xml"}[filepath.Ext(f)]
		out[filepath.Base(f)] = answer.Answer{Status: 500, Header: http.Header{"Content-Type": {ct}}, Body: b, Whole: true}
	}
	return out
}

func TestEveryLeakIsFound(t *testing.T) {
	j := newJudge(t)
	for name, a := range corpus(t, "leaks") {
		leaks := j.Leaks(a)
		if len(leaks) == 0 {
			t.Errorf("%s: nothing found in %s", name, a.Body)
		}
		want, _, _ := strings.Cut(strings.TrimSuffix(name, filepath.Ext(name)), "-")
		switch k := answer.Kind(want); k {
		case answer.SQL, answer.Connection, answer.Secret, answer.Host, answer.Path, answer.Version:
			found := false
			for _, l := range leaks {
				found = found || l.Kind == k
			}
			if !found {
				t.Errorf("%s: %v, want %s", name, leaks, k)
			}
		}
		for _, l := range leaks {
			if l.Text == "" || len(l.Text) > 80 || l.Kind.Severity() < 1 {
				t.Errorf("%s: leak %+v", name, l)
			}
		}
	}
}

// Whatever the body calls itself, and however it is wrapped, what leaks in plain text leaks.
func TestLeaksAreFoundInDisguise(t *testing.T) {
	j := newJudge(t)
	for name, a := range corpus(t, "leaks") {
		bare := answer.Answer{Status: 500, Body: a.Body}
		if len(j.Leaks(bare)) == 0 {
			t.Errorf("%s without a content type: nothing found", name)
		}
		var wide []byte // UTF-16, as some runtimes on Windows write
		for _, b := range a.Body {
			wide = append(wide, b, 0)
		}
		if len(j.Leaks(answer.Answer{Status: 500, Body: wide})) == 0 {
			t.Errorf("%s in UTF-16: nothing found", name)
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(a.Body)
		_ = z.Close()
		zipped := answer.Answer{Status: 500, Header: a.Header.Clone(), Body: packed.Bytes()}
		zipped.Header.Set("Content-Encoding", "gzip")
		if len(j.Leaks(zipped)) == 0 {
			t.Errorf("%s in gzip: nothing found", name)
		}
		if strings.HasSuffix(name, ".txt") {
			inJSON := answer.Answer{Status: 500, Body: []byte(`{"a":[{"b":` + quote(string(a.Body)) + `}]}`)}
			if len(j.Leaks(inJSON)) == 0 {
				t.Errorf("%s within JSON: nothing found", name)
			}
		}
	}
	if l := j.Leaks(answer.Answer{Status: 500, Header: http.Header{"Content-Encoding": {"br"}}, Body: []byte("\x0b\x02")}); len(l) != 1 || l[0].Kind != answer.Opaque {
		t.Errorf("brotli: %v, want opaque", l)
	}
	if l := j.Leaks(answer.Answer{Status: 500, Body: bytes.Repeat([]byte("so sorry "), answer.Limit)}); len(l) != 1 || l[0].Kind != answer.Opaque {
		t.Errorf("a dump: %v, want opaque", l)
	}
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}

func TestCleanErrorsAreKept(t *testing.T) {
	j := newJudge(t)
	for name, a := range corpus(t, "clean") {
		if leaks := j.Leaks(a); len(leaks) > 0 {
			t.Errorf("%s: %v in %s", name, leaks, a.Body)
		}
	}
}

func TestLeakRulesCanBeSwitchedOff(t *testing.T) {
	body := []byte("panic: boom at db-primary.internal")
	if l := newJudge(t, "leak-stack", "leak-host").Leaks(answer.Answer{Status: 500, Body: body}); len(l) != 0 {
		t.Errorf("%v with both rules off", l)
	}
	if _, err := answer.New(answer.Config{Off: []string{"leak-stacks"}}); err == nil || !strings.Contains(err.Error(), "leak-stack,") {
		t.Errorf("an unknown rule: %v; want the list of those that there are", err)
	}
}

func TestRulesHaveReasonFixAndRunbook(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range answer.Rules() {
		if r.ID == "" || len(strings.Fields(r.Reason)) < 5 || len(strings.Fields(r.Fix)) < 5 || strings.Count(r.Runbook, "/") != 1 || seen[r.ID] {
			t.Errorf("rule %+v", r)
		}
		seen[r.ID] = true
	}
}

func TestStripHeader(t *testing.T) {
	h := http.Header{
		"Server": {"nginx/1.22.1"}, "X-Powered-By": {"Express"}, "X-Exception": {"java.lang.NullPointerException: cart"}, "X-Backend": {"10.0.0.3:8080"},
		"Error-Detail": {"open /srv/shop/config.yaml: permission denied"}, "X-Many": {"fine", "SELECT id FROM users"},
	}
	kept := http.Header{
		"Content-Type": {"text/html"}, "X-Request-Id": {"4bf92f3577b34da6a3ce929d0e0e4736"}, "X-Error-Id": {"ERR-1795955746225-71UOOC"}, "X-Trace-Id": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
		"X-Error-Code": {"PAYMENT_FAILED"}, "X-Ratelimit-Remaining": {"12"}, "X-Content-Type-Options": {"nosniff"}, "X-Frame-Options": {"DENY"}, "Location": {"http://127.0.0.1:8080/x"},
	}
	maps.Copy(h, kept)
	newJudge(t).StripHeader(h)
	if !reflect.DeepEqual(kept, h) {
		t.Errorf("left: %v, want %v", h, kept)
	}
	off := http.Header{"X-Backend": {"10.0.0.3:8080"}}
	if newJudge(t, "leak-host").StripHeader(off); len(off) != 1 {
		t.Errorf("with the rule off: %v", off)
	}
}

func FuzzLeaks(f *testing.F) {
	for _, folder := range []string{"leaks", "clean"} {
		for _, a := range corpus(f, folder) {
			f.Add(a.Header.Get("Content-Type"), a.Body)
		}
	}
	j := newJudge(f)
	f.Fuzz(func(t *testing.T, ct string, body []byte) {
		for _, l := range j.Leaks(answer.Answer{Status: 500, Header: http.Header{"Content-Type": {ct}}, Body: body}) {
			if l.Kind == "" || len(l.Text) > 80 {
				t.Errorf("leak %+v", l)
			}
		}
	})
}
