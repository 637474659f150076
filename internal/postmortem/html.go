package postmortem

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
)

// HTML renders a postmortem as a part of a page. Raw HTML and links that run scripts are left out: whoever wrote the text, it stays text.
func HTML(markdown string) (template.HTML, error) {
	tables := extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)) // styles in line are forbidden on our pages
	md := goldmark.New(goldmark.WithExtensions(tables, extension.Strikethrough, extension.NewLinkify()), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	var b bytes.Buffer
	if err := md.Convert([]byte(markdown), &b); err != nil {
		return "", fmt.Errorf("postmortem: render: %w", err)
	}
	// What is wider than the page is pushed sideways, by keys too. Text cannot hold these tags: they are goldmark's.
	framed := strings.NewReplacer("<table>", `<div class="scroll" role="region" tabindex="0" aria-label="Table"><table>`, "</table>", "</table></div>", "<pre>", `<pre tabindex="0">`).Replace(b.String())
	return template.HTML(framed), nil //nolint:gosec // goldmark without its option Unsafe writes no HTML but its own
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
