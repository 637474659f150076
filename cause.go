package inquest

import "strings"

// Class is the first level of the catalogue of causes, e.g. "database".
type Class string

// The classes, see docs/mechanisms.
const (
	ClassException  Class = "unhandled-exception"
	ClassDatabase   Class = "database"
	ClassConfig     Class = "misconfiguration"
	ClassResource   Class = "resource-exhaustion"
	ClassDeploy     Class = "bad-deploy"
	ClassDependency Class = "dependency-failure"
)

// MechanismID is "class/mechanism", e.g. "database/pool-exhausted".
type MechanismID string

// Class returns the part before the slash.
func (m MechanismID) Class() Class {
	c, _, _ := strings.Cut(string(m), "/")
	return Class(c)
}

// Name returns the part after the slash.
func (m MechanismID) Name() string {
	_, n, _ := strings.Cut(string(m), "/")
	return n
}

// Layer is one of the three layers of an investigation, or the record of changes.
type Layer string

// The layers: the HTTP response tells that it failed, the application what failed, the infrastructure why.
const (
	LayerResponse       Layer = "response"
	LayerApplication    Layer = "application"
	LayerInfrastructure Layer = "infrastructure"
	LayerChange         Layer = "change"
)

// TriggerKind says what set a fault off: a ChangeKind, or one of the kinds below when no change did.
type TriggerKind string

// Triggers that are no recorded change.
const (
	TriggerTraffic  TriggerKind = "traffic"
	TriggerExternal TriggerKind = "external"
	TriggerData     TriggerKind = "data"
	TriggerClient   TriggerKind = "client"
)

// Phase says when an action is due.
type Phase string

// The phases of an action; mitigation comes before analysis.
const (
	PhaseNow     Phase = "now"
	PhaseLater   Phase = "later"
	PhasePrevent Phase = "prevent"
)

// Action is one thing to do. Cures says whether it removes the cause or only a symptom.
type Action struct {
	Text    string `json:"text"`
	Phase   Phase  `json:"phase"`
	Cures   string `json:"cures"` // "cause" or "symptom"
	Command string `json:"command,omitempty"`
}
