package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/web/words"
)

// incidentStats is what the server tells of how incidents went.
type incidentStats struct {
	From                           time.Time
	Incidents, Active, Repeats     int
	Merged                         int
	Times                          []timeStat
	Severity, Class, Factor, State []tally
	Late                           []string
	LateAfter, Cost                float64
	Currency                       string
}

type timeStat struct {
	Name, Time   string
	Count        int
	Mean, Median float64 // seconds
}

type tally struct {
	Name  string
	Count int
}

func newIncidentsStats() *cobra.Command {
	r := &remote{}
	var since time.Duration
	cmd := &cobra.Command{
		Use:     "stats",
		Short:   "How incidents went: MTTD, MTTA, MTTM, MTTR",
		Long:    "Stats prints mean and median time to detect, acknowledge, mitigate and resolve of incidents opened lately, and what these have in common.\nAn incident counts for a time once that time is known.\n" + remoteHelp,
		Example: "  inquest incidents stats\n  inquest incidents stats --since 2160h\n  inquest incidents stats --format json | jq '.times[] | {name, mean}'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd, r, "stats", url.Values{"since": {since.String()}}, func(s *incidentStats) error {
				r.stats(s)
				return nil
			})
		},
	}
	cmd.Flags().DurationVar(&since, "since", 30*24*time.Hour, "how far to look back, in hours: 2160h for 90 days")
	r.flags(cmd, "text", "json")
	return cmd
}

func (r *remote) stats(s *incidentStats) {
	r.para("", fmt.Sprintf("%s opened since %s UTC: %d active, %d with the cause of an earlier one, %d more were part of another", incidentCount(s.Incidents), minute(s.From), s.Active, s.Repeats, s.Merged))
	if s.Incidents == 0 {
		return
	}
	fmt.Fprintln(r.out)
	rows := [][]string{{"TIME", "MEAN", "MEDIAN", "KNOWN OF"}}
	for _, t := range s.Times {
		row := []string{said(t.Time) + " (" + said(t.Name) + ")", "-", "-", strconv.Itoa(t.Count)}
		if t.Count > 0 {
			row[1], row[2] = lasted(t.Mean), lasted(t.Median)
		}
		rows = append(rows, row)
	}
	r.table(rows)
	fmt.Fprintln(r.out)
	for _, l := range []struct {
		label string
		all   []tally
	}{{"severity     ", s.Severity}, {"cause        ", s.Class}, {"contributed  ", s.Factor}, {"state        ", s.State}} {
		if len(l.all) == 0 {
			continue
		}
		var parts []string
		for _, t := range l.all {
			parts = append(parts, fmt.Sprintf("%s %d", t.Name, t.Count))
		}
		r.para(l.label, strings.Join(parts, ", "))
	}
	if s.Cost > 0 {
		r.para("cost         ", strings.TrimRight(fmt.Sprintf("%.0f %s", s.Cost, s.Currency), " "))
	}
	if len(s.Late) > 0 {
		r.para("late         ", fmt.Sprintf("acknowledged after more than %s, or not yet: %s", lasted(s.LateAfter), strings.Join(s.Late, ", ")))
	}
}

func incidentCount(n int) string {
	if n == 1 {
		return "1 incident was"
	}
	return words.Count(n) + " incidents were"
}

func lasted(seconds float64) string { return words.Span(time.Duration(seconds * float64(time.Second))) }
