package main

import (
	"hash/fnv"
	"path/filepath"
	"time"
)

// Scenario is one recording: the parts, the load, what is broken when, and the truth about it.
type Scenario struct {
	Name  string
	Kind  string // incident, healthy or open
	Title string
	Truth Truth

	Baseline, Fault, Recovery time.Duration // Recovery may be 0: the recording ends broken

	TZ     string                                 // time zone of the log lines that carry none; default UTC
	Host   string                                 // host name seen by syslog and the exporters
	RPS    float64                                // requests a second of ordinary traffic
	Shape  func(sinceFault time.Duration) float64 // factor on RPS; nil means 1. Before the fault it gets negative durations
	Routes []Route
	Users  int // at most so many requests under way: people who wait for an answer before they click again; 0 means any number

	Setup   func(e *Env)
	Inject  func(e *Env)
	Recover func(e *Env)

	Supervisord string // when set, the supervisor's log has this name and supervisord's own form

	OnsetStatus int // when set, only answers with this status count as the fault's

	Keep   []string          // globs of the files that go into the case; empty keeps all
	Rename map[string]string // file name in the case by recorded name; ".gz" added there compresses
	Out    string            // overrides the place under the output folder
}

// Truth is what was really wrong; it becomes want.json. The recorder fills in the measured fields.
type Truth struct {
	ID           string            `json:"id"`
	Title        string            `json:"title"`
	Split        string            `json:"split,omitempty"`
	IsIncident   bool              `json:"is_incident"`
	Open         bool              `json:"open,omitempty"` // the files do not suffice for a cause
	Class        string            `json:"class,omitempty"`
	Mechanism    string            `json:"mechanism,omitempty"`
	Acceptable   [][2]string       `json:"acceptable,omitempty"`
	Culprit      string            `json:"culprit,omitempty"`
	Aliases      []string          `json:"culprit_aliases,omitempty"`
	Trigger      *Trigger          `json:"trigger"`
	NotCauses    []string          `json:"symptoms_not_causes,omitempty"`
	MustMention  []string          `json:"evidence_must_mention,omitempty"`
	Onset        string            `json:"onset,omitempty"`
	OnsetStarted string            `json:"onset_request_started,omitempty"`
	EndOfRecord  string            `json:"end_of_recording"`
	Routes       []string          `json:"routes_affected,omitempty"`
	Failures     map[string]string `json:"failures_recorded,omitempty"`
	Fix          string            `json:"expected_fix,omitempty"`
	Difficulty   string            `json:"difficulty,omitempty"`
	Independent  []Cause           `json:"second_cause,omitempty"` // a second fault that has nothing to do with the first
}

// Trigger is what set the fault off. Recorded says whether a file of the case tells so.
type Trigger struct {
	Kind     string `json:"kind"`
	Summary  string `json:"summary"`
	Time     string `json:"time"`
	Recorded bool   `json:"recorded"`
}

// Cause names an independent second fault.
type Cause struct {
	Class     string `json:"class"`
	Mechanism string `json:"mechanism"`
	Culprit   string `json:"culprit"`
}

func (s Scenario) dir() string {
	switch {
	case s.Out != "":
		return s.Out
	case s.Kind == "incident":
		return filepath.Join(s.Truth.Class, s.Truth.Mechanism, s.Name)
	}
	return filepath.Join(s.Kind, s.Name)
}

func (s Scenario) target(out string) string {
	if filepath.IsAbs(s.dir()) {
		return s.dir()
	}
	return filepath.Join(out, s.dir())
}

// split assigns half of the cases to "held-out" by a hash of the name alone, so before anything was recorded;
// scenarios that came after the rules say held-out themselves.
func (s Scenario) split() string {
	if s.Truth.Split != "" {
		return s.Truth.Split
	}
	h := fnv.New32a()
	h.Write([]byte("split:" + s.Name))
	if (h.Sum32()>>8)%2 == 0 {
		return "dev"
	}
	return "held-out"
}
