package postmortem

import (
	"regexp"
	"strings"

	"github.com/inquesthq/inquest"
)

// The patterns below are compiled when somebody lints, not at the start of every command that links this room.

// sentences counts the ends of sentences: a full stop, question or exclamation mark before a blank and a capital, a figure or the end.
func sentences(s string) int {
	end := regexp.MustCompile(`[.!?]["')\]]*(\s+["'(\[]*[A-Z0-9]|\s*$)`)
	return max(1, len(end.FindAllString(strings.Join(strings.Fields(s), " "), -1)))
}

// technical finds what no manager reads: stack frames, names of classes and exceptions, SQL.
func technical(s string) string {
	for _, p := range []string{
		`\b\w+(?:Exception|Error)\b`, `\bat [\w$.]+\([\w.]*:?\d*\)`, `\b[\w/-]+\.(?:java|go|py|js|ts|rb|php|cs|rs|kt):\d+`, `\b[a-z]\w*(?:\.[a-z]\w*){2,}\.[A-Z]\w+`,
		`(?i)\bselect\s.+\sfrom\s`, `(?i)\b(?:insert\s+into|delete\s+from|alter\s+table|update\s+\w+\s+set)\b`, `\bTraceback \(most`, `\bnil pointer\b`, `\bgoroutine \d+\b`,
	} {
		if m := regexp.MustCompile(p).FindString(s); m != "" {
			return m
		}
	}
	return ""
}

// person finds somebody who is made the cause: a word for it, or the name of an author or owner.
func (l *linter) person(text string) string {
	if m := regexp.MustCompile(`(?i)\bhuman error\b|\boperator error\b|\buser error\b|\bcareless(?:ness)?\b|\bnegligen(?:t|ce)\b|\bincompeten(?:t|ce)\b|\bforgot\b|\bshould have known\b|\b(?:his|her|their) (?:fault|mistake)\b|\bmistake by\b|\bfault of the (?:developer|engineer|operator|admin)\b`).FindString(text); m != "" {
		return "\"" + m + "\""
	}
	names := append([]string{}, commas(l.Author)...)
	for _, x := range l.Items {
		names = append(names, x.Owner)
	}
	for _, n := range names {
		if len(n) > 2 && !isTeam(n) && regexp.MustCompile(`(?i)\b`+regexp.QuoteMeta(n)+`\b`).MatchString(text) {
			return n
		}
	}
	return ""
}

// each calls f for every line that people wrote: not for quotes of logs.
func (l *linter) each(f func(s *section, line located)) {
	for _, s := range l.sections {
		if s.kind == "evidence" {
			continue
		}
		fenced := false
		for _, x := range s.body {
			if strings.HasPrefix(strings.TrimSpace(x.text), "```") {
				fenced = !fenced
			} else if !fenced {
				f(s, x)
			}
		}
	}
}

// leftovers are what is still to be written, and what a template left behind (REQUIREMENTS 290).
func (l *linter) leftovers() {
	mark := regexp.MustCompile(`\b(?:TODO|TBD|FIXME|XXX)\b|(?i)\blorem ipsum\b|\[(?:insert|your|name|date|link)[^\]]*\](?:[^(]|$)|<(?:insert|your|name|date|fill)[^>]*>`)
	rest := regexp.MustCompile(`(?i)\bmust contain\b|\bshould contain\b|\bgoes here\b|\bdescribe (?:the|your)\b|\bplease fill\b|\bdelete this\b`)
	for _, s := range l.sections {
		if m := rest.FindString(s.title); m != "" {
			l.must("template-left-over", s.line, "%q in the heading is left over from a template", m)
		}
	}
	l.each(func(s *section, x located) {
		if s.kind == "items" && strings.HasPrefix(strings.TrimSpace(x.text), "|") {
			return // owner, date and check have rules of their own
		}
		if mark.MatchString(x.text) {
			l.must("to-be-written", x.line, "here something is still to be written: %.60s", strings.TrimSpace(x.text))
		} else if m := rest.FindString(x.text); m != "" && s.kind != "" { // the head says what it likes
			l.must("template-left-over", x.line, "%q looks like text of a template", m)
		}
	})
}

// wording remarks on blame, on empty phrases and on codes with a wrong name.
func (l *linter) wording() {
	blame := regexp.MustCompile(`(?i)\b(?:careless(?:ly|ness)?|negligen(?:t|ce|tly)|incompeten(?:t|ce)|stupid(?:ly)?|sloppy|lazy|idiot\w*|to blame|whose fault|(?:his|her|their) fault|should have known|should have noticed|failed to notice|forgot to)\b`)
	empty := regexp.MustCompile(`(?i)\b(?:every|any) inconvenience\b|\bdue to unforeseen (?:circumstances|reasons)\b|\btechnical difficulties\b|\bwill be more careful\b|\bbe more careful\b|\btry harder\b|\bpay more attention\b`)
	code := regexp.MustCompile(`\b([45]\d\d)\s*[:(-]?\s*"?((?:[A-Z][a-z]+ ?){2,4})`)
	l.each(func(s *section, x located) {
		if m := blame.FindString(x.text); m != "" && s.kind != "causes" {
			l.should("blame", x.line, "%q blames: say what the system let happen, not who did it", m)
		}
		if m := empty.FindString(x.text); m != "" {
			l.should("empty-phrase", x.line, "%q says nothing: say what it meant for whom, or what will be done", m)
		}
		for _, m := range code.FindAllStringSubmatch(x.text, -1) {
			if right, wrong := misnamed(m[1], strings.TrimSpace(m[2])); wrong {
				l.must("status-phrase", x.line, "%s is %s, not %s (RFC 9110)", m[1], right, strings.TrimSpace(m[2]))
			}
		}
	})
}

// misnamed reports whether a status is called by the name of another.
func misnamed(code, phrase string) (right string, wrong bool) {
	phrases := statusPhrases()
	right = phrases[code]
	if right == "" || strings.HasPrefix(phrase, right) || strings.HasPrefix(right, phrase) {
		return right, false
	}
	for _, p := range phrases {
		if strings.HasPrefix(phrase, p) {
			return right, true
		}
	}
	return right, false
}

// statusPhrases are the names of the codes that postmortems are about (RFC 9110, 15).
func statusPhrases() map[string]string {
	return map[string]string{
		"400": "Bad Request", "401": "Unauthorized", "403": "Forbidden", "404": "Not Found", "408": "Request Timeout", "409": "Conflict", "413": "Content Too Large", "429": "Too Many Requests",
		"500": "Internal Server Error", "501": "Not Implemented", "502": "Bad Gateway", "503": "Service Unavailable", "504": "Gateway Timeout",
	}
}

// ItemLine is an action item in one line: what, who, when.
func ItemLine(x *inquest.ActionItem) string {
	line := x.Text
	if x.Owner != "" {
		line += " (" + x.Owner
		if !x.Due.IsZero() {
			line += ", due " + x.Due.Format(day)
		}
		line += ")"
	}
	return line
}
