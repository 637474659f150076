// Package inquest holds the nouns of Inquest: signals, evidence, cases, symptoms, findings, verdicts.
// They are data with pure methods, import nothing but the standard library, and are what the stages of
// internal/flow hand to each other. A stage never edits what an earlier one handed on.
package inquest
