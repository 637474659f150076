package inquest

import (
	"strconv"
	"strings"
	"time"
)

// Level is the severity of a log record. Higher is worse; LevelUnknown means that the line named none.
type Level int8

// Levels follow the severity ranges of the OpenTelemetry log data model.
const (
	LevelUnknown Level = iota
	LevelTrace
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
	LevelFatal
)

var levelNames = [...]string{"", "trace", "debug", "info", "warn", "error", "fatal"}

// String returns the lower-case name, "" for LevelUnknown.
func (l Level) String() string {
	if l < 0 || int(l) >= len(levelNames) {
		return ""
	}
	return levelNames[l]
}

// Source points at where a signal was read: a file of the case folder and the 1-based line in it (of the
// uncompressed text), or a metric with its labels. Exactly one of File and Metric is set.
type Source struct {
	File   string            `json:"file,omitempty"`
	Line   int               `json:"line,omitempty"`
	Metric string            `json:"metric,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
}

// Frame is one line of a stack trace. A zero Frame means that the trace named none.
type Frame struct {
	Function string // as the language writes it, e.g. "com.acme.Cart.total"; "" for anonymous functions
	File     string // as the trace writes it
	Line     int    // 0 when unknown
	Module   string // set where the source names it apart from Function (Sentry events)
}

// IsZero reports whether the frame is unset.
func (f Frame) IsZero() bool { return f == Frame{} }

// String returns "function (file:line)" as far as the parts are known.
func (f Frame) String() string {
	where := f.File
	if where != "" && f.Line > 0 {
		where += ":" + strconv.Itoa(f.Line)
	}
	switch {
	case f.Function == "":
		return where
	case where == "":
		return f.Function
	}
	return f.Function + " (" + where + ")"
}

// Cause is one link of an exception's cause chain.
type Cause struct {
	Type    string `json:"type,omitempty"`
	Message string `json:"message,omitempty"`

	Frames int   `json:"-"` // stack frames printed for this link
	Top    Frame `json:"-"` // where this link was raised
	App    Frame `json:"-"` // its first frame outside libraries and the runtime
}

// Exception is a stack trace read from a log: what was thrown last, what it wraps, and where it was raised.
type Exception struct {
	Language string  // go, java, python, node, dotnet, ruby, php, rust, "" when unknown; Sentry: its platform
	Type     string  // thrown last, e.g. "java.lang.NullPointerException"
	Message  string  // of the exception thrown last
	Chain    []Cause // outermost first, root cause last; at least one entry
	TopFrame string  // frame in which the root cause was raised, "function (file:line)" as far as known
	AppFrame string  // first frame outside libraries and the runtime, of the deepest cause that has one
	Code     string  // error code carried by it (SQLSTATE, errno name such as ECONNREFUSED), or ""

	Top    Frame // where the exception thrown last was raised: Chain[0].Top
	App    Frame // first frame outside libraries of the exception thrown last
	Thrown Frame // file and line that the runtime names as the place of the throw (PHP "thrown in", Rust, Node banner)
	Event  bool  // read from an error event (Sentry), not from a text trace
}

// Root returns the deepest cause of the chain, or the exception itself if the chain is empty.
func (e *Exception) Root() Cause {
	if len(e.Chain) == 0 {
		return Cause{Type: e.Type, Message: e.Message}
	}
	return e.Chain[len(e.Chain)-1]
}

// Pool is what a line said about a connection or thread pool. A field is -1 when the line did not name it.
type Pool struct {
	Max, Active, Idle, Pending int
}

// Sample is one point of a Series.
type Sample struct {
	Time  time.Time
	Value float64
}

// Series is one metric time series; samples ascend in time.
type Series struct {
	Name    string
	Labels  map[string]string
	Type    string // counter, gauge, histogram, summary or "" when the exposition did not say
	Samples []Sample
	Source  Source
}

// Container is the container that a series of cAdvisor or of the kubelet is about ("container_cpu_cfs_throttled_periods_total"), "" for
// other series. Their targets are nodes, and a label "service" names the writer itself where there is one.
func (s *Series) Container() string {
	if !strings.HasPrefix(s.Name, "container_") || s.Labels["service"] != "" {
		return ""
	}
	for _, key := range []string{"container", "container_name", "container_label_com_docker_compose_service", "name"} {
		if v := s.Labels[key]; v != "" && v != "POD" { // POD is the pause container, which holds the network only
			return v
		}
	}
	return ""
}

// Span is one operation of a trace (OpenTelemetry).
type Span struct {
	TraceID, SpanID, ParentID string
	Service, Instance         string
	Name                      string
	Kind                      string // server, client, internal, producer, consumer or "" when unknown
	Start                     time.Time
	Duration                  time.Duration
	Error                     bool
	StatusCode                int    // HTTP status, 0 when none
	Message                   string // status message or the first exception event
	Peer                      string // net.peer.name, server.address or db.system of a client span
	Attributes                map[string]string
	Source                    Source
}

// Edge says that From calls To.
type Edge struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// ChangeKind is what kind of change somebody made.
type ChangeKind string

// The kinds of change that a case folder's changes.jsonl may name.
const (
	ChangeDeploy    ChangeKind = "deploy"
	ChangeConfig    ChangeKind = "config"
	ChangeMigration ChangeKind = "migration"
	ChangeFlag      ChangeKind = "flag"
	ChangeScale     ChangeKind = "scale"
	ChangeRestart   ChangeKind = "restart"
	ChangeInfra     ChangeKind = "infra"
)

// Change is one entry of the change record: what somebody did to the system, and when.
type Change struct {
	Time    time.Time
	Kind    ChangeKind
	Service string
	Version string
	Summary string
	Source  Source
}

// JobBegan begins the summary of a change that is the start of a scheduled job.
const JobBegan = "job "

// Window is a half-open interval of time [From, To).
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Contains reports whether t lies in the window.
func (w Window) Contains(t time.Time) bool { return !t.Before(w.From) && t.Before(w.To) }

// IsZero reports whether the window is unset.
func (w Window) IsZero() bool { return w.From.IsZero() && w.To.IsZero() }

// Duration returns To minus From.
func (w Window) Duration() time.Duration { return w.To.Sub(w.From) }

// Hint is what the alert said (incident.json of a case folder); every field may be empty.
type Hint struct {
	Time     time.Time `json:"time"`
	Target   string    `json:"target"`   // the alerted service or node
	Metric   string    `json:"metric"`   // "availability" or "latency"
	Window   Window    `json:"window"`   // where the deviation is at its clearest
	Baseline Window    `json:"baseline"` // a healthy stretch to compare with
}
