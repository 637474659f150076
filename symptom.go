package inquest

import "time"

// SymptomKind is the kind of a measured deviation.
type SymptomKind string

// The kinds of symptoms. None of them names a cause.
const (
	SymptomPattern    SymptomKind = "pattern"    // new or surging log pattern, with or without an exception
	SymptomSaturation SymptomKind = "saturation" // a resource near or at its limit; Detail is the resource
	SymptomUpstream   SymptomKind = "upstream"   // failure a proxy or client saw; Detail: refused, timeout, reset, cut-off, no-live, malformed, dns, tls, status, overload
	SymptomPlateau    SymptomKind = "plateau"    // durations of failures pile up at one round figure (a time-out)
	SymptomSlow       SymptomKind = "slow"       // durations rose against the baseline
	SymptomRestart    SymptomKind = "restart"    // a process started anew; Detail: restart, crash, crash-loop, oom
	SymptomGap        SymptomKind = "gap"        // a component fell silent; Detail: log, metrics, up
	SymptomTraffic    SymptomKind = "traffic"    // requests rose or fell; Detail: surge, drop
	SymptomChange     SymptomKind = "change"     // a metric changed its level; Detail: metric name
)

// Symptom is one measured deviation against the baseline.
type Symptom struct {
	Kind      SymptomKind
	Detail    string
	Component string    // who shows it
	Peer      string    // towards whom: dependency, upstream or address; may be empty
	Onset     time.Time // first deviation
	Last      time.Time
	Since     time.Time   // of a saturation: when the rise towards the limit began; equal to Onset for a jump
	Calm      time.Time   // of a saturation: when it was last at its usual level; zero when it never was
	Count     int         // occurrences in the incident
	Share     float64     // of the failed requests it accompanies by id or time, 0 to 1; -1 when unknown
	Value     float64     // measured level; NaN when the symptom is not a number
	Baseline  float64     // level before; NaN when unknown
	Limit     float64     // the limit it runs against; NaN when unknown
	Text      string      // one sentence
	Pattern   *LogPattern // of a pattern symptom, else nil
	Evidence  []Evidence
}
