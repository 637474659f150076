// Package metric is how guard tells numbers: one method, names and units of OpenTelemetry's semantic conventions, and
// no dependency. [Prometheus] is an [Observer] that answers scrapes; the nested module guard/otelguard is one that
// feeds an OpenTelemetry meter.
package metric

// Name is the name of an instrument. Those of OpenTelemetry's conventions keep their meaning and unit; guard's own begin with "guard.".
type Name string

const (
	// ServerDuration has http.request.method, url.scheme, http.response.status_code, http.route and, for failures, error.type.
	ServerDuration Name = "http.server.request.duration"
	// ServerActive counts requests up and down; it has http.request.method and url.scheme.
	ServerActive Name = "http.server.active_requests"
	// ClientDuration is one attempt; it has http.request.method, server.address, server.port, http.response.status_code,
	// guard.dependency and, for failures, error.type: a policy.Reason or a status.
	ClientDuration Name = "http.client.request.duration"
	// Calls counts calls to a dependency; it has guard.dependency, guard.outcome and, for failures, error.type.
	Calls Name = "guard.dependency.calls"
	// Retries counts repeated attempts; it has guard.dependency.
	Retries Name = "guard.dependency.retries"
	// BreakerState is 0 closed, 1 half-open, 2 open; it has guard.dependency.
	BreakerState Name = "guard.breaker.state"
	// Errors counts what the error handler answered with 5xx; it has http.route, error.type and http.response.status_code.
	Errors Name = "guard.errors"
	// LostRecords counts failure records that no sink took.
	LostRecords Name = "guard.records.lost"
	// ConnectionCount has db.client.connection.pool.name and db.client.connection.state (idle or used).
	ConnectionCount Name = "db.client.connection.count"
	// ConnectionMax has db.client.connection.pool.name.
	ConnectionMax Name = "db.client.connection.max"
	// ConnectionWaits counts the calls that had to wait for a connection; it has db.client.connection.pool.name.
	ConnectionWaits Name = "guard.db.connection.waits"
)

// Kind is how the values of an instrument combine.
type Kind uint8

// The kinds of instruments, as OpenTelemetry distinguishes them.
const (
	Counter       Kind = iota // values are added
	UpDownCounter             // values are added, and may be negative
	Gauge                     // the latest value holds
	Histogram                 // values are counted by size
	Level                     // the latest value holds, and those of several series add up: OpenTelemetry's up-down counter, told in totals
)

// Instrument describes a [Name].
type Instrument struct {
	Kind        Kind
	Unit        string    // UCUM, as OpenTelemetry writes units: s, {request}
	Description string    // a sentence
	Bounds      []float64 // of a histogram, ascending
}

// Describe returns what a name of this package means. An unknown name is a counter.
func Describe(n Name) Instrument {
	switch n {
	case ServerDuration:
		return Instrument{Histogram, "s", "Duration of HTTP server requests.", seconds()}
	case ServerActive:
		return Instrument{UpDownCounter, "{request}", "Number of active HTTP server requests.", nil}
	case ClientDuration:
		return Instrument{Histogram, "s", "Duration of HTTP client requests.", seconds()}
	case Calls:
		return Instrument{Counter, "{call}", "Calls to a dependency by outcome.", nil}
	case Retries:
		return Instrument{Counter, "{attempt}", "Attempts after the first.", nil}
	case BreakerState:
		return Instrument{Gauge, "1", "State of the circuit breaker: 0 closed, 1 half-open, 2 open.", nil}
	case Errors:
		return Instrument{Counter, "{error}", "Errors answered with 5xx.", nil}
	case LostRecords:
		return Instrument{Counter, "{record}", "Failure records that no sink took.", nil}
	case ConnectionCount:
		return Instrument{Level, "{connection}", "Connections of a pool by state.", nil}
	case ConnectionMax:
		return Instrument{Level, "{connection}", "The most connections a pool may open.", nil}
	case ConnectionWaits:
		return Instrument{Gauge, "{wait}", "Calls that had to wait for a connection, since the start.", nil}
	}
	return Instrument{Kind: Counter}
}

// seconds are the bounds that OpenTelemetry's HTTP conventions advise.
func seconds() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
}

// Attr is one attribute. One without a key is not there.
type Attr struct{ Key, Value string }

// Attrs are the attributes of one observation. It is an array so that telling a number allocates nothing and a series
// can be found by comparing.
type Attrs [6]Attr

// Observer takes observations. It is called on the path of each request, from many goroutines: it must be quick, must
// not block, and keeps nothing but what it copies.
type Observer interface {
	Observe(name Name, value float64, attrs Attrs)
}
