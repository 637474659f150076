// Package report renders one inquest.Diagnosis: as JSON (schema inquest/report/v1), for the terminal, as Markdown, as
// one self-contained HTML page, and as the four answers of the five-minute triage.
//
// All renderings show the same facts in the same order: the verdict, the blast radius, the changes, the first failure,
// the infrastructure, then the chain, the evidence, what to do, and what was not checked. They add no fact of their
// own, point at the evidence by its id, read no clock, and give the same bytes for the same value.
//
// What comes from logs is written by strangers. Every rendering therefore starts from a copy made by safe (JSON: by
// redacted), the only way in: secrets are gone, control characters visible, lengths bounded.
//
// It will not diagnose: what the Diagnosis does not say, a report does not know.
package report
