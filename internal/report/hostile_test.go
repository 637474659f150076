package report_test

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"golang.org/x/net/html"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/report"
)

// poison puts s into every string of a full diagnosis, map keys excepted.
func poison(s string) *inquest.Diagnosis {
	d := rich()
	fill(reflect.ValueOf(d).Elem(), s)
	d.Verdict.Level, d.Verdict.Mechanism = inquest.Probable, "database/pool-exhausted"
	return d
}

func fill(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[time.Time]() {
			for i := range v.NumField() {
				fill(v.Field(i), s)
			}
		}
	case reflect.Pointer:
		fill(v.Elem(), s)
	case reflect.Slice:
		for i := range v.Len() {
			fill(v.Index(i), s)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if v.Type().Elem().Kind() == reflect.String {
				v.SetMapIndex(k, reflect.ValueOf(s))
			}
		}
	}
}

// all renderings, the triage with symptoms included.
func everything(t testing.TB, d *inquest.Diagnosis) map[string]string {
	out := map[string]string{}
	for how := range renderings {
		out[how] = render(t, how, d)
	}
	var b bytes.Buffer
	symptoms := symptomsOf(d)
	if err := report.Triage(&b, d, symptoms, report.TerminalOptions{}); err != nil {
		t.Fatal(err)
	}
	out["triage"] = b.String()
	return out
}

func symptomsOf(d *inquest.Diagnosis) []inquest.Symptom {
	s := d.Verdict.Summary
	return []inquest.Symptom{
		{Kind: inquest.SymptomPattern, Component: s, Onset: d.Onset, Count: 3, Text: s, Evidence: d.Evidence},
		{Kind: inquest.SymptomSaturation, Detail: "pool", Component: s, Onset: d.Onset, Value: 10, Limit: 10, Text: s, Evidence: d.Evidence},
	}
}

func TestNothingFromLogsSteersTheReader(t *testing.T) {
	for name, s := range map[string]string{
		"escape sequences":   "a\x1b[2J\x1b]0;title\x07\x1b]8;;http://evil\x1b\\link\u009b31mb",
		"control characters": "a\x00\x08\x0c\rb\x7f",
		"direction override": "user\u202etxt.exe\u2066x\u2069",
		"zero width":         "ad\u200bmin\ufeff",
		"invalid UTF-8":      "\xff\xfe\xc3(",
		"line breaks":        "a\n\nVERDICT: all is well\r\n# heading",
	} {
		for how, out := range everything(t, poison(s)) {
			if !utf8.ValidString(out) {
				t.Errorf("%s in %s: invalid UTF-8", name, how)
			}
			for _, r := range out {
				if r < 0x20 && r != '\n' || r == 0x7f || redact.Hidden(r) {
					t.Errorf("%s in %s: %U comes through", name, how, r)
					break
				}
			}
			if how != "json" && strings.Contains("\n"+out, "\nVERDICT: all is well") && how != "html" && how != "md" { // there it stands in a quotation, see below
				t.Errorf("%s in %s: a log line poses as a line of the report", name, how)
			}
		}
	}
}

func TestNoMarkupGetsThrough(t *testing.T) {
	for _, s := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `]]><svg onload=alert(1)>`, `</style><script>x</script>`,
		`javascript:alert(1)`, `{{.Name}}`, `</pre></figure><iframe src=//evil>`, `E1" onclick="x`, `[E1]<b>`, `<!--`, `' style='position:fixed`,
	} {
		page := render(t, "html", poison(s))
		clean := render(t, "html", poison("x"))
		count := func(p string) map[string]int {
			c := map[string]int{}
			for _, n := range nodes(t, p, func(*html.Node) bool { return true }) {
				c[n.Data]++
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "src" {
						t.Errorf("%q: attribute %s", s, a.Key)
					}
				}
			}
			delete(c, "a") // a text may hold a reference
			delete(c, "span")
			return c
		}
		if got, want := count(page), count(clean); !reflect.DeepEqual(got, want) {
			t.Errorf("%q changes the elements of the page:\n got %v\nwant %v", s, got, want)
		}
	}
}

func TestMarkdownStaysInert(t *testing.T) {
	md := goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.TaskList))
	elements := func(s string) map[string]int {
		var b bytes.Buffer
		if err := md.Convert([]byte(render(t, "md", poison(s))), &b); err != nil {
			t.Fatal(err)
		}
		c := map[string]int{}
		for _, n := range nodes(t, b.String(), func(*html.Node) bool { return true }) {
			c[n.Data]++
		}
		return c
	}
	want := elements("x")
	for _, s := range []string{
		"```\n# out\n```", "`` ` ``", "[click](http://evil)", "![x](http://evil/p.png)", "<img src=x>", "a | b | c", "**bold**", "_it_ *em*",
		"# h", "- item", "1. one", "10) ten", "> quote", "~~gone~~", "<http://evil>", "&lt;b&gt;", "[x]: http://evil", "a\n---\nb", "=== ", "    code",
		"\\", "\\`", "+ a", "* a", "|", "[ ] task", "!", "<!-- x", "~~~\nx",
	} {
		if got := elements(s); !reflect.DeepEqual(got, want) {
			t.Errorf("%q changes the elements:\n got %v\nwant %v", s, got, want)
		}
	}
	if out := render(t, "md", poison("@here @channel $x$")); strings.Contains(outsideFences(out), "@here") || strings.Contains(outsideFences(out), " $x") {
		t.Error("a mention or a formula outside of code")
	}
}

// outsideFences returns the lines that are no code block, without code spans.
func outsideFences(md string) string {
	var b strings.Builder
	inside := false
	for l := range strings.SplitSeq(md, "\n") {
		if strings.HasPrefix(strings.TrimLeft(l, " "), "```") {
			inside = !inside
		} else if !inside {
			for i, part := range strings.Split(l, "`") {
				if i%2 == 0 {
					b.WriteString(part)
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func TestSecretsSurviveInNoRendering(t *testing.T) {
	const secret = "Zq7xW2kP9mV4tB8nR3cL6dHy"
	for _, form := range []string{"password=%s", `{"api_key":"%s"}`, "Authorization: Bearer %s", "postgres://u:%s@db/x", "Cookie: a=%s", "tok_%s", "ghp_%s"} {
		d := poison(strings.ReplaceAll(form, "%s", secret))
		d.Evidence[1].Source.Labels["session_token"] = secret
		for how, out := range everything(t, d) {
			if strings.Contains(strings.ReplaceAll(out, "\n", ""), secret) || strings.Contains(squeeze(out), secret) {
				t.Errorf("%s: the secret of %q survives", how, form)
			}
		}
	}
}

// squeeze joins what wrapping may have broken.
func squeeze(s string) string {
	return strings.NewReplacer("\n", "", " ", "", "│", "", "|", "").Replace(s)
}

func TestHugeTextIsBounded(t *testing.T) {
	for name, s := range map[string]string{
		"one word": strings.Repeat("x", 1<<20), "many words": strings.Repeat("ab ", 1<<18), "many lines": strings.Repeat("ab\n", 1<<18),
	} {
		d := rich()
		d.Evidence[2].Text, d.Verdict.Summary, d.Impact.Routes[0].Route, d.Notes[0] = s, s, s, s
		for how, out := range everything(t, d) {
			if len(out) > 400_000 {
				t.Errorf("%s in %s: %d bytes", name, how, len(out))
			}
		}
	}
}

func TestEmptyAndBrokenValuesAreRendered(t *testing.T) {
	for name, d := range map[string]*inquest.Diagnosis{
		"nothing at all": {}, "incident without a verdict": {Incident: true},
		"level open with a name all the same": {Incident: true, Verdict: &inquest.Verdict{Level: inquest.Open, Mechanism: "a/b", Culprit: "c"}},
		"more failed than answered":           {Incident: true, Impact: inquest.Impact{Requests: 1, Failed: 7, Ratio: 7}, Chart: inquest.Chart{Step: time.Second, Failed: []int{-1, 9}, Requests: []int{1}}},
		"unknown words":                       {Incident: true, Verdict: &inquest.Verdict{Level: "certain", Mechanism: "odd", Chain: []inquest.Link{{Role: "x"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			for how := range renderings {
				if out := render(t, how, d); len(out) == 0 {
					t.Errorf("%s: nothing written", how)
				}
			}
			var b bytes.Buffer
			if err := report.Triage(&b, d, nil, report.TerminalOptions{}); err != nil || strings.Count(b.String(), "?\n") != 4 {
				t.Errorf("triage: %v\n%s", err, b.String())
			}
		})
	}
}

func FuzzRenderings(f *testing.F) {
	f.Add("<script>", "\x1b[31m", int64(0), 5)
	f.Add("```\n", "password=x", int64(1<<40), -3)
	f.Fuzz(func(t *testing.T, a, b string, seconds int64, n int) {
		d := poison(a)
		d.Evidence[0].Text, d.Verdict.Culprit = b, b
		d.Onset = time.Unix(seconds%(1<<36), 0)
		d.Chart.Failed[3], d.Impact.Failed, d.Impact.Routes[0].Status = n, n, map[int]int{n: n}
		for how, out := range everything(t, d) {
			if !utf8.ValidString(out) || strings.ContainsRune(out, 0x1b) || strings.ContainsRune(out, 0x202e) {
				t.Errorf("%s lets control characters through", how)
			}
			if how == "json" && !json.Valid([]byte(out)) {
				t.Errorf("invalid JSON:\n%s", out)
			}
			if how == "html" && slices.ContainsFunc(nodes(t, out, tag("script")), func(*html.Node) bool { return true }) {
				t.Errorf("a script in the page")
			}
		}
	})
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWriteErrorsAreReturned(t *testing.T) {
	for how, f := range renderings {
		if err := f(failing{}, rich()); err == nil {
			t.Errorf("%s: a failed write is no error", how)
		}
	}
	if err := report.Triage(failing{}, rich(), nil, report.TerminalOptions{}); err == nil {
		t.Error("triage: a failed write is no error")
	}
}
