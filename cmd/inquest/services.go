package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/web"
	"github.com/inquesthq/inquest/internal/web/words"
)

func newServices() *cobra.Command {
	r := &remote{}
	cmd := &cobra.Command{
		Use:   "services",
		Short: "Show what is open, and how each service does",
		Long: `Services prints what the first page of a running server shows: the incidents that need somebody, and how each service does in the
last five minutes, the worst first. FAILED is the honest error ratio: 5xx, and answers that said 2xx although the request had failed
(SAID 2XX), of all requests. BURN 1H is how fast the error budget goes; 1 uses it up exactly at the end of its time.
` + remoteHelp,
		Example: "  inquest services\n  inquest services --format json | jq '.services[] | select(.state == \"down\")'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd, r, "overview", nil, func(v *web.Overview) error {
				r.services(v)
				return nil
			})
		},
	}
	r.flags(cmd, "text", "json")
	return cmd
}

func (r *remote) services(v *web.Overview) {
	for _, n := range v.Notes {
		r.para("! ", n)
	}
	if len(v.Incidents) == 0 {
		fmt.Fprintln(r.out, "Nothing is open.")
	} else {
		r.incidents(v.Incidents)
	}
	fmt.Fprintln(r.out)
	if len(v.Services) == 0 {
		fmt.Fprintln(r.out, "No service has sent anything yet.")
		return
	}
	rows := [][]string{{"SERVICE", "STATE", "FAILED", "SAID 2XX", "REQUESTS/S", "P99", "BURN 1H", "TIER"}}
	for i := range v.Services {
		s := &v.Services[i]
		rows = append(rows, []string{said(s.Service), said(s.State), measured(s.Ratio, words.Percent), measured(s.Lying, words.Percent), measured(s.Rate, scaled), measured(s.P99, words.Seconds), measured(s.Burn, scaled), said(s.Tier)})
	}
	r.table(rows)
}

func scaled(n words.Number) string { return words.Scaled(n, "") }

// measured writes a figure, "-" for one that nobody has measured.
func measured(n words.Number, write func(words.Number) string) string {
	if !n.Known() {
		return "-"
	}
	return write(n)
}
