package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/redact"
)

func newParse() *cobra.Command {
	var format string
	var raw bool
	cmd := &cobra.Command{
		Use:   "parse FILE|DIR|-",
		Short: "Show what the readers get out of a file",
		Long: `Parse recognises the format of a file by its content and prints one JSON object a record, with the number of its first line
and the fields that docs/format/parse.md lists. --format summary prints one line a file instead: format, records, joined and
skipped lines, times. What could not be read is told on standard error. - reads standard input.

Values that look like secrets are redacted unless --raw is given.
` + exitCodesHelp,
		Example: `  inquest parse access.log | jq 'select(.status >= 500)'
  inquest parse ./case --format summary
  zcat app.log.gz | inquest parse -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch format {
			case "jsonl", "json", "summary":
			default:
				return usageError{fmt.Errorf("--format %q: say jsonl or summary", format)}
			}
			path, clean, err := stdinAsFile(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			defer clean()
			return parseAll(cmd, path, format == "summary", raw)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "jsonl", "jsonl or summary")
	cmd.Flags().BoolVar(&raw, "raw", false, "do not redact secrets")
	return cmd
}

// stdinAsFile puts standard input into a temporary file: recognition looks at more than the head.
func stdinAsFile(in io.Reader, arg string) (path string, clean func(), err error) {
	if arg != "-" {
		return arg, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "inquest-")
	if err != nil {
		return "", nil, fmt.Errorf("standard input: %w", err)
	}
	clean = func() { _ = os.RemoveAll(dir) }
	f, err := os.Create(filepath.Join(dir, "stdin"))
	if err != nil {
		clean()
		return "", nil, fmt.Errorf("standard input: %w", err)
	}
	_, err = io.Copy(f, in)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		clean()
		return "", nil, fmt.Errorf("standard input: %w", err)
	}
	return f.Name(), clean, nil
}

func parseAll(cmd *cobra.Command, path string, summary, raw bool) error {
	entries, notes, err := parse.Walk(path)
	if err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintln(cmd.ErrOrStderr(), redact.Clean(n, 0))
	}
	out := bufio.NewWriterSize(cmd.OutOrStdout(), 64<<10)
	p := &printer{w: out, raw: raw}
	var reports []parse.FileReport
	for _, e := range entries {
		p.file, p.folder = e.Name, len(entries) > 1
		newSink := func() parse.Sink { return p }
		if summary {
			newSink = func() parse.Sink { return discard{} }
		}
		rep := parse.ReadFile(cmd.Context(), e.Dir, e.Name, parse.Options{Workers: 1, AllFields: true}, newSink)
		reports = append(reports, rep)
		if p.err != nil {
			return p.err
		}
		if !summary {
			complain(cmd.ErrOrStderr(), &rep)
		}
	}
	if summary {
		table(out, reports)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return verdictOn(reports)
}

// verdictOn fails when a single file could not be read at all.
func verdictOn(reports []parse.FileReport) error {
	if len(reports) == 1 && reports[0].Err != nil && reports[0].Records == 0 {
		return reports[0].Err
	}
	return nil
}

func complain(w io.Writer, r *parse.FileReport) {
	say := func(format string, args ...any) {
		fmt.Fprintln(w, redact.Clean(redact.Text(fmt.Sprintf(format, args...)), 0))
	}
	for _, n := range r.Notes {
		say("%s: %s", r.File, n)
	}
	if r.Format == "" && r.Lines > 0 {
		say("%s: format not recognised, %d lines skipped", r.File, r.Skipped)
		return
	}
	for _, s := range r.Skips {
		say("%s:%d: skipped: %s", r.File, s.Line, s.Reason)
	}
	if r.Err != nil && r.Records > 0 {
		say("%v (%d records were read before)", r.Err, r.Records)
	}
}

func table(w io.Writer, reports []parse.FileReport) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "FILE\tFORMAT\tLINES\tRECORDS\tJOINED\tSKIPPED\tFROM\tTO\tNOTES")
	for i := range reports {
		r := &reports[i]
		format := r.Format
		if r.Wrapper != "" {
			format += " in " + r.Wrapper
		}
		notes := fmt.Sprint(len(r.Notes))
		if r.Err != nil {
			notes = r.Err.Error()
		} else if len(r.Notes) > 0 {
			notes = r.Notes[0]
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", redact.Clean(r.File, 0), orDash(format), r.Lines, r.Records, r.Joined, r.Skipped,
			stamp(r.From), stamp(r.To), redact.Clean(redact.Text(notes), 0))
	}
	_ = t.Flush() // the buffered writer below reports
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

type discard struct{}

func (discard) Log(*parse.Record)   {}
func (discard) Signal(parse.Signal) {}

// printer writes each record as a line of JSON.
type printer struct {
	w      *bufio.Writer
	file   string
	folder bool
	raw    bool
	buf    []byte
	err    error
}

func (p *printer) Log(r *parse.Record) {
	p.buf = parse.AppendJSON(p.buf[:0], r)
	p.line(p.buf)
}

// Signal prints what is no log record under one key that says what it is.
func (p *printer) Signal(s parse.Signal) {
	var v any
	switch {
	case s.Series != nil:
		v = map[string]any{"series": seriesJSON(s.Series)}
	case s.Span != nil:
		v = map[string]any{"line": s.Span.Source.Line, "span": s.Span}
	case s.Change != nil:
		v = map[string]any{"line": s.Change.Source.Line, "change": s.Change}
	case s.Edge != nil:
		v = map[string]any{"edge": s.Edge}
	case s.Hint != nil:
		v = map[string]any{"alert": s.Hint}
	}
	b, err := json.Marshal(v)
	if err != nil {
		p.err = err
		return
	}
	p.line(b)
}

func seriesJSON(s *inquest.Series) any {
	type point [2]any
	pts := make([]point, 0, len(s.Samples))
	for _, x := range s.Samples {
		var at any // null where the exposition says no time
		if !x.Time.IsZero() {
			at = x.Time.UTC().Format(time.RFC3339Nano)
		}
		pts = append(pts, point{at, fmt.Sprint(x.Value)})
	}
	return map[string]any{"name": s.Name, "labels": s.Labels, "type": s.Type, "samples": pts}
}

func (p *printer) line(b []byte) {
	if p.err != nil {
		return
	}
	if p.folder { // several files: say which
		name, _ := json.Marshal(p.file)
		b = append(append([]byte(`{"file":`), name...), append([]byte{','}, b[1:]...)...)
	}
	if !p.raw {
		b = []byte(redact.Text(string(b)))
	}
	_, err := p.w.Write(append(redact.EscapeJSON(b), '\n'))
	p.err = err
}
