package web

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/report"
	"github.com/inquesthq/inquest/internal/web/words"
)

// spark draws ratios as a small line: 60 points in 120 by 28. The scale reaches from 0 to the peak, but at least to 5%, so that a background of
// errors looks like what it is.
func spark(trend []Number) template.HTML {
	const width, height = 120.0, 28.0
	peak := inquest.MayFail(false)
	for _, n := range trend {
		if n.Known() {
			peak = max(peak, float64(n))
		}
	}
	if len(trend) == 0 {
		return ""
	}
	step := width / float64(max(len(trend)-1, 1))
	var line strings.Builder
	pen := "M"
	for i, n := range trend {
		if !n.Known() {
			pen = "M"
			continue
		}
		fmt.Fprintf(&line, "%s%.1f %.1f", pen, float64(i)*step, height-1.5-(height-3)*float64(n)/peak)
		if pen == "M" && (i+1 == len(trend) || !trend[i+1].Known()) {
			line.WriteString("h2") // alone it would not be seen
		}
		pen = "L"
	}
	highest := math.NaN()
	for _, n := range trend {
		if n.Known() && !(highest >= float64(n)) {
			highest = float64(n)
		}
	}
	label := "no requests in the last hour"
	if !math.IsNaN(highest) {
		label = "failed in the last hour: at most " + words.Percent(Number(highest))
	}
	return template.HTML(`<svg class="spark" viewBox="0 0 120 28" preserveAspectRatio="none" role="img" aria-label="` + template.HTMLEscapeString(label) + `"><path d="` + line.String() + `"/></svg>`)
}

// gauge draws a share from 0 to 1 as a bar.
func gauge(n Number) template.HTML {
	if !n.Known() {
		return ""
	}
	share := min(max(float64(n), 0), 1)
	return template.HTML(`<svg class="bar" aria-hidden="true"><rect width="` + strconv.FormatFloat(100*share, 'f', 1, 64) + `%" height="100%"/></svg>`)
}

// chartOf counts requests and failures of an incident's services minute by minute from the metrics store, from an hour before it was opened until now or half an hour
// after it was over: what goes on while no diagnosis has seen it yet.
func (w *Web) chartOf(ctx context.Context, v *IncidentView) (inquest.Chart, error) {
	inc := &v.Incident
	if len(inc.Services) == 0 {
		return inquest.Chart{}, nil
	}
	from, to := inc.Opened, w.cfg.Now()
	if !inc.Onset.IsZero() && inc.Onset.Before(from) {
		from = inc.Onset
	}
	if over := inc.Resolved.Add(30 * time.Minute); !inc.Resolved.IsZero() && over.Before(to) {
		to = over
	}
	from, to = from.Add(-time.Hour).Truncate(time.Minute), to.Truncate(time.Minute)
	step := time.Minute
	for to.Sub(from)/step > 720 { // a screen has no more columns
		step *= 2
	}
	chart, err := w.counts(ctx, inc.Services, from, to, step)
	first := slices.IndexFunc(chart.Requests, func(n int) bool { return n > 0 })
	if err != nil || first < 0 {
		return inquest.Chart{}, err
	}
	if n := len(chart.Requests) - first; n < 20 { // counted since a few minutes only: an empty hour says nothing, and a minute is coarse
		began := from.Add(time.Duration(first) * step)
		if chart, err = w.counts(ctx, inc.Services, began, w.cfg.Now().Truncate(fine), fine); err != nil {
			return inquest.Chart{}, err
		}
	}
	chart.Marks = marksOf(v)
	return chart, nil
}

// fine is the step of a chart of a few minutes; counts are written every two seconds.
const fine = 10 * time.Second

// counts asks for the requests and failures of services, step by step.
func (w *Web) counts(ctx context.Context, services []string, from, to time.Time, step time.Duration) (inquest.Chart, error) {
	names := make([]string, len(services))
	for i, s := range services {
		names[i] = quoteRegexp(s)
	}
	chart := inquest.Chart{From: from, Step: step}
	for _, q := range []struct {
		metric, more string
		into         *[]int
	}{
		{"inquest_requests_total", "", &chart.Requests}, {"inquest_failures_total", "", &chart.Failed}, {"inquest_failures_total", `,kind="lying"`, &chart.Lying},
	} {
		query := fmt.Sprintf(`sum(increase(%s{service=~%q%s}[%ds]))`, q.metric, strings.Join(names, "|"), q.more, int(step.Seconds()))
		series, err := w.cfg.Querier.Range(ctx, query, from.Add(step), to, step)
		if err != nil {
			return inquest.Chart{}, err
		}
		*q.into = make([]int, int(to.Sub(from)/step))
		for _, s := range series {
			for _, p := range s.Samples {
				if i := int(p.Time.Sub(from)/step) - 1; i >= 0 && i < len(*q.into) && !math.IsNaN(p.Value) {
					(*q.into)[i] += int(math.Round(p.Value))
				}
			}
		}
	}
	return chart, nil
}

// marksOf are the changes and turns of an incident's timeline.
func marksOf(v *IncidentView) []inquest.Mark {
	var out []inquest.Mark
	for _, e := range v.Timeline {
		if e.Kind == inquest.EntryChange {
			out = append(out, inquest.Mark{Time: e.Time, Kind: "change", Text: e.Text})
		}
	}
	inc := &v.Incident
	if !inc.Onset.IsZero() {
		out = append(out, inquest.Mark{Time: inc.Onset, Kind: "onset", Text: "first failure"})
	}
	if !inc.Resolved.IsZero() {
		out = append(out, inquest.Mark{Time: inc.Resolved, Kind: "end", Text: "resolved"})
	}
	return out
}

// quoteRegexp makes a name mean itself in an RE2 expression.
func quoteRegexp(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// chartPart draws a chart by itself, in the manner of the reports.
func (w *Web) chartPart(v *IncidentView, chart inquest.Chart) (template.HTML, error) {
	d := inquest.Diagnosis{Incident: true, Onset: v.Incident.Onset, End: v.Incident.Resolved, Chart: chart,
		Window: inquest.Window{From: chart.From, To: chart.From.Add(chart.Step * time.Duration(len(chart.Requests)))}}
	parts, err := report.HTMLParts(&d, report.PageOptions{Zone: w.cfg.Zones[0]})
	if err != nil {
		return "", err
	}
	return parts.Sections["chart"], nil
}
