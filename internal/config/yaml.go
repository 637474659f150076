package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/inquesthq/inquest/internal/redact"
)

// longest is the size of one text, in bytes: a page of a report is not the place for more.
const longest = 4000

// doc reads one YAML document node by node, so that each complaint has its line, and gathers all complaints.
type doc struct {
	path   string
	faults []error
}

// fault notes a complaint: "file:line: key: what is wrong; what to do".
func (d *doc) fault(n *yaml.Node, key, format string, args ...any) {
	if key != "" {
		key += ": "
	}
	d.faults = append(d.faults, fmt.Errorf("%s:%d: %s%s", d.path, n.Line, key, fmt.Sprintf(format, args...)))
}

// field is one key of a mapping.
type field struct {
	name string
	need string // what to write when it is missing; empty: it may be
	read func(n *yaml.Node)
}

// mapping reads the fields of a mapping; what says what the mapping is. It reports whether n is one.
func (d *doc) mapping(n *yaml.Node, what string, fields []field) bool {
	if n.Kind != yaml.MappingNode {
		d.fault(n, what, "%s where keys are expected; write \"%s: ...\" and so on below it", kindOf(n), fields[0].name)
		return false
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == key.Value })
		switch line, twice := seen[key.Value]; {
		case at < 0:
			d.fault(key, show(key.Value), "unknown key in %s%s", what, proposal(key.Value, names(fields)))
		case twice:
			d.fault(key, key.Value, "it is already given in line %d; keep one of the two", line)
		default:
			fields[at].read(value)
		}
		seen[key.Value] = key.Line
	}
	for _, f := range fields {
		if seen[f.name] == 0 && f.need != "" {
			d.fault(n, f.name, "missing in %s; write %s", what, f.need)
		}
	}
	return true
}

func names(fields []field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.name
	}
	return out
}

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.AliasNode:
		return "an alias (*" + show(n.Value) + "), which is not followed,"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == 0 || n.Tag == "!!null":
		return "nothing"
	}
	return "the text " + strconv.Quote(show(n.Value))
}

// show makes a piece of the file fit for a message.
func show(s string) string {
	s = strings.Map(func(r rune) rune {
		if unprintable(r) {
			return '?'
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 60 {
		return string(r[:57]) + "..."
	}
	return s
}

// unprintable characters would let a text steer the terminal it is shown on, or turn the direction of what follows.
func unprintable(r rune) bool { return unicode.IsControl(r) || redact.Hidden(r) }

// text reads a scalar as it stands: 57014 and 08006 are codes, not numbers.
func (d *doc) text(n *yaml.Node, key string) (string, bool) {
	switch bad := strings.IndexFunc(n.Value, func(r rune) bool { return unprintable(r) && r != '\n' && r != '\t' }); {
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null":
		d.fault(n, key, "%s where a text is expected; write one, in quotes if it has a colon or a # in it", kindOf(n))
	case n.Tag == "!!binary":
		d.fault(n, key, "binary data; write a text")
	case strings.TrimSpace(n.Value) == "":
		d.fault(n, key, "the text is empty; write one or leave the key out")
	case bad >= 0:
		d.fault(n, key, "the text holds a character that cannot be shown; take it out: %q", show(n.Value))
	case len(n.Value) > longest:
		d.fault(n, key, "the text has %d bytes, at most %d; shorten it", len(n.Value), longest)
	default:
		return n.Value, true
	}
	return "", false
}

// each visits the elements of a list; one text counts as a list of one.
func (d *doc) each(n *yaml.Node, key, example string, visit func(n *yaml.Node)) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag != "!!null":
		visit(n)
	case n.Kind != yaml.SequenceNode:
		d.fault(n, key, "%s where a list is expected; write \"- %s\" below it", kindOf(n), example)
	case len(n.Content) == 0:
		d.fault(n, key, "the list is empty; write \"- %s\" below it, or leave the key out", example)
	default:
		for _, e := range n.Content {
			visit(e)
		}
	}
}

// The functions below read a value of one kind into a variable.

// prose takes a text with its white space folded, as it is wrapped anew wherever it is shown.
func (d *doc) prose(key string, to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if s, ok := d.text(n, key); ok {
			*to = fold(s)
		}
	}
}

func fold(s string) string { return strings.Join(strings.Fields(s), " ") }

func (d *doc) proses(key string, to *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.each(n, key, "a sentence", func(e *yaml.Node) {
			var s string
			if d.prose(key, &s)(e); s != "" {
				*to = append(*to, s)
			}
		})
	}
}

// phrases takes texts as they stand: blanks count in what is looked for.
func (d *doc) phrases(key string, to *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.each(n, key, "words as the log has them", func(e *yaml.Node) {
			if s, ok := d.text(e, key); ok {
				*to = append(*to, strings.TrimSuffix(s, "\n"))
			}
		})
	}
}

// word takes one of the words of a vocabulary.
func word[T ~string](d *doc, key string, known []T, to *T) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := d.text(n, key)
		if !ok {
			return
		}
		if !slices.Contains(known, T(s)) {
			d.fault(n, key, "%q means nothing here%s", show(s), proposal(s, plain(known)))
			return
		}
		*to = T(s)
	}
}

func words[T ~string](d *doc, key string, known []T, to *[]T) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.each(n, key, string(known[0]), func(e *yaml.Node) {
			var w T
			if word(d, key, known, &w)(e); w != "" {
				*to = append(*to, w)
			}
		})
	}
}

func plain[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

func (d *doc) weight(to *float64) func(*yaml.Node) {
	return func(n *yaml.Node) {
		f, err := strconv.ParseFloat(n.Value, 64)
		if n.Kind != yaml.ScalarNode || err != nil || !(f > 0 && f <= 1) {
			d.fault(n, "weight", "%s is no weight; write a number above 0 and at most 1 (1: says it literally, 0.7: its usual meaning, 0.4: one of several)", kindOf(n))
			return
		}
		*to = f
	}
}

func (d *doc) truth(key string, to *bool) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
			d.fault(n, key, "%s is neither true nor false; write one of the two", kindOf(n))
			return
		}
		*to = n.Value == "true"
	}
}
