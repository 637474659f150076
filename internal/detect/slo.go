package detect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// SLO is a service level objective: of all events of a service, the share Target is good.
type SLO struct {
	Name, Service string
	Description   string
	Target        float64       // between 0 and 1, exclusive
	Window        time.Duration // over which it is promised

	// Bad and Total are PromQL expressions with {{.window}} where a range such as 5m belongs, in events. Good may stand for Bad.
	Good, Bad, Total string
	Counted          bool // they count events, so that a few of them can be told from many
}

// openSLO is the part of https://github.com/OpenSLO/OpenSLO, version 1, that is read.
type openSLO struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec struct {
		Description     string `yaml:"description"`
		Service         string `yaml:"service"`
		BudgetingMethod string `yaml:"budgetingMethod"`
		IndicatorRef    string `yaml:"indicatorRef"`
		Indicator       *struct {
			Spec openIndicator `yaml:"spec"`
		} `yaml:"indicator"`
		TimeWindow []struct {
			Duration string `yaml:"duration"`
			Rolling  bool   `yaml:"isRolling"`
		} `yaml:"timeWindow"`
		Objectives []struct {
			Name          string  `yaml:"displayName"`
			Target        float64 `yaml:"target"`
			TargetPercent float64 `yaml:"targetPercent"`
		} `yaml:"objectives"`
		openIndicator `yaml:",inline"` // of kind SLI
	} `yaml:"spec"`
}

type openIndicator struct {
	Ratio *struct {
		Counter bool        `yaml:"counter"`
		Good    *openMetric `yaml:"good"`
		Bad     *openMetric `yaml:"bad"`
		Total   *openMetric `yaml:"total"`
	} `yaml:"ratioMetric"`
	Threshold *yaml.Node `yaml:"thresholdMetric"`
}

type openMetric struct {
	Source struct {
		Type string `yaml:"type"`
		Spec struct {
			Query string `yaml:"query"`
		} `yaml:"spec"`
	} `yaml:"metricSource"`
}

// IsOpenSLO reports whether a file is OpenSLO's rather than Prometheus'.
func IsOpenSLO(content []byte) bool {
	var head struct {
		APIVersion string `yaml:"apiVersion"`
	}
	return yaml.NewDecoder(bytes.NewReader(content)).Decode(&head) == nil && strings.HasPrefix(head.APIVersion, "openslo")
}

// ParseOpenSLO reads the SLOs of a file. Its other kinds are left aside, but for SLI, which an SLO may refer to.
// An SLO without an indicator is one of the requests that Inquest counts of its service.
func ParseOpenSLO(file string, content []byte) ([]SLO, error) {
	var slos []openSLO
	indicators := map[string]openIndicator{}
	for d := yaml.NewDecoder(bytes.NewReader(content)); ; {
		var o openSLO
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrRules, file, err)
		}
		switch {
		case o.Kind == "":
			continue
		case o.APIVersion != "openslo/v1":
			return nil, fmt.Errorf("%w: %s: %s %q is of %s: this reads openslo/v1", ErrRules, file, o.Kind, o.Metadata.Name, o.APIVersion)
		case o.Kind == "SLI":
			indicators[o.Metadata.Name] = o.Spec.openIndicator
		case o.Kind == "SLO":
			slos = append(slos, o)
		}
	}
	var out []SLO
	for _, o := range slos {
		made, err := o.objectives(indicators)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: SLO %q: %w", ErrRules, file, o.Metadata.Name, err)
		}
		out = append(out, made...)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: %s has no SLO: give documents of kind SLO", ErrRules, file)
	}
	return out, nil
}

func (o *openSLO) objectives(indicators map[string]openIndicator) ([]SLO, error) {
	if m := o.Spec.BudgetingMethod; m != "" && m != "Occurrences" {
		return nil, fmt.Errorf("budgetingMethod %s: only Occurrences is counted here", m)
	}
	base := SLO{Service: o.Spec.Service, Description: o.Spec.Description, Window: 28 * 24 * time.Hour}
	for _, w := range o.Spec.TimeWindow {
		d, err := model.ParseDuration(w.Duration)
		if err != nil {
			return nil, fmt.Errorf("timeWindow %q: %w: say it in days, such as 28d", w.Duration, err)
		}
		base.Window = time.Duration(d)
	}
	var in openIndicator
	switch ref := o.Spec.IndicatorRef; {
	case o.Spec.Indicator != nil:
		in = o.Spec.Indicator.Spec
	case ref != "":
		var ok bool
		if in, ok = indicators[ref]; !ok {
			return nil, fmt.Errorf("indicatorRef %q: no SLI of that name in the file", ref)
		}
	}
	if err := base.indicate(&in); err != nil {
		return nil, err
	}
	var out []SLO
	for i, goal := range o.Spec.Objectives {
		s := base
		s.Name = o.Metadata.Name
		if len(o.Spec.Objectives) > 1 {
			s.Name += "-" + strconv.Itoa(i+1)
		}
		if s.Target = goal.Target; s.Target == 0 {
			s.Target = math.Round(goal.TargetPercent*1e7) / 1e9 // 99.9/100 is 0.9990000000000001
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, errors.New("no objectives: give one with a target such as 0.999")
	}
	return out, nil
}

// indicate fills in the expressions.
func (s *SLO) indicate(in *openIndicator) error {
	switch {
	case in.Threshold != nil:
		return errors.New("a thresholdMetric: only ratioMetric is counted here; give good (or bad) and total")
	case in.Ratio == nil && s.Service == "":
		return errors.New("neither an indicator nor a service")
	case in.Ratio == nil:
		s.Bad = fmt.Sprintf("sum(increase(inquest_failures_total{service=%q}[{{.window}}]))", s.Service)
		s.Total = fmt.Sprintf("sum(increase(inquest_requests_total{service=%q}[{{.window}}]))", s.Service)
		s.Counted = true
		return nil
	}
	s.Counted = in.Ratio.Counter
	for to, m := range map[*string]*openMetric{&s.Good: in.Ratio.Good, &s.Bad: in.Ratio.Bad, &s.Total: in.Ratio.Total} {
		if m == nil {
			continue
		}
		query := strings.NewReplacer("{{ .window }}", "{{.window}}", "[$window]", "[{{.window}}]").Replace(strings.TrimSpace(m.Source.Spec.Query))
		switch {
		case strings.Contains(query, "{{.window}}"):
			s.Counted = false // whatever it counts, a rate or an increase, is the query's own affair
			*to = "(" + query + ")"
		case in.Ratio.Counter:
			*to = "sum(increase(" + query + "[{{.window}}]))"
		default:
			return fmt.Errorf("the query %q has no {{.window}}: write it where the range belongs, or set counter: true and give a plain selector", query)
		}
	}
	if s.Total == "" || s.Good == "" && s.Bad == "" {
		return errors.New("a ratioMetric wants total, and good or bad")
	}
	return nil
}

// burn is one alert on how fast the budget goes: factor times as fast as the objective allows, over a long window, so that it matters,
// and a short one, so that it is still so. https://sre.google/workbook/alerting-on-slos/, table 5-8.
type burn struct {
	alert, severity string
	long, short     string
	factor          float64
}

// burns: at 14.4 times, an hour takes 2 % of a budget of 30 days; at 6 times, six hours take 5 %; at once, three days take 10 %.
func burns() []burn {
	return []burn{
		{"BudgetBurnsFast", "page", "1h", "5m", 14.4},
		{"BudgetBurns", "page", "6h", "30m", 6},
		{"BudgetBurnsSlowly", "ticket", "3d", "6h", 1},
	}
}

// minBad is how many bad events the long window must hold, where they can be counted: fewer are no trend.
const minBad = 5

// Rules returns the group of an SLO: its error ratio over each window, the rest of its budget, and its alerts.
func (s *SLO) Rules() (Group, error) {
	if !(s.Target > 0 && s.Target < 1) {
		return Group{}, fmt.Errorf("%w: SLO %q: the target is %v: give a share between 0 and 1, such as 0.999", ErrRules, s.Name, s.Target)
	}
	budget := strconv.FormatFloat(math.Round((1-s.Target)*1e12)/1e12, 'f', -1, 64)
	own := map[string]string{"slo": s.Name}
	if s.Service != "" {
		own["service"] = s.Service
	}
	with := func(extra ...string) map[string]string {
		m := map[string]string{}
		for k, v := range own {
			m[k] = v
		}
		for i := 0; i < len(extra); i += 2 {
			m[extra[i]] = extra[i+1]
		}
		return m
	}
	g := Group{File: "slo", Name: "slo-" + s.Name, Interval: 30 * time.Second}
	for _, w := range []string{"5m", "30m", "1h", "6h", "3d"} {
		g.Rules = append(g.Rules, Rule{Record: "slo:error:ratio", Expr: s.ratio(w), Labels: with("window", w)})
	}
	whole := model.Duration(s.Window).String()
	g.Rules = append(g.Rules, Rule{Record: "slo:budget_left:ratio", Expr: "1 - (" + s.ratio(whole) + ") / " + budget, Labels: with("window", whole)})
	for _, b := range burns() {
		limit := strconv.FormatFloat(b.factor, 'f', -1, 64) + " * " + budget
		expr := fmt.Sprintf("slo:error:ratio{slo=%q,window=%q} > %s\nand ignoring (window) slo:error:ratio{slo=%q,window=%q} > %s", s.Name, b.long, limit, s.Name, b.short, limit)
		if s.Counted {
			expr += fmt.Sprintf("\nand on () (%s) >= %d", s.bad(b.long), minBad)
		}
		g.Rules = append(g.Rules, Rule{Alert: b.alert, Expr: expr, Labels: with("severity", b.severity, "window", b.long), Annotations: map[string]string{
			"summary":     fmt.Sprintf("The error budget of %s burns at least %v times as fast as its objective of %s %% allows", s.Name, b.factor, strconv.FormatFloat(math.Round(s.Target*1e9)/1e7, 'f', -1, 64)),
			"description": fmt.Sprintf("{{ $value | humanizePercentage }} of events were bad over %s, and it goes on (over %s); the budget is %s.", b.long, b.short, budget),
		}})
	}
	for i := range g.Rules {
		if _, err := parser.NewParser(parser.Options{}).ParseExpr(g.Rules[i].Expr); err != nil {
			return Group{}, fmt.Errorf("%w: SLO %q: %s: %w", ErrRules, s.Name, g.Rules[i].Expr, err)
		}
	}
	return g, nil
}

func in(query, window string) string { return strings.ReplaceAll(query, "{{.window}}", window) }

// bad is the expression of the bad events. What was never bad has no series, which is none bad rather than unknown.
func (s *SLO) bad(window string) string {
	if s.Bad != "" {
		return in(s.Bad, window)
	}
	return in(s.Total, window) + " - " + in(s.Good, window)
}

func (s *SLO) ratio(window string) string {
	return fmt.Sprintf("((%s) or 0 * %s) / (%s > 0)", s.bad(window), in(s.Total, window), in(s.Total, window))
}

// Write returns groups as a rule file of Prometheus.
func Write(groups []Group) ([]byte, error) {
	type rule struct {
		Record      string            `yaml:"record,omitempty"`
		Alert       string            `yaml:"alert,omitempty"`
		Expr        string            `yaml:"expr"`
		For         string            `yaml:"for,omitempty"`
		Keep        string            `yaml:"keep_firing_for,omitempty"`
		Labels      map[string]string `yaml:"labels,omitempty"`
		Annotations map[string]string `yaml:"annotations,omitempty"`
	}
	type group struct {
		Name     string `yaml:"name"`
		Interval string `yaml:"interval,omitempty"`
		Limit    int    `yaml:"limit,omitempty"`
		Rules    []rule `yaml:"rules"`
	}
	duration := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return model.Duration(d).String()
	}
	var file struct {
		Groups []group `yaml:"groups"`
	}
	for _, g := range groups {
		out := group{Name: g.Name, Interval: duration(g.Interval), Limit: g.Limit}
		for _, r := range g.Rules {
			out.Rules = append(out.Rules, rule{r.Record, r.Alert, r.Expr, duration(r.For), duration(r.KeepFiring), r.Labels, r.Annotations})
		}
		file.Groups = append(file.Groups, out)
	}
	b, err := yaml.Marshal(file)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return b, nil
}
