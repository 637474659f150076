package pages

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/inquesthq/inquest/internal/incident"
)

// matchText writes matchers as PromQL and Alertmanager do: {service="checkout", route=~"GET .*"}.
func matchText(all []incident.Matcher) string {
	parts := make([]string, len(all))
	for i, m := range all {
		op := "="
		switch {
		case m.Not && m.Regex:
			op = "!~"
		case m.Not:
			op = "!="
		case m.Regex:
			op = "=~"
		}
		parts[i] = m.Name + op + strconv.Quote(m.Value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// parseMatch reads what matchText writes; the braces, and the quotes around a plain word, may be left out.
func parseMatch(text string) ([]incident.Matcher, error) {
	// Compiled when somebody makes a silence, not at the start of every command that links this room.
	matcher := regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^\s",{}]+)\s*(,|$)`)
	rest := strings.TrimSpace(text)
	if strings.HasPrefix(rest, "{") && strings.HasSuffix(rest, "}") {
		rest = strings.TrimSpace(rest[1 : len(rest)-1])
	}
	var out []incident.Matcher
	for rest != "" {
		m := matcher.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf(`%q cannot be understood from %q on: write it as {service="checkout", route=~"GET .*"}`, text, rest)
		}
		value := m[3]
		if strings.HasPrefix(value, `"`) {
			var err error
			if value, err = strconv.Unquote(value); err != nil {
				return nil, fmt.Errorf("%s: the quoted text has an escape that is not known", m[3])
			}
		}
		out = append(out, incident.Matcher{Name: m[1], Value: value, Regex: strings.HasSuffix(m[2], "~"), Not: strings.HasPrefix(m[2], "!")})
		rest = strings.TrimSpace(rest[len(m[0]):])
	}
	if len(out) == 0 {
		return nil, fmt.Errorf(`name at least one label: {service="checkout"}`)
	}
	return out, nil
}
