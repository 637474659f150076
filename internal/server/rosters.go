package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/inquesthq/inquest/internal/roster"
	"github.com/inquesthq/inquest/internal/store"
)

// Roster says who is on call when (docs/notify.md). A time is looked up in the overrides, the last one first, then in the rotations.
type Roster struct {
	Rotations []Rotation `yaml:"rotations"`
	Overrides []Override `yaml:"overrides"`
}

// Rotation hands over from one person to the next at the same local time.
type Rotation struct {
	Zone     string   `yaml:"zone"` // IANA name; default UTC
	People   []string `yaml:"people"`
	Start    string   `yaml:"start"`    // day on which the first one begins, 2026-11-02
	Handover string   `yaml:"handover"` // local time, "09:00"; default midnight
	Days     int      `yaml:"days"`     // how long each is on; default 7
	Hours    *Hours   `yaml:"hours"`    // default: around the clock
}

// Hours restricts a rotation.
type Hours struct {
	From string `yaml:"from"` // "09:00"
	To   string `yaml:"to"`
	Days []int  `yaml:"days"` // 0 is Sunday; default: every day
}

// Override puts somebody else on for a while.
type Override struct {
	Person string    `yaml:"person"`
	From   time.Time `yaml:"from"`
	Until  time.Time `yaml:"until"`
	Why    string    `yaml:"why"`
}

// noun is a roster of the settings as the desk has it.
func (r *Roster) noun(name string) roster.Roster {
	out := roster.Roster{Name: name}
	for _, t := range r.Rotations {
		x := roster.Rotation{Zone: t.Zone, People: t.People, Start: t.Start, Handover: t.Handover, Days: t.Days}
		if h := t.Hours; h != nil {
			x.Hours = &roster.Hours{From: h.From, To: h.To}
			for _, d := range h.Days {
				x.Hours.Days = append(x.Hours.Days, time.Weekday(d))
			}
		}
		out.Rotations = append(out.Rotations, x)
	}
	for _, o := range r.Overrides {
		out.Overrides = append(out.Overrides, roster.Override{Person: o.Person, From: o.From.UTC(), Until: o.Until.UTC(), Why: o.Why})
	}
	return out
}

func (c *checker) rosters(s *Settings) {
	for _, name := range slices.Sorted(maps.Keys(s.Rosters)) {
		r := s.Rosters[name]
		noun := r.noun(name)
		if err := noun.Check(); err != nil {
			c.fault(err.Error(), "rosters", name)
		}
	}
	known := func(name string, path ...string) {
		if _, ok := s.Rosters[name]; name != "" && !ok {
			c.fault(fmt.Sprintf("there is no roster %q; rosters has them", name), path...)
		}
	}
	for i, t := range s.Tell {
		known(t.Roster, "tell", fmt.Sprint(i), "roster")
	}
	for i, l := range s.Escalation {
		known(l.Roster, "escalation", fmt.Sprint(i), "roster")
	}
}

// keepRosters gives the desk the rosters of the settings. Of several servers on one store the last to start counts; they should have one file.
func (p *process) keepRosters(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(p.Settings.Rosters)) {
		r := p.Settings.Rosters[name]
		want := r.noun(name)
		err := p.keepRoster(ctx, want)
		if errors.Is(err, store.ErrConflict) { // another server keeps the same at the same time
			err = p.keepRoster(ctx, want)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *process) keepRoster(ctx context.Context, want roster.Roster) error {
	old, err := p.desk.Roster(ctx, want.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	want.Version = old.Version
	if err == nil && reflect.DeepEqual(old, want) {
		return nil
	}
	_, err = p.desk.PutRoster(ctx, want)
	return err
}
