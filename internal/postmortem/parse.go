package postmortem

import (
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// document is a text that was read, with the places of what stands in it: the lint needs them.
type document struct {
	inquest.Postmortem
	lines    []string
	sections []*section
	fields   map[string]located // by "section/name"
	items    []int              // lines of the action items
	causes   []int
	fixes    []int
	lessons  []int
	unknown  []located // factors and types that nobody knows
}

type located struct {
	text string
	line int
}

// section is a part of the text below one heading. Line numbers count from 1; body are the lines from first to last.
type section struct {
	kind, title string
	line        int
	body        []located
}

// kinds tells sections by the beginnings of their titles, also those that other templates use.
var kinds = []struct{ begins, kind string }{
	{"executive summary", "summary"}, {"issue summary", "summary"}, {"summary", "summary"}, {"impact", "impact"}, {"detection", "response"}, {"response", "response"},
	{"symptom", "symptom"}, {"wrong turn", "wrong"}, {"assumption", "wrong"}, {"root cause", "causes"}, {"how it came", "chain"}, {"trigger", "chain"}, {"fix", "fixes"}, {"resolution", "fixes"},
	{"action item", "items"}, {"corrective", "items"}, {"preventative", "items"}, {"preventive", "items"}, {"lesson", "lessons"}, {"key lesson", "lessons"}, {"timeline", "timeline"}, {"evidence", "evidence"},
}

func kindOf(title string) string {
	t := strings.ToLower(strings.TrimSpace(title))
	for _, k := range kinds {
		if strings.HasPrefix(t, k.begins) {
			return k.kind
		}
	}
	return ""
}

// Parse reads a postmortem. It takes any text: what it does not understand is left out, and the lint says what is missing.
func Parse(text string) *inquest.Postmortem { return &read(text).Postmortem }

func read(text string) *document {
	d := &document{lines: strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), fields: map[string]located{}}
	d.split()
	for _, s := range d.sections {
		for _, l := range s.body {
			if name, value, ok := field(l.text); ok {
				key := s.kind + "/" + strings.ToLower(name)
				if key == "head/still open from there" {
					d.Open = append(d.Open, value)
				} else if _, known := d.fields[key]; !known {
					d.fields[key] = located{value, l.line}
				}
			}
		}
	}
	d.readHead()
	d.readFacts()
	for _, s := range d.sections {
		switch s.kind {
		case "summary":
			d.Summary = prose(s)
		case "symptom":
			d.Symptom = prose(s)
		case "wrong":
			d.readWrong(s)
		case "causes":
			d.readCauses(s)
		case "chain":
			d.Chain = append(d.Chain, texts(numbered(s))...)
		case "fixes":
			d.readFixes(s)
		case "items":
			d.readItems(s)
		case "lessons":
			d.readLessons(s)
		case "timeline":
			d.readTimeline(s)
		case "evidence":
			d.readEvidence(s)
		}
	}
	return d
}

// split cuts the text at its headings. What stands before the first section is the head. In code there are no headings.
func (d *document) split() {
	now := &section{kind: "head"}
	d.sections = append(d.sections, now)
	fence := ""
	for i, line := range d.lines {
		t := strings.TrimSpace(line)
		ticks := t[:len(t)-len(strings.TrimLeft(t, "`"))]
		switch {
		case fence == "" && len(ticks) >= 3:
			fence = ticks
		case fence != "" && t == ticks && len(ticks) >= len(fence):
			fence = ""
		case fence == "" && strings.HasPrefix(line, "#"):
			title := strings.TrimSpace(strings.TrimLeft(line, "#"))
			if strings.HasPrefix(line, "# ") && d.Title == "" {
				d.Title = strings.TrimSpace(strings.TrimPrefix(title, "Postmortem:"))
				d.fields["head/title"] = located{d.Title, i + 1}
				continue
			}
			now = &section{kind: kindOf(title), title: title, line: i + 1}
			d.sections = append(d.sections, now)
			continue
		}
		now.body = append(now.body, located{line, i + 1})
	}
}

func (d *document) section(kind string) *section {
	for _, s := range d.sections {
		if s.kind == kind {
			return s
		}
	}
	return nil
}

// field reads "- **Name**: value".
func field(line string) (name, value string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), "- **")
	if !ok {
		return "", "", false
	}
	name, value, ok = strings.Cut(rest, "**:")
	return name, strings.TrimSpace(value), ok
}

// value is a field, "" while it is still to be written.
func (d *document) value(key string) string {
	if v := d.fields[key].text; v != todo {
		return v
	}
	return ""
}

func (d *document) readHead() {
	d.Incident, d.Author = d.value("head/incident"), d.value("head/author")
	d.State, d.Repeats = inquest.IncidentState(d.value("head/state")), d.value("head/repeat of")
	if n, err := strconv.Atoi(strings.TrimPrefix(d.value("head/severity"), "SEV-")); err == nil && n >= 1 && n <= 4 {
		d.Severity = inquest.Severity(n)
	}
	d.Services = commas(d.value("head/services"))
	d.Written, _ = time.Parse(day, d.value("head/written"))
	for _, f := range commas(d.value("head/contributing factors")) {
		d.Factors = append(d.Factors, inquest.Factor(f))
	}
}

func commas(s string) []string {
	var out []string
	for p := range strings.SplitSeq(s, ",") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

func (d *document) readFacts() {
	i, r := &d.Impact, &d.Response
	i.Start, i.End = moment(d.value("impact/start")), moment(d.value("impact/end"))
	i.Failed, i.Status, i.Requests = d.value("impact/what failed"), d.value("impact/status codes"), d.value("impact/requests")
	i.Affected, i.NotAffected, i.Cost = d.value("impact/affected"), d.value("impact/not affected"), d.value("impact/cost")
	i.Reports, _ = strconv.Atoi(d.value("impact/user reports"))
	r.Source, r.Detected, r.Acknowledged = d.value("response/detected by"), moment(d.value("response/detected")), moment(d.value("response/acknowledged"))
	r.Identified, r.Mitigated, r.Resolved = moment(d.value("response/identified")), moment(d.value("response/mitigated")), moment(d.value("response/resolved"))
	r.Verified = moment(d.value("response/verified"))
	d.Trigger = d.value("chain/trigger")
}

// moment reads a time with date and zone; zero for anything else.
func moment(s string) time.Time {
	for _, layout := range []string{utc, local, "2006-01-02 15:04 UTC", "2006-01-02 15:04 -07:00", time.RFC3339} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

func prose(s *section) string {
	var b strings.Builder
	for _, l := range s.body {
		b.WriteString(l.text + "\n")
	}
	return strings.TrimSpace(b.String())
}

// rows are the cells of the table in a section, without head and rule.
func rows(s *section) (cells [][]string, lines []int) {
	n := 0
	for _, l := range s.body {
		t := strings.TrimSpace(l.text)
		if !strings.HasPrefix(t, "|") {
			continue
		}
		if n++; n <= 2 {
			continue
		}
		cells, lines = append(cells, cut(t)), append(lines, l.line)
	}
	return cells, lines
}

// cut splits a row at the bars that are not escaped.
func cut(row string) []string {
	row = strings.TrimPrefix(row, "|")
	var out []string
	from := 0
	for i := 0; i < len(row); i++ {
		switch row[i] {
		case '\\':
			i++
		case '|':
			out = append(out, strings.TrimSpace(row[from:i]))
			from = i + 1
		}
	}
	if rest := strings.TrimSpace(row[min(from, len(row)):]); rest != "" {
		out = append(out, rest)
	}
	return out
}

func cell(row []string, i int) string {
	if i >= len(row) || row[i] == todo {
		return ""
	}
	return row[i]
}

// numbered are the points "1. ..." or "- ..." of a section, without fields.
func numbered(s *section) []located {
	var out []located
	for _, l := range s.body {
		t := strings.TrimSpace(l.text)
		if _, _, ok := field(t); ok {
			continue
		}
		if rest, ok := strings.CutPrefix(t, "- "); ok {
			out = append(out, located{strings.TrimSpace(rest), l.line})
			continue
		}
		digits := len(t) - len(strings.TrimLeft(t, "0123456789"))
		if digits > 0 && strings.HasPrefix(t[digits:], ". ") {
			out = append(out, located{strings.TrimSpace(t[digits+2:]), l.line})
		}
	}
	return out
}

func texts(all []located) []string {
	var out []string
	for _, l := range all {
		out = append(out, l.text)
	}
	return out
}
