package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/web"
)

func newMaintenance() *cobra.Command {
	return group(&cobra.Command{
		Use:   "maintenance",
		Short: "Tell nobody of incidents of services that are worked on",
		Long: "Maintenance adds, lists and ends maintenance windows of a running server: incidents of their services are opened and investigated, and\n" +
			"people are told when the window ends while alerts still fire. They are resolved after the window, not before;\n" +
			"a window of all services (*) keeps none from being resolved.\n" + remoteHelp,
		Example: "  inquest maintenance add checkout db-primary --for 2h --why \"a new disk\"\n  inquest maintenance list\n  inquest maintenance end MW-7KQ2",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}, newMaintenanceAdd(), newMaintenanceList(), newMaintenanceEnd())
}

func newMaintenanceAdd() *cobra.Command {
	r := &remote{}
	var long time.Duration
	var why, from string
	cmd := &cobra.Command{
		Use:     "add SERVICE...",
		Short:   "Begin or plan a maintenance window",
		Long:    "Add makes a maintenance window of services, * for all. It begins now, or at --from.\n" + remoteHelp,
		Example: "  inquest maintenance add checkout --for 30m --why \"a new disk\"\n  inquest maintenance add '*' --from 2026-12-01T22:00:00Z --for 4h --why \"the data centre moves\"",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if long < time.Minute || long > 90*24*time.Hour {
				return usageError{fmt.Errorf("--for: say how long, one minute to 2160h, as in --for 2h (now %s)", long)}
			}
			if why == "" {
				return usageError{errors.New("--why is missing: the reason, for whoever finds it")}
			}
			begins := time.Now().UTC().Truncate(time.Second)
			in := map[string]any{"services": args, "why": why}
			if from != "" {
				var err error
				if begins, err = time.Parse(time.RFC3339, from); err != nil {
					return usageError{fmt.Errorf("--from %q: write a time with its zone, as in 2026-11-29T22:00:00Z", from)}
				}
				in["from"] = from
			}
			in["until"] = begins.Add(long).UTC()
			return send(cmd, r, "maintenance", in, func(m *web.Maintenance) error {
				if from != "" && m.From.After(time.Now()) {
					r.para("", fmt.Sprintf("%s is planned: %s %s to %s UTC", m.ID, strings.Join(m.Services, ", "), minute(m.From), minute(m.Until)))
					return nil
				}
				r.para("", fmt.Sprintf("%s is on: %s until %s UTC", m.ID, strings.Join(m.Services, ", "), minute(m.Until)))
				return nil
			})
		},
	}
	cmd.Flags().DurationVar(&long, "for", 0, "how long: 30m, 2h")
	cmd.Flags().StringVar(&from, "from", "", "when it begins, with a zone: 2026-11-29T22:00:00Z (default: now)")
	cmd.Flags().StringVar(&why, "why", "", "the reason, for whoever finds it")
	r.flags(cmd, "text", "json")
	return cmd
}

func newMaintenanceList() *cobra.Command {
	r := &remote{}
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List maintenance windows that are on, and those to come",
		Long:    "List prints the maintenance windows with who made them and why.\n" + remoteHelp,
		Example: "  inquest maintenance list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd, r, "settings", nil, func(v *struct{ Maintenance []web.Maintenance }) error {
				r.maintenance(v.Maintenance)
				return nil
			})
		},
	}
	r.flags(cmd, "text", "json")
	return cmd
}

func (r *remote) maintenance(all []web.Maintenance) {
	if len(all) == 0 {
		fmt.Fprintln(r.out, "Nothing is under maintenance.")
	}
	for _, m := range all {
		from := ""
		if m.From.After(time.Now()) {
			from = "from " + minute(m.From) + " "
		}
		r.para("", fmt.Sprintf("%s  %s", m.ID, strings.Join(m.Services, ", ")))
		r.para("  ", fmt.Sprintf("%suntil %s UTC, %s: %s", from, minute(m.Until), m.By, m.Why))
	}
}

func newMaintenanceEnd() *cobra.Command {
	r := &remote{}
	cmd := &cobra.Command{
		Use:     "end WINDOW",
		Short:   "End a maintenance window before its time",
		Long:    "End makes a maintenance window end now. What still fires is told from then on.\n" + remoteHelp,
		Example: "  inquest maintenance end MW-7KQ2",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return send(cmd, r, "maintenance/"+url.PathEscape(args[0])+"/end", struct{}{}, func(*struct{}) error {
				r.para("", "ended "+args[0])
				return nil
			})
		},
	}
	r.flags(cmd, "text", "json")
	return cmd
}
