package incident

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/pattern"
	"github.com/inquesthq/inquest/internal/store"
)

// mostPast bounds how many earlier incidents are compared: years of them, at one a day.
const mostPast = 1000

// patternsOf returns the ids of the log lines in the evidence, without numbers and names: the same fault writes the same lines.
func patternsOf(d *inquest.Diagnosis) []string {
	var out []string
	for i := range d.Evidence {
		if e := &d.Evidence[i]; e.Kind == "log" {
			out = append(out, pattern.Hash([]byte(e.Text)).String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// remember compares with earlier incidents, and marks a repeat.
func (e *edit) remember(ctx context.Context, f *draft) error {
	past, err := e.desk.past(ctx, f)
	if err != nil {
		return err
	}
	repeats := ""
	for _, p := range past { // newest first
		if isRepeat(f, p) {
			repeats = p.ID
			break
		}
	}
	if repeats == f.Repeats {
		return nil
	}
	f.Repeats = repeats
	if repeats == "" {
		f.entry(e.now, inquest.EntryNote, byDesk, "no repeat of an earlier incident after all: the diagnosis has changed", map[string]any{"repeats": ""})
		return nil
	}
	line := "REPEAT of " + repeats
	var items []string
	if e.desk.cfg.OpenItems != nil {
		if items, err = e.desk.cfg.OpenItems(ctx, repeats); err != nil {
			line += ": its action items cannot be read: " + cut(err.Error(), 200)
		}
	}
	if len(items) > 0 {
		line += fmt.Sprintf(": %d of its action items are still open: %s", len(items), cut(strings.Join(items, "; "), 1000))
	}
	f.entry(e.now, inquest.EntryNote, byDesk, line, map[string]any{"repeats": repeats, "items": items})
	return nil
}

// past returns the incidents that were over before this one began, newest first.
func (d *Desk) past(ctx context.Context, f *draft) ([]*draft, error) {
	records, err := d.cfg.Records.List(ctx, store.Query{Kind: kindIncident, To: f.Opened, Newest: true, Limit: mostPast})
	if err != nil {
		return nil, fmt.Errorf("incident %s: read earlier ones: %w", f.ID, err)
	}
	var out []*draft
	for _, r := range records {
		p, err := fromRecord(r)
		if err != nil {
			return nil, err
		}
		if p.ID != f.ID && !p.State.Active() && p.Merged == "" {
			out = append(out, p)
		}
	}
	return out, nil
}

// isRepeat reports whether both have one cause: the same mechanism, at the same component or in the same service. An exception is a kind of bug, not one
// bug: two of them are one only if the same line was logged.
func isRepeat(a, b *draft) bool {
	x, y := a.Verdict, b.Verdict
	if x.Mechanism == "" || x.Mechanism != y.Mechanism {
		return false
	}
	if x.Culprit != "" && y.Culprit != "" {
		if x.Culprit != y.Culprit {
			return false
		}
	} else if overlap(a.Services, b.Services) == 0 {
		return false
	}
	if x.Mechanism.Class() == inquest.ClassException && len(a.desk.Patterns) > 0 && len(b.desk.Patterns) > 0 {
		return overlap(a.desk.Patterns, b.desk.Patterns) > 0
	}
	return true
}

// Similar lists earlier incidents that look like this one, most alike first, with what they share. The score is a sum: mechanism 0.4, culprit 0.25,
// log patterns 0.2 and services 0.15, the last two by the share that both have. What a verdict says weighs more than what was written or hit, since
// the same lines and services show up with many causes.
func (d *Desk) Similar(ctx context.Context, id string) ([]inquest.Similar, error) {
	r, err := d.cfg.Records.Get(ctx, kindIncident, id)
	if err != nil {
		return nil, fmt.Errorf("incident %s: %w", id, err)
	}
	f, err := fromRecord(r)
	if err != nil {
		return nil, err
	}
	past, err := d.past(ctx, f)
	if err != nil {
		return nil, err
	}
	out := []inquest.Similar{}
	for _, p := range past {
		if s := alike(f, p); s.Score >= 0.2 { // one service alone is no likeness
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b inquest.Similar) int { return int(math.Copysign(1, b.Score-a.Score)) })
	return out[:min(len(out), 5)], nil
}

func alike(a, b *draft) inquest.Similar {
	var why []string
	score := 0.0
	x, y := a.Verdict, b.Verdict
	if x.Mechanism != "" && x.Mechanism == y.Mechanism {
		score += 0.4
		why = append(why, "mechanism "+string(x.Mechanism))
	}
	if x.Culprit != "" && x.Culprit == y.Culprit {
		score += 0.25
		why = append(why, "culprit "+x.Culprit)
	}
	if n := overlap(a.desk.Patterns, b.desk.Patterns); n > 0 {
		score += 0.2 * n
		why = append(why, fmt.Sprintf("%.0f%% of their log patterns", 100*n))
	}
	if n := overlap(a.Services, b.Services); n > 0 {
		score += 0.15 * n
		why = append(why, "services")
	}
	return inquest.Similar{Incident: b.ID, Score: math.Round(score*100) / 100, Why: "same " + strings.Join(why, ", ")}
}

// overlap is the share of a and b together that both have.
func overlap(a, b []string) float64 {
	both := 0
	for _, s := range a {
		if slices.Contains(b, s) {
			both++
		}
	}
	if both == 0 {
		return 0
	}
	return float64(both) / float64(len(a)+len(b)-both)
}
