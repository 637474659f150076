package main

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/web"
)

func newSilence() *cobra.Command {
	return group(&cobra.Command{
		Use:     "silence",
		Short:   "Keep alerts of a running server quiet for a while",
		Long:    "Silence adds, lists and ends silences: nobody is told of alerts that match, nor of incidents that they open; they are kept and shown.\n" + remoteHelp,
		Example: "  inquest silence add '{service=\"batch\"}' --for 2h --why \"stocktaking\"\n  inquest silence list\n  inquest silence end SIL-7KQ2",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}, newSilenceAdd(), newSilenceList(), newSilenceEnd())
}

func newSilenceAdd() *cobra.Command {
	r := &remote{}
	var long time.Duration
	var why string
	cmd := &cobra.Command{
		Use:     "add MATCH",
		Short:   "Silence alerts whose labels match",
		Long:    "Add silences alerts by their labels, as PromQL selects them: =, !=, =~, !~; alertname is the rule.\n" + remoteHelp,
		Example: "  inquest silence add 'service=batch' --for 2h --why \"stocktaking\"\n  inquest silence add '{service=\"checkout\", alertname=~\"Latency.*\"}' --for 30m --why \"load test\"",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if long < time.Minute || long > 90*24*time.Hour {
				return usageError{fmt.Errorf("--for: say how long, one minute to 2160h, as in --for 2h (now %s)", long)}
			}
			if why == "" {
				return usageError{errors.New("--why is missing: the reason, for whoever finds it")}
			}
			in := map[string]any{"match": args[0], "why": why, "until": time.Now().UTC().Add(long).Truncate(time.Second)}
			return send(cmd, r, "silences", in, func(s *web.Silence) error {
				r.para("", fmt.Sprintf("%s is on: %s until %s UTC", s.ID, s.Match, minute(s.Until)))
				return nil
			})
		},
	}
	cmd.Flags().DurationVar(&long, "for", 0, "how long: 30m, 2h")
	cmd.Flags().StringVar(&why, "why", "", "the reason, for whoever finds it")
	r.flags(cmd, "text", "json")
	return cmd
}

func newSilenceList() *cobra.Command {
	r := &remote{}
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List silences that are on, and those to come",
		Long:    "List prints the silences with who made them and why.\n" + remoteHelp,
		Example: "  inquest silence list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd, r, "settings", nil, func(v *struct{ Silences []web.Silence }) error {
				r.silences(v.Silences)
				return nil
			})
		},
	}
	r.flags(cmd, "text", "json")
	return cmd
}

func (r *remote) silences(all []web.Silence) {
	if len(all) == 0 {
		fmt.Fprintln(r.out, "Nothing is silenced.")
	}
	for _, s := range all {
		left := ""
		if s.On {
			left = fmt.Sprintf(", %d min left", int(math.Ceil(time.Until(s.Until).Minutes())))
		}
		r.para("", fmt.Sprintf("%s  %s", s.ID, s.Match))
		r.para("  ", fmt.Sprintf("until %s UTC%s, %s: %s", minute(s.Until), left, s.By, s.Why))
	}
}

func newSilenceEnd() *cobra.Command {
	r := &remote{}
	cmd := &cobra.Command{
		Use:     "end SILENCE",
		Short:   "End a silence before its time",
		Long:    "End makes a silence end now. What still fires is told from then on.\n" + remoteHelp,
		Example: "  inquest silence end SIL-7KQ2",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return send(cmd, r, "silences/"+url.PathEscape(args[0])+"/end", struct{}{}, func(*struct{}) error {
				r.para("", "ended "+args[0])
				return nil
			})
		},
	}
	r.flags(cmd, "text", "json")
	return cmd
}
