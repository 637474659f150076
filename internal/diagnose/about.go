package diagnose

import (
	"regexp"
	"slices"
	"strings"

	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
	"github.com/inquesthq/inquest/internal/redact"
)

var word = regexp.MustCompile(`[a-z][a-z0-9_]{3,}|\d{3,5}`)

// common words of change summaries and error messages that link nothing to anything.
var commonWords = map[string]bool{
	"deploy": true, "release": true, "rollback": true, "update": true, "upgrade": true, "version": true, "config": true, "change": true, "restart": true, "service": true,
	"error": true, "errors": true, "fail": true, "fails": true, "failure": true, "failures": true, "failed": true, "logs": true, "logging": true, "messages": true, "requests": true, "response": true, "responses": true, "request": true, "timeout": true, "server": true, "http": true, "https": true, "with": true, "from": true, "that": true, "this": true,
	"after": true, "before": true, "exception": true, "null": true, "does": true, "exist": true, "column": true, "table": true, "connection": true, "connect": true,
	"enable": true, "disable": true, "increase": true, "reduce": true, "remove": true, "added": true, "dependency": true, "dependencies": true, "message": true, "info": true,
	"warn": true, "level": true, "time": true, "trying": true, "when": true, "node": true, "java": true, "python": true, "line": true, "file": true, "code": true, "true": true,
	"false": true, "list": true, "data": true, "type": true, "value": true, "user": true, "users": true, "into": true, "main": true, "worker": true, "thread": true, "java.lang": true,
	"status": true, "available": true, "unable": true, "cannot": true, "method": true, "call": true, "internal": true, "upstream": true, "client": true, "host": true,
}

// terms are the distinctive words that a change's summary shares with the evidence of the cause: a column, a route, a
// flag, a port. What the routes are called is counted along on request.
func (a *analysis) terms(c *candidate, text string, routes bool) []string {
	said := map[string]bool{}
	for i, cl := range c.claims {
		if i >= 4 || cl.symptom.Pattern == nil {
			continue
		}
		for _, w := range word.FindAllString(strings.ToLower(symptom.Example(cl.symptom.Pattern).Text), -1) {
			said[w] = true
			said[strings.TrimSuffix(w, "s")] = true
		}
	}
	for _, r := range a.c.Impact.Routes {
		if !routes {
			break
		}
		for _, w := range word.FindAllString(strings.ToLower(r.Route), -1) {
			said[w] = true
			said[strings.TrimSuffix(w, "s")] = true
		}
	}
	who := strings.ToLower(c.culprit)
	var out []string
	for _, w := range word.FindAllString(text, -1) {
		if (said[w] || said[strings.TrimSuffix(w, "s")]) && !commonWords[w] && !strings.Contains(who, w) && !slices.Contains(out, w) && a.names.Find(w) == nil {
			out = append(out, w)
		}
	}
	return out[:min(len(out), 3)]
}

var subjectWord = regexp.MustCompile(`[a-z][a-z0-9_-]+`)

// subject is the word of a change's summary that names what the mechanism is about, "" when there is none.
func (a *analysis) subject(c *candidate, text string) string {
	for _, w := range subjectWord.FindAllString(text, -1) {
		if slices.ContainsFunc(a.d.byID[c.id].About, func(stem string) bool { return strings.HasPrefix(w, stem) }) && a.names.Find(w) == nil {
			return w
		}
	}
	return ""
}

var pathWord = regexp.MustCompile(`/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+`)

// sharedPath is a path of a change's summary under which the failures name a file.
func (a *analysis) sharedPath(c *candidate, summary string) string {
	for _, p := range pathWord.FindAllString(redact.Text(summary), 4) {
		for i, cl := range c.claims {
			if i < 4 && cl.symptom.Pattern != nil && strings.Contains(symptom.Example(cl.symptom.Pattern).Text, strings.TrimRight(p, "/.")) {
				return p
			}
		}
	}
	return ""
}

func mentions(text, name string) bool { return mechanism.WordIn(text, strings.ToLower(name)) }
