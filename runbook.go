package inquest

import (
	"strings"
	"time"
)

// StepPhase is a part of a runbook, with a time box of its own.
type StepPhase string

// The phases, in their order. The first two only read.
const (
	StepSymptoms StepPhase = "Symptoms" // what fails, for whom, since when
	StepCause    StepPhase = "Cause"    // confirm it by hand
	StepMitigate StepPhase = "Mitigate" // users are served again
	StepVerify   StepPhase = "Verify"   // they are, and stay so
	StepPrevent  StepPhase = "Prevent"  // becomes action items of the postmortem
)

// StepPhases lists the phases in their order.
var StepPhases = []StepPhase{StepSymptoms, StepCause, StepMitigate, StepVerify, StepPrevent}

// Outcome is what a step came to.
type Outcome string

// The outcomes.
const (
	OutcomeHelped   Outcome = "helped"     // of a step that only reads: it showed what it should
	OutcomeNoEffect Outcome = "no-effect"  // of a step that only reads: it showed something else
	OutcomeWorse    Outcome = "made-worse" //
	OutcomeSkipped  Outcome = "skipped"    // looked at, and left out
)

// Outcomes lists what a step may come to.
var Outcomes = []Outcome{OutcomeHelped, OutcomeNoEffect, OutcomeWorse, OutcomeSkipped}

// Runbook is what to do about one fault, step by step, with what was done of it. Nothing of it is executed.
type Runbook struct {
	Title      string      `json:"title"`
	Mechanism  MechanismID `json:"mechanism,omitempty"` // "" for the one that fits any 5xx
	Generated  time.Time   `json:"generated,omitzero"`
	Generator  string      `json:"generator"` // "inquest": made of the catalogue and the evidence, by no model
	Version    string      `json:"version"`   // of the form that a runbook has
	Purpose    string      `json:"purpose"`   // scope, and the alerts that lead here
	Impact     string      `json:"impact"`    // measured, where there is an incident
	Boxes      []TimeBox   `json:"boxes"`
	Steps      []Step      `json:"steps"`
	Verified   time.Time   `json:"verified,omitzero"` // the last step of Verify was checked off as helped
	Escalation string      `json:"escalation"`        // who, how, when
	Closing    string      `json:"closing"`           // when it is done
}

// TimeBox says how long a phase may take.
type TimeBox struct {
	Phase StepPhase `json:"phase"`
	Least int       `json:"least"` // minutes
	Most  int       `json:"most"`
	Began time.Time `json:"began,omitzero"` // zero: not yet
	Ended time.Time `json:"ended,omitzero"` // all its steps are checked off
	Used  int       `json:"used"`           // minutes so far
	Over  bool      `json:"over"`           // more than Most
}

// Step is one instruction.
type Step struct {
	ID      string     `json:"id"` // of its phase and text: the same in the next diagnosis of the same fault
	Phase   StepPhase  `json:"phase"`
	Text    string     `json:"text"`
	Command string     `json:"command,omitempty"`
	Expect  string     `json:"expect,omitempty"`  // what shows that it is so
	Changes bool       `json:"changes,omitempty"` // it changes the system: decide, and say so, before you run it
	Cures   string     `json:"cures,omitempty"`   // "cause" or "symptom"
	Minutes int        `json:"minutes,omitempty"` // its share of the time box
	Done    *StepCheck `json:"done,omitempty"`
}

// StepCheck is what became of a step.
type StepCheck struct {
	Step    string    `json:"step"`
	Outcome Outcome   `json:"outcome"`
	Note    string    `json:"note,omitempty"`
	By      string    `json:"by"`
	Time    time.Time `json:"time,omitzero"`
}

// Subject is the title without the word that all of them begin with.
func (b *Runbook) Subject() string { return strings.TrimPrefix(b.Title, "Runbook: ") }

// PhaseSteps are the steps of one phase.
type PhaseSteps struct {
	Phase StepPhase
	Box   *TimeBox // nil for none
	First int      // number of the first step in the runbook, from 1
	Steps []Step
}

// ByPhase groups the steps, in their order.
func (b *Runbook) ByPhase() []PhaseSteps {
	var out []PhaseSteps
	for i, s := range b.Steps {
		if n := len(out); n == 0 || out[n-1].Phase != s.Phase {
			g := PhaseSteps{Phase: s.Phase, First: i + 1}
			for k := range b.Boxes {
				if b.Boxes[k].Phase == s.Phase {
					g.Box = &b.Boxes[k]
				}
			}
			out = append(out, g)
		}
		out[len(out)-1].Steps = append(out[len(out)-1].Steps, s)
	}
	return out
}
