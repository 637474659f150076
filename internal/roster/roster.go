// Package roster says who is on call when: rotations with zones, hand-overs and hours, and overrides. It is pure: times come in, names go out.
package roster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrInput says that the roster cannot be meant that way; the message says what is expected.
var ErrInput = errors.New("cannot be understood")

// Roster says who is on call when. A time is looked up in the overrides first, then in the rotations in their order: the first that covers it
// counts. So a follow-the-sun roster is one rotation a region, each with its hours.
type Roster struct {
	Name      string     `json:"name"`
	Rotations []Rotation `json:"rotations"`
	Overrides []Override `json:"overrides,omitempty"`
	Version   int64      `json:"version,omitempty"`
}

// Rotation hands over from one person to the next at the same local time, whatever daylight saving does.
type Rotation struct {
	Zone     string   `json:"zone"`               // IANA name, "Europe/Berlin"; "" is UTC
	People   []string `json:"people"`             // in their order
	Start    string   `json:"start"`              // day on which the first one begins, "2026-11-02"
	Handover string   `json:"handover,omitempty"` // local time, "09:00"; "" is midnight
	Days     int      `json:"days,omitempty"`     // how long each is on; 0: 7
	Hours    *Hours   `json:"hours,omitempty"`    // nil: around the clock
}

// Hours restricts a rotation to hours of some days, in its zone. To before From goes over midnight and belongs to the day on which it begins.
type Hours struct {
	From string         `json:"from"`           // "09:00"
	To   string         `json:"to"`             // "17:00"
	Days []time.Weekday `json:"days,omitempty"` // 0 is Sunday; none: every day
}

// Override puts somebody else on for a while: a holiday, a swap. The last one that covers a time counts.
type Override struct {
	Person string    `json:"person"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Why    string    `json:"why,omitempty"`
}

// Shift is a stretch with one person on call; Person is "" where nobody is.
type Shift struct {
	Person string    `json:"person"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
}

// Parse reads and checks a roster in JSON. A key that is not known is an error: a typing error must not leave nobody on call.
func Parse(b []byte) (Roster, error) {
	var r Roster
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("roster: %w: %w", ErrInput, err)
	}
	return r, r.Check()
}

// Check says what is wrong with a roster.
func (r *Roster) Check() error {
	bad := func(i int, format string, args ...any) error {
		return fmt.Errorf("roster %s, rotation %d: %w: %s", r.Name, i+1, ErrInput, fmt.Sprintf(format, args...))
	}
	if r.Name == "" || len(r.Rotations) == 0 {
		return fmt.Errorf("roster: %w: it needs a name and a rotation", ErrInput)
	}
	for i := range r.Rotations {
		t := &r.Rotations[i]
		if _, err := time.LoadLocation(t.Zone); err != nil {
			return bad(i, "zone %q is not known; use a name such as Europe/Berlin", t.Zone)
		}
		if len(t.People) == 0 || slices.Contains(t.People, "") {
			return bad(i, "it needs people with names")
		}
		if _, err := time.Parse(time.DateOnly, t.Start); err != nil {
			return bad(i, "start is a day such as 2026-11-02, not %q", t.Start)
		}
		if _, err := clock(t.Handover); err != nil {
			return bad(i, "handover: %v", err)
		}
		if t.Days < 0 {
			return bad(i, "days must not be negative")
		}
		if h := t.Hours; h != nil {
			from, err1 := clock(h.From)
			to, err2 := clock(h.To)
			if err := errors.Join(err1, err2); err != nil || from == to {
				return bad(i, "hours are two times such as 09:00 and 17:00, not %q and %q", h.From, h.To)
			}
			if slices.ContainsFunc(h.Days, func(d time.Weekday) bool { return d < 0 || d > 6 }) {
				return bad(i, "days of the week go from 0, Sunday, to 6")
			}
		}
	}
	for i, o := range r.Overrides {
		if o.Person == "" || !o.Until.After(o.From) {
			return fmt.Errorf("roster %s, override %d: %w: it needs a person, and must end after it begins", r.Name, i+1, ErrInput)
		}
	}
	return nil
}

// clock reads "09:30" as minutes of the day.
func clock(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("%q is no time of day such as 09:00", s)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// OnCall returns who is on call, "" for nobody. The roster has been checked.
func (r *Roster) OnCall(at time.Time) string { return r.plan().onCall(at) }

// plan is a roster with its texts read.
type plan struct {
	overrides []Override
	rotations []turns
}

type turns struct {
	people         []string
	zone           *time.Location
	start          time.Time // midnight in UTC
	handover, each int
	hours          *Hours
	from, to       int // minutes of the day, of hours
}

// plan reads the texts once; a rotation that cannot be read, which Check would have said, is nobody's.
func (r *Roster) plan() *plan {
	p := &plan{overrides: r.Overrides}
	for i := range r.Rotations {
		t := &r.Rotations[i]
		zone, err1 := time.LoadLocation(t.Zone)
		start, err2 := time.Parse(time.DateOnly, t.Start)
		handover, err3 := clock(t.Handover)
		next := turns{people: t.People, zone: zone, start: start, handover: handover, each: t.Days, hours: t.Hours}
		if next.each == 0 {
			next.each = 7
		}
		var err4, err5 error
		if t.Hours != nil {
			next.from, err4 = clock(t.Hours.From)
			next.to, err5 = clock(t.Hours.To)
		}
		if errors.Join(err1, err2, err3, err4, err5) == nil && len(t.People) > 0 {
			p.rotations = append(p.rotations, next)
		}
	}
	return p
}

func (p *plan) onCall(at time.Time) string {
	for _, o := range slices.Backward(p.overrides) {
		if !at.Before(o.From) && at.Before(o.Until) {
			return o.Person
		}
	}
	for i := range p.rotations {
		if who := p.rotations[i].onCall(at); who != "" {
			return who
		}
	}
	return ""
}

func (t *turns) onCall(at time.Time) string {
	local := at.In(t.zone)
	if t.hours != nil && !t.within(local) {
		return ""
	}
	day := dayOf(local)
	if local.Hour()*60+local.Minute() < t.handover {
		day = day.AddDate(0, 0, -1)
	}
	days := int(day.Sub(t.start) / (24 * time.Hour)) // both are midnights in UTC: every day has 24 hours there
	if day.Before(t.start) {
		return ""
	}
	return t.people[days/t.each%len(t.people)]
}

// dayOf is the local day as midnight in UTC, so that days can be counted.
func dayOf(local time.Time) time.Time {
	return time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
}

// within reports whether the hours of the rotation cover a local time.
func (t *turns) within(local time.Time) bool {
	from, to, h := t.from, t.to, t.hours
	minute := local.Hour()*60 + local.Minute()
	weekday := local.Weekday()
	if from > to { // over midnight
		if minute < to {
			weekday = (weekday + 6) % 7
		} else if minute < from {
			return false
		}
	} else if minute < from || minute >= to {
		return false
	}
	return len(h.Days) == 0 || slices.Contains(h.Days, weekday)
}

// Shifts lists who is on call from one time to another, to the minute, and where nobody is. The stretch may be 100 days long.
func (r *Roster) Shifts(from, until time.Time) []Shift {
	var out []Shift
	p := r.plan()
	until = until.UTC()
	if until.Sub(from) > 100*24*time.Hour {
		until = from.Add(100 * 24 * time.Hour)
	}
	const step = 5 * time.Minute // zones and hand-overs lie on such a grid; a start in between is refined below
	for t := from.UTC().Truncate(step); t.Before(until); t = t.Add(step) {
		who := p.onCall(t)
		if n := len(out); n > 0 && out[n-1].Person == who {
			out[n-1].Until = t.Add(step)
			continue
		}
		begin := t
		if n := len(out); n > 0 {
			begin = p.turn(out[n-1].Person, t.Add(-step), t)
			out[n-1].Until = begin
		}
		out = append(out, Shift{who, begin, t.Add(step)})
	}
	if n := len(out); n > 0 {
		out[0].From, out[n-1].Until = from.UTC(), until
	}
	return out
}

// turn finds the minute after a and up to b at which person is not on any more.
func (p *plan) turn(person string, a, b time.Time) time.Time {
	for t := a.Add(time.Minute); t.Before(b); t = t.Add(time.Minute) {
		if p.onCall(t) != person {
			return t
		}
	}
	return b
}
