// Package diagnose turns a Case into a Diagnosis: mechanisms claim, deeper and earlier ones explain others away, changes
// are ranked by fit, and a verdict is as firm as the coverage allows. Pure: no I/O, no clock. Every weight has its reason
// beside it.
package diagnose

import (
	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
)

// Diagnoser holds the catalogue, compiled. Safe for concurrent use.
type Diagnoser struct {
	list    []mechanism.Mechanism
	byID    map[inquest.MechanismID]*mechanism.Mechanism
	order   map[inquest.MechanismID]int
	matcher *mechanism.Matcher
}

// New compiles a catalogue; mechanism.All() is the one that ships.
func New(list []mechanism.Mechanism) *Diagnoser {
	d := &Diagnoser{list: list, byID: map[inquest.MechanismID]*mechanism.Mechanism{}, order: map[inquest.MechanismID]int{}, matcher: mechanism.New(list)}
	for i := range list {
		d.byID[list[i].ID] = &list[i]
		d.order[list[i].ID] = i
	}
	return d
}

// Result is a diagnosis with the symptoms it rests on.
type Result struct {
	Diagnosis *inquest.Diagnosis
	Symptoms  []inquest.Symptom
}

// Diagnose answers the case.
func (d *Diagnoser) Diagnose(c *inquest.Case) Result {
	out := &inquest.Diagnosis{Incident: c.Incident, Onset: c.Onset, End: c.End, Window: c.Window, Baseline: c.Baseline,
		Impact: c.Impact, Suspects: c.Suspects, Coverage: c.Coverage, Chart: c.Chart}
	a := &analysis{d: d, c: c, out: out, names: symptom.NewResolver(c), env: environmentOf(c), calls: c.Edges}
	out.Notes = a.notes()
	out.Resources = symptom.Levels(c, a.names)
	if !c.Incident {
		out.Onset = c.Onset
		a.timeline(nil)
		return Result{Diagnosis: out}
	}
	a.symptoms = symptom.All(c)
	a.servers = serversOf(c.Failures, a.names)
	a.claims()
	a.structure()
	a.candidates()
	a.explain()
	a.decide()
	return Result{Diagnosis: out, Symptoms: a.symptoms}
}

// analysis is the state of one diagnosis.
type analysis struct {
	d        *Diagnoser
	c        *inquest.Case
	out      *inquest.Diagnosis
	names    *symptom.Resolver
	env      mechanism.Environment
	calls    []inquest.Edge    // who calls whom
	servers  map[string]server // to whom the failed requests went
	symptoms []inquest.Symptom
	queued   bool // an application says that its pool had no connection for it
	claimed  []claim
	cands    []*candidate
	evidence []inquest.Evidence
}
