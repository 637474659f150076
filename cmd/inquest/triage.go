package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/report"
)

func newTriage() *cobra.Command {
	var color, zone string
	var width int
	var own func() ([]mechanism.Mechanism, error)
	cmd := &cobra.Command{
		Use:   "triage DIR|FILE",
		Short: "Answer the four questions of the first five minutes",
		Long: `Triage answers, in this order and before anything else: when did it start against the last change; which errors came up at that
time; how full were the pools; how full were disk and memory. What was not measured is said to be "no data".
` + exitCodesHelp,
		Example: `  inquest triage ./case`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			loc, err := time.LoadLocation(zone)
			if err != nil {
				return usageError{fmt.Errorf("--zone %q: %w", zone, err)}
			}
			s, err := screenOf(cmd.OutOrStdout(), color)
			if err != nil {
				return err
			}
			if width > 0 {
				s.width = width
			}
			extra, err := own()
			if err != nil {
				return err
			}
			bar := newProgress(cmd)
			out, err := flow.Investigate(cmd.Context(), args[0], flow.Options{Progress: bar.update, Extra: extra})
			bar.done()
			if err != nil {
				return err
			}
			if err := unread(args[0], out.Diagnosis); err != nil {
				return err
			}
			return report.Triage(cmd.OutOrStdout(), out.Diagnosis, out.Symptoms, report.TerminalOptions{Width: s.width, Color: s.color, ASCII: !s.unicode, Zone: loc, Name: args[0], Title: titlesOf(mechanism.With(extra))})
		},
	}
	own = ownFlag(cmd)
	cmd.Flags().StringVar(&color, "color", "auto", "colour: auto, always or never")
	cmd.Flags().StringVar(&zone, "zone", "UTC", "time zone of the times shown")
	cmd.Flags().IntVar(&width, "width", 0, "columns; 0: as wide as the terminal")
	return cmd
}
