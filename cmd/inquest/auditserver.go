package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/web/words"
)

// serverAudit is what a server says of its findings, as far as a terminal shows it.
type serverAudit struct {
	Audit *struct {
		Requests, Records int
		Findings          []struct {
			Rule, Title, Severity, Service, Route, Detail, Fix string
			Count, Of                                          int
			From, To                                           time.Time
		}
		Unchecked []struct{ Rule, Why string }
	}
	On                      bool
	Looked, Next            time.Time
	ArrivedBytes, ReadBytes int64
}

func newAuditServer() *cobra.Command {
	r := &remote{}
	var service, severity string
	cmd := &cobra.Command{
		Use:   "server",
		Short: "List what a running server has found in what arrived",
		Long: "Server lists what hides failures in the answers and logs of a day and a night, as the server's page Audit does: by rule, with\n" +
			"service, route, count and when it was seen last. --format json has examples, and what could not be checked.\n" + remoteHelp,
		Example: "  inquest audit server\n  inquest audit server --severity error --service nginx\n  inquest audit server --format json | jq '.audit.findings[].examples'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{}
			for k, v := range map[string]string{"service": service, "severity": severity} {
				if v != "" {
					q.Set(k, v)
				}
			}
			return ask(cmd, r, "audit", q, func(v *serverAudit) error {
				r.findings(v)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&service, "service", "", "whose answers or logs they are")
	cmd.Flags().StringVar(&severity, "severity", "", "error, warning or note: this one and graver ones")
	_ = cmd.RegisterFlagCompletionFunc("severity", cobra.FixedCompletions([]string{"error", "warning", "note"}, cobra.ShellCompDirectiveNoFileComp)) // fails for a flag that is not there
	r.flags(cmd, "text", "json")
	return cmd
}

func (r *remote) findings(v *serverAudit) {
	switch {
	case !v.On:
		r.para("", "This server does not look by itself (audit: {off: true} in its settings).")
		return
	case v.Audit == nil:
		r.para("", fmt.Sprintf("Nothing was looked at yet; the first look is due at %s UTC.", minute(v.Next)))
		return
	case v.Audit.Requests+v.Audit.Records == 0:
		r.para("", "No access log and no application log arrived in the last 24 hours: there is nothing to judge.")
		return
	}
	looked := fmt.Sprintf("%s answers and %s log records of the last 24 hours, looked at %s UTC", words.Count(v.Audit.Requests), words.Count(v.Audit.Records), minute(v.Looked))
	if v.ReadBytes < v.ArrivedBytes {
		looked += fmt.Sprintf(": %s of what came, so there is more than is counted", words.Percent(words.Number(float64(v.ReadBytes)/float64(v.ArrivedBytes))))
	}
	r.para("", looked+".")
	rule := ""
	for _, f := range v.Audit.Findings {
		if f.Rule != rule {
			rule = f.Rule
			fmt.Fprintln(r.out)
			r.para(f.Severity+": ", f.Title+" ("+f.Rule+")")
			r.para("  fix  ", f.Fix)
		}
		of := ""
		if f.Of > 0 {
			of = " of " + words.Count(f.Of)
		}
		last := ""
		if !f.To.IsZero() {
			last = ", last " + minute(f.To) + " UTC"
		}
		where := strings.TrimSpace(f.Route + " (" + f.Service + ")")
		if f.Detail != "" {
			where += ": " + f.Detail
		}
		r.para("  ", words.Count(f.Count)+of+" "+where+last)
	}
	if len(v.Audit.Findings) == 0 {
		r.para("", "No finding.")
	}
	if n := len(v.Audit.Unchecked); n > 0 {
		fmt.Fprintln(r.out)
		r.para("", fmt.Sprintf("%d rules could not be checked; --format json and the page /audit say for want of what.", n))
	}
}
