package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/redact"
)

func newError() *cobra.Command {
	r := &remote{}
	var verdict bool
	var own func() ([]mechanism.Mechanism, error)
	cmd := &cobra.Command{
		Use:   "error ID [DIR|FILE]",
		Short: "Show everything about one failed request, across the layers",
		Long: `Error finds one request by its request id, trace id or error id (ERR-...) in every file of a folder, follows the ids that its
lines name beside it, and prints its lines and spans in the order of time: what the gateway answered, what the application logged, the
exception, what the database said. It ends with the verdict on the incident it belongs to.

Without a folder it asks a running server (inquest serve) for the lines that it keeps: --server or INQUEST_SERVER is its address,
INQUEST_TOKEN the token that it wants to see once people have to sign in there.
` + exitCodesHelp,
		Example: `  inquest error ERR-1732147200000-7QK2ZD ./case
  inquest error 9818fbd019abec913e25d6296f625d7e ./case --format json
  inquest error ERR-1732147200000-7QK2ZD --server https://inquest.example.com`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 2 && r.server != "":
				return usageError{errors.New("error: name a folder or --server, not both")}
			case len(args) == 1 && r.server == "" && os.Getenv("INQUEST_SERVER") == "":
				return usageError{errors.New("error: say where to look: a folder, a file, or a running server by --server or INQUEST_SERVER")}
			case len(args) == 1:
				return r.lookup(cmd, args[0])
			}
			extra, err := own()
			if err != nil {
				return err
			}
			t, err := flow.Lookup(cmd.Context(), args[1], args[0])
			if err != nil {
				return err
			}
			if len(t.Records)+len(t.Spans) == 0 {
				return fmt.Errorf("error: no line of %s carries %q: check the id, or ask for the logs of the time when it was issued", args[1], args[0])
			}
			w := bufio.NewWriter(cmd.OutOrStdout())
			if r.format == "json" {
				if err := traceJSON(w, t); err != nil {
					return err
				}
				return w.Flush()
			}
			traceText(w, t)
			if verdict {
				if err := verdictOf(cmd, w, args[1], t, extra); err != nil {
					return err
				}
			}
			return w.Flush()
		},
	}
	own = ownFlag(cmd)
	r.flags(cmd, "text", "json")
	cmd.Flags().Lookup("server").Usage = "address of a running server to ask instead (default INQUEST_SERVER)"
	cmd.Flags().BoolVar(&verdict, "verdict", true, "end with the verdict on the incident it belongs to")
	return cmd
}

func traceJSON(w io.Writer, t *flow.Trace) error {
	for i := range t.Records {
		f := &t.Records[i]
		b := parse.AppendJSON(nil, f.Record)
		head, err := json.Marshal(map[string]string{"file": f.File, "layer": string(f.Layer), "writer": f.Service})
		if err != nil {
			return err
		}
		line := append(append(head[:len(head)-1], ','), b[1:]...)
		if _, err := fmt.Fprintln(w, redact.Text(string(line))); err != nil {
			return err
		}
	}
	for i := range t.Spans {
		b, err := json.Marshal(map[string]any{"span": t.Spans[i]})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w, redact.Text(string(b))); err != nil {
			return err
		}
	}
	return nil
}

func traceText(w io.Writer, t *flow.Trace) {
	safe := func(s string, n int) string { return redact.Clean(redact.Text(s), n) }
	fmt.Fprintf(w, "Request %s\n", safe(strings.Join(t.IDs, ", also "), 400))
	layers := map[inquest.Layer]int{}
	for _, f := range t.Records {
		layers[f.Layer]++
	}
	fmt.Fprintf(w, "%d lines: %d of the response, %d of applications, %d of the infrastructure; %d spans\n\n", len(t.Records),
		layers[inquest.LayerResponse], layers[inquest.LayerApplication], layers[inquest.LayerInfrastructure], len(t.Spans))
	for i := range t.Records {
		f := &t.Records[i]
		r := f.Record
		fmt.Fprintf(w, "%s  %-14s %-14s %s:%d\n", timeOf(r.Time), f.Layer, safe(f.Service, 40), safe(f.File, 200), r.Line)
		if r.Status != 0 {
			fmt.Fprintf(w, "    %s %s -> %d%s\n", safe(r.Method, 20), safe(r.URL, 300), r.Status, took(r))
		}
		if r.Message != "" {
			for _, l := range strings.Split(redact.Lines(redact.Text(r.Message), 4000), "\n") {
				fmt.Fprintf(w, "    | %s\n", l)
			}
		}
		if e := r.Exception; e != nil {
			fmt.Fprintf(w, "    exception: %s: %s\n", safe(e.Type, 200), safe(e.Message, 400))
			if root := e.Root(); root.Message != e.Message {
				fmt.Fprintf(w, "    caused by: %s: %s\n", safe(root.Type, 200), safe(root.Message, 400))
			}
			if e.AppFrame != "" {
				fmt.Fprintf(w, "    at %s\n", safe(e.AppFrame, 300))
			}
		}
	}
	for i := range t.Spans {
		s := &t.Spans[i]
		state := "ok"
		if s.Error {
			state = "failed: " + s.Message
		}
		fmt.Fprintf(w, "%s  span           %-14s %s (%s) %s %s\n", s.Start.UTC().Format("15:04:05.000"), safe(s.Service, 40), safe(s.Name, 100), s.Kind, s.Duration.Round(time.Microsecond), safe(state, 300))
	}
	if t.Omitted > 0 {
		fmt.Fprintf(w, "and %d more lines\n", t.Omitted)
	}
}

func timeOf(ns int64) string {
	if ns == 0 {
		return "no time     "
	}
	return time.Unix(0, ns).UTC().Format("15:04:05.000")
}

func took(r *parse.Record) string {
	s := ""
	if r.Duration >= 0 {
		s = fmt.Sprintf(" in %.3f s", r.Duration)
	}
	if r.Upstream != "" {
		s += " via " + redact.Clean(r.Upstream, 100)
	}
	return s
}

// verdictOf tells which incident the request belongs to.
func verdictOf(cmd *cobra.Command, w io.Writer, path string, t *flow.Trace, extra []mechanism.Mechanism) error {
	out, err := flow.Investigate(cmd.Context(), path, flow.Options{Extra: extra})
	if err != nil {
		return err
	}
	d := out.Diagnosis
	fmt.Fprintln(w)
	switch {
	case !d.Incident:
		fmt.Fprintln(w, "It belongs to no incident: failures in this folder are at their usual rate.")
	case !within(t, d):
		fmt.Fprintf(w, "It lies outside the incident of %s: it failed for reasons of its own.\n", d.Onset.Format("15:04:05"))
	default:
		fmt.Fprintf(w, "It belongs to the incident since %s (%s): %s\n", d.Onset.Format("15:04:05"), d.Verdict.Level, redact.Clean(redact.Text(d.Verdict.Summary), 600))
	}
	return nil
}

func within(t *flow.Trace, d *inquest.Diagnosis) bool {
	for i := range t.Records {
		at := time.Unix(0, t.Records[i].Record.Time)
		if !at.Before(d.Onset.Add(-time.Minute)) && !at.After(d.Window.To.Add(time.Second)) {
			return true
		}
	}
	return false
}
