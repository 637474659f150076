package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/inquesthq/inquest/internal/gateway"
)

// LoadGateway reads the file of a gateway. It checks every key, word and reference, and builds what the file describes as a trial,
// so that a file that passes can be served. The error joins everything found wrong, one line each, with file, line and remedy.
func LoadGateway(path string) (gateway.Config, error) {
	b, err := ReadFile("gateway", path)
	if err != nil {
		return gateway.Config{}, err
	}
	return ParseGateway(path, b)
}

// ReadFile reads a file of settings, which is small.
func ReadFile(what, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return b, nil
}

// ParseGateway is LoadGateway for the content of a file; path is for the messages.
func ParseGateway(path string, b []byte) (gateway.Config, error) {
	var cfg gateway.Config
	err := OneDocument(path, b, "gateway", "write listen, upstreams and routes (docs/gateway.md has an example)", reflect.ValueOf(&cfg).Elem(), func(fault func(path []string, text string)) {
		for _, f := range gateway.Check(cfg) {
			fault(f.Path, f.Text)
		}
	})
	return cfg.WithDefaults(), err
}

// OneDocument reads a file of one YAML document into a struct, and, if every key and word of it is known, lets check look whether it fits together. empty is what to
// write into an empty file; "" if it may be empty.
func OneDocument(path string, b []byte, what, empty string, into reflect.Value, check func(fault func(path []string, text string))) error {
	if len(b) > maxFile {
		return fmt.Errorf("%s: %s has more than %d bytes; is it the right file?", what, path, maxFile)
	}
	d := &doc{path: path}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	n, second := yaml.Node{Content: []*yaml.Node{{Line: 1}}}, yaml.Node{}
	switch err := dec.Decode(&n); {
	case errors.Is(err, io.EOF) || err == nil && (len(n.Content) == 0 || n.Content[0].Tag == "!!null"):
		if empty != "" {
			d.fault(&yaml.Node{Line: 1}, "", "the file is empty; %s", empty)
		}
	case err != nil:
		d.syntax(err)
	default:
		d.structure(n.Content[0], "the file", into)
		if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
			d.fault(&yaml.Node{Line: max(1, second.Line)}, "", "a second YAML document begins here; a %s has one, take out the --- and what follows", what)
		}
	}
	if len(d.faults) == 0 {
		check(func(path []string, text string) {
			at, key := locate(n.Content[0], path)
			d.fault(at, key, "%s", text)
		})
	}
	return errors.Join(d.faults...)
}

// locate returns the node that a path leads to, or the last one on the way that is written down, and the name to call it by.
func locate(n *yaml.Node, path []string) (*yaml.Node, string) {
	name := ""
	at := n
	for _, p := range path {
		next, key := step(n, p)
		if _, err := strconv.Atoi(p); err != nil {
			name = p
		}
		if next == nil {
			continue // a key that is not there: what is around it is as near as it gets
		}
		n, at = next, key
	}
	return at, name
}

func step(n *yaml.Node, p string) (value, at *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == p {
				return n.Content[i+1], n.Content[i]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(p); err == nil && i < len(n.Content) {
			return n.Content[i], n.Content[i]
		}
	}
	return nil, nil
}
