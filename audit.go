package inquest

import "time"

// Audit is the answer of `inquest audit`: where a service's answers and logs hide its failures. It is a value: renderings
// read it, nobody edits it.
type Audit struct {
	Window    Window // first to last request or record
	Requests  int    // answers that were judged
	Records   int    // log records that were judged
	Findings  []AuditFinding
	Mappings  []StatusMapping // every route where upstream status and final status differ, most frequent first
	Logs      []LogQuality    // by service
	Unchecked []AuditGap      // rules that could not be applied, and what they lack
	Files     []FileCoverage
	Notes     []string // what was left out of the folder, in sentences
}

// AuditSeverity says how bad it is; the three are those of SARIF 2.1.0 (3.27.10, result level).
type AuditSeverity string

// The severities, gravest first.
const (
	AuditError   AuditSeverity = "error"   // clients or operators are told something untrue, or a secret is out
	AuditWarning AuditSeverity = "warning" // it makes the next incident longer, or tells an attacker something
	AuditNote    AuditSeverity = "note"    // worth knowing; may be meant so
)

// Rank orders severities: the gravest is 3, no severity 0.
func (s AuditSeverity) Rank() int {
	switch s {
	case AuditError:
		return 3
	case AuditWarning:
		return 2
	case AuditNote:
		return 1
	}
	return 0
}

// AuditRule is what is known of a rule: enough to agree or disagree with it.
type AuditRule struct {
	ID       string // "status/503-without-retry-after"
	Title    string // what is wrong, in one line
	Severity AuditSeverity
	Why      string // why it matters
	Source   string // the RFC section, manual or requirement that says so
	Fix      string // what to do
	Needs    string // what the logs must hold for it to be checked
}

// AuditFinding is one rule broken by one service on one route.
type AuditFinding struct {
	Rule      AuditRule
	Service   string
	Route     string // "POST /orders/{id}", "" where it is no matter of a route
	Detail    string // what exactly: "upstream said 429, the client got 500"
	Count     int    // occurrences
	Of        int    // of how many, 0 when that says nothing
	Estimated bool   // counted by route and minute, as requests could not be told by id
	From, To  time.Time
	Intervals []AuditInterval
	Examples  []AuditExample // at most three, the first ones
}

// AuditExample is one occurrence with its place.
type AuditExample struct {
	Source Source
	Time   time.Time // zero when the record has none
	Text   string    // one line; bodies are quoted as far as they matter
}

// AuditInterval is a stretch in which health checks were answered well while requests failed.
type AuditInterval struct {
	Window
	Healthy  int // health checks answered 2xx
	Requests int
	Failed   int // of Requests, answered 5xx
}

// StatusMapping counts how often an upstream's status reached the client as another one.
type StatusMapping struct {
	Service        string // who changed it: the gateway
	Route          string
	UpstreamStatus string // "503"; "none" when the upstream did not answer
	Status         int    // what the client got
	Count          int
	Basis          MappingBasis
	Rule           string // ID of the rule that it breaks, "" when it is right or a matter of taste
}

// MappingBasis says how upstream and final status were put together.
type MappingBasis string

// The bases, surest first.
const (
	ByLine   MappingBasis = "line"       // one record of the gateway holds both
	ByID     MappingBasis = "request-id" // two logs share the request's id
	ByMinute MappingBasis = "minute"     // counts by route and minute differ; an estimate
)

// LogQuality says how much a service's log tells under pressure. The shares are those of REQUIREMENTS 168.
type LogQuality struct {
	Service     string
	Format      string
	Records     int
	Structured  int // records with named fields
	Timestamp   int // records with date and time
	Severity    int
	Correlation int // records with a request or trace id
	Business    int // records that say who or what was concerned: a user, an order
	Errors      int // records of level error or worse, or with a stack trace
	Traced      int // of Errors, those with a request or trace id
	Sample      AuditExample
	Rewritten   string // Sample as a structured record; "" where the log is structured already
}

// AuditGap is a rule that could not be applied.
type AuditGap struct {
	Rule string
	Why  string
}
