package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/web"
	"github.com/inquesthq/inquest/internal/web/words"
)

func newSLOs() *cobra.Command {
	return listing[web.Objective]{
		use: "slos", path: "slos", short: "List service level objectives and what is left of their error budgets",
		long: "Slos lists the objectives of a running server: what is good so far, what is left of the error budget, and how fast it goes (1 uses it\n" +
			"up exactly at the end of its time). --format json has the rates from which on people are told.",
		example: "  inquest slos\n  inquest slos --format json | jq '.items[] | select(.left < 0.2) | .name'",
		none:    "No objective is configured. They are OpenSLO documents in the settings.",
		head:    []string{"SERVICE", "TARGET", "DAYS", "GOOD", "LEFT", "BURN", "OBJECTIVE"},
		row: func(o *web.Objective) []string {
			burn := make([]string, len(o.Burn))
			for i, b := range o.Burn {
				burn[i] = said(b.Window) + " " + measured(b.Rate, scaled)
			}
			left := measured(o.Left, words.Percent)
			if o.Left <= 0 {
				left = "spent"
			}
			return []string{said(o.Service), words.Percent(words.Number(o.Target)), strconv.Itoa(o.Days), measured(o.Good, words.Percent), left, strings.Join(burn, ", "), said(o.Name)}
		},
	}.command()
}
