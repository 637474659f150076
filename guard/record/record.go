// Package record holds what is written down about a failure: one record, one JSON line, with everything that is needed to find
// and mend it and nothing that must not be kept. Where the log cannot be written, records wait in memory.
package record

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Record is one failure. The times are UTC.
type Record struct {
	Time       time.Time
	Service    string
	ErrorID    string // what the client was told
	ErrorClass string // type of the error, or panic: and the type of its value
	Message    string // of the error, for the inside
	Stack      string // of the panic, or the chain of errors
	Endpoint   string // method and route, as in POST /orders/{id}
	Status     int    // sent
	Duration   time.Duration
	Method     string
	URL        string // with its secrets redacted
	UserAgent  string
	RequestID  string
	TraceID    string            // may be empty
	Rule       string            // ID of the rule that changed the answer, if one did
	Dependency string            // whose failure it is, where a dependency is known to have failed or to be refused
	Fields     map[string]string // business context that is allowed: who was hit, and at what
}

// TimeFormat is ISO 8601 with milliseconds and Z.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// MarshalJSON writes the record as one object. The fields of the business context stand at the top, where log searches
// look, and in request, where the reader looks.
func (r Record) MarshalJSON() ([]byte, error) {
	request := map[string]any{"method": r.Method, "url": r.URL}
	out := map[string]any{
		"timestamp": r.Time.UTC().Format(TimeFormat), "level": "ERROR", "errorId": r.ErrorID, "errorClass": r.ErrorClass,
		"message": r.Message, "endpoint": r.Endpoint, "status": r.Status,
		"durationMs": float64(r.Duration.Microseconds()) / 1000, "request": request,
	}
	for name, v := range map[string]string{"service": r.Service, "stack": r.Stack, "requestId": r.RequestID, "traceId": r.TraceID, "rule": r.Rule, "dependency": r.Dependency} {
		if v != "" {
			out[name] = v
		}
	}
	if r.UserAgent != "" {
		request["userAgent"] = r.UserAgent
	}
	for name, v := range r.Fields {
		request[name] = v
		if _, taken := out[name]; !taken {
			out[name] = v
		}
	}
	return json.Marshal(out)
}

// Sink takes records. An error means that the record was not kept.
type Sink interface {
	Write(Record) error
}

// Lines writes records to w, one JSON object a line.
type Lines struct {
	mu sync.Mutex
	w  io.Writer
}

// NewLines returns a sink that writes to w.
func NewLines(w io.Writer) *Lines { return &Lines{w: w} }

// Write implements [Sink].
func (l *Lines) Write(r Record) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err = l.w.Write(append(b, '\n'))
	return err
}

// Slog hands records to a handler of log/slog.
type Slog struct{ h slog.Handler }

// NewSlog returns a sink that hands records to h, at level ERROR.
func NewSlog(h slog.Handler) *Slog { return &Slog{h} }

// Write implements [Sink].
func (s *Slog) Write(r Record) error {
	request := []any{slog.String("method", r.Method), slog.String("url", r.URL), slog.String("userAgent", r.UserAgent)}
	out := slog.NewRecord(r.Time, slog.LevelError, r.Message, 0)
	out.AddAttrs(
		slog.String("errorId", r.ErrorID), slog.String("errorClass", r.ErrorClass), slog.String("stack", r.Stack),
		slog.String("service", r.Service), slog.String("endpoint", r.Endpoint), slog.Int("status", r.Status),
		slog.Float64("durationMs", float64(r.Duration.Microseconds())/1000), slog.String("requestId", r.RequestID),
		slog.String("traceId", r.TraceID), slog.String("rule", r.Rule))
	for _, name := range slices.Sorted(maps.Keys(r.Fields)) {
		out.AddAttrs(slog.String(name, r.Fields[name]))
		request = append(request, slog.String(name, r.Fields[name]))
	}
	out.AddAttrs(slog.Group("request", request...))
	return s.h.Handle(context.Background(), out)
}

// Memory keeps the latest records. It is the second place for records that a log did not take: a disk that is full is
// among the reasons for failures.
type Memory struct {
	mu   sync.Mutex
	most int
	all  []Record
	lost int
}

// NewMemory returns a store of at most most records.
func NewMemory(most int) *Memory { return &Memory{most: max(1, most)} }

// Write implements [Sink]. The oldest record makes room; see [Memory.Lost].
func (m *Memory) Write(r Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.all) == m.most {
		m.all = slices.Delete(m.all, 0, 1)
		m.lost++
	}
	m.all = append(m.all, r)
	return nil
}

// Records returns what is kept, oldest first.
func (m *Memory) Records() []Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.all)
}

// Lost returns how many records had to make room.
func (m *Memory) Lost() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lost
}

// take empties the store.
func (m *Memory) take() []Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.all
	m.all = nil
	return all
}

// Safe writes to a sink, and to memory while the sink fails. What waits in memory is written when the sink works again.
type Safe struct {
	sink   Sink
	memory *Memory
}

// NewSafe returns a sink that keeps up to most records while first fails.
func NewSafe(first Sink, most int) *Safe { return &Safe{first, NewMemory(most)} }

// Write implements [Sink]. It returns the error of the first sink, though the record is kept.
func (s *Safe) Write(r Record) error {
	if err := s.sink.Write(r); err != nil {
		_ = s.memory.Write(r)
		return err
	}
	for _, late := range s.memory.take() {
		if err := s.sink.Write(late); err != nil {
			_ = s.memory.Write(late)
		}
	}
	return nil
}

// Waiting returns the records that only memory holds.
func (s *Safe) Waiting() []Record { return s.memory.Records() }

// Lost returns how many records were kept nowhere.
func (s *Safe) Lost() int { return s.memory.Lost() }
