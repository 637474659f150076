package main

import (
	"slices"
	"testing"

	"github.com/inquesthq/inquest/guard/answer"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

func TestEveryRuleOfTheGatewayHasARunbook(t *testing.T) {
	all := mechanism.With(nil)
	for _, r := range answer.Rules() {
		if !slices.ContainsFunc(all, func(m mechanism.Mechanism) bool { return string(m.ID) == r.Runbook }) {
			t.Errorf("%s: no mechanism %q", r.ID, r.Runbook)
		}
	}
}
