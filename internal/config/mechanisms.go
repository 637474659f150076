package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// MechanismsVariable is the environment variable that names files and folders of mechanisms, parted like PATH.
const MechanismsVariable = "INQUEST_MECHANISMS"

// maxFile bounds a file, in bytes. The whole shipped catalogue has less than half of it.
const maxFile = 1 << 20

// MechanismPaths returns where the user's own mechanisms are: the paths of the command line, or, if it has none, those of
// the environment.
func MechanismPaths(flags []string) []string {
	if len(flags) > 0 {
		return flags
	}
	var out []string
	for _, p := range filepath.SplitList(os.Getenv(MechanismsVariable)) {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

// LoadMechanisms reads files, or folders of *.yaml and *.yml (not what is nested in them), with mechanisms of the user's own, in
// the order given and by name within a folder. A mechanism with the ID of a shipped one must say "replace: true". They are
// checked together with the shipped catalogue (mechanism.With); the error joins everything found wrong, one line each.
func LoadMechanisms(paths ...string) ([]mechanism.Mechanism, error) {
	files, err := list(paths)
	if err != nil {
		return nil, err
	}
	var all []*entry
	var faults []error
	for _, path := range files {
		b, err := slurp(path)
		if err != nil {
			return nil, err
		}
		d := &doc{path: path}
		all = append(all, d.read(b)...)
		faults = append(faults, d.faults...)
	}
	faults = append(faults, between(all)...)
	var own []mechanism.Mechanism
	for _, e := range all {
		own = append(own, e.Mechanism)
	}
	if len(faults) == 0 {
		faults = validate(all, own)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return own, nil
}

// list returns the files behind the paths, each once.
func list(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		st, err := os.Stat(p)
		if err != nil {
			return nil, fmt.Errorf("mechanisms: %w; name a YAML file or a folder of them", err)
		}
		found := []string{p}
		if st.IsDir() {
			if found, err = inFolder(p); err != nil {
				return nil, err
			}
		}
		for _, f := range found {
			if f = filepath.Clean(f); !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

func inFolder(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir) // in the order of names
	if err != nil {
		return nil, fmt.Errorf("mechanisms: %w", err)
	}
	var out []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if ext := filepath.Ext(path); ext != ".yaml" && ext != ".yml" {
			continue
		}
		if st, err := os.Stat(path); err != nil || !st.IsDir() { // a dangling link is complained of when it is opened
			out = append(out, path)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("mechanisms: %s holds no *.yaml; put the files directly into it, or name one", dir)
	}
	return out, nil
}

func slurp(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("mechanisms: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("mechanisms: %w", err)
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("mechanisms: %s has more than %d bytes; is it the right file? if it is, split it", path, maxFile)
	}
	return b, nil
}

var reYAML = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// read returns the mechanisms of a file; it may hold several YAML documents.
func (d *doc) read(b []byte) []*entry {
	var out []*entry
	empty := true
	for dec := yaml.NewDecoder(bytes.NewReader(b)); ; {
		var n yaml.Node
		err := dec.Decode(&n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			d.syntax(err)
			return out
		}
		if len(n.Content) == 0 || n.Content[0].Tag == "!!null" { // "---" with nothing below it
			continue
		}
		empty = false
		d.mapping(n.Content[0], "the file", []field{{"mechanisms", "the mechanisms below it, each beginning with \"- id: ...\"", func(n *yaml.Node) {
			d.each(n, "mechanisms", "id: class/name", func(n *yaml.Node) { out = append(out, d.entry(n)) })
		}}})
	}
	if empty {
		d.fault(&yaml.Node{Line: 1}, "mechanisms", "the file is empty; write \"mechanisms:\" and below it \"- id: ...\"")
	}
	return out
}

// syntax notes what the YAML reader could not make sense of.
func (d *doc) syntax(err error) {
	at := &yaml.Node{Line: 1}
	text := err.Error()
	if m := reYAML.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			at.Line = n
		}
		text = m[2]
	}
	d.fault(at, "", "not YAML: %s; look at this line and the one above it: indent with blanks, and quote texts that hold a colon, a # or a leading * or [", show(text))
}

// between checks the entries against each other and against what ships.
func between(all []*entry) []error {
	known := map[inquest.MechanismID]*entry{}
	var ids []string
	for _, m := range mechanism.All() {
		known[m.ID] = nil
		ids = append(ids, string(m.ID))
	}
	shipped := slices.Clone(ids)
	var docs []*doc
	for _, e := range all {
		if !slices.Contains(docs, e.doc) {
			docs = append(docs, e.doc)
			e.doc.faults = nil // they have been taken
		}
		first, there := known[e.ID]
		switch {
		case e.ID == "":
			continue // complained of where it was read
		case first != nil:
			e.doc.fault(e.node, "id", "%s is already in %s:%d; rename one of the two", e.ID, first.doc.path, first.node.Line)
		case there && !e.replace:
			e.doc.fault(e.node, "id", "%s is shipped with Inquest; rename yours, or write \"replace: true\" to put it in the place of the shipped one", e.ID)
		case !there && e.replace:
			e.doc.fault(e.node, "replace", "there is no shipped %s to replace%s; or take the key out", e.ID, proposal(string(e.ID), shipped))
		}
		known[e.ID] = e
		ids = append(ids, string(e.ID))
	}
	for _, e := range all {
		for _, r := range e.refs {
			if _, ok := known[inquest.MechanismID(r.node.Value)]; !ok {
				e.doc.fault(r.node, r.key, "there is no mechanism %q%s", show(r.node.Value), proposal(r.node.Value, ids))
			}
		}
	}
	var out []error
	for _, d := range docs {
		out = append(out, d.faults...)
	}
	return out
}
