package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/web"
)

func newOnCall() *cobra.Command {
	return settingsCommand("oncall", "Show who is on call now, and who is next",
		"Oncall prints for each roster of a running server who is on call, until when, and who comes then.\n--format json is that of 'inquest settings'.",
		"  inquest oncall\n  inquest oncall --format json | jq '.setup.rosters'",
		func(r *remote, v *web.SettingsView) { r.rosters(v.Setup.Rosters) })
}

func newSettings() *cobra.Command {
	return settingsCommand("settings", "Show how a running server is set up: rosters, channels, rules",
		"Settings prints what the server's page Settings shows: who is on call, channels, maintenance windows, silences,\nrules, and facts about the server. Secrets are not in it.",
		"  inquest settings\n  inquest settings --format json | jq '.setup.rules[] | select(.state != \"inactive\")'",
		(*remote).settings)
}

// settingsCommand shows something of the server's settings.
func settingsCommand(use, short, long, example string, show func(*remote, *web.SettingsView)) *cobra.Command {
	r := &remote{}
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long + "\n" + remoteHelp, Example: example, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd, r, "settings", nil, func(v *web.SettingsView) error {
				show(r, v)
				return nil
			})
		},
	}
	r.flags(cmd, "text", "json")
	return cmd
}

func (r *remote) settings(v *web.SettingsView) {
	if v.Open {
		r.para("", "Nobody has to sign in yet, so this server is reached from its own machine only.")
		fmt.Fprintln(r.out)
	}
	r.section("On call")
	r.rosters(v.Setup.Rosters)
	r.section("\nChannels")
	r.channels(v.Setup.Channels)
	r.section("\nMaintenance")
	r.maintenance(v.Maintenance)
	r.section("\nSilences")
	r.silences(v.Silences)
	r.section("\nRules")
	r.rules(v.Setup.Rules)
	r.section("\nThis server")
	for _, f := range v.Setup.Facts {
		r.para("", f.Name+": "+f.Value)
	}
}

func (r *remote) section(title string) { fmt.Fprintln(r.out, title) }

func (r *remote) rosters(all []web.OnCall) {
	if len(all) == 0 {
		r.para("", "No roster: messages go to the channels, and nobody in particular.")
		return
	}
	rows := [][]string{{"ROSTER", "ON CALL", "UNTIL (UTC)", "THEN"}}
	for _, o := range all {
		person, next := said(o.Person), said(o.Next)
		if person == "" {
			person = "nobody"
		}
		if next == "" {
			next = "-"
		}
		rows = append(rows, []string{said(o.Roster), person, minute(o.Until), next})
	}
	r.table(rows)
}

func (r *remote) channels(all []web.Channel) {
	if len(all) == 0 {
		fmt.Fprintln(r.out, "No channel: nobody is told of an incident.")
		return
	}
	rows := [][]string{{"NAME", "KIND", "WHERE", "LAST MESSAGE (UTC)"}}
	for _, c := range all {
		last := "none yet"
		switch {
		case c.Error != "":
			last = said(c.Error)
		case !c.Sent.IsZero():
			last = minute(c.Sent)
		case c.DryRun:
			last = "none: dry run"
		}
		rows = append(rows, []string{said(c.Name), said(c.Kind), said(c.Where), last})
	}
	r.table(rows)
}

func (r *remote) rules(all []web.Rule) {
	if len(all) == 0 {
		fmt.Fprintln(r.out, "No rule is loaded.")
		return
	}
	rows := [][]string{{"STATE", "RULE"}}
	var broken []string
	for _, x := range all {
		name, state := said(x.Group+"/"+x.Name), said(x.State)
		if !slices.Contains([]string{"inactive", "pending", "firing", "pending or firing", "recorded"}, state) {
			state, broken = "error", append(broken, name+": "+state)
		}
		rows = append(rows, []string{state, name})
	}
	r.table(rows)
	for _, text := range broken {
		r.para("! ", text)
	}
}
