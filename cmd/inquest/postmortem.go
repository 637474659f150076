package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/postmortem"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/report"
	"github.com/inquesthq/inquest/internal/web"
)

func newPostmortem() *cobra.Command {
	return group(&cobra.Command{
		Use:   "postmortem",
		Short: "Draft, lint, keep and publish postmortems",
		Long: `Postmortem drafts the postmortem of an incident from its record, says what a text lacks, keeps it on a running server, and makes
pages of them. docs/postmortems.md explains how they are written.
` + remoteHelp,
		Example: `  inquest postmortem draft INC-20261129-7KQ2 > pm.md
  inquest postmortem lint pm.md
  inquest postmortem save INC-20261129-7KQ2 pm.md
  inquest postmortem publish INC-20261129-7KQ2`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}, newPostmortemList(), newPostmortemDraft(), newPostmortemShow(), newPostmortemLint(), newPostmortemSave(), newPostmortemPublish(), newPostmortemPublic(), newPostmortemSite())
}

func newPostmortemList() *cobra.Command {
	states := []string{"draft", "published"}
	return listing[web.PostmortemLine]{
		use: "list", path: "postmortems", short: "List postmortems, those written last first",
		long:    "List prints the postmortems that a running server keeps, at most 50.",
		example: "  inquest postmortem list\n  inquest postmortem list --words \"connection pool\" --state published",
		filters: []filter{{flag: "words", query: "q", usage: "that must all stand in it"}, {flag: "state", usage: strings.Join(states, " or "), values: states}},
		none:    "No postmortem fits.",
		head:    []string{"SAVED (UTC)", "STATE", "INCIDENT", "BY", "TITLE"},
		row: func(p *web.PostmortemLine) []string {
			state := "draft"
			if !p.Published.IsZero() {
				state = "published"
			}
			return []string{minute(p.Time), state, said(p.Incident), said(p.By), said(p.Title)}
		},
	}.command()
}

func newPostmortemDraft() *cobra.Command {
	r := &remote{}
	cmd := &cobra.Command{
		Use:   "draft INCIDENT",
		Short: "Write a postmortem from the record of an incident",
		Long: `Draft prints a postmortem that states what the record shows: impact, times, causes with their evidence, fixes that were checked
off, wrong turns, timeline, action items that the diagnosis advises. TODO marks what only people know. Nothing is kept.
` + remoteHelp,
		Example: "  inquest postmortem draft INC-20261129-7KQ2 > pm.md\n  inquest postmortem draft INC-20261129-7KQ2 --format html > pm.html",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: activeIncidents,
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.document(cmd, args[0], url.Values{"draft": {"1"}})
		},
	}
	r.flags(cmd, "markdown", "html", "json")
	return cmd
}

func newPostmortemShow() *cobra.Command {
	r := &remote{}
	cmd := &cobra.Command{
		Use:     "show INCIDENT",
		Short:   "Print the postmortem that was saved",
		Long:    "Show prints the postmortem of an incident as it was saved last. Which version that is, save must be told; it stands on standard error.\n" + remoteHelp,
		Example: "  inquest postmortem show INC-20261129-7KQ2 > pm.md\n  inquest postmortem show INC-20261129-7KQ2 --format json | jq .postmortem.lint",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: activeIncidents,
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.document(cmd, args[0], nil)
		},
	}
	r.flags(cmd, "markdown", "html", "json")
	return cmd
}

// document prints the saved text, or a draft where the query asks for one.
func (r *remote) document(cmd *cobra.Command, incident string, query url.Values) error {
	return ask(cmd, r, "incidents/"+url.PathEscape(incident)+"/postmortem", query, func(v *web.PostmortemView) error {
		p := v.Postmortem
		if query == nil && p.Version == 0 {
			return fmt.Errorf("nobody has saved a postmortem of %s yet: inquest postmortem draft %s", incident, incident)
		}
		if p.Version > 0 {
			state := "not published"
			if !p.Published.IsZero() {
				state = "published"
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "inquest: version %d, by %s, %s\n", p.Version, said(p.By), state)
		}
		return r.markdown(p.Markdown)
	})
}

// markdown prints a text as it is, or as a page that needs nothing else.
func (r *remote) markdown(text string) error {
	if r.format == "html" {
		return postmortem.Page(r.out, text, report.Style(), false)
	}
	_, err := io.WriteString(r.out, redact.Visible(strings.TrimRight(text, "\n")+"\n"))
	return err
}

func newPostmortemLint() *cobra.Command {
	r := &remote{}
	cmd := &cobra.Command{
		Use:   "lint FILE...",
		Short: "Say what postmortems lack",
		Long: `Lint reads postmortems in Markdown (- is standard input) and prints what is missing, and what stands there that should
not: sections, evidence of causes, owner, date and check of action items, times that contradict each
other, blame, left-overs of templates. "must" keeps a text from being published, "should" is advice. It asks no server.

Exit codes:
  0  nothing that must be mended
  1  something must be, or a file cannot be read
  2  wrong usage
`,
		Example: "  inquest postmortem lint pm.md\n  inquest postmortem draft INC-20261129-7KQ2 | inquest postmortem lint -\n  inquest postmortem lint docs/postmortems/*.md --format json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.lint(cmd, args)
		},
	}
	r.flags(cmd, "text", "json")
	_ = cmd.Flags().MarkHidden("server") // fails for a flag that is not there
	return cmd
}

func (r *remote) lint(cmd *cobra.Command, files []string) error {
	type judged struct {
		File     string               `json:"file"`
		Findings []postmortem.Finding `json:"findings"`
	}
	all := make([]judged, 0, len(files))
	must := 0
	for _, f := range files {
		text, err := textOf(cmd, f)
		if err != nil {
			return err
		}
		j := judged{f, postmortem.Lint(text, postmortem.Options{Now: time.Now()})}
		all = append(all, j)
		for _, x := range j.Findings {
			word := "should"
			if x.Must {
				must++
				word = "must"
			}
			if r.format == "text" {
				place := said(f)
				if x.Line > 0 {
					place += fmt.Sprintf(":%d", x.Line)
				}
				fmt.Fprintf(r.out, "%s: %s: %s [%s]\n", place, word, said(x.Text), x.Rule)
			}
		}
	}
	if r.format == "json" {
		b, err := json.Marshal(all)
		if err != nil {
			return err
		}
		if err := r.json(b); err != nil {
			return err
		}
	}
	switch {
	case must > 0:
		return fmt.Errorf("%d things must be mended", must)
	case r.format == "text":
		fmt.Fprintln(r.out, "nothing must be mended")
	}
	return nil
}

// textOf reads a file, or standard input for "-".
func textOf(cmd *cobra.Command, file string) (string, error) {
	if file == "-" {
		var b bytes.Buffer
		_, err := io.Copy(&b, io.LimitReader(cmd.InOrStdin(), 16<<20))
		return b.String(), err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("postmortem: %w", err)
	}
	return string(b), nil
}

func newPostmortemSave() *cobra.Command {
	r := &remote{}
	var over int64
	cmd := &cobra.Command{
		Use:   "save INCIDENT FILE",
		Short: "Keep a postmortem on the server",
		Long: `Save keeps FILE (- is standard input) as the postmortem of an incident. Once one is saved, --over names
the version that FILE was made from; when somebody else has saved since, nothing is overwritten. Earlier texts are kept too.
` + remoteHelp,
		Example: "  inquest postmortem save INC-20261129-7KQ2 pm.md\n  inquest postmortem save INC-20261129-7KQ2 pm.md --over 3",
		Args:    cobra.ExactArgs(2), ValidArgsFunction: incidentThenFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := textOf(cmd, args[1])
			if err != nil {
				return err
			}
			in := map[string]any{"markdown": text, "version": over}
			return send(cmd, r, "incidents/"+url.PathEscape(args[0])+"/postmortem", in, func(p *web.Postmortem) error {
				r.para("", fmt.Sprintf("saved as version %d: %s", p.Version, mending(p)))
				return nil
			})
		},
	}
	cmd.Flags().Int64Var(&over, "over", 0, "version that the text was made from; 0 for the first")
	r.flags(cmd, "text", "json")
	return cmd
}

func mending(p *web.Postmortem) string {
	n := 0
	for _, f := range p.Lint {
		if f.Error {
			n++
		}
	}
	if n == 0 {
		return "it can be published"
	}
	return fmt.Sprintf("%d things must be mended before it is published; inquest postmortem lint names them", n)
}

func incidentThenFile(cmd *cobra.Command, args []string, part string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 1 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return activeIncidents(cmd, args, part)
}

func newPostmortemPublish() *cobra.Command {
	r := &remote{}
	var over int64
	cmd := &cobra.Command{
		Use:     "publish INCIDENT",
		Short:   "Say that the saved postmortem is final",
		Long:    "Publish makes the saved text the one that is to be known. It is refused while something must be mended.\nA SEV-1 or SEV-2 can be closed from then on.\n" + remoteHelp,
		Example: "  inquest postmortem publish INC-20261129-7KQ2",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: activeIncidents,
		RunE: func(cmd *cobra.Command, args []string) error {
			return send(cmd, r, "incidents/"+url.PathEscape(args[0])+"/postmortem/publish", map[string]any{"version": over}, func(*web.Postmortem) error {
				r.para("", "published: "+r.client.Page("incidents/"+args[0]+"/postmortem"))
				return nil
			})
		},
	}
	cmd.Flags().Int64Var(&over, "over", 0, "version that was read; 0: whatever is saved")
	r.flags(cmd, "text", "json")
	return cmd
}

func newPostmortemPublic() *cobra.Command {
	r := &remote{}
	var team string
	cmd := &cobra.Command{
		Use:   "public FILE",
		Short: "Write the report for users from a postmortem",
		Long: `Public writes what users are told: who writes, an apology, what happened and to whom, timeline, cause, measures, thanks. It leaves out
names, evidence and cost. Read it before you send it: causes and measures are the postmortem's own words. It asks no server.
` + remoteHelp,
		Example: "  inquest postmortem public pm.md --team \"The checkout team\"\n  inquest postmortem show INC-20261129-7KQ2 | inquest postmortem public - --team Checkout --format html",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := textOf(cmd, args[0])
			if err != nil {
				return err
			}
			return r.markdown(postmortem.Public(postmortem.Parse(text), team))
		},
	}
	cmd.Flags().StringVar(&team, "team", "", "who signs it")
	r.flags(cmd, "markdown", "html")
	_ = cmd.Flags().MarkHidden("server") // fails for a flag that is not there
	return cmd
}

func newPostmortemSite() *cobra.Command {
	r := &remote{}
	cmd := &cobra.Command{
		Use:   "site DIR [FILE...]",
		Short: "Write pages of all postmortems, with a search, that open without a server",
		Long: `Site writes an index with a search over all words, and one page for each postmortem, into DIR: those that are published
on the server, or FILEs in Markdown.
` + remoteHelp,
		Example: "  inquest postmortem site ./public\n  inquest postmortem site ./public docs/postmortems/*.md",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var texts []string
			for _, f := range args[1:] {
				text, err := textOf(cmd, f)
				if err != nil {
					return err
				}
				texts = append(texts, text)
			}
			if len(args) == 1 {
				var err error
				if texts, err = r.published(cmd); err != nil {
					return err
				}
			}
			if err := postmortem.Site(args[0], texts, report.Style()); err != nil {
				return err
			}
			fmt.Fprintf(r.out, "%d postmortems: %s\n", len(texts), said(args[0]+"/index.html"))
			return nil
		},
	}
	r.flags(cmd, "text")
	return cmd
}

// published fetches the texts of all that are published.
func (r *remote) published(cmd *cobra.Command) ([]string, error) {
	if err := r.open(cmd); err != nil {
		return nil, err
	}
	var texts []string
	q := url.Values{"state": {"published"}}
	for {
		var l struct {
			Items []web.PostmortemLine
			Next  string
		}
		if err := r.client.Get(cmd.Context(), "postmortems", q, &l); err != nil {
			return nil, err
		}
		for _, p := range l.Items {
			var v web.PostmortemView
			if err := r.client.Get(cmd.Context(), "incidents/"+url.PathEscape(p.Incident)+"/postmortem", nil, &v); err != nil {
				return nil, err
			}
			texts = append(texts, v.Postmortem.Markdown)
		}
		if l.Next == "" {
			return texts, nil
		}
		q.Set("after", l.Next)
	}
}
