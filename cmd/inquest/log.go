package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/auth"
)

func newLog() *cobra.Command {
	return listing[auth.Audit]{
		use: "log", path: "log", short: "List who changed what on a running server, newest first",
		long:    "Log lists the last 200 deeds: who signed in, acted on an incident or made a token, and from which address.\nIt needs a token of an administrator.",
		example: "  inquest log\n  inquest log --format json | jq '.items[] | select(.action == \"token created\")'",
		none:    "Nothing was changed yet.",
		head:    []string{"TIME (UTC)", "WHO", "FROM", "WHAT"},
		row: func(a *auth.Audit) []string {
			what := strings.TrimSpace(a.Action + " " + a.Target)
			if a.Detail != "" {
				what += " (" + a.Detail + ")"
			}
			return []string{minute(a.Time), said(a.By), said(a.From), said(what)}
		},
	}.command()
}
