package detect

import (
	"context"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/value"

	"github.com/inquesthq/inquest"
)

// record evaluates a recording rule.
func record(ctx context.Context, d *Detector, g *Group, r *Rule, at time.Time) ([]inquest.Series, error) {
	got, err := d.cfg.Query.Instant(ctx, r.Expr, at.Add(-g.Offset))
	if err != nil {
		return nil, err
	}
	if g.Limit > 0 && len(got) > g.Limit {
		return nil, fmt.Errorf("%d series, the group's limit is %d", len(got), g.Limit)
	}
	seen := map[string]bool{}
	out := make([]inquest.Series, 0, len(got))
	for _, s := range got {
		set := maps.Clone(s.Labels)
		if set == nil {
			set = map[string]string{}
		}
		for k, v := range r.Labels {
			if set[k] = v; v == "" {
				delete(set, k)
			}
		}
		x := inquest.Series{Name: r.Record, Labels: set, Samples: []inquest.Sample{{Time: at, Value: s.Samples[0].Value}}}
		key := inquest.LabelText(set)
		if seen[key] {
			return nil, fmt.Errorf("two results have the same labels %s after the rule's own were set: leave a label that tells them apart", key)
		}
		seen[key] = true
		out = append(out, x)
	}
	return out, nil
}

// ended marks the series that a rule left at its last evaluation and not at this one, so that queries do not see them for five more minutes.
func ended(before, now map[string]inquest.Series, at time.Time) []inquest.Series {
	stale := math.Float64frombits(value.StaleNaN)
	var out []inquest.Series
	for key, s := range before {
		if _, still := now[key]; !still {
			out = append(out, inquest.Series{Name: s.Name, Labels: s.Labels, Samples: []inquest.Sample{{Time: at, Value: stale}}})
		}
	}
	return out
}

func byKey(series []inquest.Series) map[string]inquest.Series {
	out := make(map[string]inquest.Series, len(series))
	for _, s := range series {
		out[s.Name+inquest.LabelText(s.Labels)] = s
	}
	return out
}
