package mechanism

import (
	"fmt"
	"strings"

	"github.com/inquesthq/inquest"
)

// PageName is the file name of a mechanism's page in docs/mechanisms.
func PageName(id inquest.MechanismID) string {
	return string(id.Class()) + "-" + id.Name() + ".md"
}

// Page renders the page of a mechanism in Markdown. The list is the catalogue, for the links.
func Page(m *Mechanism, list []Mechanism) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- Generated from the catalogue by `go run ./scripts/mechdocs`. Edit the entry in internal/diagnose/mechanism instead. -->\n\n# %s\n\n", m.Title)
	fmt.Fprintf(&b, "`%s` | fault of: %s | answer while it lasts: %d", m.ID, m.Owner, m.Status)
	if m.Gradual {
		b.WriteString(" | builds up slowly")
	}
	if m.Silent {
		b.WriteString(" | may leave no line in a log")
	}
	fmt.Fprintf(&b, "\n\n%s\n\n", m.What)
	bullets(&b, "What one sees", m.Signs)
	bullets(&b, "What it takes to claim it", m.Needs)
	bullets(&b, "What speaks against it", m.Contradicts)
	commands(&b, m.Confirm)
	actions(&b, m.Actions)
	var triggers []string
	for _, t := range m.Triggers {
		triggers = append(triggers, string(t))
	}
	fmt.Fprintf(&b, "## Where it belongs\n\nSet off by: %s.\n\n", strings.Join(triggers, ", "))
	links(&b, "Brings about", m.Explains, list)
	links(&b, "Brings about in its callers", m.Above, list)
	var by []inquest.MechanismID
	for i := range list {
		if list[i].Brings(m.ID, true) {
			by = append(by, list[i].ID)
		}
	}
	links(&b, "Look first for", by, list)
	clues(&b, m)
	return b.String()
}

func bullets(b *strings.Builder, title string, list []string) {
	fmt.Fprintf(b, "## %s\n\n", title)
	for _, s := range list {
		fmt.Fprintf(b, "- %s\n", s)
	}
	b.WriteString("\n")
}

func commands(b *strings.Builder, list []inquest.Command) {
	b.WriteString("## How to confirm it\n\nThese commands only read. Put real values for the names in `<>`.\n\n")
	for _, c := range list {
		fmt.Fprintf(b, "%s\n\n```sh\n%s\n```\n\nExpect: %s.\n\n", c.Text, Fill(c.Command, nil), strings.TrimSuffix(c.Expect, "."))
	}
}

func actions(b *strings.Builder, list []inquest.Action) {
	b.WriteString("## What to do\n\n")
	names := map[inquest.Phase]string{inquest.PhaseNow: "Now", inquest.PhaseLater: "Later", inquest.PhasePrevent: "So that it does not come back"}
	last := inquest.Phase("")
	n := 0
	for _, a := range list {
		if a.Phase != last {
			if last != "" {
				b.WriteString("\n")
			}
			fmt.Fprintf(b, "### %s\n\n", names[a.Phase])
			last = a.Phase
		}
		n++
		fmt.Fprintf(b, "%d. %s (cures the %s)\n", n, a.Text, a.Cures)
		if a.Command != "" {
			fmt.Fprintf(b, "\n   ```sh\n   %s\n   ```\n\n", Fill(a.Command, nil))
		}
	}
	b.WriteString("\n")
}

func links(b *strings.Builder, title string, list []inquest.MechanismID, all []Mechanism) {
	if len(list) == 0 {
		return
	}
	var out []string
	for _, id := range list {
		for i := range all {
			if all[i].ID == id {
				out = append(out, fmt.Sprintf("[%s](%s)", id, PageName(id)))
			}
		}
	}
	fmt.Fprintf(b, "%s: %s.\n\n", title, strings.Join(out, ", "))
}

func clues(b *strings.Builder, m *Mechanism) {
	b.WriteString("## What speaks for it\n\n| weight | evidence | for example |\n|--:|---|---|\n")
	for _, c := range m.Clues {
		fmt.Fprintf(b, "| %.1f | %s | %s |\n", c.Weight, cell(c.Why), cell(example(c)))
	}
	for _, s := range m.Supports {
		what := "measured: " + string(s.Symptom)
		if s.Resource != "" {
			what += " of " + string(s.Resource)
		}
		if s.Detail != "" {
			what += " (" + s.Detail + ")"
		}
		fmt.Fprintf(b, "| %.1f | %s | %s |\n", s.Weight, cell(s.Why), what)
	}
	b.WriteString("\nWeight 1: says it literally; 0.7: its usual meaning; 0.4: one of several meanings.\n")
}

func example(c Clue) string {
	for _, list := range [][]string{c.Any, c.Exception, c.Code, c.All} {
		if len(list) > 0 {
			return "`` " + list[0] + " ``"
		}
	}
	return ""
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// IndexPage renders docs/mechanisms/README.md.
func IndexPage(list []Mechanism) string {
	var b strings.Builder
	b.WriteString("<!-- Generated from the catalogue by `go run ./scripts/mechdocs`. -->\n\n# Mechanisms\n\n" +
		"Why a service answers 5xx: the causes that Inquest knows, by class. Each page says what it is, how to confirm it and what to do.\n" +
		"`inquest explain <mechanism>` prints the same page.\n\n")
	class := inquest.Class("")
	for i := range list {
		m := &list[i]
		if c := m.ID.Class(); c != class {
			class = c
			fmt.Fprintf(&b, "\n## %s\n\n| mechanism | in a word | first sign | answer |\n|---|---|---|--:|\n", c)
		}
		fmt.Fprintf(&b, "| [%s](%s) | %s | %s | %d |\n", m.ID.Name(), PageName(m.ID), m.Title, cell(m.Signs[0]), m.Status)
	}
	return b.String()
}
