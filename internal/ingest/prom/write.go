// Package prom takes metrics as Prometheus gives them: by remote write 1.0 (https://prometheus.io/docs/specs/prw/remote_write_spec/), and by
// scraping targets itself.
//
// What it will not do: discover targets, relabel, or keep exemplars, metadata and native histograms.
package prom

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/store"
)

// WriteConfig of NewWriter. Intake and Appender are required.
type WriteConfig struct {
	Intake   *ingest.Intake
	Appender store.Appender
	Auth     ingest.Auth // the source is "prometheus"
}

// source is what remote write is counted as, and what its token is for.
const source = "prometheus"

// Writer takes remote writes. Safe for concurrent use.
type Writer struct{ cfg WriteConfig }

// NewWriter returns a Writer.
func NewWriter(cfg WriteConfig) (*Writer, error) {
	if cfg.Intake == nil || cfg.Appender == nil {
		return nil, errors.New("prom: an intake and a store of metrics are needed")
	}
	return &Writer{cfg}, nil
}

// ServeHTTP takes one write. 204: it is kept. 429 and 5xx: Prometheus sends it again, later. Others: it drops it.
func (p *Writer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, err := p.take(w, r)
	if err != nil {
		p.cfg.Intake.NotTaken(source, ingest.Metrics, max(n, 1), err)
		ingest.Answer(w, err)
		return
	}
	p.cfg.Intake.Received(source, ingest.Metrics, n)
	w.WriteHeader(http.StatusNoContent)
}

func (p *Writer) take(w http.ResponseWriter, r *http.Request) (int, error) {
	if r.Method != http.MethodPost {
		return 0, ingest.Refuse(http.StatusMethodNotAllowed, "remote write is a POST")
	}
	if err := p.cfg.Auth.Check(r, source); err != nil {
		return 0, err
	}
	if kind := r.Header.Get("Content-Type"); strings.Contains(kind, "io.prometheus.write.v2") {
		return 0, ingest.Refuse(http.StatusUnsupportedMediaType, "remote write 2.0 is not read: leave protobuf_message at prometheus.WriteRequest")
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "snappy" {
		return 0, ingest.Refuse(http.StatusUnsupportedMediaType, "the body is encoded in %.40q: remote write uses snappy", e)
	}
	packed, hold, err := p.cfg.Intake.RawBody(w, r)
	if err != nil {
		return 0, err
	}
	defer hold.Release()
	size, err := snappy.DecodedLen(packed) // what it says, which is not what there is
	if err != nil {
		return 0, ingest.Refuse(http.StatusBadRequest, "the body is not packed with snappy: %w", err)
	}
	if int64(size) > p.cfg.Intake.MaxBody() {
		return 0, ingest.Refuse(http.StatusRequestEntityTooLarge, "the body says that it has %d bytes, at most %d: lower max_samples_per_send", size, p.cfg.Intake.MaxBody())
	}
	if err := hold.Resize(int64(len(packed) + size)); err != nil {
		return 0, err
	}
	body, err := snappy.Decode(nil, packed)
	if err != nil {
		return 0, ingest.Refuse(http.StatusBadRequest, "the body is damaged: %w", err)
	}
	return p.keep(r, body)
}

// batchSeries is how many series are handed to the store at a time.
const batchSeries = 2000

var errWrite = ingest.Refuse(http.StatusBadRequest, "the body is no WriteRequest of remote write 1.0")

// keep reads a WriteRequest series by series.
func (p *Writer) keep(r *http.Request, body []byte) (n int, err error) {
	var batch []inquest.Series
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := p.cfg.Appender.Append(r.Context(), batch); err != nil {
			return fmt.Errorf("the samples were not kept: %w", err)
		}
		clear(batch)
		batch = batch[:0]
		return nil
	}
	err = fields(body, func(num protowire.Number, _ uint64, b []byte) error {
		if num != 1 || b == nil {
			return nil
		}
		s, err := series(b)
		if err != nil || len(s.Samples) == 0 {
			return err
		}
		n += len(s.Samples)
		if batch = append(batch, s); len(batch) >= batchSeries {
			return flush()
		}
		return nil
	})
	if err != nil {
		return n, err
	}
	return n, flush()
}

// fields calls do for each field of a message: with its number, or with its bytes.
func fields(b []byte, do func(num protowire.Number, n uint64, b []byte) error) error {
	for len(b) > 0 {
		num, typ, size := protowire.ConsumeTag(b)
		if size < 0 {
			return errWrite
		}
		b = b[size:]
		var v uint64
		var part []byte
		switch typ {
		case protowire.VarintType:
			v, size = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v, size = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			part, size = protowire.ConsumeBytes(b)
			if part == nil {
				part = []byte{}
			}
		default:
			size = protowire.ConsumeFieldValue(num, typ, b)
		}
		if size < 0 {
			return errWrite
		}
		if err := do(num, v, part); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

// Bounds on one series; Prometheus' own defaults are no stricter.
const (
	maxLabels    = 200
	maxLabelText = 4096
)

// series reads a TimeSeries: labels, and samples with milliseconds.
func series(b []byte) (inquest.Series, error) {
	s := inquest.Series{Labels: map[string]string{}}
	err := fields(b, func(num protowire.Number, _ uint64, b []byte) error {
		switch {
		case b == nil:
		case num == 1:
			return label(&s, b)
		case num == 2:
			return sample(&s, b)
		}
		return nil
	})
	if err == nil && s.Name == "" {
		err = ingest.Refuse(http.StatusBadRequest, "a series has no name (label __name__)")
	}
	return s, err
}

func label(s *inquest.Series, b []byte) error {
	var name, value string
	if err := fields(b, func(num protowire.Number, _ uint64, b []byte) error {
		switch {
		case b == nil:
		case num == 1:
			name = string(b)
		case num == 2:
			value = string(b)
		}
		return nil
	}); err != nil {
		return err
	}
	if len(name) > maxLabelText || len(value) > maxLabelText || len(s.Labels) >= maxLabels {
		return ingest.Refuse(http.StatusBadRequest, "a series has more than %d labels, or one of more than %d bytes", maxLabels, maxLabelText)
	}
	switch {
	case name == "__name__":
		s.Name = value
	case name != "" && value != "": // an empty value is no label
		s.Labels[name] = value
	}
	return nil
}

func sample(s *inquest.Series, b []byte) error {
	value, ms := 0.0, int64(0)
	err := fields(b, func(num protowire.Number, n uint64, _ []byte) error {
		switch num {
		case 1:
			value = math.Float64frombits(n)
		case 2:
			ms = int64(n)
		}
		return nil
	})
	s.Samples = append(s.Samples, inquest.Sample{Time: time.UnixMilli(ms).UTC(), Value: value})
	return err
}
