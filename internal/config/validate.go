package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// validate asks the catalogue's own check, which knows rules that lie across keys (the order of actions, literals in phrases,
// circles), and finds the place for each of its complaints.
func validate(all []*entry, own []mechanism.Mechanism) []error {
	err := mechanism.Validate(mechanism.With(own))
	if err == nil {
		return nil
	}
	parts := []error{err}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		parts = joined.Unwrap()
	}
	var out []error
	for _, p := range parts {
		out = append(out, place(p, all))
	}
	return out
}

// place puts file, line and key before a complaint that names a mechanism and perhaps quotes what it is about.
func place(err error, all []*entry) error {
	for _, e := range all {
		text, mine := strings.CutPrefix(err.Error(), "mechanism "+string(e.ID)+": ")
		if !mine && !strings.Contains(text+" ", " "+string(e.ID)+" ") { // a circle names all that are in it
			continue
		}
		at, key := e.node.Line, string(e.ID)
		if quoted := strings.IndexByte(text, '"'); mine && quoted >= 0 {
			q, _ := strconv.QuotedPrefix(text[quoted:]) // what is not quoted is not found either
			said, _ := strconv.Unquote(q)
			if line, k, ok := find(e.node, said, key); ok {
				at, key = line, k
			}
		}
		return fmt.Errorf("%s:%d: %s: %s", e.doc.path, at, key, text)
	}
	return err
}

// find returns the line of the text under n, and the nearest key above it.
func find(n *yaml.Node, text, key string) (line int, at string, ok bool) {
	if n.Kind == yaml.ScalarNode && fold(n.Value) == fold(text) {
		return n.Line, key, true
	}
	for i, c := range n.Content {
		k := key
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue // a key
			}
			k = n.Content[i-1].Value
		}
		if line, at, ok = find(c, text, k); ok {
			return line, at, true
		}
	}
	return 0, "", false
}
