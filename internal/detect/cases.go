package detect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// Cases is a file of unit tests for rules, in the format of `promtool test rules`:
// https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
type Cases struct {
	RuleFiles    []string       `yaml:"rule_files"`
	Interval     model.Duration `yaml:"evaluation_interval"`
	GroupOrder   []string       `yaml:"group_eval_order"`
	FuzzyCompare bool           `yaml:"fuzzy_compare"`
	Tests        []Case         `yaml:"tests"`
}

// Case is one test: series as they come in, and what must be seen at some times.
type Case struct {
	Name     string         `yaml:"name"`
	Interval model.Duration `yaml:"interval"`
	Start    string         `yaml:"start_timestamp"`
	Input    []struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	} `yaml:"input_series"`
	Alerts         []AlertCase       `yaml:"alert_rule_test"`
	Exprs          []ExprCase        `yaml:"promql_expr_test"`
	ExternalLabels map[string]string `yaml:"external_labels"`
	ExternalURL    string            `yaml:"external_url"`
}

// AlertCase says which alerts of one name must fire at a time.
type AlertCase struct {
	At     model.Duration `yaml:"eval_time"`
	Name   string         `yaml:"alertname"`
	Expect []struct {
		Labels      map[string]string `yaml:"exp_labels"`
		Annotations map[string]string `yaml:"exp_annotations"`
	} `yaml:"exp_alerts"`
}

// ExprCase says what an expression must give at a time.
type ExprCase struct {
	At     model.Duration `yaml:"eval_time"`
	Expr   string         `yaml:"expr"`
	Expect []struct {
		Labels string `yaml:"labels"`
		Value  number `yaml:"value"`
	} `yaml:"exp_samples"`
}

// number reads NaN and Inf as people write them in such files.
type number float64

func (n *number) UnmarshalYAML(y *yaml.Node) error {
	switch strings.ToLower(strings.TrimPrefix(y.Value, "+")) {
	case "nan":
		*n = number(math.NaN())
		return nil
	case "inf":
		*n = number(math.Inf(1))
		return nil
	case "-inf":
		*n = number(math.Inf(-1))
		return nil
	}
	return y.Decode((*float64)(n))
}

// ParseCases reads a file of tests.
func ParseCases(file string, content []byte) (*Cases, error) {
	d := yaml.NewDecoder(strings.NewReader(string(content)))
	d.KnownFields(true)
	var c Cases
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrRules, file, err)
	}
	if len(c.Tests) == 0 {
		return nil, fmt.Errorf("%w: %s has no tests: put them under tests:, as for promtool test rules", ErrRules, file)
	}
	if c.Interval == 0 {
		c.Interval = model.Duration(time.Minute)
	}
	return &c, nil
}

// Metrics is a metrics store of one test's own.
type Metrics interface {
	store.Appender
	store.Querier
}

// Run runs one test over an empty store, and returns what was not as expected. An error means that the test itself is wrong.
func (c *Cases) Run(ctx context.Context, i int, groups []Group, m Metrics) ([]string, error) {
	t := &c.Tests[i]
	r := &caseRun{file: c, t: t, m: m, step: time.Duration(t.Interval), origin: time.Unix(0, 0).UTC()}
	if r.step <= 0 {
		r.step = time.Duration(c.Interval)
	}
	if t.Start != "" {
		at, err := time.Parse(time.RFC3339, t.Start)
		if err != nil {
			return nil, fmt.Errorf("%w: start_timestamp: %w", ErrRules, err)
		}
		r.origin = at.UTC()
	}
	if err := r.load(); err != nil {
		return nil, err
	}
	d, err := New(Config{Groups: c.ordered(groups), Query: m, Append: m, URL: t.ExternalURL, ExternalLabels: t.ExternalLabels, Restore: -1,
		Now: func() time.Time { return r.now }})
	if err != nil {
		return nil, err
	}
	return r.run(ctx, d)
}

// ordered puts the groups that group_eval_order names first, in its order.
func (c *Cases) ordered(groups []Group) []Group {
	out := slices.Clone(groups)
	slices.SortStableFunc(out, func(a, b Group) int {
		place := func(g Group) int {
			if i := slices.Index(c.GroupOrder, g.Name); i >= 0 {
				return i
			}
			return len(c.GroupOrder)
		}
		return place(a) - place(b)
	})
	return out
}

type caseRun struct {
	file   *Cases
	t      *Case
	m      Metrics
	step   time.Duration
	origin time.Time
	now    time.Time
	input  []inquest.Series // samples that are not stored yet
	wrong  []string
}

func (r *caseRun) load() error {
	p := parser.NewParser(parser.Options{})
	for _, in := range r.t.Input {
		set, values, err := p.ParseSeriesDesc(in.Series + " " + in.Values)
		if err != nil {
			return fmt.Errorf("%w: input series %s: %w", ErrRules, in.Series, err)
		}
		s := inquest.Series{Name: set.Get(model.MetricNameLabel), Labels: set.Map()}
		delete(s.Labels, model.MetricNameLabel)
		for i, v := range values {
			if v.Histogram != nil {
				return fmt.Errorf("%w: input series %s: native histograms are not counted here", ErrRules, in.Series)
			}
			if !v.Omitted {
				s.Samples = append(s.Samples, inquest.Sample{Time: r.origin.Add(time.Duration(i) * r.step), Value: v.Value})
			}
		}
		r.input = append(r.input, s)
	}
	return nil
}

// feed stores the samples up to now, and no later ones: what rules record must not be older than what came in.
func (r *caseRun) feed(ctx context.Context) error {
	var batch []inquest.Series
	for i := range r.input {
		s := &r.input[i]
		n := 0
		for n < len(s.Samples) && !s.Samples[n].Time.After(r.now) {
			n++
		}
		if n > 0 {
			part := *s
			part.Samples, s.Samples = s.Samples[:n], s.Samples[n:]
			batch = append(batch, part)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return r.m.Append(ctx, batch)
}

// run evaluates all groups at every evaluation interval, whatever their own, as promtool does, and looks at the times that are asked for.
func (r *caseRun) run(ctx context.Context, d *Detector) ([]string, error) {
	var last time.Duration
	for _, a := range r.t.Alerts {
		last = max(last, time.Duration(a.At))
	}
	for _, e := range r.t.Exprs {
		last = max(last, time.Duration(e.At))
	}
	every := time.Duration(r.file.Interval)
	for at := time.Duration(0); at <= last; at += every {
		r.now = r.origin.Add(at)
		if err := r.feed(ctx); err != nil {
			return nil, err
		}
		if err := d.Eval(ctx, r.now); err != nil {
			r.wrong = append(r.wrong, fmt.Sprintf("at %s: %v", model.Duration(at), err))
		}
		for i := range r.t.Alerts { // what is asked for between two evaluations is as the earlier one left it
			if a := &r.t.Alerts[i]; time.Duration(a.At) >= at && time.Duration(a.At) < at+every {
				r.alerts(d, a)
			}
		}
		for i := range r.t.Exprs {
			if e := &r.t.Exprs[i]; time.Duration(e.At) >= at && time.Duration(e.At) < at+every {
				r.now = r.origin.Add(time.Duration(e.At))
				if err := errors.Join(r.feed(ctx), r.expr(ctx, e)); err != nil {
					return nil, err
				}
			}
		}
	}
	return r.wrong, nil
}

func (r *caseRun) alerts(d *Detector, c *AlertCase) {
	var want, got []string
	if !slices.ContainsFunc(d.Status(), func(s RuleStatus) bool { return s.Alert && s.Name == c.Name }) && len(c.Expect) > 0 {
		r.wrong = append(r.wrong, fmt.Sprintf("at %s: no rule raises %q", c.At, c.Name))
		return
	}
	for _, e := range c.Expect {
		set := maps.Clone(e.Labels)
		delete(set, labelAlert)
		want = append(want, inquest.LabelText(set)+" "+inquest.LabelText(e.Annotations))
	}
	for _, a := range d.Alerts() {
		if a.Rule == c.Name && a.State == inquest.AlertFiring {
			got = append(got, inquest.LabelText(a.Labels)+" "+inquest.LabelText(a.Annotations))
		}
	}
	r.compare(fmt.Sprintf("at %s: firing alerts of %s", c.At, c.Name), want, got)
}

func (r *caseRun) expr(ctx context.Context, e *ExprCase) error {
	got, err := r.m.Instant(ctx, e.Expr, r.now)
	if err != nil {
		return fmt.Errorf("%s at %s: %w", e.Expr, e.At, err)
	}
	p := parser.NewParser(parser.Options{})
	var want, have []string
	for _, x := range e.Expect {
		set := labels.EmptyLabels()
		if x.Labels != "" {
			if set, err = p.ParseMetric(x.Labels); err != nil {
				return fmt.Errorf("%w: labels %s: %w", ErrRules, x.Labels, err)
			}
		}
		m := set.Map()
		name := m[model.MetricNameLabel]
		delete(m, model.MetricNameLabel)
		want = append(want, name+inquest.LabelText(m)+" "+r.digits(float64(x.Value)))
	}
	for _, s := range got {
		have = append(have, s.Name+inquest.LabelText(s.Labels)+" "+r.digits(s.Samples[0].Value))
	}
	r.compare(fmt.Sprintf("at %s: %s", e.At, e.Expr), want, have)
	return nil
}

// digits writes a value; with fuzzy_compare, as far as two ways of adding up agree.
func (r *caseRun) digits(v float64) string {
	if r.file.FuzzyCompare {
		return fmt.Sprintf("%.12g", v)
	}
	return fmt.Sprint(v)
}

func (r *caseRun) compare(what string, want, got []string) {
	slices.Sort(want)
	slices.Sort(got)
	if slices.Equal(want, got) {
		return
	}
	list := func(l []string) string {
		if len(l) == 0 {
			return " none"
		}
		return "\n      " + strings.Join(l, "\n      ")
	}
	r.wrong = append(r.wrong, fmt.Sprintf("%s\n    expected:%s\n    got:%s", what, list(want), list(got)))
}
