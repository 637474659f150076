package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/web"
	"github.com/inquesthq/inquest/internal/web/words"
)

func newPatternsServer() *cobra.Command {
	states, all := []string{"new", "surging", "steady"}, []string{"trace", "debug", "info", "warn", "error", "fatal"}
	return listing[web.Pattern]{
		use: "server", path: "patterns", short: "List the patterns of what a running server takes in",
		long:    "Server lists kinds of log lines, those seen last first, at most 50, as the server's page Patterns does. --format json has ids and examples.",
		example: "  inquest patterns server --state new --level error\n  inquest patterns server --service checkout --words timeout\n  inquest patterns server --format json | jq '.items[].example.text'",
		filters: []filter{{flag: "service", usage: "who wrote them"}, {flag: "level", usage: strings.Join(all, ", "), values: all},
			{flag: "state", usage: strings.Join(states, ", "), values: states}, {flag: "words", query: "q", usage: "that stand in the line"}},
		none: "No pattern fits.",
		head: []string{"LAST (UTC)", "COUNT", "NEW", "LEVEL", "SERVICE", "PATTERN"},
		row: func(p *web.Pattern) []string {
			state := ""
			switch {
			case p.New:
				state = "new"
			case p.Surging:
				state = "surging"
			}
			return []string{minute(p.Last), words.Count(p.Count), state, said(p.Level), said(p.Service), said(p.Template)}
		},
	}.command()
}
