package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/web"
)

func changeKinds() []string {
	return []string{string(inquest.ChangeDeploy), string(inquest.ChangeConfig), string(inquest.ChangeMigration), string(inquest.ChangeFlag), string(inquest.ChangeScale), string(inquest.ChangeRestart), string(inquest.ChangeInfra)}
}

func newChange() *cobra.Command {
	r := &remote{}
	var release, at string
	cmd := &cobra.Command{
		Use:   "change KIND SERVICE [SUMMARY]",
		Short: "Record a deploy, a setting or another change, from a script",
		Long: `Change tells a running server what was changed: KIND is ` + strings.Join(changeKinds(), ", ") + `. An incident that begins
soon after is compared with it. Put it into the script that deploys. The token must be one of an administrator, or of the source SERVICE.
` + remoteHelp,
		Example: `  inquest change deploy checkout --version 5.18.1 "loyalty points"
  inquest change config checkout "payment.timeout 5s -> 8s"
  inquest change migration db-1 --version 0114 --time 2026-11-29T08:30:00Z`,
		Args: cobra.RangeArgs(2, 3),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return changeKinds(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			in := map[string]any{"kind": args[0], "service": args[1], "version": release}
			if len(args) > 2 {
				in["summary"] = args[2]
			}
			if !slices.Contains(changeKinds(), args[0]) {
				return usageError{fmt.Errorf("kind %q: say %s", args[0], strings.Join(changeKinds(), ", "))}
			}
			if at != "" {
				t, err := time.Parse(time.RFC3339, at)
				if err != nil {
					return usageError{fmt.Errorf("--time %q: write it with its zone, as 2026-11-29T08:30:00Z", at)}
				}
				in["time"] = t
			}
			if err := r.open(cmd); err != nil {
				return err
			}
			if err := r.client.Post(cmd.Context(), "changes", in, nil); err != nil {
				return err
			}
			if r.format == "json" {
				return r.json([]byte(`{"recorded":1}`))
			}
			r.para("", strings.TrimSpace(fmt.Sprintf("recorded: %s of %s %s", args[0], args[1], release)))
			return nil
		},
	}
	cmd.Flags().StringVar(&release, "version", "", "what it is now")
	cmd.Flags().StringVar(&at, "time", "", "when, if not now (RFC 3339)")
	r.flags(cmd, "text", "json")
	return cmd
}

func newChanges() *cobra.Command {
	return listing[web.Change]{
		use: "changes", path: "changes", short: "List what was changed, newest first",
		long:    "Changes lists deploys, settings, migrations and other changes that a running server was told of, at most 50.",
		example: "  inquest changes --service checkout\n  inquest changes --kind deploy --format json",
		filters: []filter{{flag: "service", usage: "that was changed"}, {flag: "kind", usage: strings.Join(changeKinds(), ", "), values: changeKinds()}},
		none:    "No change is on record that fits.",
		head:    []string{"TIME (UTC)", "KIND", "SERVICE", "VERSION", "WHAT"},
		row: func(c *web.Change) []string {
			return []string{minute(c.Time), said(string(c.Kind)), said(c.Service), said(c.Version), said(c.Summary)}
		},
	}.command()
}
