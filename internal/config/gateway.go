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
	f, err := os.Open(path)
	if err != nil {
		return gateway.Config{}, fmt.Errorf("gateway: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return gateway.Config{}, fmt.Errorf("gateway: %w", err)
	}
	return ParseGateway(path, b)
}

// ParseGateway is LoadGateway for the content of a file; path is for the messages.
func ParseGateway(path string, b []byte) (gateway.Config, error) {
	var cfg gateway.Config
	if len(b) > maxFile {
		return cfg, fmt.Errorf("gateway: %s has more than %d bytes; is it the right file?", path, maxFile)
	}
	d := &doc{path: path}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var n, second yaml.Node
	switch err := dec.Decode(&n); {
	case errors.Is(err, io.EOF) || err == nil && (len(n.Content) == 0 || n.Content[0].Tag == "!!null"):
		d.fault(&yaml.Node{Line: 1}, "", "the file is empty; write listen, upstreams and routes (docs/gateway.md has an example)")
	case err != nil:
		d.syntax(err)
	default:
		d.structure(n.Content[0], "the file", reflect.ValueOf(&cfg).Elem())
		if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
			d.fault(&yaml.Node{Line: max(1, second.Line)}, "", "a second YAML document begins here; a gateway has one, take out the --- and what follows")
		}
	}
	if len(d.faults) == 0 {
		for _, f := range gateway.Check(cfg) {
			at, key := locate(n.Content[0], f.Path)
			d.fault(at, key, "%s", f.Text)
		}
	}
	return cfg.WithDefaults(), errors.Join(d.faults...)
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
