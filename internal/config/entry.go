package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// entry is one mechanism as it was read, and where it stands.
type entry struct {
	mechanism.Mechanism
	replace bool
	doc     *doc
	node    *yaml.Node
	refs    []reference
}

// reference is the ID of another mechanism, under explains or above.
type reference struct {
	key  string
	node *yaml.Node
}

var (
	reID   = regexp.MustCompile(`^[a-z]+(-[a-z]+)*/[a-z0-9]+(-[a-z0-9]+)*$`)
	reHole = regexp.MustCompile(`\{([a-z]+)\}`)
)

// entry reads one mechanism. What is missing or wrong is noted in the doc.
func (d *doc) entry(n *yaml.Node) *entry {
	e := &entry{doc: d, node: n}
	m := &e.Mechanism
	d.mapping(n, "a mechanism", []field{
		{"id", "class/name, for example dependency-failure/licence-server", func(n *yaml.Node) { d.id(n, &m.ID) }},
		{"title", "a short noun phrase", d.prose("title", &m.Title)},
		{"what", "what happens, for somebody who sees it for the first time", d.prose("what", &m.What)},
		{"signs", "a list of what one sees", d.proses("signs", &m.Signs)},
		{"needs", "a list of the evidence it takes to claim it", d.proses("needs", &m.Needs)},
		{"contradicts", "a list of what would speak against it", d.proses("contradicts", &m.Contradicts)},
		{"explains", "", e.references("explains", &m.Explains)},
		{"above", "", e.references("above", &m.Above)},
		{"triggers", "a list of what can set it off, the most usual first: " + strings.Join(plain(triggers), ", "), words(d, "triggers", triggers, &m.Triggers)},
		{"about", "", d.proses("about", &m.About)},
		{"gradual", "", d.truth("gradual", &m.Gradual)},
		{"silent", "", d.truth("silent", &m.Silent)},
		{"shared", "", d.truth("shared", &m.Shared)},
		{"roles", "a list of whom one may have to act on: " + strings.Join(roles, ", "), func(n *yaml.Node) {
			m.Roles = append(m.Roles, numbered[mechanism.Role](d, n, "roles", roles)...)
		}},
		{"clues", "", func(n *yaml.Node) {
			d.each(n, "clues", "any: ...", func(n *yaml.Node) { m.Clues = append(m.Clues, d.clue(n)) })
		}},
		{"supports", "", func(n *yaml.Node) {
			d.each(n, "supports", "symptom: ...", func(n *yaml.Node) { m.Supports = append(m.Supports, d.support(n)) })
		}},
		{"confirm", "a list of read-only commands with text, command and expect", func(n *yaml.Node) {
			d.each(n, "confirm", "text: ...", func(n *yaml.Node) { m.Confirm = append(m.Confirm, d.check(n)) })
		}},
		{"actions", "a list of what to do, each with text, phase and cures; at least one for now and one to prevent", func(n *yaml.Node) {
			d.each(n, "actions", "text: ...", func(n *yaml.Node) { m.Actions = append(m.Actions, d.action(n)) })
		}},
		{"owner", "whose fault it is: " + strings.Join(owners, ", "), word(d, "owner", owners, &m.Owner)},
		{"status", "the status that a well-behaved service answers meanwhile: 429, or 500 to 504", func(n *yaml.Node) { d.status(n, &m.Status) }},
		{"replace", "", d.truth("replace", &e.replace)},
	})
	return e
}

func (d *doc) id(n *yaml.Node, to *inquest.MechanismID) {
	s, ok := d.text(n, "id")
	if !ok {
		return
	}
	class, _, _ := strings.Cut(s, "/")
	switch {
	case !reID.MatchString(s):
		d.fault(n, "id", "%q is no id; write class/name in small letters, digits and dashes, for example dependency-failure/licence-server", show(s))
	case !slices.Contains(classes, inquest.Class(class)):
		d.fault(n, "id", "there is no class %q%s", show(class), proposal(class, plain(classes)))
	default:
		*to = inquest.MechanismID(s)
	}
}

// references reads IDs of other mechanisms; whether they exist is known only when all files are read.
func (e *entry) references(key string, to *[]inquest.MechanismID) func(*yaml.Node) {
	return func(n *yaml.Node) {
		e.doc.each(n, key, "class/name", func(n *yaml.Node) {
			if s, ok := e.doc.text(n, key); ok {
				*to = append(*to, inquest.MechanismID(s))
				e.refs = append(e.refs, reference{key, n})
			}
		})
	}
}

func (d *doc) clue(n *yaml.Node) mechanism.Clue {
	var c mechanism.Clue
	ok := d.mapping(n, "a clue", []field{
		{"any", "", d.phrases("any", &c.Any)},
		{"all", "", d.phrases("all", &c.All)},
		{"not", "", d.phrases("not", &c.Not)},
		{"exception", "", d.phrases("exception", &c.Exception)},
		{"code", "", d.phrases("code", &c.Code)},
		{"from", "", func(n *yaml.Node) { c.From = numbered[mechanism.Origin](d, n, "from", origins) }},
		{"weight", "how much it says: 1 literally, 0.7 its usual meaning, 0.4 one of several", d.weight(&c.Weight)},
		{"why", "the reason, for whoever doubts the rule", d.prose("why", &c.Why)},
	})
	if ok && keysOf(n, "any", "all", "exception", "code") == 0 {
		d.fault(n, "clues", "the clue asks for nothing; give it at least one of any, all, exception and code")
	}
	return c
}

// keysOf counts which of the keys a mapping has.
func keysOf(n *yaml.Node, keys ...string) int {
	count := 0
	for i := 0; i < len(n.Content); i += 2 {
		if slices.Contains(keys, n.Content[i].Value) {
			count++
		}
	}
	return count
}

func (d *doc) support(n *yaml.Node) mechanism.Support {
	var s mechanism.Support
	var at *yaml.Node // of the detail
	ok := d.mapping(n, "a support", []field{
		{"symptom", "what is measured: " + strings.Join(plain(symptoms), ", "), word(d, "symptom", symptoms, &s.Symptom)},
		{"resource", "", word(d, "resource", resources, &s.Resource)},
		{"detail", "", func(n *yaml.Node) { at = n; d.prose("detail", &s.Detail)(n) }},
		{"weight", "how much it says: 1 literally, 0.7 its usual meaning, 0.4 one of several", d.weight(&s.Weight)},
		{"why", "the reason, for whoever doubts the rule", d.prose("why", &s.Why)},
	})
	saturation := s.Symptom == inquest.SymptomSaturation
	switch known := details[s.Symptom]; {
	case !ok || s.Symptom == "":
	case saturation && keysOf(n, "resource") == 0:
		d.fault(n, "resource", "missing for a saturation; write one of %s", strings.Join(plain(resources), ", "))
	case !saturation && s.Resource != "":
		d.fault(n, "resource", "only a saturation has one; take it out, or write symptom: saturation")
	case s.Detail != "" && len(known) > 0 && !slices.Contains(known, s.Detail):
		d.fault(at, "detail", "%q is no detail of %s%s", show(s.Detail), s.Symptom, proposal(s.Detail, known))
	}
	return s
}

func (d *doc) check(n *yaml.Node) inquest.Command {
	var c inquest.Command
	d.mapping(n, "a confirm", []field{
		{"text", "the question that the command answers", d.prose("text", &c.Text)},
		{"command", "a command that only reads", d.command(&c.Command)},
		{"expect", "what it prints if the mechanism is at work", d.prose("expect", &c.Expect)},
	})
	return c
}

func (d *doc) action(n *yaml.Node) inquest.Action {
	var a inquest.Action
	d.mapping(n, "an action", []field{
		{"text", "what to do", d.prose("text", &a.Text)},
		{"phase", "when: now, later or prevent", word(d, "phase", phases, &a.Phase)},
		{"cures", "cause, or symptom if it only eases", word(d, "cures", cures, &a.Cures)},
		{"command", "", d.command(&a.Command)},
	})
	return a
}

// command reads a command line. A name in braces that is nearly a placeholder would stay unfilled, and nobody would see why.
func (d *doc) command(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := d.text(n, "command")
		if !ok {
			return
		}
		s = strings.TrimSpace(s)
		if strings.Contains(s, "\n") {
			d.fault(n, "command", "it has several lines; join them with && or ; so that it can be copied in one go")
			return
		}
		known := mechanism.Placeholders()
		for _, m := range reHole.FindAllStringSubmatch(s, -1) {
			if _, ok := known[m[1]]; ok {
				continue
			}
			for k := range known {
				if distance(m[1], k) == 1 {
					d.fault(n, "command", "nothing is filled in for {%s}; did you mean {%s}?", m[1], k)
				}
			}
		}
		*to = s
	}
}

func (d *doc) status(n *yaml.Node, to *int) {
	code, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || code != 429 && (code < 500 || code > 504) {
		d.fault(n, "status", "%s is not the answer of a well-behaved service that fails; write 429, or 500 to 504", kindOf(n))
		return
	}
	*to = code
}
