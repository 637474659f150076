package mechanism

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
)

// Validate checks a list of mechanisms (the catalogue, or a user's own added to it): every part is there, IDs are unique,
// known where they are referred to, and the graph of Explains has no cycle. It returns all breaches, joined.
func Validate(list []Mechanism) error {
	var errs []error
	known := map[inquest.MechanismID]bool{}
	for i := range list {
		m := &list[i]
		if known[m.ID] {
			errs = append(errs, fmt.Errorf("mechanism %s: there are two; rename one", m.ID))
		}
		known[m.ID] = true
	}
	for i := range list {
		m := &list[i]
		for _, p := range slices.Concat(parts(m), clueFaults(m), actionFaults(m), references(m, known)) {
			errs = append(errs, fmt.Errorf("mechanism %s: %s", m.ID, p))
		}
	}
	if c := cycle(list); c != "" {
		errs = append(errs, fmt.Errorf("mechanisms explain each other in a circle: %s; drop the edge that is less often the deeper one", c))
	}
	return errors.Join(errs...)
}

var classes = []inquest.Class{inquest.ClassException, inquest.ClassDatabase, inquest.ClassConfig, inquest.ClassResource, inquest.ClassDeploy, inquest.ClassDependency}

var owners = []string{"code", "configuration", "dependency", "infrastructure", "client"}

func parts(m *Mechanism) []string {
	var out []string
	need := func(ok bool, what string) {
		if !ok {
			out = append(out, what)
		}
	}
	need(slices.Contains(classes, m.ID.Class()) && m.ID.Name() != "", "the ID must be class/mechanism with a known class")
	need(m.Title != "", "Title is missing")
	need(m.What != "", "What is missing")
	need(len(m.Signs) > 0, "Signs are missing")
	need(len(m.Needs) > 0, "Needs is missing")
	need(len(m.Contradicts) > 0, "Contradicts is missing")
	need(len(m.Triggers) > 0, "Triggers are missing")
	need(len(m.Roles) > 0, "Roles are missing")
	need(len(m.Clues) > 0 || len(m.Supports) > 0, "neither Clues nor Supports")
	need(!m.Silent || len(m.Supports) > 0, "Silent without Supports: nothing could ever carry the claim")
	need(len(m.Confirm) > 0, "Confirm is missing")
	need(slices.Contains(owners, m.Owner), "Owner must be one of "+strings.Join(owners, ", "))
	need(m.Status == 429 || m.Status >= 500 && m.Status <= 504, "Status must be 429 or 500 to 504")
	for _, s := range m.Supports {
		need(s.Weight > 0 && s.Weight <= 1 && s.Why != "", "a Support needs a weight in (0, 1] and its reason")
		need((s.Symptom == inquest.SymptomSaturation) == (s.Resource != ""), "a Support names a Resource exactly if it is a saturation")
	}
	for _, c := range m.Confirm {
		need(c.Text != "" && c.Command != "" && c.Expect != "", "a Confirm needs text, command and what to expect")
	}
	return out
}

func clueFaults(m *Mechanism) []string {
	var out []string
	for _, c := range m.Clues {
		if c.Weight <= 0 || c.Weight > 1 || c.Why == "" {
			out = append(out, fmt.Sprintf("a clue needs a weight in (0, 1] and its reason: %q", c.Why))
		}
		if len(c.Any)+len(c.All)+len(c.Exception)+len(c.Code) == 0 {
			out = append(out, fmt.Sprintf("the clue %q asks for nothing", c.Why))
		}
		for _, p := range slices.Concat(c.Any, c.All) {
			if !indexable(p) {
				out = append(out, fmt.Sprintf("the phrase %q needs a literal of %d characters", p, gramSize))
			}
		}
		for _, t := range c.Exception {
			if len(t) < gramSize {
				out = append(out, fmt.Sprintf("the exception name %q is too short", t))
			}
		}
	}
	return out
}

func indexable(p string) bool {
	for _, seg := range cut(p) {
		if len(seg) >= gramSize {
			return true
		}
	}
	return false
}

func actionFaults(m *Mechanism) []string {
	var out []string
	seen := map[inquest.Phase]bool{}
	last := 0
	order := map[inquest.Phase]int{inquest.PhaseNow: 0, inquest.PhaseLater: 1, inquest.PhasePrevent: 2}
	for _, a := range m.Actions {
		n, ok := order[a.Phase]
		if !ok || a.Text == "" || a.Cures != "cause" && a.Cures != "symptom" {
			out = append(out, fmt.Sprintf("the action %q needs a text, a phase and what it cures", a.Text))
		}
		if n < last {
			out = append(out, fmt.Sprintf("the action %q comes too late: now before later before prevent", a.Text))
		}
		last = n
		seen[a.Phase] = true
	}
	if !seen[inquest.PhaseNow] || !seen[inquest.PhasePrevent] {
		out = append(out, "Actions need something to do now and something to prevent it")
	}
	return out
}

func references(m *Mechanism, known map[inquest.MechanismID]bool) []string {
	var out []string
	for _, id := range slices.Concat(m.Explains, m.Above) {
		if !known[id] {
			out = append(out, fmt.Sprintf("it explains %s, which does not exist", id))
		}
	}
	for i, id := range m.Explains {
		if slices.Contains(m.Explains[:i], id) || id == m.ID {
			out = append(out, fmt.Sprintf("it explains %s twice, or itself", id))
		}
	}
	return out
}

// cycle returns a circle of Explains as "a > b > a", or "".
func cycle(list []Mechanism) string {
	next := map[inquest.MechanismID][]inquest.MechanismID{}
	for i := range list {
		next[list[i].ID] = list[i].Explains
	}
	done := map[inquest.MechanismID]bool{}
	var path []inquest.MechanismID
	var walk func(inquest.MechanismID) string
	walk = func(id inquest.MechanismID) string {
		if i := slices.Index(path, id); i >= 0 {
			var names []string
			for _, p := range append(path[i:], id) {
				names = append(names, string(p))
			}
			return strings.Join(names, " > ")
		}
		if done[id] {
			return ""
		}
		path = append(path, id)
		for _, n := range next[id] {
			if c := walk(n); c != "" {
				return c
			}
		}
		path = path[:len(path)-1]
		done[id] = true
		return ""
	}
	for i := range list {
		if c := walk(list[i].ID); c != "" {
			return c
		}
	}
	return ""
}
