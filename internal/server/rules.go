package server

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/inquesthq/inquest/internal/detect"
)

func (p *process) openRules(context.Context) error {
	groups, err := p.groups()
	if err != nil {
		return err
	}
	p.detector, err = detect.New(detect.Config{Groups: groups, Query: p.metrics, Append: p.metrics, Receiver: p.desk, Interval: p.Settings.Rules.Interval, URL: p.Settings.URL,
		Now: p.Now, Failed: func(rule string, err error) { p.Log("rule " + rule + ": " + err.Error()) }})
	if err != nil {
		return err
	}
	p.also("rules", p.detector.Run)
	p.also("reconciling", p.reconcile)
	return nil
}

// reconcile tells the desk once a minute all that fires, so that what resolved while no server ran is found out.
func (p *process) reconcile(ctx context.Context) error {
	return p.every(ctx, time.Minute, "alerts", func() error {
		var sound []string
		for _, r := range p.detector.Status() {
			if r.Alert && r.Error == "" && !r.Last.IsZero() { // before the first evaluation nothing is known
				sound = append(sound, r.Name)
			}
		}
		return p.desk.Reconcile(ctx, "rules", sound, p.detector.Alerts())
	})
}

// groups are the rules that come along, those of the operator, and those that objectives stand for.
func (p *process) groups() ([]detect.Group, error) {
	var out []detect.Group
	if !p.Settings.Rules.NoShipped {
		shipped, err := detect.Shipped()
		if err != nil {
			return nil, err
		}
		out = append(out, shipped...)
	}
	for _, file := range p.Settings.Rules.Files {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		groups, err := detect.Parse(file, b)
		if err != nil {
			return nil, err
		}
		out = append(out, groups...)
	}
	var err error
	if p.objectives, err = p.slos(); err != nil {
		return nil, err
	}
	for i := range p.objectives {
		g, err := p.objectives[i].Rules()
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, nil
}

func (p *process) slos() ([]detect.SLO, error) {
	var out []detect.SLO
	for _, file := range p.Settings.Rules.SLOs {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("objectives: %w", err)
		}
		slos, err := detect.ParseOpenSLO(file, b)
		if err != nil {
			return nil, err
		}
		out = append(out, slos...)
	}
	return out, nil
}
