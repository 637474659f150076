package inquest

import "time"

// Diagnosis is the whole answer to one investigation. It is a value: renderings read it, nobody edits it.
// An Incident of false has no Verdict; a Verdict of level open names no cause.
type Diagnosis struct {
	Incident     bool
	Onset        time.Time // first failing answer that this fault caused; zero when there is no incident
	End          time.Time // zero while it lasts, or when the recording ends first
	Window       Window    // what was looked at as the incident
	Baseline     Window    // the healthy stretch it was compared with
	Impact       Impact
	Verdict      *Verdict
	Alternatives []Candidate
	Suspects     []Suspect
	Resources    []ResourceLevel // every resource that can run out, measured or not
	Evidence     []Evidence      // in the order of ID
	Timeline     []Entry         // ascending
	Similar      []Similar
	Coverage     Coverage
	Chart        Chart
	Notes        []string // blips, innocent changes, known noise: what was seen and set aside, in sentences
}

// Spread says how far the failure reaches.
type Spread string

// The spreads, from narrow to wide.
const (
	SpreadClient     Spread = "one-client"
	SpreadRoute      Spread = "one-route"
	SpreadService    Spread = "one-service"
	SpreadEverything Spread = "everything"
)

// Impact counts what failed between Onset and End, as the outermost observer saw it.
type Impact struct {
	Requests int     // answered in the incident
	Failed   int     // 5xx and lying 200s
	Ratio    float64 // Failed/Requests, 0 to 1
	Lying    int     // answered 2xx, though failed
	Routes   []RouteImpact
	Services []string // whose requests failed, sorted
	Clients  int      // distinct client addresses with a failed request
	Spread   Spread
}

// RouteImpact is the impact on one route ("GET /api/products/{id}").
type RouteImpact struct {
	Route    string
	Requests int
	Failed   int
	Status   map[int]int // failed answers by status
}

// VerdictLevel says how far the evidence carries.
type VerdictLevel string

// The levels of a verdict.
const (
	Established VerdictLevel = "established" // cause seen in two layers or by direct evidence, nothing contradicts
	Probable    VerdictLevel = "probable"    // best explanation, a layer is missing or a rival is not ruled out
	Open        VerdictLevel = "open"        // the evidence does not suffice
)

// Verdict names the cause. With Level Open only Level and Summary are set (and Chain may hold symptoms).
type Verdict struct {
	Level      VerdictLevel
	Mechanism  MechanismID
	Culprit    string  // the component to act on, by the name the data use
	Confidence float64 // 0 to 1, calibrated on the corpus
	Summary    string  // one or two sentences
	Trigger    *Trigger
	Chain      []Link
	Actions    []Action
	Confirm    []Command // how to check it by hand
	Also       []Candidate
}

// Trigger is what set the fault off.
type Trigger struct {
	Kind    TriggerKind
	Time    time.Time
	Service string
	Version string
	Summary string
	Why     string // why this one: fit, not nearness
}

// LinkRole is the part a link plays in the chain.
type LinkRole string

// The roles, in the order in which a chain is told.
const (
	RoleTrigger LinkRole = "trigger"
	RoleCause   LinkRole = "cause"
	RoleEffect  LinkRole = "effect"
	RoleSymptom LinkRole = "symptom"
)

// Link is one step of the causal chain, with the ids of its evidence.
type Link struct {
	Role     LinkRole
	Time     time.Time
	Text     string
	Evidence []string
}

// Candidate is a cause that was considered: with what speaks for and against it.
type Candidate struct {
	Mechanism  MechanismID
	Culprit    string
	Confidence float64
	For        []string
	Against    []string
}

// Suspect is a component ranked by unexplained impact.
type Suspect struct {
	Component string
	Score     float64 // 0 to 1
	Why       string
}

// ResourceLevel is how full one resource was in the incident, at the component where it was fullest.
type ResourceLevel struct {
	Resource  string    // pool, connections, threads, memory, disk, descriptors, cpu
	Component string    // "" when nothing measured it
	Instance  string    // of the component, "" when it has no name of its own
	Value     float64   // in the metric's unit, NaN when unknown
	Limit     float64   // likewise
	Share     float64   // Value/Limit, or cores used of one; NaN when unknown
	Before    float64   // the same before the incident; NaN when unknown
	Time      time.Time // when it was first as full
}

// Evidence is one quoted pointer into a signal. Text is verbatim where it quotes a line.
type Evidence struct {
	ID     string // "E1", "E2", ...
	Layer  Layer
	Kind   string // log, request, metric, span, change, restart
	Time   time.Time
	Text   string
	Source Source
}

// Entry is one line of the timeline.
type Entry struct {
	Time     time.Time
	Kind     string // change, onset, symptom, metric, restart, recovery, alert
	Text     string
	Evidence []string
}

// Similar points at an earlier incident of the same kind.
type Similar struct {
	Incident string
	Score    float64
	Why      string
}

// Coverage says what could be read, and what could not: never claim what it does not allow.
type Coverage struct {
	Layers  map[Layer]LayerCoverage
	Files   []FileCoverage
	Missing []string // what would have been needed, and what its absence forbids us to claim
}

// Unread reports whether there are files and none gave a single record. "No incident" then means that nobody could look.
func (c Coverage) Unread() bool {
	for _, f := range c.Files {
		if f.Records > 0 {
			return false
		}
	}
	return len(c.Files) > 0
}

// LayerCoverage is the state of one layer.
type LayerCoverage struct {
	State    string // "checked" or "missing"
	Files    int
	Evidence int // pieces of evidence quoted from it
}

// FileCoverage is the account of one file of the case folder.
type FileCoverage struct {
	File    string
	Format  string
	Records int
	Skipped int
	From    time.Time
	To      time.Time
	Notes   []string
}

// Chart is the request and failure count over time for the small charts of the renderings.
type Chart struct {
	From     time.Time
	Step     time.Duration
	Requests []int
	Failed   []int
	Lying    []int
	Marks    []Mark // changes and onset, to be drawn on the chart
}

// Mark is a point in time with a label, drawn on a chart.
type Mark struct {
	Time time.Time
	Kind string // change, onset, end
	Text string
}

// Command is a check to run by hand: what it tells, the command itself, what to expect from it.
type Command struct {
	Text    string `json:"text"`
	Command string `json:"command"`
	Expect  string `json:"expect,omitempty"`
}
