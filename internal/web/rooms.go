package web

import (
	"context"
	"html/template"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web/words"
)

// Errors that the rooms behind the interfaces answer with; store.ErrNotFound and store.ErrConflict count as well. What they say is shown.
type (
	// InputError says that what was sent cannot be meant (400).
	InputError struct{ Reason string }
	// RefusedError says that it is understood, but not allowed as things stand (409).
	RefusedError struct{ Reason string }
)

func (e *InputError) Error() string   { return e.Reason }
func (e *RefusedError) Error() string { return e.Reason }

// Desk is where incidents are kept and changed.
type Desk interface {
	// Get returns an incident, or store.ErrNotFound.
	Get(ctx context.Context, id string) (*inquest.Incident, error)
	// List returns incidents, those opened last first.
	List(ctx context.Context, f Filter) ([]inquest.Incident, error)
	// Timeline returns all entries of an incident in order of time, those of the newest diagnosis and the changes of its hours too.
	Timeline(ctx context.Context, id string) ([]inquest.IncidentEntry, error)
	// Diagnosis returns one revision of the verdict, 0 for the newest, or store.ErrNotFound while there is none.
	Diagnosis(ctx context.Context, id string, revision int) (*inquest.Diagnosis, error)
	// Revisions lists all diagnoses, oldest first.
	Revisions(ctx context.Context, id string) ([]Revision, error)
	// Similar lists earlier incidents of the same kind, the most similar first.
	Similar(ctx context.Context, id string) ([]inquest.Similar, error)
	// Declare opens an incident because a person says so.
	Declare(ctx context.Context, d Declaration) (*inquest.Incident, error)
	// Act does to an incident what a person wants.
	Act(ctx context.Context, id string, a Act) (*inquest.Incident, error)
	// Stats looks back on the incidents that were opened in a window.
	Stats(ctx context.Context, w inquest.Window) (*Stats, error)
	// Report takes in what a user tells of a failure.
	Report(ctx context.Context, r UserReport) (UserReport, error)

	Silences(ctx context.Context) ([]Silence, error)
	AddSilence(ctx context.Context, s Silence) (Silence, error)
	EndSilence(ctx context.Context, id, by string) error

	// Maintenance lists the windows that are on, and those that are to come.
	Maintenance(ctx context.Context) ([]Maintenance, error)
	AddMaintenance(ctx context.Context, m Maintenance) (Maintenance, error)
	EndMaintenance(ctx context.Context, id, by string) error
}

// Filter says which incidents to list. Zero fields do not restrict.
type Filter struct {
	Active   bool
	State    inquest.IncidentState
	Service  string
	Severity inquest.Severity // and worse ones
	Limit    int
	After    store.Cursor
}

// Verb is what a person may do to an incident.
type Verb string

// The verbs.
const (
	Acknowledge Verb = "acknowledge"
	Mitigate    Verb = "mitigate"
	Resolve     Verb = "resolve"
	Reopen      Verb = "reopen"
	Note        Verb = "note"
	Identify    Verb = "identify" // name the cause
	SetSeverity Verb = "severity"
	SetFactors  Verb = "factors"
	Waive       Verb = "waive"  // there will be no postmortem
	Review      Verb = "review" // close the file
)

// Act is one deed.
type Act struct {
	Verb     Verb
	By       string
	Text     string
	Version  int64                 // of the incident that was looked at; 0: whatever it is now
	State    inquest.IncidentState // that was seen; "": whatever it is now
	Force    bool                  // although alerts still fire or requests fail
	Severity inquest.Severity
	Factors  []inquest.Factor
}

// Declaration is an incident that a person opens.
type Declaration struct {
	Title    string
	Services []string
	Severity inquest.Severity // 0: the desk judges
	By       string
	Text     string
}

// Revision is one diagnosis of an incident, in short.
type Revision struct {
	Number  int                    `json:"number"`
	Time    time.Time              `json:"time"`
	Failed  int                    `json:"failed"`
	Ratio   float64                `json:"ratio"`
	Verdict inquest.VerdictSummary `json:"verdict"`
}

// UserReport is what a user tells of a failure.
type UserReport struct {
	ID       string    `json:"id"`
	ErrorID  string    `json:"errorId,omitempty"` // that the error page showed
	Text     string    `json:"text,omitempty"`
	Contact  string    `json:"contact,omitempty"`
	Service  string    `json:"service,omitempty"`
	Time     time.Time `json:"time,omitzero"`
	Incident string    `json:"incident,omitempty"` // that it was attached to
}

// Stats is how incidents went that were opened in a window.
type Stats struct {
	From      time.Time  `json:"from"`
	To        time.Time  `json:"to"`
	Incidents int        `json:"incidents"`
	Active    int        `json:"active"`
	Repeats   int        `json:"repeats"` // have the cause of an earlier one
	Merged    int        `json:"merged"`  // turned out to be part of another; they count nowhere else
	Times     []TimeStat `json:"times"`
	Severity  []Tally    `json:"severity"`
	Class     []Tally    `json:"class"`  // of the cause; "other" where none was found
	Factor    []Tally    `json:"factor"` // that people gave
	State     []Tally    `json:"state"`
	Late      []string   `json:"late"`      // acknowledged, or not yet, later than LateAfter
	LateAfter Number     `json:"lateAfter"` // seconds
	Cost      float64    `json:"cost"`
	Currency  string     `json:"currency,omitempty"`
}

// TimeStat is one of the times of incidents.
type TimeStat struct {
	Name    string `json:"name"`    // MTTD, MTTA, MTTM, MTTR
	Time    string `json:"time"`    // "to detect"
	Meaning string `json:"meaning"` // from what until what
	Count   int    `json:"count"`   // incidents for which it is known
	Mean    Number `json:"mean"`    // seconds
	Median  Number `json:"median"`  // seconds
}

// Tally is how many incidents have something in common.
type Tally struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Silence keeps alerts from being told.
type Silence struct {
	ID    string    `json:"id"`
	Match string    `json:"match"` // {service="checkout", route=~"GET .*"}
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	By    string    `json:"by"`
	Why   string    `json:"why"`
	On    bool      `json:"on"`
}

// Maintenance is a window in which services are worked on: nobody is told of their incidents until it ends.
type Maintenance struct {
	ID       string    `json:"id"`
	Services []string  `json:"services"` // "*": all
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	By       string    `json:"by"`
	Why      string    `json:"why"`
	On       bool      `json:"on"` // or to come; else it is over
}

// Lookup finds everything about one request by an id that a user or a log names.
type Lookup interface {
	Lookup(ctx context.Context, id string) (*Trace, error)
}

// Trace is everything that is known of one request.
type Trace struct {
	IDs     []string `json:"ids"` // the one asked for and those that its lines link it to
	Lines   []Line   `json:"lines"`
	Omitted int      `json:"omitted,omitempty"` // lines that are not shown
	Missing []string `json:"missing,omitempty"` // what could not be looked at, and why
}

// Add takes what another server has found of the same request.
func (t *Trace) Add(other *Trace) {
	for _, id := range other.IDs {
		if !slices.Contains(t.IDs, id) {
			t.IDs = append(t.IDs, id)
		}
	}
	t.Lines = append(t.Lines, other.Lines...)
	slices.SortStableFunc(t.Lines, func(a, b Line) int { return a.Time.Compare(b.Time) })
	t.Omitted += other.Omitted
	t.Missing = append(t.Missing, other.Missing...)
}

// Line is one log line or span of a request.
type Line struct {
	Time    time.Time      `json:"time"`
	Service string         `json:"service"`
	Layer   inquest.Layer  `json:"layer"`
	Source  inquest.Source `json:"source"`
	Text    string         `json:"text"`
	Report  bool           `json:"report,omitempty"` // what a user told, not what a service wrote
}

// Runbooks hold the steps that an incident's mechanism asks for. Nothing is executed.
type Runbooks interface {
	// Runbook returns the steps with what was done of them, or store.ErrNotFound when there is none for this incident.
	Runbook(ctx context.Context, incident string) (*Runbook, error)
	// Check notes that a step was done, and with which outcome; it writes the timeline.
	Check(ctx context.Context, incident string, c StepCheck) error
}

type (
	// Runbook is the noun, as pages and API have it.
	Runbook = inquest.Runbook
	// Step likewise.
	Step = inquest.Step
	// StepCheck likewise.
	StepCheck = inquest.StepCheck
)

// Postmortems write, keep and check postmortems.
type Postmortems interface {
	// Get returns the saved one, or store.ErrNotFound.
	Get(ctx context.Context, incident string) (*Postmortem, error)
	// Draft writes one from the record without saving it.
	Draft(ctx context.Context, incident string) (*Postmortem, error)
	// Save keeps a text. Version is the one that was edited, 0 for the first; store.ErrConflict when it was changed meanwhile.
	Save(ctx context.Context, p Postmortem) (*Postmortem, error)
	// Publish says that the saved text is final; RefusedError while the lint finds what must be mended.
	Publish(ctx context.Context, incident, by string, version int64) (*Postmortem, error)
	// OpenItems lists the action items of an incident's postmortem that are not done, one line each.
	OpenItems(ctx context.Context, incident string) ([]string, error)
}

// Postmortem is the document of one incident.
type Postmortem struct {
	Incident string        `json:"incident"`
	Markdown string        `json:"markdown"`
	HTML     template.HTML `json:"-"` // rendered by the room, which escapes what is not its own
	Lint     []LintFinding `json:"lint"`
	By       string        `json:"by,omitempty"`
	Time     time.Time     `json:"time,omitzero"`
	Version  int64         `json:"version"` // 0: a draft that nobody has saved

	Published   time.Time `json:"published,omitzero"`
	PublishedBy string    `json:"publishedBy,omitempty"`
}

// Blocked reports whether the lint found what must be mended before it is published.
func (p *Postmortem) Blocked() bool {
	return slices.ContainsFunc(p.Lint, func(f LintFinding) bool { return f.Error })
}

// LintFinding is what a postmortem lacks.
type LintFinding struct {
	Rule  string `json:"rule"`
	Error bool   `json:"error"` // it cannot be published so; else it is advice
	Text  string `json:"text"`
	Line  int    `json:"line,omitempty"`
}

// Objectives are the service level objectives and how they stand.
type Objectives interface {
	Objectives(ctx context.Context) ([]Objective, error)
}

// Objective is one SLO.
type Objective struct {
	Name    string       `json:"name"`
	Service string       `json:"service"`
	Target  float64      `json:"target"` // 0.999
	Days    int          `json:"days"`   // of the window
	Good    Number       `json:"good"`   // ratio over the window so far
	Left    Number       `json:"left"`   // of the error budget, 1 to below 0
	Burn    []BurnWindow `json:"burn"`
}

// BurnWindow is how fast the budget goes: 1 uses it up exactly at the window's end.
type BurnWindow struct {
	Window string `json:"window"` // "1h"
	Rate   Number `json:"rate"`
	Limit  Number `json:"limit"` // from which on people are told
}

// Auditor looks by itself at what the services answer and log.
type Auditor interface {
	Findings(ctx context.Context) (*Findings, error)
}

// Findings is what was found in a stretch of time, and what was looked at.
type Findings struct {
	Audit   *inquest.Audit // nil: nobody has looked yet
	On      bool           // somebody looks
	From    time.Time      // of the stretch; what was found before is forgotten
	To      time.Time
	Looked  time.Time // the last time; zero: not yet
	Next    time.Time // when the next look is due
	Arrived int64     // bytes of log lines that came in the stretch
	Read    int64     // of them, that were looked at
	Servers []string  // that looked, each at what it had received
}

// Settings tells how the server is set up, without secrets.
type Settings interface {
	Setup(ctx context.Context) (*Setup, error)
}

// Setup is what the settings page shows.
type Setup struct {
	Channels []Channel `json:"channels"`
	Rosters  []OnCall  `json:"rosters"`
	Rules    []Rule    `json:"rules"`
	Facts    []Fact    `json:"facts"` // versions, folders, how long things are kept
}

// Channel is a way to tell people.
type Channel struct {
	Name     string    `json:"name"`
	Kind     string    `json:"kind"`  // slack, pagerduty, email, ...
	Where    string    `json:"where"` // without its secret
	DryRun   bool      `json:"dryRun"`
	Sent     time.Time `json:"sent,omitzero"`      // the last message that it took
	Incident string    `json:"incident,omitempty"` // which that was about; "" for an alert that belongs to none
	Error    string    `json:"error,omitempty"`    // of the last attempt, while messages wait or one was given up since the last that it took
	Since    time.Time `json:"since,omitzero"`     // when the first message was made that has not got through
	Waiting  int       `json:"waiting"`            // messages that are to be sent, or sent again
}

// OnCall is who has the watch.
type OnCall struct {
	Roster string    `json:"roster"`
	Person string    `json:"person"` // "" for nobody
	Until  time.Time `json:"until,omitzero"`
	Next   string    `json:"next,omitempty"`
}

// Rule is one alerting rule.
type Rule struct {
	Group    string `json:"group"`
	Name     string `json:"name"`
	Expr     string `json:"expr"`
	For      string `json:"for,omitempty"`
	Severity string `json:"severity"` // whom it tells: page, chat or ticket
	State    string `json:"state"`    // inactive, pending, firing, recorded, or an error
	Pending  int    `json:"pending"`  // alerts whose condition has not held for long enough
	Firing   int    `json:"firing"`   // alerts
}

// Fact is a line of "about this server".
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Signals tells what arrives at this server.
type Signals interface {
	Arrivals(ctx context.Context) (*Arrivals, error)
}

// Arrivals is what has arrived since the server began, and what has not.
type Arrivals struct {
	Server   string         `json:"server"`
	Since    time.Time      `json:"since,omitzero"` // the server began
	Warnings []string       `json:"warnings"`       // what is wrong, in sentences
	Signals  []Signal       `json:"signals"`
	Files    []FilePattern  `json:"files"`
	Targets  []ScrapeTarget `json:"targets"`
	Counting Counting       `json:"counting"`
}

// Signal is one kind of signal of one source.
type Signal struct {
	Source   string    `json:"source"`
	Signal   string    `json:"signal"`   // logs, spans, metrics, changes, alerts
	Received int64     `json:"received"` // records, spans, samples; kept
	Shed     int64     `json:"shed"`     // not taken for want of room; the sender was told to send again
	Refused  int64     `json:"refused"`  // not taken because it was wrong or not allowed
	Last     time.Time `json:"last,omitzero"`
	LastShed time.Time `json:"lastShed,omitzero"`
	LastRef  time.Time `json:"lastRefused,omitzero"`
}

// FilePattern is a pattern of files that are followed.
type FilePattern struct {
	Pattern string `json:"pattern"`
	Service string `json:"service,omitempty"`
	Matched int    `json:"matched"` // names of files, also of packed and empty ones
	Files   int    `json:"files"`   // followed
	Behind  int64  `json:"behind"`  // bytes that were not read yet
}

// ScrapeTarget is a page of metrics that is fetched.
type ScrapeTarget struct {
	URL   string    `json:"url"` // without its query, which may hold a secret
	Job   string    `json:"job"`
	Up    bool      `json:"up"`
	Last  time.Time `json:"last,omitzero"` // zero: not scraped yet
	Error string    `json:"error,omitempty"`
}

// Counting is how far what was kept is counted: rules see no further.
type Counting struct {
	Behind Number `json:"behind"` // seconds
	Unread int64  `json:"unread"` // bytes
	Error  string `json:"error,omitempty"`
}

// Number is a measured value; NaN, which JSON cannot say, becomes null.
type Number = words.Number
