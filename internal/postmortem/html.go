package postmortem

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/parser"
)

// HTML renders a postmortem as a part of a page. Raw HTML and links that run scripts are left out: whoever wrote the text, it stays text.
//
// Tables and bare addresses are read here: goldmark's extensions for them compile patterns at the start of every command that links this room.
func HTML(markdown string) (template.HTML, error) {
	r := &renderer{md: goldmark.New(goldmark.WithParserOptions(parser.WithAutoHeadingID())), address: regexp.MustCompile(`(^|[\s(])(https?://[^\s<>()|]*[^\s<>()|.,;:!?])`)}
	lines := strings.Split(strings.ReplaceAll(markdown, "\r\n", "\n"), "\n")
	from, fence := 0, ""
	for i := 0; i < len(lines); i++ {
		t := strings.TrimSpace(lines[i])
		ticks := t[:len(t)-len(strings.TrimLeft(t, "`"))]
		switch {
		case fence == "" && len(ticks) >= 3:
			fence = ticks
		case fence != "":
			if t == ticks && len(ticks) >= len(fence) {
				fence = ""
			}
		case strings.HasPrefix(t, "|") && i+1 < len(lines) && isRule(lines[i+1]):
			r.text(lines[from:i])
			from = r.table(lines, i)
			i = from - 1
		case !strings.Contains(t, "`"):
			lines[i] = r.address.ReplaceAllString(lines[i], "$1<$2>")
		}
	}
	r.text(lines[from:])
	return template.HTML(r.out.String()), r.err //nolint:gosec // goldmark without its option Unsafe writes no HTML but its own
}

type renderer struct {
	md      goldmark.Markdown
	address *regexp.Regexp
	out     strings.Builder
	err     error
}

// isRule reports whether a line is the one below a table's head.
func isRule(line string) bool {
	t := strings.TrimSpace(line)
	return strings.HasPrefix(t, "|-") && strings.Trim(t, "|-: ") == ""
}

func (r *renderer) convert(text string) string {
	var b bytes.Buffer
	if err := r.md.Convert([]byte(text), &b); err != nil && r.err == nil {
		r.err = fmt.Errorf("postmortem: render: %w", err)
	}
	return b.String()
}

// text renders what is no table. Code that is wider than the page is pushed sideways, by keys too; no text can hold this tag, it is goldmark's.
func (r *renderer) text(lines []string) {
	r.out.WriteString(strings.ReplaceAll(r.convert(strings.Join(lines, "\n")), "<pre>", `<pre tabindex="0">`))
}

// table renders the table whose head is at a line, and returns the line behind it.
func (r *renderer) table(lines []string, at int) int {
	r.out.WriteString(`<div class="scroll" role="region" tabindex="0" aria-label="Table"><table><thead><tr>`)
	r.cells("th", lines[at])
	r.out.WriteString("</tr></thead><tbody>")
	end := at + 2
	for ; end < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[end]), "|"); end++ {
		r.out.WriteString("<tr>")
		r.cells("td", lines[end])
		r.out.WriteString("</tr>\n")
	}
	r.out.WriteString("</tbody></table></div>\n")
	return end
}

// cells renders each as a line of text: behind a letter, which is taken off again, nothing in it can be a heading or a list.
func (r *renderer) cells(tag, row string) {
	for _, c := range cut(strings.TrimSpace(row)) {
		if !strings.Contains(c, "`") {
			c = r.address.ReplaceAllString(c, "$1<$2>")
		}
		inner := strings.TrimPrefix(strings.TrimSpace(r.convert("x "+strings.ReplaceAll(c, `\|`, "|"))), "<p>x")
		r.out.WriteString("<" + tag + ">" + strings.TrimSpace(strings.TrimSuffix(inner, "</p>")) + "</" + tag + ">")
	}
}

// Page writes one whole page that needs nothing else; style is its CSS. As part of a site it links the index.
func Page(w io.Writer, markdown, style string, site bool) error {
	body, err := HTML(markdown)
	if err != nil {
		return err
	}
	t := template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>{{.Title}}</title><style>{{.Style}}</style></head>
<body><main class="prose">{{if .Index}}<p><a href="index.html">All postmortems</a></p>{{end}}
{{.Body}}</main></body></html>
`))
	err = t.Execute(w, map[string]any{"Title": "Postmortem: " + Plain(Parse(markdown).Title), "Style": template.CSS(style + proseCSS), "Body": body, "Index": site})
	if err != nil {
		return fmt.Errorf("postmortem: write the page: %w", err)
	}
	return nil
}
