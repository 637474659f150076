package ingest

import (
	"cmp"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
)

// Signals of counts.
const (
	Logs    = "logs"    // records or lines
	Spans   = "spans"   // spans
	Metrics = "metrics" // samples
	Changes = "changes"
	Alerts  = "alerts"
)

// Stat is what became of one signal of one source since the start.
type Stat struct {
	Source, Signal string
	Received       int64 // taken, and on the disk
	Shed           int64 // not taken because there was no room; the sender was told to send it again. Requests where nobody knows of how many
	Refused        int64 // not taken because it was wrong or not allowed; sending it again does not help

	LastReceived, LastShed, LastRefused time.Time // zero: not since the start
}

type countKey struct{ source, signal string }

func (in *Intake) stat(source, signal string) *Stat {
	k := countKey{source, signal}
	s := in.counts[k]
	if s == nil {
		if len(in.counts) >= 5*in.cfg.MaxSources {
			k.source = Other
			if s = in.counts[k]; s != nil {
				return s
			}
		}
		s = &Stat{Source: k.source, Signal: signal}
		in.counts[k] = s
	}
	return s
}

// Received counts what was acknowledged.
func (in *Intake) Received(source, signal string, n int) {
	if n == 0 {
		return
	}
	in.mu.Lock()
	s := in.stat(source, signal)
	s.Received += int64(n)
	s.LastReceived = in.cfg.Now()
	in.mu.Unlock()
}

// NotTaken counts n as shed or refused, as the error says that the sender shall or shall not send again.
func (in *Intake) NotTaken(source, signal string, n int, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	s := in.stat(source, signal)
	if status, _ := Status(err); status == statusBusy || status >= 500 {
		s.Shed += int64(n)
		s.LastShed = in.cfg.Now()
		return
	}
	s.Refused += int64(n)
	s.LastRefused = in.cfg.Now()
}

// Stats returns the counts, ordered by source and signal.
func (in *Intake) Stats() []Stat {
	in.mu.Lock()
	out := make([]Stat, 0, len(in.counts))
	for _, s := range in.counts {
		out = append(out, *s)
	}
	in.mu.Unlock()
	slices.SortFunc(out, func(a, b Stat) int { return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Signal, b.Signal)) })
	return out
}

// Series returns the counts as series of one sample: inquest_ingest_received_total, _shed_total and _refused_total {source, signal}.
func (in *Intake) Series(now time.Time) []inquest.Series {
	var out []inquest.Series
	for _, s := range in.Stats() {
		labels := map[string]string{"source": s.Source, "signal": s.Signal}
		for _, c := range [...]struct {
			name  string
			value int64
		}{{"inquest_ingest_received_total", s.Received}, {"inquest_ingest_shed_total", s.Shed}, {"inquest_ingest_refused_total", s.Refused}} {
			out = append(out, inquest.Series{Name: c.name, Labels: labels, Type: "counter", Samples: []inquest.Sample{{Time: now, Value: float64(c.value)}}})
		}
	}
	return out
}

// StaleNaN is the value, as the bits of a float64, by which Prometheus knows that a series has ended.
const StaleNaN uint64 = 0x7ff0000000000002
