package report

import (
	"fmt"
	"hash/fnv"
	"io"
	"net/url"

	"github.com/inquesthq/inquest"
)

// The structs are the part of SARIF 2.1.0 (OASIS, 2020) that code hosts and editors read. Names are the standard's.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID      string        `json:"id"`
	Short   sarifText     `json:"shortDescription"`
	Full    sarifText     `json:"fullDescription"`
	Help    sarifText     `json:"help"`
	Default sarifSeverity `json:"defaultConfiguration"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifSeverity struct {
	Level string `json:"level"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	Notifications []sarifNotification `json:"toolExecutionNotifications"`
}

type sarifNotification struct {
	Rule    sarifReference `json:"associatedRule"`
	Level   string         `json:"level"`
	Message sarifText      `json:"message"`
}

type sarifReference struct {
	ID string `json:"id"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Occurrences  int               `json:"occurrenceCount"`
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	Message  *sarifText     `json:"message,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

// AuditSARIF writes a as SARIF 2.1.0 for code hosts and editors. All rules are listed; one that could not be applied is a
// notification. version is inquest's.
func AuditSARIF(w io.Writer, a *inquest.Audit, rules []inquest.AuditRule, version string) error {
	a = redacted(a)
	index := map[string]int{}
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "inquest audit", Version: version}}, Results: []sarifResult{}}
	for i, r := range rules {
		index[r.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{ID: r.ID, Short: sarifText{sentence(r.Title)}, Full: sarifText{r.Why},
			Help: sarifText{r.Fix + " (" + r.Source + ")"}, Default: sarifSeverity{string(r.Severity)}})
	}
	for _, f := range a.Findings {
		run.Results = append(run.Results, sarifResult{
			RuleID: f.Rule.ID, RuleIndex: index[f.Rule.ID], Level: string(f.Rule.Severity), Locations: sarifLocations(f), Occurrences: max(f.Count, 1),
			Message:      sarifText{sentence(f.Rule.Title + ": " + auditStory{a: a}.line(f))},
			Fingerprints: map[string]string{"inquest/v1": fingerprint(f)},
		})
	}
	inv := sarifInvocation{Successful: true, Notifications: []sarifNotification{}}
	for _, g := range a.Unchecked {
		inv.Notifications = append(inv.Notifications, sarifNotification{sarifReference{g.Rule}, "note", sarifText{"not checked: " + g.Why}})
	}
	run.Invocations = []sarifInvocation{inv}
	return writeJSON(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}, false)
}

// sarifLocations are the examples' places; a finding without one is placed by service and route.
func sarifLocations(f inquest.AuditFinding) []sarifLocation {
	logical := []sarifLogical{{Name: f.Service + " " + f.Route, Kind: "resource"}}
	var out []sarifLocation
	for _, e := range f.Examples {
		l := sarifLocation{Physical: &sarifPhysical{Artifact: sarifArtifact{(&url.URL{Path: e.Source.File}).String()}}, Logical: logical, Message: &sarifText{e.Text}}
		if e.Source.Line > 0 {
			l.Physical.Region = &sarifRegion{e.Source.Line}
		}
		out = append(out, l)
	}
	if len(out) == 0 {
		out = []sarifLocation{{Logical: logical}}
	}
	return out
}

// fingerprint tells the finding from others of its rule, whatever else was read: by whom, where and what, not by counts.
func fingerprint(f inquest.AuditFinding) string {
	h := fnv.New64a()
	_, _ = io.WriteString(h, f.Rule.ID+"\x00"+f.Service+"\x00"+f.Route+"\x00"+f.Detail) // never fails
	return fmt.Sprintf("%016x", h.Sum64())
}
