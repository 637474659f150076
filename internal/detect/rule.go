// Package detect watches: it evaluates ordinary Prometheus rule files over a store.Querier and hands on what comes out as inquest.Alert.
//
// The syntax, the templates and the semantics of "for", "keep_firing_for", "limit", recorded series and marks of ended series are
// Prometheus' (its rule files are read by its own parser, model/rulefmt). Its rule engine itself is not used: it stands on its own storage
// interfaces and brings its notifier and with it the Kubernetes client along. See
// https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/.
//
// Two things are added. An alert that resolves is told once more as resolved, until its receiver has taken it; and a restart finds
// firing alerts again (from the series ALERTS and ALERTS_FOR_STATE), so that what ended in between is told as well.
package detect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/inquesthq/inquest"
)

// ErrRules says that a rule file cannot be used as it is written. The message has its line.
var ErrRules = errors.New("bad rule file")

// Group is a group of rules that are evaluated one after the other, at one time.
type Group struct {
	File, Name string
	Interval   time.Duration // 0: the detector's
	Offset     time.Duration // how far back queries look ("query_offset")
	Limit      int           // alerts or series of one rule, 0: no limit
	Rules      []Rule
}

// Rule either records a series or raises an alert.
type Rule struct {
	Record, Alert string // exactly one is set
	Expr          string
	For           time.Duration
	KeepFiring    time.Duration
	Labels        map[string]string // templates in an alert's
	Annotations   map[string]string // templates
}

// Name is what the rule records or raises.
func (r *Rule) Name() string {
	if r.Record != "" {
		return r.Record
	}
	return r.Alert
}

// Parse reads a rule file. The error lists everything that is wrong with it.
func Parse(file string, content []byte) ([]Group, error) {
	parsed, errs := rulefmt.Parse(content, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		lines := make([]string, 0, len(errs))
		for _, err := range errs {
			lines = append(lines, file+": "+err.Error())
		}
		return nil, fmt.Errorf("%w: %s", ErrRules, strings.Join(lines, "\n"))
	}
	var out []Group
	for _, g := range parsed.Groups {
		group := Group{File: file, Name: g.Name, Interval: time.Duration(g.Interval), Limit: g.Limit}
		if g.QueryOffset != nil {
			group.Offset = time.Duration(*g.QueryOffset)
		}
		for _, r := range g.Rules {
			rule := Rule{Record: r.Record, Alert: r.Alert, Expr: strings.TrimSpace(r.Expr), For: time.Duration(r.For), KeepFiring: time.Duration(r.KeepFiringFor), Labels: map[string]string{}, Annotations: r.Annotations}
			for k, v := range g.Labels {
				rule.Labels[k] = v
			}
			for k, v := range r.Labels {
				rule.Labels[k] = v
			}
			group.Rules = append(group.Rules, rule)
		}
		out = append(out, group)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: %s has no groups: put rules under groups:, as in Prometheus", ErrRules, file)
	}
	return out, nil
}

// Receiver takes what changed.
type Receiver interface {
	// Alerts takes alerts that became pending, firing or resolved, and now and then those that still fire. The same alert may come
	// again: Key and State tell. When it returns an error, all of them come again with the next evaluation.
	Alerts(ctx context.Context, alerts []inquest.Alert) error
}
