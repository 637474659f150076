package postmortem_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/postmortem"
)

// investigated is the recorded Black Friday, investigated once for all tests.
var investigated = sync.OnceValues(func() (*inquest.Diagnosis, error) {
	out, err := flow.Investigate(context.Background(), "../../examples/black-friday", flow.Options{})
	if err != nil {
		return nil, err
	}
	return out.Diagnosis, nil
})

// record is the record of that incident as a desk has it: acknowledged late, a restart that did not help, an index that did.
func record(t testing.TB) postmortem.Record {
	t.Helper()
	d, err := investigated()
	if err != nil {
		t.Fatal(err)
	}
	at := func(min int) time.Time { return d.Onset.Truncate(time.Second).Add(time.Duration(min) * time.Minute) }
	step := func(min int, phase, outcome, text, note string) inquest.IncidentEntry {
		return inquest.IncidentEntry{Time: at(min), Kind: inquest.EntryStep, By: "ada", Text: phase + ", " + outcome + ": " + text, Data: map[string]any{"step": text, "phase": phase, "outcome": outcome, "text": text, "note": note}}
	}
	i := &inquest.Incident{
		ID: "INC-20261121-7KQ2", Title: "checkout answers 5xx to 16% of requests", State: inquest.IncidentResolved, Severity: inquest.SEV1, Services: []string{"checkout", "storefront"},
		Alerts: []inquest.Alert{{Rule: "HonestErrorRatioCritical", Source: "rules", State: inquest.AlertResolved}}, Onset: d.Onset, Detected: at(1), Opened: at(1), Acknowledged: at(31), Identified: at(2),
		Mitigated: at(45), Resolved: at(50), Owner: "ada", Revision: 2, Failed: 1204, Requests: 9000, Reports: 3, Cost: 99000, Currency: "EUR", Factors: []inquest.Factor{inquest.FactorTraffic},
		Verdict: inquest.VerdictSummary{Level: d.Verdict.Level, Mechanism: d.Verdict.Mechanism, Culprit: d.Verdict.Culprit},
	}
	return postmortem.Record{Incident: i, Diagnosis: d, CostBasis: "11 min × 9000 EUR a minute", Author: "ada", At: at(120), Entries: []inquest.IncidentEntry{
		{Time: at(1), Kind: inquest.EntryAlert, By: "rules", Text: "HonestErrorRatioCritical fires"},
		{Time: at(1), Kind: inquest.EntryNotice, By: "inquest", Text: "told oncall", Data: map[string]any{"state": "sent"}},
		{Time: at(2), Kind: inquest.EntryDiagnosis, By: "inquest", Text: "revision 1: dependency-failure/timeout", Data: map[string]any{"mechanism": "dependency-failure/timeout"}},
		{Time: at(9), Kind: inquest.EntryDiagnosis, By: "inquest", Text: "revision 2: the plan reads all of orders", Data: map[string]any{"mechanism": string(d.Verdict.Mechanism)}},
		{Time: at(31), Kind: inquest.EntryState, By: "ada", Text: "acknowledged, was open"},
		step(38, "Mitigate", "no-effect", "A restart frees leaked connections for a while.", "same after a minute"),
		step(44, "Mitigate", "helped", "Create the index that the query lacks.", ""),
		step(46, "Verify", "helped", "Wait for one full window of the alert: an early dip is not enough.", ""),
		{Time: at(50), Kind: inquest.EntryState, By: "ada", Text: "resolved, was mitigated"},
	}}
}
