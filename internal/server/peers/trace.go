package peers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/web"
)

// Trace shows what was found of a request, lines and spans, in the order of time.
func Trace(found *flow.Trace) *web.Trace {
	out := &web.Trace{IDs: found.IDs, Omitted: found.Omitted}
	if !found.Back.IsZero() {
		out.Missing = append(out.Missing, "lines that arrived before "+found.Back.UTC().Format(time.RFC3339)+" were not looked at: the time was up")
	}
	for i := range found.Records {
		f := &found.Records[i]
		out.Lines = append(out.Lines, web.Line{Time: time.Unix(0, f.Record.Time).UTC(), Service: f.Service, Layer: f.Layer, Source: inquest.Source{File: f.File, Line: f.Record.Line},
			Text: lineText(f.Record), Report: f.Record.Get("kind") == "user-report"})
	}
	for i := range found.Spans {
		s := &found.Spans[i]
		out.Lines = append(out.Lines, web.Line{Time: s.Start.UTC(), Service: s.Service, Layer: inquest.LayerApplication, Source: s.Source, Text: spanText(s)})
	}
	slices.SortStableFunc(out.Lines, func(a, b web.Line) int { return a.Time.Compare(b.Time) })
	return out
}

// lineText is what a record says: the request that it is about, its message, and the exception with its cause and the place in the application.
func lineText(r *parse.Record) string {
	var out []string
	if r.Status != 0 {
		line := fmt.Sprintf("%s %s %d", r.Method, r.URL, r.Status)
		if r.Duration >= 0 {
			line += fmt.Sprintf(" in %.3f s", r.Duration)
		}
		if r.Upstream != "" {
			line += " via " + r.Upstream
		}
		out = append(out, strings.TrimSpace(line))
	}
	if r.Message != "" {
		out = append(out, r.Message)
	}
	if e := r.Exception; e != nil {
		// What the message says already is not said twice.
		add := func(word, kind, message string) {
			if message == "" || !strings.Contains(r.Message, message) {
				out = append(out, word+strings.TrimSuffix(strings.TrimPrefix(kind+": "+message, ": "), ": "))
			}
		}
		add("exception: ", e.Type, e.Message)
		if root := e.Root(); root.Message != e.Message {
			add("caused by: ", root.Type, root.Message)
		}
		if e.AppFrame != "" && !strings.Contains(r.Message, e.AppFrame) {
			out = append(out, "at "+e.AppFrame)
		}
	}
	return strings.Join(out, "\n")
}

func spanText(s *inquest.Span) string {
	line := strings.Join(strings.Fields("span "+s.Kind+" "+s.Name), " ")
	if s.Peer != "" {
		line += " to " + s.Peer
	}
	line += ": " + s.Duration.Round(time.Microsecond).String()
	if s.StatusCode != 0 {
		line += fmt.Sprintf(", %d", s.StatusCode)
	}
	if s.Error {
		line += strings.TrimSuffix(", failed: "+s.Message, ": ")
	}
	return line
}
