package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

//go:embed page.css
var pageCSS string

//go:embed page.gohtml
var pageSource string

// page is what the template sees: the story's sentences and the pictures.
type page struct {
	*story
	CSS     template.CSS
	D       *inquest.Diagnosis
	State   string // healthy, open, incident
	Figures []*figure
}

// HTML writes d as one page that needs nothing else: styles and charts are inside, there is no script, and its content
// security policy forbids any request. It follows the reader's light or dark scheme, prints, and fits a phone.
func HTML(w io.Writer, d *inquest.Diagnosis, opts PageOptions) error {
	p, t, err := newPage(d, opts)
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("report: HTML: %w", err)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("report: write HTML: %w", err)
	}
	return nil
}

// Parts are the sections of the page by name, for a page that has a frame of its own: verdict, fetch, impact, chart (also in timeline), timeline, first,
// infrastructure, chain, evidence, plan, rivals, notes, coverage. One that has nothing to say is empty. They need Style, and no inline style or script.
type Parts struct {
	State    string // healthy, open or incident: the class that colours them
	Sections map[string]template.HTML
}

// HTMLParts renders d as sections.
func HTMLParts(d *inquest.Diagnosis, opts PageOptions) (Parts, error) {
	p, t, err := newPage(d, opts)
	if err != nil {
		return Parts{}, err
	}
	out := Parts{State: p.State, Sections: map[string]template.HTML{}}
	for _, name := range []string{"verdict", "fetch", "impact", "chart", "timeline", "first", "infrastructure", "chain", "evidence", "plan", "rivals", "notes", "coverage"} {
		if p.State == "healthy" && slices.Contains([]string{"impact", "first", "infrastructure"}, name) {
			continue // nothing failed
		}
		var b strings.Builder
		if err := t.ExecuteTemplate(&b, name, p); err != nil {
			return Parts{}, fmt.Errorf("report: section %s: %w", name, err)
		}
		// The page around them has the first heading.
		out.Sections[name] = template.HTML(strings.ReplaceAll(strings.ReplaceAll(b.String(), `<h1 id="h-verdict">`, `<h2 id="h-verdict" class="headline">`), "</h1>", "</h2>"))
	}
	return out, nil
}

// Style is the style sheet of the page and its parts.
func Style() string { return pageCSS }

func newPage(d *inquest.Diagnosis, opts PageOptions) (page, *template.Template, error) {
	p := page{story: newStory(d, opts.Zone, opts.Title, opts.Name), CSS: template.CSS(pageCSS)}
	p.live = opts.Live
	p.D = p.d
	p.State = map[state]string{stateHealthy: "healthy", stateOpen: "open", stateFound: "incident"}[p.state]
	for _, l := range []layout{wideLayout, narrowLayout} {
		if f := p.drawFigure(l); f != nil {
			p.Figures = append(p.Figures, f)
		}
	}
	t, err := template.New("page").Funcs(p.funcs()).Parse(pageSource)
	if err != nil {
		return page{}, nil, fmt.Errorf("report: page template: %w", err)
	}
	return p, t, nil
}

func (p page) funcs() template.FuncMap {
	return template.FuncMap{
		"count": count, "plural": plural, "percent": percent, "score": score, "place": place, "share": share,
		"clock": p.clock, "stamp": p.stamp, "iso": iso, "linked": p.linked, "refs": refs, "kind": evidenceKind,
		"cures": cureNote, "firstLine": firstLine, "fileLine": fileLine, "relative": p.relative, "dot": px,
		"meter": func(f float64) string { return px(100 * min(max(f, 0), 1)) },
		"minus": func(a, b float64) float64 { return a - b },
	}
}

// iso is the machine's form for <time datetime>.
func iso(t time.Time) string { return t.UTC().Format(stampLayout) }

var reference = regexp.MustCompile(`\[E\d+(?:, E\d+)*\]`)

// linked escapes text and makes its references to evidence links to it.
func (p page) linked(text string) template.HTML {
	known := map[string]bool{}
	for _, e := range p.d.Evidence {
		known[e.ID] = true
	}
	var b strings.Builder
	for {
		at := reference.FindStringIndex(text)
		if at == nil {
			break
		}
		template.HTMLEscape(&b, []byte(text[:at[0]]))
		b.WriteString(`<span class="refs">`)
		for _, id := range strings.Split(text[at[0]+1:at[1]-1], ", ") {
			if known[id] {
				fmt.Fprintf(&b, `<a href="#%s" title="Evidence %s">%s</a>`, id, id, id) // letters and digits only
			} else {
				b.WriteString(id)
			}
		}
		b.WriteString(`</span>`)
		text = text[at[1]:]
	}
	template.HTMLEscape(&b, []byte(text))
	return template.HTML(b.String())
}

// The template cannot reach unexported methods; these are the story's sentences under exported names.

// Headline is the answer in a few words.
func (p page) Headline() string { return p.headline() }

// Cause is class and mechanism in words.
func (p page) Cause() string { return p.cause() }

// Level is the word for how far the evidence carries.
func (p page) Level() string { return levelNames[p.level()] }

// LevelMeaning says what that allows to conclude.
func (p page) LevelMeaning() string { return levelMeanings[p.level()] }

// Summary is the verdict's sentence.
func (p page) Summary() string { return p.summary() }

// Caveat names the layers that were not checked.
func (p page) Caveat() string { return p.caveat() }

// Since is onset and duration.
func (p page) Since() string { return p.since() }

// LookedAt is the stretch of time that was read.
func (p page) LookedAt() string { return p.lookedAt() }

// Name is what was investigated.
func (p page) Name() string { return p.name }

// Zone names the zone of short times.
func (p page) Zone() string { return p.zoneName() }

// Trigger is what set it off.
func (p page) Trigger() string { what, _ := p.trigger(); return what }

// TriggerWhy is the reason for believing so.
func (p page) TriggerWhy() string { _, why := p.trigger(); return why }

// Also are independent second causes.
func (p page) Also() []inquest.Candidate { return p.also() }

// Candidate is the name of a considered cause.
func (p page) Candidate(c inquest.Candidate) string { return p.candidate(c) }

// Spread is the reach in words.
func (p page) Spread() string { return spreadNames[p.d.Impact.Spread] }

// Statuses are the failing statuses, most frequent first.
func (p page) Statuses() []statusLine { return p.statuses() }

// First is when it began.
func (p page) First() string { text, _ := p.firstFailure(); return text }

// FirstQuote is the earliest quote of a failure, or nil.
func (p page) FirstQuote() *inquest.Evidence { _, e := p.firstFailure(); return e }

// Infrastructure is the evidence of the third layer.
func (p page) Infrastructure() []inquest.Evidence { e, _ := p.infrastructure(); return e }

// ResourceRows is the checklist of resources.
func (p page) ResourceRows() []resourceRow { return p.resourceRows() }

// Measured reports whether there is a figure.
func (r resourceRow) Measured() bool { return !math.IsNaN(r.Share) }

// NoInfrastructure says why there is none.
func (p page) NoInfrastructure() string { _, none := p.infrastructure(); return none }

// NoChanges says what the absence of changes means, "" when there are some.
func (p page) NoChanges() string {
	if len(p.changes()) > 0 {
		return ""
	}
	return p.noChanges()
}

// FetchNext is what would let the next run say more.
func (p page) FetchNext() []string { return p.fetchNext() }

// DoFirst is the first action that is due now, or nil.
func (p page) DoFirst() *inquest.Action {
	if now := p.actions(inquest.PhaseNow); len(now) > 0 {
		return &now[0]
	}
	return nil
}

// pageLayer is one layer of the coverage.
type pageLayer struct {
	Name    string
	Checked bool
	inquest.LayerCoverage
}

// Layers is the coverage in the order in which layers are told.
func (p page) Layers() []pageLayer {
	var out []pageLayer
	for _, l := range layers {
		c := p.d.Coverage.Layers[l]
		out = append(out, pageLayer{layerNames[l], c.State == layerChecked, c})
	}
	return out
}

// pagePhase is one group of actions.
type pagePhase struct {
	Title   string
	Actions []inquest.Action
}

// Plan is what to do, in the order of acting.
func (p page) Plan() []pagePhase {
	var out []pagePhase
	for _, ph := range phases {
		if a := p.actions(ph.phase); len(a) > 0 {
			out = append(out, pagePhase{ph.title, a})
		}
	}
	return out
}
