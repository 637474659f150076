package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/web"
)

// lookup asks the server for everything about one request. An id that nothing is known of is an error in every format, as it is with a folder.
func (r *remote) lookup(cmd *cobra.Command, id string) error {
	raw, err := r.get(cmd, "errors", url.Values{"id": {id}})
	if err != nil {
		return err
	}
	var v web.LookupView
	if err := present(r, raw, func(got *web.LookupView) error { v = *got; return nil }); err != nil {
		return err
	}
	if r.format == "json" {
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
	}
	if v.Trace == nil && len(v.Incidents) == 0 {
		return fmt.Errorf("error: %q: %s", id, v.Note)
	}
	if r.format != "json" {
		r.request(&v)
	}
	return nil
}

func (r *remote) request(v *web.LookupView) {
	if t := v.Trace; t != nil {
		r.para("", "Request "+strings.Join(t.IDs, ", also "))
		for _, l := range t.Lines {
			at := "no time"
			if l.Time.Unix() != 0 {
				at = l.Time.UTC().Format("2006-01-02 15:04:05.000")
			}
			fmt.Fprintln(r.out)
			fmt.Fprintf(r.out, "%s  %s  %s\n", at, said(string(l.Layer)), said(l.Service))
			r.para("    ", fmt.Sprintf("%s:%d", l.Source.File, l.Source.Line))
			for _, text := range strings.Split(redact.Lines(redact.Text(l.Text), 4000), "\n") {
				fmt.Fprintln(r.out, "    | "+text)
			}
		}
		if t.Omitted > 0 {
			fmt.Fprintf(r.out, "and %d more lines\n", t.Omitted)
		}
		for _, m := range t.Missing {
			r.para("", "Missing: "+m)
		}
		fmt.Fprintln(r.out)
	}
	if len(v.Incidents) == 0 {
		fmt.Fprintln(r.out, "It belongs to no incident.")
		return
	}
	r.incidents(v.Incidents)
}
