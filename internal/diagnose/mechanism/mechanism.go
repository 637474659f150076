// Package mechanism is the catalogue of causes: one file per mechanism, each with its documentation, the texts
// and measurements that speak for it, what would contradict it, which other mechanisms it explains, how to
// confirm it, and what to do. The same entry drives the diagnosis, `inquest explain`, the fix section of the
// report and the page in docs/mechanisms. The package is data and pure matching; it does no I/O.
package mechanism

import "github.com/inquesthq/inquest"

// Origin is the kind of component that wrote a line; it decides what a text can mean. "Connection refused" in a
// proxy's error log is about an upstream, in an application's log about a dependency.
type Origin uint8

// The origins. A Clue without From matches any of them.
const (
	OriginApp        Origin = iota + 1 // an application's own log
	OriginProxy                        // error log of a reverse proxy, gateway or web server
	OriginDatabase                     // PostgreSQL, MySQL, MongoDB, ...
	OriginCache                        // Redis, memcached
	OriginBroker                       // Kafka, RabbitMQ, NATS
	OriginKernel                       // kernel, dmesg
	OriginSupervisor                   // systemd, supervisord, kubelet, container runtime
)

// Resource is something with a limit that can run out.
type Resource string

// The resources whose saturation is measured (value against limit).
const (
	ResourcePool        Resource = "pool"        // database or HTTP connection pool: in use against maximum, or waiters
	ResourceThreads     Resource = "threads"     // worker threads or processes: busy against maximum, or queued
	ResourceMemory      Resource = "memory"      // resident, heap or container memory against its limit
	ResourceDisk        Resource = "disk"        // bytes or inodes of a file system
	ResourceDescriptors Resource = "descriptors" // open files of a process against its limit
	ResourceCPU         Resource = "cpu"         // CPU use against quota or cores; throttling
	ResourceConnections Resource = "connections" // connections of a server against max_connections
	ResourcePorts       Resource = "ports"       // local ports, TIME_WAIT
)

// Role says which component one has to act on.
type Role uint8

// The roles. A mechanism lists those that are possible for it, the most usual first; the trigger decides
// between them when a change touched one of them.
const (
	RoleSelf     Role = iota + 1 // the component that wrote the line or shows the measurement
	RolePeer                     // the dependency that the line names, or that the failing span called
	RoleDatabase                 // the database server behind the component
	RoleGateway                  // the proxy that answered
)

// Clue is a text that speaks for a mechanism. A phrase is matched case-insensitively anywhere in the text (message,
// exception types and messages down the cause chain, error codes); "*" in it stands for up to 120 characters, a run
// of white space for any other, a number does not match inside a longer number, and a phrase of one word matches only at
// the beginning of a word. All conditions that are set must hold.
// Clues are general: wording of runtimes, drivers, servers and protocols, never of one data set.
type Clue struct {
	Any       []string // at least one of these phrases
	All       []string // every one of these
	Not       []string // none of these
	Exception []string // exception type: equal, or its last part after "." or ":" or "\", or as a word in the message ("NullPointerException")
	Code      []string // error code or SQLSTATE, exact; a trailing "*" matches a prefix ("57P*")
	From      []Origin // who may say it; empty: anybody
	Weight    float64  // 1: says it literally; 0.7: usual meaning; 0.4: one of several meanings
	Why       string   // the reason, for whoever doubts the rule
}

// Support is a measurement (no text) that speaks for a mechanism.
type Support struct {
	Symptom  inquest.SymptomKind
	Resource Resource // for a saturation
	Detail   string   // sub-kind of the symptom, e.g. "refused" for an upstream failure; empty: any
	Weight   float64
	Why      string
}

// Mechanism is one entry of the catalogue.
type Mechanism struct {
	ID    inquest.MechanismID
	Title string   // a short noun phrase: "Connection pool exhausted"
	What  string   // what happens, for somebody who sees it for the first time; one paragraph
	Signs []string // what one sees in the three layers

	Needs       []string // evidence that it takes to claim it, in words
	Contradicts []string // what would speak against it, in words

	// Explains lists mechanisms that this one brings about: when both are active, the other, not earlier, in the same
	// component or up its callers, is a consequence and not a rival.
	Explains []inquest.MechanismID
	// Above lists mechanisms that this one brings about only in the callers of its component, never in the component
	// itself: an exhausted pool makes the callers' calls time out, while in the component itself it is the other way
	// round (a dependency that hangs empties the pool). Explains has no cycles; Above may point back, since it always
	// moves one step up the call graph.
	Above []inquest.MechanismID
	// Triggers lists what can set it off, the most usual first.
	Triggers []inquest.TriggerKind
	// About are the beginnings of the words by which records of changes call what the mechanism is about: a change that speaks of
	// tokens, when credentials are refused, is likelier to have set it off than one that speaks of anything else.
	About []string
	// Gradual mechanisms build up (leaks, growth): the change that set them off may lie long before the first failure.
	Gradual bool
	// Shared mechanisms are about something that others use as well (a database's locks and slots, a host's CPU and disk): a
	// neighbour that is on no path of the failing requests may set them off.
	Shared bool
	// Roles lists on whom one may have to act.
	Roles []Role
	// Silent mechanisms may act without any log line; Supports alone can then carry the claim.
	Silent bool

	Clues    []Clue
	Supports []Support

	// Commands are templates: {service}, {peer}, {host}, {port} and the other Placeholders are filled from the evidence by
	// Fill, and stay readable otherwise (<service>). Confirm only reads.
	Confirm []inquest.Command
	Actions []inquest.Action
	// Owner of the fault: "code", "configuration", "dependency", "infrastructure", "client".
	Owner string
	// Status is the answer a well-behaved service gives while it lasts (500 for bugs, 503 for exhaustion, 502, 504, 429).
	Status int
}
