package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/probe"
	"github.com/inquesthq/inquest/internal/redact"
)

// exitNotServed is what probe ends with when an answer did not pass.
const exitNotServed = 3

// probeFlags are what the command line says about test requests.
type probeFlags struct {
	format  string
	timeout time.Duration
	pause   time.Duration
	headers []string
	want    probe.Want
}

func newProbe() *cobra.Command {
	var f probeFlags
	cmd := &cobra.Command{
		Use:   "probe URL",
		Short: "Send test requests, and tell whether users are served",
		Long: `Probe asks a URL some times by GET and judges each answer: its status, its time, and whether its body says what the status says.
A 200 whose body tells of an error fails, and so does a body that is not the JSON that its type says, or a redirect that was not
asked for. Each request has a connection of its own, so that a balancer spreads them over all instances. What cannot be judged
fails. It follows no redirect, sends no cookie, and changes nothing but what a GET changes.

Exit codes:
  0  every answer passed
  1  nothing could be asked (interrupted)
  2  wrong usage
  3  at least one answer did not pass, or none came`,
		Example: `  inquest probe https://shop.example/api/cart
  inquest probe https://shop.example/api/cart -n 50 --within 500ms --field items --field total
  inquest probe http://10.1.0.5:8080/ready -H 'Host: shop.example' --status 200,204
  inquest probe https://shop.example/ --contains 'Add to basket' && inquest note INC-20261129-7KQ2 'users are served'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	s := cmd.Flags()
	s.IntVarP(&f.want.Times, "times", "n", 20, fmt.Sprintf("how often to ask, at most %d", probe.MaxURLs))
	s.DurationVar(&f.pause, "pause", 100*time.Millisecond, "between two requests")
	s.DurationVar(&f.want.Within, "within", 0, "longest time to the last byte that passes (default: the timeout)")
	s.DurationVar(&f.timeout, "timeout", 10*time.Second, "after which a request is given up")
	s.IntSliceVar(&f.want.Status, "status", nil, "statuses that pass (default: any 2xx)")
	s.StringVar(&f.want.Contains, "contains", "", "text that the body must hold")
	s.StringSliceVar(&f.want.Fields, "field", nil, "field that a JSON body must have, and not as null: items, data.total")
	s.StringArrayVarP(&f.headers, "header", "H", nil, "sent along, as 'Name: value'")
	s.StringVarP(&f.format, "format", "f", "text", "text or json")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (f *probeFlags) run(cmd *cobra.Command, url string) error {
	if f.format != "text" && f.format != "json" {
		return usageError{fmt.Errorf("--format %q: say text or json", f.format)}
	}
	if f.timeout <= 0 || f.want.Within < 0 || f.pause < 0 {
		return usageError{errors.New("--timeout must be more than nothing, --within and --pause not less than that")}
	}
	f.want.Header = http.Header{}
	for _, h := range f.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok || strings.TrimSpace(name) == "" || strings.ContainsFunc(h, unicode.IsControl) {
			return usageError{fmt.Errorf("--header %q: say 'Name: value'", redact.Text(h))}
		}
		f.want.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	bar := newProgress(cmd)
	f.want.Between = func(ctx context.Context, done int) error {
		bar.update(int64(done), int64(f.want.Times))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(f.pause):
			return nil
		}
	}
	got, err := probe.Check(cmd.Context(), probe.Config{Transport: transport, Now: time.Now, Timeout: f.timeout, Agent: "inquest/" + version}, url, f.want)
	bar.done()
	transport.CloseIdleConnections()
	switch {
	case cmd.Context().Err() != nil:
		return cmd.Context().Err()
	case err != nil:
		return usageError{err}
	}
	render := probeText
	if f.format == "json" {
		render = probeJSON
	}
	if err := render(cmd.OutOrStdout(), got); err != nil {
		return err
	}
	if got.Failed > 0 {
		return exitCode(exitNotServed)
	}
	return nil
}

func probeText(w io.Writer, c *probe.Checked) error {
	var b strings.Builder
	verdict := "every answer passed"
	if c.Failed > 0 {
		verdict = fmt.Sprintf("%d of %d FAILED", c.Failed, c.Asked)
	}
	fmt.Fprintf(&b, "%s: %d asked, %s\n", redact.Lines(redact.Text(c.URL), 0), c.Asked, verdict)
	for _, a := range c.Answers {
		status, why := "none", "passed"
		if a.Status != 0 {
			status = fmt.Sprint(a.Status)
		}
		if a.Why != "" {
			why = redact.Lines(redact.Text(a.Why), 0)
		}
		fmt.Fprintf(&b, "%5d  %-4s  %s\n", a.Count, status, why)
	}
	if c.Slowest > 0 {
		fmt.Fprintf(&b, "half of the answers within %s, the slowest %s\n", round(c.Median), round(c.Slowest))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// round leaves three digits or so: nobody reads nanoseconds of a request.
func round(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

func probeJSON(w io.Writer, c *probe.Checked) error {
	type row struct {
		Status int    `json:"status"` // 0: no answer came
		Why    string `json:"why"`    // "" for one that passed
		Count  int    `json:"count"`
	}
	out := struct {
		Schema  string  `json:"schema"`
		URL     string  `json:"url"`
		Asked   int     `json:"asked"`
		Failed  int     `json:"failed"`
		Median  float64 `json:"medianSeconds"`
		Slowest float64 `json:"slowestSeconds"`
		Answers []row   `json:"answers"`
	}{"inquest/probe/v1", redact.Text(c.URL), c.Asked, c.Failed, c.Median.Seconds(), c.Slowest.Seconds(), []row{}}
	for _, a := range c.Answers {
		out.Answers = append(out.Answers, row{a.Status, redact.Text(a.Why), a.Count})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
