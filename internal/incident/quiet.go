package incident

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// States of silences and maintenance windows.
const (
	stateOn    = "on"
	stateEnded = "ended"
)

// Matcher asks something of a label, as Alertmanager's do: Regex is anchored at both ends; the label "alertname" is the rule; a label that is not there is "".
type Matcher struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Regex bool   `json:"regex,omitempty"`
	Not   bool   `json:"not,omitempty"`
}

// Silence keeps alerts that all its matchers match from opening incidents and from being told. They are recorded all the same.
type Silence struct {
	ID       string    `json:"id"`
	Matchers []Matcher `json:"matchers"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	By       string    `json:"by"`
	Why      string    `json:"why"`
	EndedBy  string    `json:"endedBy,omitempty"` // a person, or "inquest" when it expired
	Version  int64     `json:"version"`
}

// MaintenanceWindow keeps people from being told of incidents of services that are being worked on. The incidents are opened and investigated all
// the same, and people are told when the window ends while alerts still fire.
type MaintenanceWindow struct {
	ID       string    `json:"id"`
	Services []string  `json:"services"` // "*": all
	Incident string    `json:"incident,omitempty"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	By       string    `json:"by"`
	Why      string    `json:"why"`
	EndedBy  string    `json:"endedBy,omitempty"`
	Version  int64     `json:"version"`
}

// maxQuiet bounds how long something may be kept quiet: what is quiet for ever is a rule to be taken out.
const maxQuiet = 90 * 24 * time.Hour

func checkQuiet(what, by, why string, from, until, now time.Time) error {
	switch {
	case by == "" || strings.TrimSpace(why) == "":
		return fmt.Errorf("incident: %w: a %s needs who and why", ErrInput, what)
	case !until.After(from) || !until.After(now):
		return fmt.Errorf("incident: %w: a %s must end after it begins, and in the future; %s does not", ErrInput, what, until.UTC().Format(time.RFC3339))
	case until.Sub(from) > maxQuiet:
		return fmt.Errorf("incident: %w: a %s lasts 90 days at most; mend or remove the rule instead", ErrInput, what)
	}
	return nil
}

func (m *Matcher) compile() (*regexp.Regexp, error) {
	if m.Name == "" {
		return nil, fmt.Errorf("incident: %w: a matcher needs the name of a label", ErrInput)
	}
	if !m.Regex {
		return nil, nil
	}
	r, err := regexp.Compile("^(?:" + m.Value + ")$")
	if err != nil {
		return nil, fmt.Errorf("incident: %w: matcher of %s: %w", ErrInput, m.Name, err)
	}
	return r, nil
}

// Matches reports whether the silence, were it on, would keep the alert quiet.
func (s *Silence) Matches(a *inquest.Alert) bool {
	for i := range s.Matchers {
		m := &s.Matchers[i]
		value := a.Labels[m.Name]
		if m.Name == "alertname" {
			value = a.Rule
		}
		r, err := m.compile()
		if err != nil {
			return false
		}
		hit := value == m.Value
		if r != nil {
			hit = r.MatchString(value)
		}
		if hit == m.Not {
			return false
		}
	}
	return len(s.Matchers) > 0
}

// AddSilence records a silence; From may be zero for now. ID and Version are given by the desk.
func (d *Desk) AddSilence(ctx context.Context, s Silence) (Silence, error) {
	now := d.now()
	if s.From.IsZero() {
		s.From = now
	}
	s.From, s.Until = moment(s.From), moment(s.Until)
	if err := checkQuiet("silence", s.By, s.Why, s.From, s.Until, now); err != nil {
		return s, err
	}
	if len(s.Matchers) == 0 {
		return s, fmt.Errorf("incident: %w: a silence needs a matcher, or it would silence everything", ErrInput)
	}
	empty := &inquest.Alert{}
	for i := range s.Matchers {
		if _, err := s.Matchers[i].compile(); err != nil {
			return s, err
		}
	}
	if s.Matches(empty) {
		return s, fmt.Errorf("incident: %w: this silence matches an alert without labels, and so everything; ask for a label", ErrInput)
	}
	s.ID, s.EndedBy, s.Why = newID("SIL-"), "", cut(s.Why, 1000)
	r, err := record(kindSilence, s.ID, "", stateOn, s.Until, s)
	if err == nil {
		err = d.cfg.Records.Put(ctx, r)
	}
	s.Version = 1
	return s, err
}

// AddWindow records a maintenance window; From may be zero for now. ID and Version are given by the desk.
func (d *Desk) AddWindow(ctx context.Context, w MaintenanceWindow) (MaintenanceWindow, error) {
	now := d.now()
	if w.From.IsZero() {
		w.From = now
	}
	w.From, w.Until = moment(w.From), moment(w.Until)
	if err := checkQuiet("maintenance window", w.By, w.Why, w.From, w.Until, now); err != nil {
		return w, err
	}
	w.Services = slices.DeleteFunc(slices.Clone(w.Services), func(s string) bool { return s == "" })
	if len(w.Services) == 0 {
		return w, fmt.Errorf("incident: %w: name the services that are worked on, or * for all", ErrInput)
	}
	w.ID, w.EndedBy, w.Why = newID("MW-"), "", cut(w.Why, 1000)
	r, err := record(kindWindow, w.ID, w.Incident, stateOn, w.Until, w)
	if err != nil {
		return w, err
	}
	if w.Incident == "" {
		err = d.cfg.Records.Put(ctx, r)
	} else {
		_, err = d.act(ctx, w.Incident, Act{By: w.By}, func(_ context.Context, e *edit, f *draft) error {
			f.entry(e.now, inquest.EntryStep, w.By, fmt.Sprintf("maintenance of %s until %s: %s", strings.Join(w.Services, ", "), w.Until.Format(time.RFC3339), w.Why), map[string]any{"window": w.ID})
			f.more = append(f.more, r)
			return nil
		})
	}
	w.Version = 1
	return w, err
}

// EndSilence ends a silence before its time.
func (d *Desk) EndSilence(ctx context.Context, id, by string) error {
	return end(ctx, d, kindSilence, id, func(s *Silence) { s.EndedBy, s.Until = by, d.now() })
}

// EndWindow ends a maintenance window before its time.
func (d *Desk) EndWindow(ctx context.Context, id, by string) error {
	return end(ctx, d, kindWindow, id, func(w *MaintenanceWindow) { w.EndedBy, w.Until = by, d.now() })
}

// end replaces a record by its ended version.
func end[T any](ctx context.Context, d *Desk, kind, id string, f func(*T)) error {
	r, err := d.cfg.Records.Get(ctx, kind, id)
	if err != nil {
		return fmt.Errorf("incident: %s %s: %w", kind, id, err)
	}
	if r.State == stateEnded {
		return nil
	}
	v, err := decode[T](r)
	if err != nil {
		return err
	}
	f(&v)
	next, err := record(kind, id, r.Parent, stateEnded, r.Time, v)
	if err != nil {
		return err
	}
	next.Version = r.Version
	if err := d.cfg.Records.Put(ctx, next); err != nil {
		return fmt.Errorf("incident: end %s %s: %w", kind, id, err)
	}
	return nil
}

// Silences lists those that are on, or will be; with ended also the last 1000 that are over.
func (d *Desk) Silences(ctx context.Context, ended bool) ([]Silence, error) {
	return quiet(ctx, d, kindSilence, ended, func(s *Silence, v int64) { s.Version = v })
}

// Windows lists the maintenance windows that are on, or will be; with ended also the last 1000 that are over.
func (d *Desk) Windows(ctx context.Context, ended bool) ([]MaintenanceWindow, error) {
	return quiet(ctx, d, kindWindow, ended, func(w *MaintenanceWindow, v int64) { w.Version = v })
}

// quiet lists by when they end, the last first: those that are on cannot be pushed out of the answer by old ones.
func quiet[T any](ctx context.Context, d *Desk, kind string, ended bool, version func(*T, int64)) ([]T, error) {
	q := store.Query{Kind: kind, State: stateOn, Newest: true}
	if ended {
		q.State = ""
	} else {
		q.From = d.now().Add(time.Microsecond)
	}
	records, err := d.cfg.Records.List(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("incident: list %s: %w", kind, err)
	}
	out := make([]T, 0, len(records))
	for _, r := range records {
		v, err := decode[T](r)
		if err != nil {
			return nil, err
		}
		version(&v, r.Version)
		out = append(out, v)
	}
	return out, nil
}

// quietness is what keeps alerts and incidents quiet at the time of an edit.
type quietness struct {
	silences []Silence
	windows  []MaintenanceWindow
}

func (e *edit) quietness(ctx context.Context) (*quietness, error) {
	if e.quiet != nil {
		return e.quiet, nil
	}
	silences, err := e.desk.Silences(ctx, false)
	if err != nil {
		return nil, err
	}
	windows, err := e.desk.Windows(ctx, false)
	if err != nil {
		return nil, err
	}
	e.quiet = &quietness{
		slices.DeleteFunc(silences, func(s Silence) bool { return s.From.After(e.now) }),
		slices.DeleteFunc(windows, func(w MaintenanceWindow) bool { return w.From.After(e.now) }),
	}
	return e.quiet, nil
}

// silenced returns the id of a silence that keeps the alert quiet, "" for none.
func (e *edit) silenced(ctx context.Context, a *inquest.Alert) (string, error) {
	q, err := e.quietness(ctx)
	if err != nil {
		return "", err
	}
	for i := range q.silences {
		if q.silences[i].Matches(a) {
			return q.silences[i].ID, nil
		}
	}
	return "", nil
}

// muted says why nobody is to be told of the incident, "" when people are. One alert that is neither silenced nor of a service in maintenance suffices to tell.
func (e *edit) muted(ctx context.Context, f *draft) (string, error) {
	if len(f.Alerts) == 0 {
		return "", nil // a person opened it, knowing what is going on
	}
	q, err := e.quietness(ctx)
	if err != nil {
		return "", err
	}
	alerts := f.firing()
	if len(alerts) == 0 {
		alerts = f.last()
	}
	why := ""
	for _, a := range alerts {
		reason := q.of(a)
		if reason == "" {
			return "", nil
		}
		why = reason
	}
	return why, nil
}

// last returns all alerts of an incident of which none fires.
func (f *draft) last() []*inquest.Alert {
	out := make([]*inquest.Alert, 0, len(f.Alerts))
	for i := range f.Alerts {
		out = append(out, &f.Alerts[i])
	}
	return out
}

// of says what keeps an alert quiet.
func (q *quietness) of(a *inquest.Alert) string {
	for i := range q.silences {
		if s := &q.silences[i]; s.Matches(a) {
			return fmt.Sprintf("silence %s by %s: %s", s.ID, s.By, s.Why)
		}
	}
	for i := range q.windows {
		w := &q.windows[i]
		if slices.Contains(w.Services, "*") || slices.Contains(w.Services, a.Service()) {
			return fmt.Sprintf("maintenance window %s by %s until %s: %s", w.ID, w.By, w.Until.Format(time.RFC3339), w.Why)
		}
	}
	return ""
}

// openWindow returns a maintenance window that is on and made for this incident, or names one of its services; nil for none. While that is on, nobody can know
// whether users are served without it. A window of all services (*) does not count: it is planned for something else, such as a move of the data centre, goes on
// for hours, and ending it to close one incident would wake people for all the rest.
func (e *edit) openWindow(ctx context.Context, f *draft) (*MaintenanceWindow, error) {
	q, err := e.quietness(ctx)
	if err != nil {
		return nil, err
	}
	for i := range q.windows {
		w := &q.windows[i]
		if w.Incident == f.ID || slices.ContainsFunc(f.Services, func(s string) bool { return slices.Contains(w.Services, s) }) {
			return w, nil
		}
	}
	return nil, nil
}

// newID makes an id that nobody can guess and that does not clash.
func newID(prefix string) string {
	return prefix + rand.Text()[:12]
}

// hash shortens an alert's key to an id.
func hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:10])
}
