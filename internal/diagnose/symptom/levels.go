package symptom

import (
	"math"

	"github.com/inquesthq/inquest"
)

// Levels says for each resource with a limit how full it was at the component where it was fullest, full or not: whoever rules a
// resource out must have seen its figure. A resource that nothing measured has an empty Component.
func Levels(c *inquest.Case, r *Resolver) []inquest.ResourceLevel {
	order := []string{pool, connections, threads, memory, disk, descriptors, cpu}
	best := map[string]inquest.ResourceLevel{}
	groups, keys := gauges(c, r)
	for _, k := range keys {
		use, limit, ratio, src := groups[k].shares(k.resource)
		whole := &inquest.Series{Samples: ratio}
		now := points(whole, look(c))
		peak := quantile(now, 0.9)
		if src == nil || math.IsNaN(peak) || math.IsInf(peak, 0) {
			continue
		}
		if known, ok := best[k.resource]; ok && known.Share >= peak {
			continue
		}
		l := inquest.ResourceLevel{Resource: k.resource, Component: k.component, Instance: k.instance, Share: peak, Before: quantile(points(whole, before(c)), 0.9), Value: math.NaN(), Limit: math.NaN()}
		for _, x := range now {
			if x.Value >= peak {
				l.Time = x.Time
				break
			}
		}
		if k.resource != cpu {
			l.Value, l.Limit = valueAt(use, l.Time), valueAt(limit, l.Time)
		}
		best[k.resource] = l
	}
	out := make([]inquest.ResourceLevel, 0, len(order))
	for _, res := range order {
		l, ok := best[res]
		if !ok {
			l = inquest.ResourceLevel{Resource: res, Share: math.NaN(), Before: math.NaN(), Value: math.NaN(), Limit: math.NaN()}
		}
		out = append(out, l)
	}
	return out
}
