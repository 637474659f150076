package report_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/report"
)

// nodes returns all elements of a page for which the condition holds.
func nodes(t testing.TB, page string, want func(*html.Node) bool) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var out []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && want(n) {
			out = append(out, n)
		}
	}
	return out
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func tag(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return n.Data == name }
}

func class(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return strings.Contains(" "+attr(n, "class")+" ", " "+name+" ") }
}

func TestPageSaysTheVerdict(t *testing.T) {
	for name, want := range map[string]struct{ h1, pill string }{
		"rich": {"Pool exhausted at orders-db", "Incident"}, "open": {"Something failed; the cause is open", "Incident"},
		"healthy": {"No incident", "Healthy"},
	} {
		page := render(t, "html", samples[name]())
		if h := nodes(t, page, tag("h1")); len(h) != 1 || text(h[0]) != want.h1 {
			t.Errorf("%s: h1 is %q, want one %q", name, text(h[0]), want.h1)
		}
		if p := nodes(t, page, class("pill")); len(p) == 0 || text(p[0]) != want.pill {
			t.Errorf("%s: pill is not %q", name, want.pill)
		}
	}
}

func TestPageNeedsNothingElse(t *testing.T) {
	for name, sample := range samples {
		page := render(t, "html", sample())
		for _, n := range nodes(t, page, func(*html.Node) bool { return true }) {
			switch n.Data {
			case "script", "link", "iframe", "object", "embed", "base", "img", "form", "audio", "video":
				t.Errorf("%s: the page has a <%s>", name, n.Data)
			}
			for _, a := range n.Attr {
				if a.Key == "src" || a.Key == "srcset" || strings.HasPrefix(a.Key, "on") || a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
					t.Errorf("%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
				}
			}
		}
		for _, forbidden := range []string{"@import", "url(", "http://", "https://"} {
			if strings.Contains(page, forbidden) {
				t.Errorf("%s: the page holds %q", name, forbidden)
			}
		}
		csp := nodes(t, page, func(n *html.Node) bool { return attr(n, "http-equiv") == "Content-Security-Policy" })
		if len(csp) != 1 || !strings.HasPrefix(attr(csp[0], "content"), "default-src 'none'; style-src 'unsafe-inline'; img-src data:") {
			t.Errorf("%s: content security policy is missing", name)
		}
	}
}

func TestPageIsAccessible(t *testing.T) {
	for name, sample := range samples {
		page := render(t, "html", sample())
		for _, landmark := range []string{"header", "nav", "main", "footer"} {
			if len(nodes(t, page, tag(landmark))) != 1 {
				t.Errorf("%s: not exactly one <%s>", name, landmark)
			}
		}
		ids := map[string]bool{}
		for _, n := range nodes(t, page, func(n *html.Node) bool { return attr(n, "id") != "" }) {
			if ids[attr(n, "id")] {
				t.Errorf("%s: id %q twice", name, attr(n, "id"))
			}
			ids[attr(n, "id")] = true
		}
		for _, a := range nodes(t, page, tag("a")) {
			if to := strings.TrimPrefix(attr(a, "href"), "#"); !ids[to] {
				t.Errorf("%s: link to %q leads nowhere", name, to)
			}
		}
		for _, n := range nodes(t, page, func(n *html.Node) bool { return attr(n, "aria-labelledby") != "" }) {
			for id := range strings.FieldsSeq(attr(n, "aria-labelledby")) {
				if !ids[id] {
					t.Errorf("%s: <%s> is labelled by %q, which is not there", name, n.Data, id)
				}
			}
		}
		for _, table := range nodes(t, page, tag("table")) {
			if c := table.FirstChild.NextSibling; c == nil || c.Data != "caption" {
				t.Errorf("%s: a table without a caption", name)
			}
		}
		level := 0
		for _, h := range nodes(t, page, func(n *html.Node) bool { return len(n.Data) == 2 && n.Data[0] == 'h' && n.Data != "hr" }) {
			if l := int(h.Data[1] - '0'); l > level+1 {
				t.Errorf("%s: <%s> %q follows a heading of level %d", name, h.Data, text(h), level)
			}
			level = int(h.Data[1] - '0')
		}
	}
}

func TestSectionsStandInTheOrderOfThe3amReader(t *testing.T) {
	want := []string{"verdict", "impact", "timeline", "first", "infrastructure", "chain", "evidence", "plan", "confirm", "rivals", "suspects", "similar", "notes", "coverage"}
	var got []string
	for _, s := range nodes(t, render(t, "html", rich()), tag("section")) {
		got = append(got, attr(s, "id"))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("sections are\n%v, want\n%v", got, want)
	}
}

func TestMarkLabelsDoNotOverlap(t *testing.T) {
	d := rich()
	d.Chart.Marks = nil
	for i := range 12 {
		d.Chart.Marks = append(d.Chart.Marks, inquest.Mark{Time: d.Chart.From.Add(time.Duration(i*i) * 11 * time.Second), Kind: "change", Text: "deploy of a service " + strconv.Itoa(i)})
	}
	for _, svg := range nodes(t, render(t, "html", d), func(n *html.Node) bool {
		return n.Data == "svg" && attr(n, "viewbox")+attr(n, "viewBox") != "0 0 24 24" && !class("bar")(n) && !class("meter")(n)
	}) {
		type box struct{ from, to, y float64 }
		var boxes []box
		for n := range svg.Descendants() {
			if n.Data != "g" {
				continue
			}
			label := n.LastChild
			x, _ := strconv.ParseFloat(attr(label, "x"), 64)
			y, _ := strconv.ParseFloat(attr(label, "y"), 64)
			width := float64(len([]rune(text(label)))) * 5.6
			b := box{x, x + width, y}
			if attr(label, "text-anchor") == "end" {
				b.from, b.to = x-width, x
			}
			for _, o := range boxes {
				if o.y == b.y && b.from < o.to && o.from < b.to {
					t.Errorf("labels overlap in %s at y=%v: %v and %v", attr(svg, "class"), y, o, b)
				}
			}
			boxes = append(boxes, b)
		}
		if len(boxes) < 10 {
			t.Errorf("only %d labels in %s", len(boxes), attr(svg, "class"))
		}
	}
}

func TestPartsAreThePageInPieces(t *testing.T) {
	for name, sample := range samples {
		whole := render(t, "html", sample())
		parts, err := report.HTMLParts(sample(), report.PageOptions{Name: "case"})
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for part, body := range parts.Sections {
			if strings.Contains(string(body), "style=") {
				t.Errorf("%s: part %s has an inline style, which a strict policy forbids", name, part)
			}
			for _, s := range nodes(t, string(body), tag("section")) {
				found++
				if !strings.Contains(whole, `id="`+attr(s, "id")+`"`) {
					t.Errorf("%s: section %s is not in the page", name, attr(s, "id"))
				}
			}
		}
		if want := len(nodes(t, whole, tag("section"))); parts.State == "incident" && found != want {
			t.Errorf("%s: the parts have %d sections, the page %d", name, found, want)
		}
	}
	if !strings.Contains(report.Style(), ".verdict") {
		t.Error("the style sheet does not know the verdict")
	}
}
