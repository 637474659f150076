package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/client"
	"github.com/inquesthq/inquest/internal/redact"
)

const remoteHelp = `
It asks a running server (inquest serve): --server or INQUEST_SERVER is its address (default http://127.0.0.1:7117), INQUEST_TOKEN the token
that it wants to see once people have to sign in there.

Exit codes:
  0  done, or answered
  1  it could not be: no server there, no token, not allowed, no such incident, or what the message says
  2  wrong usage
`

// remote is what commands that ask a server share.
type remote struct {
	server, format string
	client         *client.Client
	out            io.Writer
	width          int
}

// flags adds --server and --format; the first format is the default.
func (r *remote) flags(cmd *cobra.Command, formats ...string) {
	cmd.Flags().StringVar(&r.server, "server", "", "address of the server (default INQUEST_SERVER, or "+client.DefaultURL+")")
	cmd.Flags().StringVarP(&r.format, "format", "f", formats[0], strings.Join(formats, ", "))
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp)) // fails for a flag that is not there
	check := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if check != nil {
			if err := check(cmd, args); err != nil {
				return err
			}
		}
		if !slices.Contains(formats, r.format) {
			return usageError{fmt.Errorf("--format %q: say %s", r.format, strings.Join(formats, " or "))}
		}
		s, err := screenOf(cmd.OutOrStdout(), "auto")
		r.out, r.width = cmd.OutOrStdout(), s.width
		return err
	}
}

// open makes the client. A token that anybody on the way can read is remarked upon.
func (r *remote) open(cmd *cobra.Command) error {
	var err error
	r.client, err = client.New(client.Config{URL: cmp.Or(r.server, os.Getenv("INQUEST_SERVER")), Token: os.Getenv("INQUEST_TOKEN"), Agent: "inquest/" + version})
	if err == nil && r.client.Clear() {
		fmt.Fprintln(cmd.ErrOrStderr(), "inquest: the token goes over the network in clear: use an https address")
	}
	return err
}

// ask asks the server and answers in the format: JSON as the server sent it, or the text that show writes.
func ask[T any](cmd *cobra.Command, r *remote, path string, query url.Values, show func(*T) error) error {
	raw, err := r.get(cmd, path, query)
	if err != nil {
		return err
	}
	return present(r, raw, show)
}

// get is what the server answers, as it is.
func (r *remote) get(cmd *cobra.Command, path string, query url.Values) (raw json.RawMessage, err error) {
	if err := r.open(cmd); err != nil {
		return nil, err
	}
	if err := r.client.Get(cmd.Context(), path, query, &raw); err != nil {
		return nil, known(path, err)
	}
	return raw, nil
}

// send sends something and answers like ask.
func send[T any](cmd *cobra.Command, r *remote, path string, in any, show func(*T) error) error {
	if err := r.open(cmd); err != nil {
		return err
	}
	var raw json.RawMessage
	if err := r.client.Post(cmd.Context(), path, in, &raw); err != nil {
		return known(path, err)
	}
	return present(r, raw, show)
}

// known says where the ids of incidents come from when one is not there.
func known(path string, err error) error {
	var e *client.Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound && strings.HasPrefix(path, "incidents/") {
		return fmt.Errorf("%w; inquest incidents list --state all shows those that there are", err)
	}
	return err
}

func present[T any](r *remote, raw json.RawMessage, show func(*T) error) error {
	if r.format == "json" {
		return r.json(raw)
	}
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Errorf("the server's answer cannot be read, is it of another version than %s? %w", version, err)
	}
	return show(&v)
}

func (r *remote) json(raw json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := r.out.Write(redact.EscapeJSON(b.Bytes()))
	return err
}

// said is a text of a stranger on one line.
func said(s string) string { return redact.Clean(redact.Text(s), 2000) }

// para writes a text that is broken at the screen's width, behind a label.
func (r *remote) para(label, text string) {
	pad := strings.Repeat(" ", len([]rune(label)))
	for _, l := range wrap(said(text), max(20, r.width-len(pad))) {
		fmt.Fprintln(r.out, strings.TrimRight(label+l, " "))
		label = pad
	}
}

// table writes rows in columns that fit the screen: the last column gets what is left, and is cut.
func (r *remote) table(rows [][]string) {
	if len(rows) == 0 {
		return
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], len([]rune(c)))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, c := range row {
			if i == len(row)-1 {
				c = redact.Clean(c, max(8, r.width-len([]rune(line.String()))))
			} else {
				c += strings.Repeat(" ", widths[i]-len([]rune(c))+2)
			}
			line.WriteString(c)
		}
		fmt.Fprintln(r.out, strings.TrimRight(line.String(), " "))
	}
}

func minute(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// activeIncidents completes ids of incidents that somebody may have to act on.
func activeIncidents(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return offered(cmd, args, "incidents", func(i *inquest.Incident) string { return i.ID + "\t" + redact.Clean(i.Title, 60) })
}

// offered completes the first argument from a list of the server; "" leaves one out. Without a server there is nothing to complete.
func offered[T any](cmd *cobra.Command, args []string, path string, word func(*T) string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	at, _ := cmd.Flags().GetString("server")
	r := &remote{server: at}
	if r.open(cmd) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, stop := context.WithTimeout(cmd.Context(), 2*time.Second)
	defer stop()
	var l struct{ Items []T }
	if r.client.Get(ctx, path, nil, &l) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	out := make([]string, 0, len(l.Items))
	for i := range l.Items {
		if w := word(&l.Items[i]); w != "" {
			out = append(out, w)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// group is a command that only has others below it.
func group(cmd *cobra.Command, below ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(below...)
	for _, c := range below {
		wrapArgs(c)
	}
	return cmd
}
