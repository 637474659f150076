package runbook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// symptoms come first: what fails, for whom, and what was changed. They only read.
func symptoms(s *Situation) []inquest.Step {
	id := cmp.Or(s.Incident.ID, "<incident>")
	changed := "a change right before the first failing answer: then Mitigate begins with taking it back"
	if d := s.Diagnosis; d != nil && d.Verdict != nil && d.Verdict.Trigger != nil {
		t := d.Verdict.Trigger
		what := string(t.Kind)
		if t.Service != "" { // traffic is nobody's
			what = strings.TrimSpace(what + " of " + t.Service + " " + t.Version)
		}
		changed = fmt.Sprintf("the trigger that the diagnosis names: %s at %s", what, mechanism.Clock(t.Time, d.Onset, s.At)+" UTC")
	}
	return []inquest.Step{
		{Phase: inquest.StepSymptoms, Text: "Read the blast radius: which routes and services fail, what share of the requests, for whom.",
			Command: "inquest incidents show " + id, Expect: "the routes that users complain about, and a verdict that fits what you see"},
		{Phase: inquest.StepSymptoms, Text: "Look at what was changed before the first failing answer.", Command: changes(s), Expect: changed},
	}
}

// serviceOf is the service that is to be looked at: the trigger's, else the culprit's, else the only one that fails; "" where it may be any of several.
func serviceOf(s *Situation) string {
	service := ""
	if d := s.Diagnosis; d != nil && d.Verdict != nil {
		v := d.Verdict
		if v.Trigger != nil {
			service = v.Trigger.Service
		}
		if service == "" && !strings.ContainsAny(v.Culprit, ".: ") { // an address is no service
			service = v.Culprit
		}
	}
	if service == "" && len(s.Incident.Services) == 1 {
		service = s.Incident.Services[0]
	}
	return service
}

// changes lists those of that service. Where it may be any of several, it lists all.
func changes(s *Situation) string {
	const all = "inquest changes"
	service := serviceOf(s)
	if service == "" && s.Incident.ID != "" {
		return all
	}
	return mechanism.Fill(all+" --service {service}", map[string]string{"service": service})
}

// verify is how every runbook ends its mitigation: a dip in the errors is not enough (REQUIREMENTS 32, 33).
func verify(s *Situation) []inquest.Step {
	id := cmp.Or(s.Incident.ID, "<incident>")
	return []inquest.Step{
		{Phase: inquest.StepVerify, Text: "Send test requests to what failed; look at status, body and time of the answers.",
			Command: "inquest probe " + probe(s) + " --within 1s", Expect: "every answer passed: 2xx only, in the usual time, and no 200 that carries an error in its body; it ends with 3 when one did not"},
		{Phase: inquest.StepVerify, Text: "Wait for one full window of the alert: an early dip is not enough.",
			Command: "inquest incidents show " + id, Expect: "no alert fires any more, and none has for five minutes"},
	}
}

// probe is an address to send harmless requests to: the failing GET with the most failures that has no value in its path.
func probe(s *Situation) string {
	best, failed := "<path>", 0
	if s.Diagnosis != nil {
		for _, r := range s.Diagnosis.Impact.Routes {
			path, ok := strings.CutPrefix(r.Route, "GET ")
			if ok && r.Failed > failed && !strings.ContainsAny(path, "{}*") {
				best, failed = mechanism.Fill("{path}", map[string]string{"path": path}), r.Failed
			}
		}
	}
	return "https://<address>" + best
}

// prevent makes sure that the phase is never empty, and ends it with a look at what the fix may have moved elsewhere (REQUIREMENTS 37).
func prevent(b *inquest.Runbook, s *Situation) []inquest.Step {
	var out []inquest.Step
	if !slices.ContainsFunc(b.Steps, func(x inquest.Step) bool { return x.Phase == inquest.StepPrevent }) {
		out = []inquest.Step{{Phase: inquest.StepPrevent, Text: "Write down what was missing to find the cause sooner, as an action item."}}
	}
	return append(out, inquest.Step{Phase: inquest.StepPrevent, Text: "Watch CPU, memory and network, now against before: what ended this must not be the next bottleneck.",
		Command: mechanism.Fill(compare(s), map[string]string{"service": serviceOf(s)}), Expect: "three figures of about 1, an hour from now too; memory that climbs on its own is a leak"})
}
