package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/pattern"
	"github.com/inquesthq/inquest/internal/redact"
)

func newPatterns() *cobra.Command {
	var format, level string
	var top, context int
	var onlyNew bool
	cmd := group(&cobra.Command{
		Use:   "patterns FILE|DIR|-",
		Short: "Mine the log lines into patterns: how often, since when, new or surging",
		Long: `Patterns folds log lines that differ only in their variable parts into one pattern with a stable id: the same line has the same
id in any run, in any order. Each pattern comes with its count, its first and last occurrence with the lines around them, and
whether it is new or surging since the first failed request (in a folder where requests failed).

--format csv prints one row a record instead: line number, pattern id, pattern. 'inquest patterns server' asks a running server.
` + exitCodesHelp,
		Example: `  inquest patterns app.log
  inquest patterns ./case --new --level warn
  inquest patterns app.log --format csv > templates.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, clean, err := stdinAsFile(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			defer clean()
			if format == "csv" {
				return patternRows(cmd, path)
			}
			least, ok := levels[level]
			if !ok {
				return usageError{fmt.Errorf("--level %q: say trace, debug, info, warn, error or fatal", level)}
			}
			out, err := flow.Investigate(cmd.Context(), path, flow.Options{})
			if err != nil {
				return err
			}
			found := selectPatterns(out.Case.Patterns, least, onlyNew, top)
			switch format {
			case "text":
				return patternText(cmd.OutOrStdout(), path, found, context)
			case "json":
				return patternJSON(cmd.OutOrStdout(), found)
			}
			return usageError{fmt.Errorf("--format %q: say text, json or csv", format)}
		},
	}, newPatternsServer())
	f := cmd.Flags()
	f.StringVarP(&format, "format", "f", "text", "text, json or csv")
	f.StringVar(&level, "level", "", "only patterns of this level and above (trace, debug, info, warn, error, fatal)")
	f.IntVarP(&top, "top", "n", 50, "at most this many patterns, 0: all")
	f.IntVarP(&context, "context", "C", 0, "show this many lines around the first and the last occurrence")
	f.BoolVar(&onlyNew, "new", false, "only patterns that are new or surging since the first failed request")
	return cmd
}

var levels = map[string]inquest.Level{"": inquest.LevelUnknown, "trace": inquest.LevelTrace, "debug": inquest.LevelDebug, "info": inquest.LevelInfo,
	"warn": inquest.LevelWarn, "error": inquest.LevelError, "fatal": inquest.LevelFatal}

// selectPatterns keeps what was asked for: new and surging first, then by count.
func selectPatterns(in []inquest.LogPattern, least inquest.Level, onlyNew bool, top int) []inquest.LogPattern {
	var out []inquest.LogPattern
	for _, p := range in {
		if p.Level >= least && (!onlyNew || p.New || p.Surging) {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b inquest.LogPattern) int {
		if x, y := a.New || a.Surging, b.New || b.Surging; x != y {
			if x {
				return -1
			}
			return 1
		}
		return b.Total - a.Total
	})
	if top > 0 {
		out = out[:min(top, len(out))]
	}
	return out
}

func novelty(p *inquest.LogPattern) string {
	switch {
	case p.New:
		return "new"
	case p.Surging:
		return fmt.Sprintf("x%.0f", p.Ratio)
	}
	return ""
}

func patternText(w io.Writer, path string, ps []inquest.LogPattern, context int) error {
	b := bufio.NewWriter(w)
	t := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tCOUNT\tNEW\tLEVEL\tSERVICE\tFIRST\tLAST\tPATTERN")
	for i := range ps {
		p := &ps[i]
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.Total, novelty(p), p.Level, redact.Clean(p.Service, 40), stamp(firstSeen(p)), stamp(p.Last), redact.Clean(redact.Text(p.Template), 200))
	}
	_ = t.Flush()
	if context > 0 {
		for i := range ps {
			if err := neighbours(b, path, &ps[i], context); err != nil {
				return err
			}
		}
	}
	return b.Flush()
}

func firstSeen(p *inquest.LogPattern) time.Time {
	if len(p.Examples) > 0 {
		return p.Examples[0].Time
	}
	return p.First
}

// neighbours prints the lines around the first and the last occurrence, read again from the file.
func neighbours(w io.Writer, path string, p *inquest.LogPattern, n int) error {
	if len(p.Examples) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\n%s  %s\n", p.ID, redact.Clean(redact.Text(p.Template), 200))
	for i, x := range []*inquest.LogExample{&p.Examples[0], &p.Examples[len(p.Examples)-1]} {
		if i == 1 && len(p.Examples) == 1 || x.Source.File == "" {
			break
		}
		lines, err := parse.Around(path, x.Source.File, x.Source.Line, n)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %s, %s:%d\n", []string{"first", "last"}[i], redact.Clean(x.Source.File, 0), x.Source.Line)
		texts := make([]string, len(lines))
		for k, l := range lines {
			texts[k] = l.Text
		}
		texts = redact.Block(texts)
		for k, l := range lines {
			mark := "   "
			if l.Number == x.Source.Line {
				mark = " > "
			}
			fmt.Fprintf(w, "  %s%6d  %s\n", mark, l.Number, redact.Clean(texts[k], 300))
		}
	}
	return nil
}

func patternJSON(w io.Writer, ps []inquest.LogPattern) error {
	type wire struct {
		ID       string    `json:"id"`
		Service  string    `json:"service"`
		Level    string    `json:"level"`
		Count    int       `json:"count"`
		New      bool      `json:"new"`
		Surging  bool      `json:"surging"`
		First    time.Time `json:"first"`
		Last     time.Time `json:"last"`
		Template string    `json:"template"`
		Example  string    `json:"example"`
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for i := range ps {
		p := &ps[i]
		x := wire{ID: p.ID, Service: p.Service, Level: p.Level.String(), Count: p.Total, New: p.New, Surging: p.Surging, First: firstSeen(p), Last: p.Last, Template: redact.Text(p.Template)}
		if len(p.Examples) > 0 {
			x.Example = redact.Text(p.Examples[0].Text)
		}
		if err := enc.Encode(x); err != nil {
			return err
		}
	}
	_, err := w.Write(redact.EscapeJSON(b.Bytes()))
	return err
}

// rows writes one CSV row a record.
type rows struct {
	w   *csv.Writer
	buf []byte
}

func (r *rows) Log(rec *parse.Record) {
	msg := rec.Message
	if msg == "" {
		msg = rec.Method + " " + rec.URL
	}
	r.buf = append(r.buf[:0], msg...)
	_ = r.w.Write([]string{strconv.Itoa(rec.Line), pattern.Hash(r.buf).String(), redact.Visible(redact.Text(pattern.Template(r.buf)))}) // Flush reports
}

func (r *rows) Signal(parse.Signal) {}

func patternRows(cmd *cobra.Command, path string) error {
	entries, _, err := parse.Walk(path)
	if err != nil {
		return err
	}
	r := &rows{w: csv.NewWriter(cmd.OutOrStdout())}
	_ = r.w.Write([]string{"line", "template_id", "template"})
	var reports []parse.FileReport
	for _, e := range entries {
		rep := parse.ReadFile(cmd.Context(), e.Dir, e.Name, parse.Options{Workers: 1}, func() parse.Sink { return r })
		complain(cmd.ErrOrStderr(), &rep)
		reports = append(reports, rep)
	}
	r.w.Flush()
	if err := r.w.Error(); err != nil {
		return err
	}
	return verdictOn(reports)
}
