package detect

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/template"

	"github.com/inquesthq/inquest"
)

const (
	alertSource     = "rules"
	labelAlert      = "alertname"
	labelState      = "alertstate"
	metricAlerts    = "ALERTS"
	metricForState  = "ALERTS_FOR_STATE"
	resolvedKeep    = 15 * time.Minute // how long a resolved alert is offered to a receiver that does not take it; Prometheus' figure
	templatePrelude = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"
)

// alerting is the state of one alerting rule.
type alerting struct {
	group  *Group
	rule   Rule
	active map[string]*active // by labels
}

// active is one alert from its first sample until its end was told.
type active struct {
	inquest.Alert
	key         string
	keptSince   time.Time // since when only keep_firing_for holds it
	told        inquest.AlertState
	toldAt      time.Time
	nextToldAt  time.Time // when it was handed over, before the receiver has taken it
	handedState inquest.AlertState
}

// eval looks at the rule's expression once, and returns the series that it leaves in the store.
func (a *alerting) eval(ctx context.Context, d *Detector, at time.Time) ([]inquest.Series, error) {
	got, err := d.cfg.Query.Instant(ctx, a.rule.Expr, at.Add(-a.group.Offset))
	if err != nil {
		return nil, err
	}
	now := map[string]*active{}
	for i := range got {
		x, err := a.alert(ctx, d, &got[i], at)
		if err != nil {
			return nil, err
		}
		if now[x.key] != nil {
			return nil, fmt.Errorf("two results have the same labels %s after the rule's own were set: leave a label that tells them apart", inquest.LabelText(x.Labels))
		}
		now[x.key] = x
	}
	for key, x := range now {
		if old := a.active[key]; old != nil && old.State != inquest.AlertResolved {
			old.Value, old.Annotations = x.Value, x.Annotations
			continue
		}
		a.active[key] = x
	}
	return a.advance(at, now)
}

// setBack cuts times that lie ahead because the clock went back: what counts from them would stand still.
func (a *alerting) setBack(at time.Time) {
	if a == nil {
		return
	}
	for _, x := range a.active {
		for _, t := range []*time.Time{&x.Since, &x.Fired, &x.Resolved, &x.keptSince, &x.toldAt} {
			if t.After(at) {
				*t = at
			}
		}
	}
}

// advance moves every alert on: from pending to firing, from firing to resolved.
func (a *alerting) advance(at time.Time, now map[string]*active) ([]inquest.Series, error) {
	var out []inquest.Series
	holding := 0
	for _, key := range slices.Sorted(maps.Keys(a.active)) {
		x := a.active[key]
		if now[key] == nil {
			if !a.goneOn(x, at) {
				continue
			}
		} else {
			x.keptSince = time.Time{}
		}
		holding++
		if x.State == inquest.AlertPending && at.Sub(x.Since) >= a.rule.For {
			x.State, x.Fired = inquest.AlertFiring, at
		}
		out = append(out, x.series(at)...)
	}
	if a.group.Limit > 0 && holding > a.group.Limit {
		a.active = map[string]*active{}
		return nil, fmt.Errorf("%d alerts, the group's limit is %d", holding, a.group.Limit)
	}
	return out, nil
}

// goneOn handles an alert whose condition does not hold now, and reports whether it counts as holding nevertheless.
func (a *alerting) goneOn(x *active, at time.Time) bool {
	switch {
	case x.State == inquest.AlertFiring && a.rule.KeepFiring > 0:
		if x.keptSince.IsZero() {
			x.keptSince = at
		}
		if at.Sub(x.keptSince) < a.rule.KeepFiring {
			return true
		}
	case x.State == inquest.AlertPending:
		delete(a.active, x.key)
		return false
	case x.State == inquest.AlertResolved:
		if x.told == inquest.AlertResolved || at.Sub(x.Resolved) > resolvedKeep {
			delete(a.active, x.key)
		}
		return false
	}
	x.State, x.Resolved = inquest.AlertResolved, at
	return false
}

// alert makes the alert of one result: its labels and the rule's, templates filled in.
func (a *alerting) alert(ctx context.Context, d *Detector, s *inquest.Series, at time.Time) (*active, error) {
	value := math.NaN()
	if len(s.Samples) > 0 {
		value = s.Samples[len(s.Samples)-1].Value
	}
	set := maps.Clone(s.Labels)
	if set == nil {
		set = map[string]string{}
	}
	t := texts{ctx: ctx, d: d, rule: &a.rule, at: at, value: value, series: s}
	final := maps.Clone(set)
	for _, k := range slices.Sorted(maps.Keys(a.rule.Labels)) {
		if v := t.expand(a.rule.Labels[k]); v != "" {
			final[k] = v
		} else {
			delete(final, k)
		}
	}
	delete(final, labelAlert)
	x := &active{Alert: inquest.Alert{Rule: a.rule.Alert, Labels: final, State: inquest.AlertPending, Since: at, Value: value, Source: alertSource, URL: d.cfg.URL}}
	for _, k := range slices.Sorted(maps.Keys(a.rule.Annotations)) {
		if x.Annotations == nil {
			x.Annotations = map[string]string{}
		}
		x.Annotations[k] = t.expand(a.rule.Annotations[k])
	}
	x.key = x.Key()
	return x, ctx.Err()
}

// series are the marks that Prometheus leaves of an alert: dashboards show them, and a restart reads them.
func (x *active) series(at time.Time) []inquest.Series {
	set := maps.Clone(x.Labels)
	set[labelAlert] = x.Rule
	state := maps.Clone(set)
	state[labelState] = string(x.State)
	return []inquest.Series{
		{Name: metricAlerts, Labels: state, Samples: []inquest.Sample{{Time: at, Value: 1}}},
		{Name: metricForState, Labels: set, Samples: []inquest.Sample{{Time: at, Value: float64(x.Since.Unix())}}},
	}
}

// texts fills in the templates of one alert.
type texts struct {
	ctx    context.Context
	d      *Detector
	rule   *Rule
	at     time.Time
	value  float64
	series *inquest.Series
}

// expand returns the text; a template that fails says so in its place, as in Prometheus, because an alert must not fail for its words.
func (t *texts) expand(text string) string {
	if text == "" || !hasTemplate(text) {
		return text
	}
	data := template.AlertTemplateData(t.series.Labels, t.d.cfg.ExternalLabels, t.d.cfg.URL, promql.Sample{T: t.at.UnixMilli(), F: t.value, Metric: labels.FromMap(t.series.Labels)})
	query := func(ctx context.Context, q string, at time.Time) (promql.Vector, error) {
		got, err := t.d.cfg.Query.Instant(ctx, q, at)
		if err != nil {
			return nil, err
		}
		out := make(promql.Vector, 0, len(got))
		for _, s := range got {
			set := labels.NewBuilder(labels.FromMap(s.Labels))
			if s.Name != "" {
				set.Set(model.MetricNameLabel, s.Name)
			}
			out = append(out, promql.Sample{T: s.Samples[0].Time.UnixMilli(), F: s.Samples[0].Value, Metric: set.Labels()})
		}
		return out, nil
	}
	out, err := template.NewTemplateExpander(t.ctx, templatePrelude+text, "alert "+t.rule.Alert, data, model.TimeFromUnixNano(t.at.UnixNano()), query, t.d.url, nil).Expand()
	if err != nil {
		return fmt.Sprintf("<error expanding template: %s>", err)
	}
	return out
}

// due returns the alerts that the receiver has to be told of, and remembers that they were.
func (a *alerting) due(at time.Time, resend time.Duration) []*active {
	var out []*active
	for _, x := range a.active {
		changed := x.State != x.told && !(x.State == inquest.AlertResolved && x.told == "") // what was never told needs no end
		if changed || x.State == inquest.AlertFiring && at.Sub(x.toldAt) >= resend {
			x.handedState, x.nextToldAt = x.State, at
			out = append(out, x)
		} else if x.State == inquest.AlertResolved && x.told == "" {
			x.told = inquest.AlertResolved
		}
	}
	slices.SortFunc(out, func(p, q *active) int { return cmp.Compare(p.key, q.key) })
	return out
}
