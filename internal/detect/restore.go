package detect

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

func hasTemplate(text string) bool { return strings.Contains(text, "{{") }

func sortedActive(m map[string]*active) []*active {
	return slices.SortedFunc(maps.Values(m), func(p, q *active) int { return cmp.Compare(p.key, q.key) })
}

// restore reads the state of the group's alerts as the last process left it. The time while nobody looked does not count for "for".
func (d *Detector) restore(ctx context.Context, g *group, at time.Time) error {
	if d.cfg.Restore < 0 {
		return nil
	}
	for i, a := range g.alerting {
		if a == nil {
			continue
		}
		since, err := d.cfg.Query.Raw(ctx, metricForState+inquest.LabelText(map[string]string{labelAlert: a.rule.Alert}), at.Add(-d.cfg.Restore), at)
		if err != nil {
			return err
		}
		firing, err := d.cfg.Query.Raw(ctx, metricAlerts+inquest.LabelText(map[string]string{labelAlert: a.rule.Alert, labelState: string(inquest.AlertFiring)}), at.Add(-d.cfg.Restore), at)
		if err != nil {
			return err
		}
		left := map[string]inquest.Series{}
		for _, s := range since {
			if alive, err := d.alive(ctx, g, &s, at); err != nil {
				return err
			} else if !alive {
				continue
			}
			if x := a.restored(&s, firing, at); x != nil {
				a.active[x.key] = x
				maps.Copy(left, byKey(x.series(at))) // so that it is marked as ended when it has
			}
		}
		g.left[i] = left
	}
	return nil
}

// alive reports whether a series had no mark of its end behind its last sample. The mark comes with the evaluation after it.
func (d *Detector) alive(ctx context.Context, g *group, s *inquest.Series, at time.Time) (bool, error) {
	behind := s.Samples[len(s.Samples)-1].Time.Add(min(g.Interval*3/2, 4*time.Minute)) // no query looks back further than five minutes
	if behind.After(at) {
		behind = at
	}
	got, err := d.cfg.Query.Instant(ctx, s.Name+inquest.LabelText(s.Labels), behind)
	return len(got) > 0, err
}

// restored makes an alert of its last ALERTS_FOR_STATE; nil where it is another rule's.
func (a *alerting) restored(s *inquest.Series, firing []inquest.Series, at time.Time) *active {
	if !a.own(s.Labels) {
		return nil
	}
	last := s.Samples[len(s.Samples)-1]
	set := maps.Clone(s.Labels)
	delete(set, labelAlert)
	x := &active{Alert: inquest.Alert{Rule: a.rule.Alert, Labels: set, State: inquest.AlertPending, Since: time.Unix(int64(last.Value), 0).UTC(), Source: alertSource}}
	x.key = x.Key()
	for _, f := range firing {
		own := maps.Clone(f.Labels)
		delete(own, labelAlert)
		delete(own, labelState)
		if !maps.Equal(own, set) || f.Samples[len(f.Samples)-1].Time.Before(last.Time) {
			continue
		}
		x.State = inquest.AlertFiring
		x.Fired = x.Since.Add(a.rule.For)
		x.told = inquest.AlertFiring
		return x
	}
	x.Since = x.Since.Add(at.Sub(last.Time))
	return x
}

// own reports whether the labels can be this rule's: two rules may have one name, and differ in a label that they set.
func (a *alerting) own(set map[string]string) bool {
	for k, v := range a.rule.Labels {
		if !hasTemplate(v) && set[k] != v {
			return false
		}
	}
	return true
}
