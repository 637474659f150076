// Package symptom measures deviations in a Case: new or surging log patterns, saturated resources, failures that proxies
// saw, time-outs that pile up, restarts, silence, load. It names no cause. Pure: no I/O, no clock.
package symptom

import (
	"cmp"
	"math"
	"slices"

	"github.com/inquesthq/inquest"
)

// All lists the symptoms of the case, earliest first.
func All(c *inquest.Case) []inquest.Symptom {
	if !c.Incident {
		return nil
	}
	r := NewResolver(c)
	var out []inquest.Symptom
	out = append(out, patterns(c, r)...)
	out = append(out, saturations(c, r)...)
	out = append(out, upstreams(c, r)...)
	out = append(out, plateaus(c)...)
	out = append(out, slowness(c)...)
	out = append(out, restarts(c, r)...)
	out = append(out, gaps(c, r)...)
	out = append(out, traffic(c)...)
	out = append(out, heavy(c, r)...)
	slices.SortStableFunc(out, func(a, b inquest.Symptom) int {
		return cmp.Or(a.Onset.Compare(b.Onset), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Component, b.Component), cmp.Compare(a.Detail, b.Detail), cmp.Compare(a.Text, b.Text))
	})
	return out
}

// none marks a number that a symptom does not have.
var none = math.NaN()
