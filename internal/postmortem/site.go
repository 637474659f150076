package postmortem

import (
	"cmp"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// proseCSS sets long texts; report's style has the colours and type.
const proseCSS = `
.prose{max-width:60rem;margin:0 auto;padding:2rem 1.2rem}
.prose table{display:block;overflow-x:auto}
.prose pre{overflow-x:auto}
#find{font:inherit;padding:.5rem .8rem;width:100%;max-width:30rem;margin:0 0 1rem}
`

// Site writes a folder of pages that opens without a server: an index with a search over all words, and one page for each text. Texts are Markdown.
func Site(dir string, texts []string, style string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("postmortem: the site: %w", err)
	}
	entries := make([]siteEntry, 0, len(texts))
	taken := map[string]bool{"index.html": true}
	for _, text := range texts {
		p := Parse(text)
		e := siteEntry{Title: Plain(p.Title), Incident: p.Incident, Start: p.Impact.Start, Services: Plain(strings.Join(p.Services, ", ")), Words: strings.ToLower(text), File: fileName(p)}
		if p.Severity != 0 {
			e.Severity = p.Severity.String()
		}
		for n := 2; taken[e.File]; n++ {
			e.File = fmt.Sprintf("%s-%d.html", strings.TrimSuffix(fileName(p), ".html"), n)
		}
		taken[e.File] = true
		if err := writePage(filepath.Join(dir, e.File), text, style); err != nil {
			return err
		}
		entries = append(entries, e)
	}
	slices.SortStableFunc(entries, func(a, b siteEntry) int { return cmp.Or(b.Start.Compare(a.Start), cmp.Compare(a.File, b.File)) })
	return writeIndex(filepath.Join(dir, "index.html"), entries, style)
}

type siteEntry struct {
	File, Title, Incident, Severity, Services, Words string
	Start                                            time.Time
}

// fileName is the incident's id, or the title, in letters that every file system takes.
func fileName(p *inquest.Postmortem) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, cmp.Or(p.Incident, p.Title, "postmortem"))
	return name[:min(len(name), 80)] + ".html"
}

func writePage(path, text, style string) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("postmortem: the site: %w", err)
	}
	if err := Page(f, text, style, true); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("postmortem: the site: %w", err)
	}
	return nil
}

func writeIndex(path string, entries []siteEntry, style string) error {
	t := template.Must(template.New("index").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>Postmortems</title><style>{{.Style}}</style></head>
<body><main class="prose"><h1>Postmortems</h1>
<label for="find">Words in them</label><br><input id="find" type="search">
<table><thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">Severity</th><th scope="col">Services</th></tr></thead>
<tbody>{{range .Entries}}<tr data-words="{{.Words}}"><td>{{if not .Start.IsZero}}{{.Start.Format "2006-01-02"}}{{end}}</td><td><a href="{{.File}}">{{.Title}}</a> {{.Incident}}</td><td>{{.Severity}}</td><td>{{.Services}}</td></tr>
{{end}}</tbody></table>
<p id="none" hidden>No postmortem has all of these words.</p></main>
<script>
const rows = [...document.querySelectorAll("tr[data-words]")], none = document.getElementById("none");
document.getElementById("find").addEventListener("input", e => {
  const words = e.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const r of rows) { r.hidden = !words.every(w => r.dataset.words.includes(w)); if (!r.hidden) shown++; }
  none.hidden = shown > 0;
});
</script></body></html>
`))
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("postmortem: the site: %w", err)
	}
	if err := t.Execute(f, map[string]any{"Entries": entries, "Style": template.CSS(style + proseCSS)}); err != nil {
		_ = f.Close()
		return fmt.Errorf("postmortem: the site: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("postmortem: the site: %w", err)
	}
	return nil
}
