// Package otlp receives OpenTelemetry's protocol, over HTTP (protobuf and JSON) and gRPC: https://opentelemetry.io/docs/specs/otlp/.
// Log records become JSON lines, spans stay OTLP/JSON with one resource a line, metrics become series with the names that Prometheus gives them.
//
// Requests are read from the wire as they lie there, without being built in memory: a request cannot become many times as large as it came.
// JSON is written into the wire format first, so there is one reader.
//
// What it will not do: keep profiles, exemplars or links to schemas; take delta temporality (it is refused with the remedy).
package otlp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/otlptranslator"

	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/spool"
	"github.com/inquesthq/inquest/internal/store"
)

// Spool takes lines and returns when the disk has them.
type Spool interface {
	Append(ctx context.Context, src spool.Source, lines []byte) error
}

// Config of New. Intake, Spool and Appender are required.
type Config struct {
	Intake   *ingest.Intake
	Spool    Spool
	Appender store.Appender
	Auth     ingest.Auth      // the source is the resource's service.name; nil: everybody may send
	Now      func() time.Time // for records without a time; nil: time.Now
}

// Kinds of the spool's sources.
const (
	KindLogs  = "otlp-logs"
	KindSpans = "otlp-spans"
)

// unnamed is the source of resources without a service.name, as the semantic conventions call it.
const unnamed = "unknown_service"

// expand is how many times a body's size the lines made of it may have: a resource's attributes stand in each of its records' lines.
const expand = 8

// Receiver takes requests. Safe for concurrent use.
type Receiver struct {
	cfg    Config
	metric otlptranslator.MetricNamer
	label  otlptranslator.LabelNamer
	json   *schemas
	bufs   sync.Pool
}

// New returns a Receiver.
func New(cfg Config) (*Receiver, error) {
	if cfg.Intake == nil || cfg.Spool == nil || cfg.Appender == nil {
		return nil, errors.New("otlp: an intake, a spool and a store of metrics are needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Receiver{cfg: cfg, json: newSchemas(),
		metric: otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes),
		label:  otlptranslator.LabelNamer{}}, nil
}

// signal is one of the three services.
type signal struct {
	name     string // as counts have it
	rejected string // the JSON key of the number of rejected ones
	schema   *message
	take     func(ctx context.Context, t *taking) error
}

func (o *Receiver) logs() signal {
	return signal{ingest.Logs, "rejectedLogRecords", o.json.logs, o.takeLogs}
}

func (o *Receiver) spans() signal {
	return signal{ingest.Spans, "rejectedSpans", o.json.traces, o.takeSpans}
}

func (o *Receiver) metrics() signal {
	return signal{ingest.Metrics, "rejectedDataPoints", o.json.metrics, o.takeMetrics}
}

// taking is one request while it is taken.
type taking struct {
	body []byte
	hold *ingest.Hold
	auth func(source string) error

	checked  map[string]error
	counts   map[string]int
	rejected int64
	reason   string
}

// allow checks once for each service whether the sender may send for it.
func (t *taking) allow(service string) error {
	err, ok := t.checked[service]
	if !ok {
		if t.checked == nil {
			t.checked = map[string]error{}
		}
		err = t.auth(service)
		t.checked[service] = err
	}
	return err
}

func (t *taking) count(source string, n int) {
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	t.counts[source] += n
}

// reject notes what is left out of an answer of partial success; the first reason is told.
func (t *taking) reject(n int, reason string) {
	t.rejected += int64(n)
	if t.reason == "" {
		t.reason = reason
	}
}

// take takes a request and counts what became of it.
func (o *Receiver) take(ctx context.Context, s signal, t *taking) error {
	err := s.take(ctx, t)
	if err != nil {
		if len(t.counts) == 0 {
			o.cfg.Intake.NotTaken(unnamed, s.name, 1, err)
		}
		for source, n := range t.counts {
			o.cfg.Intake.NotTaken(source, s.name, max(n, 1), err)
		}
		return err
	}
	for source, n := range t.counts {
		o.cfg.Intake.Received(source, s.name, n)
	}
	if t.rejected > 0 {
		o.cfg.Intake.NotTaken(unnamed, s.name, int(t.rejected), errRejected)
	}
	return nil
}

var errRejected = ingest.Refuse(http.StatusBadRequest, "left out of a partial success")

// parts are the lines of one request, by source.
type parts struct {
	o     *Receiver
	t     *taking
	by    map[spool.Source]*[]byte
	bytes int64 // in all of them
	held  int64
}

func (o *Receiver) parts(t *taking) *parts {
	return &parts{o: o, t: t, by: map[spool.Source]*[]byte{}, held: int64(len(t.body))}
}

// of returns the lines of a source, to append to.
func (p *parts) of(src spool.Source) *[]byte {
	b := p.by[src]
	if b == nil {
		var ok bool
		if b, ok = p.o.bufs.Get().(*[]byte); !ok {
			b = new([]byte)
		}
		*b = (*b)[:0]
		p.by[src] = b
	}
	return b
}

// grew accounts for n more bytes.
func (p *parts) grew(n int) error {
	p.bytes += int64(n)
	if p.bytes > expand*p.o.cfg.Intake.MaxBody() {
		return ingest.Refuse(http.StatusRequestEntityTooLarge, "the lines of the request have more than %d bytes: send smaller batches", expand*p.o.cfg.Intake.MaxBody())
	}
	if need := int64(len(p.t.body)) + p.bytes; need > p.held {
		p.held = need + 256<<10
		return p.t.hold.Resize(p.held)
	}
	return nil
}

// appenders is how many sources of one request are appended at a time; they share the spool's commit.
const appenders = 32

// flush has the spool keep everything.
func (p *parts) flush(ctx context.Context) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
		next  = make(chan spool.Source)
	)
	for range min(appenders, len(p.by)) {
		wg.Go(func() {
			for src := range next {
				if err := p.o.cfg.Spool.Append(ctx, src, *p.by[src]); err != nil {
					mu.Lock()
					first = errors.Join(first, err)
					mu.Unlock()
				}
			}
		})
	}
	for src := range p.by {
		next <- src
	}
	close(next)
	wg.Wait()
	if first != nil {
		return fmt.Errorf("the lines were not kept: %w", first)
	}
	return nil
}

// maxSpare is the largest buffer that is kept for another request.
const maxSpare = 4 << 20

func (p *parts) release() {
	for _, b := range p.by {
		if cap(*b) <= maxSpare {
			p.o.bufs.Put(b)
		}
	}
}
