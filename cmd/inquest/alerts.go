package main

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/web"
)

func newAlerts() *cobra.Command {
	states, urgencies := []string{"firing", "resolved"}, []string{"chat", "ticket", "page"}
	return listing[web.StandingAlert]{
		use: "alerts", path: "alerts", short: "List the alerts that belong to no incident",
		long: "Alerts lists what wakes nobody: alerts for the chat and for working hours (ticket), and silenced ones, those that fired last first, at\n" +
			"most 50. What pages opens an incident: see incidents.",
		example: "  inquest alerts --state firing\n  inquest alerts --for ticket --service checkout\n  inquest alerts --format json | jq '.items[] | {rule, labels}'",
		filters: []filter{{flag: "service", usage: "that they are about"}, {flag: "for", query: "urgency", usage: strings.Join(urgencies, ", "), values: urgencies},
			{flag: "state", usage: strings.Join(states, ", "), values: states}},
		none: "No alert fits.",
		head: []string{"FIRED (UTC)", "STATE", "FOR", "TIMES", "SERVICE", "WHAT"},
		row: func(a *web.StandingAlert) []string {
			state := string(a.State)
			if a.Silence != "" {
				state += ", silenced"
			}
			return []string{minute(a.Fired), state, string(a.Urgency), strconv.Itoa(a.Times), said(a.Service), said(cmp.Or(a.Annotations["summary"], a.Rule))}
		},
	}.command()
}
