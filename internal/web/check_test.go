package web_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// dom is a parsed page, asked by simple selectors: tag, .class, #id, [attr=value], and these joined without blanks; a blank means "inside of".
type dom struct{ node *html.Node }

func parsePage(t testing.TB, page string) dom {
	t.Helper()
	n, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return dom{n}
}

// all are the elements that a selector finds, in the page's order.
func (d dom) all(selector string) []dom {
	found := []dom{d}
	for part := range strings.FieldsSeq(selector) {
		var next []dom
		seen := map[*html.Node]bool{}
		for _, f := range found {
			for n := range f.node.Descendants() {
				if n.Type == html.ElementNode && !seen[n] && fits(n, part) {
					seen[n] = true
					next = append(next, dom{n})
				}
			}
		}
		found = next
	}
	return found
}

func fits(n *html.Node, part string) bool {
	for part != "" {
		end := strings.IndexAny(part[1:], ".#[") + 1
		if end == 0 {
			end = len(part)
		}
		one := part[:end]
		part = part[end:]
		d := dom{n}
		switch one[0] {
		case '.':
			if !strings.Contains(" "+d.attr("class")+" ", " "+one[1:]+" ") {
				return false
			}
		case '#':
			if d.attr("id") != one[1:] {
				return false
			}
		case '[':
			key, value, ok := strings.Cut(strings.TrimSuffix(one[1:], "]"), "=")
			if !d.has(key) || ok && d.attr(key) != value {
				return false
			}
		default:
			if n.Data != one {
				return false
			}
		}
	}
	return true
}

func (d dom) has(key string) bool {
	for _, a := range d.node.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

func (d dom) attr(key string) string {
	for _, a := range d.node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func (d dom) text() string {
	var b strings.Builder
	for n := range d.node.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// first is the text of the first element that a selector finds, "" for none.
func (d dom) first(selector string) string {
	if all := d.all(selector); len(all) > 0 {
		return all[0].text()
	}
	return ""
}

func (d dom) texts(selector string) []string {
	var out []string
	for _, x := range d.all(selector) {
		out = append(out, x.text())
	}
	return out
}
