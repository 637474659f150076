package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/web/words"
)

// pages are the parsed templates by name: each is the frame with its own content.
type pages struct{ byName map[string]*template.Template }

func (p *pages) has(name string) bool { return name == "form" || p.byName[name] != nil }

func parsePages(funcs template.FuncMap) (*pages, error) {
	frame, err := template.New("frame.gohtml").Funcs(funcs).ParseFS(files, "templates/frame.gohtml", "templates/parts.gohtml")
	if err != nil {
		return nil, fmt.Errorf("web: templates: %w", err)
	}
	names, err := fs.Glob(files, "templates/*.gohtml")
	if err != nil {
		return nil, fmt.Errorf("web: templates: %w", err)
	}
	p := &pages{byName: map[string]*template.Template{}}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".gohtml")
		if name == "frame" || name == "parts" {
			continue
		}
		t, err := frame.Clone()
		if err == nil {
			t, err = t.ParseFS(files, file)
		}
		if err != nil {
			return nil, fmt.Errorf("web: template %s: %w", name, err)
		}
		p.byName[name] = t
	}
	return p, nil
}

// shown is what a template sees.
type shown struct {
	V       any // the row's answer
	Who     auth.Identity
	Nav     string
	Path    string
	Query   map[string]string
	Page    string
	Now     time.Time
	Version string
	Open    bool // nobody has to sign in
	Guest   bool // is not signed in: sees no navigation
	Assets  map[string]asset
}

// May reports whether this person may do what needs a role.
func (s *shown) May(role string) bool { return s.Who.Role.Allows(auth.Role(role)) }

func (w *Web) page(rw http.ResponseWriter, c *call, status int, name, nav string, v any) {
	s := &shown{V: v, Who: c.who, Nav: nav, Path: c.r.URL.Path, Query: map[string]string{}, Page: name, Now: w.cfg.Now().UTC(), Version: w.cfg.Version,
		Open: !w.cfg.Auth.Configured(), Guest: c.who.Name == "", Assets: w.assets}
	for k, values := range c.r.URL.Query() {
		s.Query[k] = values[0]
	}
	var b bytes.Buffer
	if err := w.pages.byName[name].ExecuteTemplate(&b, "frame.gohtml", s); err != nil {
		http.Error(rw, "the page cannot be written: "+err.Error(), http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = rw.Write(bytes.Map(visible, b.Bytes())) // the client may have left
}

// visible replaces what steers a terminal or turns the direction of text around, wherever a stranger's word got into a page. What `clean` has seen
// has none of it any more.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r < ' ', r >= 0x7f && r < 0xa0, r == 0x61c, r >= 0x200e && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return '\ufffd'
	}
	return r
}

// asset is an embedded file with the hash that its address carries, so that browsers may keep it for ever.
type asset struct {
	URL  string
	kind string
	body []byte
}

func readAssets(reportCSS string) (map[string]asset, error) {
	entries, err := fs.ReadDir(files, "assets")
	if err != nil {
		return nil, fmt.Errorf("web: assets: %w", err)
	}
	out := map[string]asset{}
	add := func(name string, body []byte) {
		sum := sha256.Sum256(body)
		kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
		out[name] = asset{"/assets/" + name + "?v=" + hex.EncodeToString(sum[:6]), kinds[path.Ext(name)], body}
	}
	for _, e := range entries {
		b, err := files.ReadFile("assets/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("web: assets: %w", err)
		}
		add(e.Name(), b)
	}
	add("report.css", []byte(reportCSS))
	return out, nil
}

func (w *Web) serveAsset(rw http.ResponseWriter, r *http.Request) {
	a, ok := w.assets[r.PathValue("name")]
	if !ok {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Content-Type", a.kind)
	if r.URL.RequestURI() == a.URL {
		rw.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = rw.Write(a.body) // the client may have left
}

func (w *Web) funcs() template.FuncMap {
	zone := w.cfg.Zones[0]
	title := w.cfg.Title
	if title == nil {
		title = func(m inquest.MechanismID) string { return strings.ReplaceAll(m.Name(), "-", " ") }
	}
	return template.FuncMap{
		"percent": func(v any) string { return words.Percent(words.NumberOf(v)) }, "rate": func(n Number) string { return words.Scaled(n, "") }, "seconds": words.Seconds,
		"burn": func(n Number) string { return words.Scaled(n, "×") }, "count": words.Count, "gauge": func(v any) template.HTML { return gauge(words.NumberOf(v)) }, "spark": spark,
		"iso":   func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") },
		"stamp": func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04:05 MST") },
		"short": func(t time.Time) string { return t.In(zone).Format("01-02 15:04") },
		"clock": func(t time.Time) string { return t.In(zone).Format("15:04:05") },
		"day":   func(t time.Time) string { return t.In(zone).Format("2006-01-02") },
		"zones": func(t time.Time) []string { return elsewhere(t, w.cfg.Zones[1:]) }, "zone": func() string { return zone.String() },
		"ago": func(t time.Time) string { return words.Span(w.cfg.Now().Sub(t)) }, "span": words.Span, "title": title, "spells": spells,
		"clean": func(s string) string { return redact.Clean(redact.Text(s), 4000) }, "lines": func(s string) string { return redact.Lines(redact.Text(s), 8000) },
		"join": strings.Join, "source": sourceText, "states": func() []inquest.IncidentState { return inquest.IncidentStates },
		"lasted": lasted, "ago1h": func() time.Time { return w.cfg.Now().Add(-time.Hour) }, "whole": func(n int64) string { return words.Count(int(n)) }, "bytes": words.Bytes,
		"outcomes": func() []inquest.Outcome { return inquest.Outcomes }, "verb": verbText, "verbNote": verbNote, "list": func(s ...string) []string { return s }, "link": withQuery, "days": byDay,
		// The template's own comparisons take NaN for the larger one.
		"over": func(a, b any) bool { return words.NumberOf(a) > words.NumberOf(b) }, "factors": func() []inquest.Factor { return inquest.Factors },
	}
}

// elsewhere is a time in other zones.
func elsewhere(t time.Time, zones []*time.Location) []string {
	out := make([]string, len(zones))
	for i, z := range zones {
		out[i] = t.In(z).Format("15:04:05 MST")
	}
	return out
}

// measure is one of the times that are asked for after an incident.
type measure struct {
	Name, Meaning string
	Time          time.Duration
	Known         bool
}

func spells(i inquest.Incident, book *Runbook) []measure {
	m := func(name, meaning string, f func() (time.Duration, bool)) measure {
		d, ok := f()
		return measure{name, meaning, d, ok}
	}
	return []measure{
		m("to detect", TimeMeanings[0], i.TimeToDetect), m("to acknowledge", TimeMeanings[1], i.TimeToAcknowledge),
		m("to mitigate", TimeMeanings[2], i.TimeToMitigate),
		m("to verify", "first failing answer until the runbook's checks had shown that users are served", func() (time.Duration, bool) { return i.TimeToVerify(book) }), m("to resolve", TimeMeanings[3], i.TimeToResolve),
	}
}

// TimeMeanings say from what until what the times to detect, acknowledge, mitigate and resolve are.
var TimeMeanings = [4]string{"first failing answer to first alert", "first alert until a person had it", "first failing answer until users were served again", "first failing answer until the cause was gone"}

// lasted is a time in seconds.
func lasted(n Number) string {
	if !n.Known() {
		return "–"
	}
	return words.Span(time.Duration(float64(n) * float64(time.Second)))
}

func sourceText(s inquest.Source) string {
	if s.File != "" && s.Line > 0 {
		return fmt.Sprintf("%s:%d", s.File, s.Line)
	}
	return s.File + s.Metric + inquest.LabelText(s.Labels)
}

func verbText(v Verb) string {
	return map[Verb]string{Acknowledge: "Acknowledge", Mitigate: "Mitigated", Resolve: "Resolved", Reopen: "Reopen", Review: "Close the file", Waive: "Waive the postmortem",
		Note: "Add note", Identify: "Name the cause", SetSeverity: "Set severity", SetFactors: "Set factors"}[v]
}

func verbNote(v Verb) string {
	return map[Verb]string{Acknowledge: "I have it: nobody else is called", Mitigate: "users are served again, the cause is still there", Resolve: "the cause is gone",
		Reopen: "it is back", Review: "the postmortem is accepted"}[v]
}

// withQuery is the page's address with one parameter changed.
func withQuery(s *shown, key, value string) string {
	q := maps.Clone(s.Query)
	delete(q, "after")
	q[key] = value
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(q)) {
		if q[k] != "" {
			parts = append(parts, template.URLQueryEscaper(k)+"="+template.URLQueryEscaper(q[k]))
		}
	}
	if len(parts) == 0 {
		return s.Path
	}
	return s.Path + "?" + strings.Join(parts, "&")
}

// dayGroup are the entries of one day, so that a date is written once.
type dayGroup struct {
	Day     time.Time
	Entries []inquest.IncidentEntry
}

func byDay(entries []inquest.IncidentEntry) []dayGroup {
	var out []dayGroup
	for _, e := range entries {
		if n := len(out); n == 0 || out[n-1].Day.UTC().Format(time.DateOnly) != e.Time.UTC().Format(time.DateOnly) {
			out = append(out, dayGroup{Day: e.Time})
		}
		g := &out[len(out)-1]
		g.Entries = append(g.Entries, e)
	}
	return out
}
