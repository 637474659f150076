package inquest

import "time"

// Case is all we hold on one burst of failures: what the detection measured, the evidence of every layer, and the
// coverage. casefile makes it, diagnose reads it, nobody edits it.
type Case struct {
	Hint     Hint
	Span     Window // from the first to the last request (or record, without requests)
	Incident bool   // failures rose significantly against the baseline, or an alert said so
	Onset    time.Time
	End      time.Time // zero while it lasts
	Window   Window
	Baseline Window

	Observer string // who saw the requests of Impact: the outermost proxy or service; "" without requests
	Proxy    bool   // the observer is a proxy
	Impact   Impact
	Groups   []FailureGroup // what rose, strongest first
	Blips    []FailureGroup // short bursts that were set aside, and why in Note
	Failures []Request      // failed requests of the incident, with detail, ascending; a sample when there are very many
	Answered []RouteHealth  // the routes of the observer in the incident that did not rise
	Traffic  Traffic
	Passed   []int // requests of the failing routes answered well in each second before the onset, the last second first
	Chart    Chart

	Upstreams  []UpstreamUse
	Starts     []Start // when processes said that they came up, ascending; the first ones of each minute
	Patterns   []LogPattern
	Series     []Series
	Changes    []Change
	Edges      []Edge
	Components []Component
	Suspects   []Suspect
	Coverage   Coverage
	Layers     map[Layer]bool // layers with readable evidence over the incident
}

// Start is a line by which a component's process says that it comes up.
type Start struct {
	Component string
	Time      time.Time
}

// FailureGroup is one route and status whose failures rose.
type FailureGroup struct {
	Route    string // "" for all routes
	Status   int    // 0 for every failing status
	Window   Window
	Requests int     // of the route in Window
	Failed   int     // of the group in Window
	Before   float64 // failure ratio outside the window
	Score    float64 // log-likelihood ratio
	Lying    bool    // answers were 2xx
	RateOnly bool    // known from a proxy's error log alone: how many requests did not fail is unknown
	Note     string
}

// Request is one failed request.
type Request struct {
	Time           time.Time // when it was answered
	Observer       string
	Route          string // "METHOD /folded/path"
	URL            string
	Status         int
	Duration       float64 // seconds, -1 when unknown
	Upstream       string
	UpstreamStatus string
	Reason         string // the proxy's own word
	RequestID      string
	Client         string
	Lying          bool
	Source         Source
}

// RouteHealth is a route that went on working.
type RouteHealth struct {
	Observer string
	Route    string
	Requests int // in the incident
	Failed   int
}

// Traffic compares the load of the incident with the load before.
type Traffic struct {
	BaselineRate   float64 // requests per second
	IncidentRate   float64
	BaselineMean   float64 // seconds per request, -1 when unknown
	IncidentMean   float64
	OnsetRate      float64 // requests per second in the stretch right before and at the onset
	DistinctRoutes int
	Heaviest       *RouteWork // the route that came to ask for far more work than all did before, nil when there is none
}

// RouteWork tells how many requests of one route are under way at a time: by Little's law, their rate times their usual duration.
type RouteWork struct {
	Observer, Route string
	RateBefore      float64 // requests a second
	RateDuring      float64 // around the onset
	Mean            float64 // seconds per request before the incident
	Before, During  float64 // under way at a time, at that duration
	All             float64 // of all routes, before
}

// UpstreamUse is what the proxy got from one upstream address.
type UpstreamUse struct {
	Observer       string
	Addr           string
	Component      string // whose address it is, "" when unknown
	BaselineOK     int
	BaselineFailed int
	IncidentOK     int
	IncidentFailed int
	NoAnswer       int // in the incident: refused, timed out, cut
	FirstSeen      time.Time
	LastSeen       time.Time
}

// ComponentKind says what a component is.
type ComponentKind string

// The kinds of components.
const (
	KindApp        ComponentKind = "app"
	KindProxy      ComponentKind = "proxy"
	KindDatabase   ComponentKind = "database"
	KindCache      ComponentKind = "cache"
	KindBroker     ComponentKind = "broker"
	KindExternal   ComponentKind = "external"
	KindHost       ComponentKind = "host"
	KindSupervisor ComponentKind = "supervisor"
	KindKernel     ComponentKind = "kernel"
)

// Component is one part of the system, under the name to print, with every other name the data use for it.
type Component struct {
	Name    string
	Kind    ComponentKind
	Aliases []string // instance names, addresses, hosts, jobs; sorted
	Logs    bool     // its own log is in the folder
	Metrics bool
}

// LogPattern is one kind of log line, compared with the baseline.
type LogPattern struct {
	ID       string
	Service  string // component name
	Origin   ComponentKind
	Level    Level
	Template string
	Total    int
	Before   int // occurrences in the baseline
	During   int // occurrences in the incident (and shortly before it)
	Ratio    float64
	New      bool      // unseen before the incident
	Surging  bool      // significantly more often than before
	First    time.Time // first occurrence in the incident, or first of all
	Last     time.Time
	Share    float64 // share of the failed requests that it belongs to by request id; -1 when ids cannot tell
	Answered float64 // share of its requests that were answered well nevertheless; -1 unknown
	Span     bool    // from failed spans, not from a log
	Examples []LogExample
}

// LogExample is one occurrence.
type LogExample struct {
	Time      time.Time
	Text      string
	Instance  string
	RequestID string
	URL       string
	Exception *Exception
	Pool      *Pool
	Fields    map[string]string
	Source    Source
}
