package inquest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Severity of an incident, from 1 (users cannot do what the service is for) to 4 (nobody has noticed yet).
type Severity int8

// The severities.
const (
	SEV1 Severity = 1 + iota
	SEV2
	SEV3
	SEV4
)

func (s Severity) String() string { return fmt.Sprintf("SEV-%d", int8(s)) }

// IncidentState is where an incident stands.
type IncidentState string

// The states of an incident, in the order in which it goes through them. It may skip some; only Resolved may go back to Open.
const (
	IncidentOpen         IncidentState = "open"
	IncidentAcknowledged IncidentState = "acknowledged" // a person has it
	IncidentMitigated    IncidentState = "mitigated"    // users are served again, the cause is still there
	IncidentResolved     IncidentState = "resolved"
	IncidentReviewed     IncidentState = "reviewed" // its postmortem was accepted, or waived
)

// IncidentStates lists the states in their order.
var IncidentStates = []IncidentState{IncidentOpen, IncidentAcknowledged, IncidentMitigated, IncidentResolved, IncidentReviewed}

// Active reports whether somebody may still have to act.
func (s IncidentState) Active() bool {
	return s == IncidentOpen || s == IncidentAcknowledged || s == IncidentMitigated
}

// Factor is a kind of contributing factor (REQUIREMENTS A1).
type Factor string

// The six factors.
const (
	FactorBug      Factor = "bug"
	FactorTraffic  Factor = "traffic-spike"
	FactorSecurity Factor = "security"
	FactorHardware Factor = "hardware"
	FactorDisaster Factor = "natural-disaster"
	FactorHuman    Factor = "human-error"
)

// Factors lists the factors that may be given.
var Factors = []Factor{FactorBug, FactorTraffic, FactorSecurity, FactorHardware, FactorDisaster, FactorHuman}

// Incident is one outage: what is known of it now. Every change of it is an entry of its timeline too; nothing is lost by replacing it.
type Incident struct {
	ID       string        `json:"id"` // "INC-20261129-7KQ2": the day it was opened, UTC, and four characters without look-alikes
	Title    string        `json:"title"`
	State    IncidentState `json:"state"`
	Severity Severity      `json:"severity"`
	Services []string      `json:"services"` // whose requests fail, sorted
	Alerts   []Alert       `json:"alerts"`   // that belong to it, oldest first

	// When. Zero times have not come yet.
	Onset        time.Time `json:"onset,omitzero"`    // first failing answer, by the newest diagnosis
	Detected     time.Time `json:"detected,omitzero"` // first alert fired, or a person said so
	Opened       time.Time `json:"opened"`
	Notified     time.Time `json:"notified,omitzero"` // the first message was delivered
	Acknowledged time.Time `json:"acknowledged,omitzero"`
	Identified   time.Time `json:"identified,omitzero"` // a diagnosis that is not open, or a person named the cause
	Mitigated    time.Time `json:"mitigated,omitzero"`
	Resolved     time.Time `json:"resolved,omitzero"`
	Reviewed     time.Time `json:"reviewed,omitzero"`

	Owner    string         `json:"owner,omitempty"` // who has it: who acknowledged it last, since it was opened or reopened
	Revision int            `json:"revision"`        // number of the newest diagnosis, 0 before the first
	Verdict  VerdictSummary `json:"verdict,omitzero"`
	Failed   int            `json:"failed"`   // requests, by the newest diagnosis
	Requests int            `json:"requests"` // likewise
	Reports  int            `json:"reports"`  // users who told that they are hit
	Cost     float64        `json:"cost,omitempty"`
	Currency string         `json:"currency,omitempty"`
	Factors  []Factor       `json:"factors,omitempty"`
	Repeats  string         `json:"repeats,omitempty"` // id of the earlier incident of the same cause
	Merged   string         `json:"merged,omitempty"`  // id of the incident that this one turned out to be a part of
	Waiver   string         `json:"waiver,omitempty"`  // why there will be no postmortem, and who said so
	Version  int64          `json:"version"`           // of the record; a change must name the version that it changes
}

// VerdictSummary is what a list of incidents shows of a verdict.
type VerdictSummary struct {
	Level      VerdictLevel `json:"level"`
	Mechanism  MechanismID  `json:"mechanism,omitempty"`
	Culprit    string       `json:"culprit,omitempty"`
	Confidence float64      `json:"confidence,omitempty"`
	Summary    string       `json:"summary,omitempty"`
	Action     string       `json:"action,omitempty"` // the first thing to do
}

// between returns the time from a to b, and false while either has not come.
func between(a, b time.Time) (time.Duration, bool) {
	if a.IsZero() || b.IsZero() {
		return 0, false
	}
	return max(0, b.Sub(a)), true
}

// The times that are asked for after an incident; false while they are not known.

// TimeToDetect is the time from the first failing answer to the first alert (MTTD is its mean).
func (i *Incident) TimeToDetect() (time.Duration, bool) { return between(i.Onset, i.Detected) }

// TimeToAcknowledge is the time from the first alert until a person had it.
func (i *Incident) TimeToAcknowledge() (time.Duration, bool) {
	return between(i.Detected, i.Acknowledged)
}

// TimeToMitigate is the time from the first failing answer until users were served again.
func (i *Incident) TimeToMitigate() (time.Duration, bool) {
	if i.Mitigated.IsZero() {
		return between(i.Onset, i.Resolved)
	}
	return between(i.Onset, i.Mitigated)
}

// TimeToVerify is the time from the first failing answer until the checks of its runbook have shown that users are served. A nil runbook has shown nothing.
func (i *Incident) TimeToVerify(b *Runbook) (time.Duration, bool) {
	if b == nil {
		return 0, false
	}
	return between(i.Onset, b.Verified)
}

// TimeToResolve is the time from the first failing answer until the cause was gone.
func (i *Incident) TimeToResolve() (time.Duration, bool) { return between(i.Onset, i.Resolved) }

// EntryKind says what an entry of an incident's timeline is about.
type EntryKind string

// The kinds of entries.
const (
	EntryAlert     EntryKind = "alert"     // an alert fired or resolved
	EntryState     EntryKind = "state"     // the incident's state or severity changed
	EntryDiagnosis EntryKind = "diagnosis" // an investigation came to a new revision
	EntryChange    EntryKind = "change"    // a deploy, a setting, a migration
	EntryNote      EntryKind = "note"      // a person wrote it
	EntryNotice    EntryKind = "notice"    // a message was sent, delivered, or could not be
	EntryStep      EntryKind = "step"      // a step of the runbook was done
	EntryReport    EntryKind = "report"    // a user told that something is wrong
	EntryEvidence  EntryKind = "evidence"  // of the newest diagnosis' timeline
)

// IncidentEntry is one thing that happened in an incident. Entries are added, never changed.
type IncidentEntry struct {
	ID       string         `json:"id"`
	Incident string         `json:"incident"`
	Time     time.Time      `json:"time"` // when it happened, which may be before it was written down
	Kind     EntryKind      `json:"kind"`
	By       string         `json:"by"` // person, "inquest", or the source
	Text     string         `json:"text"`
	Data     map[string]any `json:"data,omitempty"` // by kind; docs/format/incident.md
}

// LabelText writes labels as PromQL does, sorted: {a="1", b="2"}; "" for none.
func LabelText(labels map[string]string) string {
	if len(labels) == 0 {
		return ""
	}
	names := make([]string, 0, len(labels))
	for n := range labels {
		names = append(names, n)
	}
	slices.Sort(names)
	var b strings.Builder
	for i, n := range names {
		b.WriteString([]string{"{", ", "}[min(i, 1)])
		fmt.Fprintf(&b, "%s=%q", n, labels[n])
	}
	b.WriteByte('}')
	return b.String()
}
