package runbook

import (
	"cmp"
	"fmt"
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

// changes lists those of the service that is to be looked at: the trigger's, else the culprit's, else the only one that fails. Where it may be any of several, it lists all.
func changes(s *Situation) string {
	const all = "inquest changes"
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
	if service == "" && s.Incident.ID != "" {
		return all
	}
	return mechanism.Fill(all+" --service {service}", map[string]string{"service": service})
}

// generic are the steps while the cause is open: the order of the five-minute triage, cheapest first.
func generic(b *inquest.Runbook, i *inquest.Incident) {
	b.Title = "Runbook: 5xx, cause open"
	values := map[string]string{}
	if len(i.Services) > 0 {
		values["service"] = i.Services[0]
	}
	read := func(text, command, expect string) inquest.Step {
		return inquest.Step{Phase: inquest.StepCause, Text: text, Command: mechanism.Fill(command, values), Expect: expect}
	}
	b.Steps = []inquest.Step{
		read("Read the errors from the first failing answer on: the first new one is often the cause, later ones follow from it.",
			`kubectl logs deployment/{service} --since=30m | grep -E 'ERROR|FATAL|Exception|panic' | head -50`, "a kind of line that was not there before"),
		read("Look at the pool and the database before you trust a stack trace.",
			`psql -d {database} -c "SELECT state, count(*), max(now() - state_change) AS longest FROM pg_stat_activity GROUP BY state"`, "fewer connections than the maximum, and none that lasts for minutes"),
		read("Look at memory and disk where it runs.", `kubectl exec deployment/{service} -- sh -c 'free -h; df -h'`, "available memory above 20%, no disk above 85%"),
		read("Were instances ended or restarted?", `kubectl get pods -l app={service}`, "no restart within the hour, every instance ready"),
		{Phase: inquest.StepMitigate, Changes: true, Cures: "cause", Text: "If something was changed right before: take it back first, investigate second.",
			Command: mechanism.Fill("kubectl rollout undo deployment/{service}", values)},
		{Phase: inquest.StepMitigate, Changes: true, Cures: "symptom", Text: "If nothing was changed and one instance fails alone: take it out of rotation and keep it for the analysis.",
			Command: mechanism.Fill("kubectl label pod <pod> app={service}-quarantine --overwrite", values)},
	}
}

// verify is how every runbook ends its mitigation: a dip in the errors is not enough (REQUIREMENTS 32, 33).
func verify(s *Situation) []inquest.Step {
	id := cmp.Or(s.Incident.ID, "<incident>")
	return []inquest.Step{
		{Phase: inquest.StepVerify, Text: "Send test requests to what failed; look at status, body and time of the answers.",
			Command: `for i in $(seq 20); do curl -sS -o /dev/null -w '%{http_code} %{time_total}\n' --max-time 5 ` + probe(s) + `; done | sort | uniq -c`,
			Expect:  "2xx only, in the usual time; a 200 that carries an error in its body counts as a failure"},
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

// prevent makes sure that the phase is never empty.
func prevent(b *inquest.Runbook) []inquest.Step {
	for _, s := range b.Steps {
		if s.Phase == inquest.StepPrevent {
			return nil
		}
	}
	return []inquest.Step{{Phase: inquest.StepPrevent, Text: "Write down what was missing to find the cause sooner, as an action item."}}
}
