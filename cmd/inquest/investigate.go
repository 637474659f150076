package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/report"
)

func newInvestigate() *cobra.Command {
	var format, color, output, zone string
	var width, workers int
	var byCode bool
	var own func() ([]mechanism.Mechanism, error)
	cmd := &cobra.Command{
		Use:     "investigate DIR|FILE",
		Aliases: []string{"why"},
		Short:   "Find out why a service failed, from a folder of evidence",
		Long: `Investigate reads every file of a folder (or one file), whatever its name: formats are recognised by content, gzip and
zstd are read, nested folders are walked, nothing is mandatory. It prints the verdict: is this an incident, since when, who is hit,
what broke first, what set it off, what merely hurts because of it, and what to do, each sentence with its evidence.

Nothing is changed and nothing leaves the machine. Secrets in quoted lines are redacted.

Exit codes:
  0  answered (with --exit-code: no incident)
  1  could not be answered (nothing to read, no such folder)
  2  wrong usage
  3  with --exit-code: an incident whose cause is named
  4  with --exit-code: an incident whose cause is open`,
		Example: `  inquest investigate ./case
  inquest investigate ./case --format html --output report.html
  inquest investigate access.log --format json | jq .verdict
  inquest investigate ./case --exit-code && echo healthy`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			extra, err := own()
			if err != nil {
				return err
			}
			render, err := renderer(cmd, args[0], format, color, zone, width, titlesOf(mechanism.With(extra)))
			if err != nil {
				return err
			}
			bar := newProgress(cmd)
			out, err := flow.Investigate(cmd.Context(), args[0], flow.Options{Workers: workers, Progress: bar.update, Extra: extra})
			bar.done()
			if err != nil {
				return err
			}
			if err := write(cmd.OutOrStdout(), output, func(w io.Writer) error { return render(w, out.Diagnosis) }); err != nil {
				return err
			}
			return answered(args[0], out.Diagnosis, byCode)
		},
	}
	own = ownFlag(cmd)
	f := cmd.Flags()
	f.StringVarP(&format, "format", "f", "text", "text, json, markdown or html")
	f.StringVarP(&output, "output", "o", "", "write to this file instead of standard output")
	f.StringVar(&color, "color", "auto", "colour in text: auto, always or never")
	f.StringVar(&zone, "zone", "UTC", "time zone of text, markdown and html, e.g. Europe/Berlin or Local")
	f.IntVar(&width, "width", 0, "columns of text; 0: as wide as the terminal")
	f.IntVar(&workers, "workers", 0, "parallel readers; 0: one a core")
	f.BoolVar(&byCode, "exit-code", false, "tell the answer by the exit code, for scripts")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json", "markdown", "html"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("color", cobra.FixedCompletions([]string{"auto", "always", "never"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// unread is the error that nothing came out of the files: a report without records is no all-clear.
func unread(path string, d *inquest.Diagnosis) error {
	if !d.Coverage.Unread() {
		return nil
	}
	first := d.Coverage.Files[0]
	why := first.File + ": no reader knows this format"
	if len(first.Notes) > 0 {
		why = first.Notes[0]
		if !strings.HasPrefix(why, first.File) {
			why = first.File + ": " + why
		}
	}
	return fmt.Errorf("%s: nothing in it could be read (%s): give it logs, metrics, traces or changes in a format of docs/case-folder.md", path, redact.Clean(why, 300))
}

// answered is what the command ends with: an error where nothing was read, with --exit-code the code of the answer.
func answered(path string, d *inquest.Diagnosis, byCode bool) error {
	switch err := unread(path, d); {
	case err != nil:
		return err
	case !byCode || !d.Incident:
		return nil
	case d.Verdict != nil && d.Verdict.Level != inquest.Open:
		return exitCode(exitIncident)
	}
	return exitCode(exitOpen)
}

// renderer returns the rendering of the format.
func renderer(cmd *cobra.Command, name, format, color, zone string, width int, title func(inquest.MechanismID) string) (func(io.Writer, *inquest.Diagnosis) error, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, usageError{fmt.Errorf("--zone %q: %w (say a name of the IANA database, UTC or Local)", zone, err)}
	}
	s, err := screenOf(cmd.OutOrStdout(), color)
	if err != nil {
		return nil, err
	}
	if width > 0 {
		s.width = width
	}
	page := report.PageOptions{Zone: loc, Name: name, Title: title}
	switch format {
	case "text":
		return func(w io.Writer, d *inquest.Diagnosis) error {
			return report.Terminal(w, d, report.TerminalOptions{Width: s.width, Color: s.color, ASCII: !s.unicode, Zone: loc, Name: name, Title: title})
		}, nil
	case "json":
		return func(w io.Writer, d *inquest.Diagnosis) error { return report.JSON(w, d, report.JSONOptions{}) }, nil
	case "markdown", "md":
		return func(w io.Writer, d *inquest.Diagnosis) error { return report.Markdown(w, d, page) }, nil
	case "html":
		return func(w io.Writer, d *inquest.Diagnosis) error { return report.HTML(w, d, page) }, nil
	}
	return nil, usageError{fmt.Errorf("--format %q: say text, json, markdown or html", format)}
}

// write sends the answer to stdout or to a file, which is replaced only when the answer is complete.
func write(stdout io.Writer, path string, answer func(io.Writer) error) error {
	if path == "" {
		return answer(stdout)
	}
	tmp := path + ".tmp"
	f, err := os.Create(tmp)
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	err = answer(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return fmt.Errorf("--output %s: %w", path, err)
	}
	return nil
}
