package remote

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/klauspost/compress/snappy"

	"github.com/inquesthq/inquest"
)

type dropped struct{ samples atomic.Uint64 }

// Dropped counts the samples that the store refused for good since New: out of order, too old, or too far in the future.
func (s *Store) Dropped() uint64 { return s.dropped.samples.Load() }

// maxSamples of one request, as Prometheus' own sender has it.
const maxSamples = 2000

// Append sends the samples. An error means that the store could not take them now: those of earlier requests of the same call may be
// stored, and giving all of them again does no harm, since equal samples are one. Samples that it will never take are counted and dropped.
func (s *Store) Append(ctx context.Context, series []inquest.Series) error {
	var batch []inquest.Series
	n := 0
	for _, x := range series {
		for len(x.Samples) > 0 {
			part := x
			part.Samples = x.Samples[:min(len(x.Samples), maxSamples-n)]
			x.Samples = x.Samples[len(part.Samples):]
			batch, n = append(batch, part), n+len(part.Samples)
			if n == maxSamples {
				if err := s.write(ctx, batch); err != nil {
					return err
				}
				batch, n = batch[:0], 0
			}
		}
	}
	if n == 0 {
		return nil
	}
	return s.write(ctx, batch)
}

// write sends one request. Prometheus refuses a request as a whole when one of its samples is bad, so what was refused is halved until
// the bad ones are alone.
func (s *Store) write(ctx context.Context, batch []inquest.Series) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.WriteURL, bytes.NewReader(snappy.Encode(nil, encode(batch))))
	if err != nil {
		return fmt.Errorf("metrics store: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	body, status, err := s.do(req)
	switch {
	case err != nil:
		return err
	case status/100 == 2:
		return nil
	case status == http.StatusBadRequest:
		return s.halve(ctx, batch)
	case status == http.StatusNotFound:
		return fmt.Errorf("metrics store %s takes no remote write (404): start Prometheus with --web.enable-remote-write-receiver, or give its address", s.cfg.WriteURL)
	}
	return fmt.Errorf("metrics store %s: status %d: %s", s.cfg.WriteURL, status, bytes.TrimSpace(body[:min(len(body), 300)]))
}

func (s *Store) halve(ctx context.Context, batch []inquest.Series) error {
	var a, b []inquest.Series
	switch {
	case len(batch) > 1:
		a, b = batch[:len(batch)/2], batch[len(batch)/2:]
	case len(batch[0].Samples) > 1:
		first, second := batch[0], batch[0]
		k := len(first.Samples) / 2
		first.Samples, second.Samples = first.Samples[:k], first.Samples[k:]
		a, b = []inquest.Series{first}, []inquest.Series{second}
	default:
		s.dropped.samples.Add(1)
		return nil
	}
	if err := s.write(ctx, a); err != nil {
		return err
	}
	return s.write(ctx, b)
}

// encode writes a WriteRequest (prompb/remote.proto): field 1 are time series, of which field 1 are labels (1 name, 2 value) and field 2
// samples (1 value, a double; 2 milliseconds). The message is that small; its generated code would bring the rest of the module along.
func encode(batch []inquest.Series) []byte {
	var out, one, inner []byte
	for i := range batch {
		one = one[:0]
		for _, l := range sorted(&batch[i]) {
			inner = text(text(inner[:0], 1, l[0]), 2, l[1])
			one = field(one, 1, inner)
		}
		for _, x := range batch[i].Samples {
			inner = append(inner[:0], 1<<3|1)
			inner = binary.LittleEndian.AppendUint64(inner, math.Float64bits(x.Value))
			inner = binary.AppendUvarint(append(inner, 2<<3), uint64(x.Time.UnixMilli()))
			one = field(one, 2, inner)
		}
		out = field(out, 1, one)
	}
	return out
}

// sorted returns names and values in the order that the protocol wants, the metric's name among them.
func sorted(s *inquest.Series) [][2]string {
	out := make([][2]string, 0, len(s.Labels)+1)
	out = append(out, [2]string{"__name__", cmp.Or(s.Name, s.Labels["__name__"])})
	for k, v := range s.Labels {
		if v != "" && k != "__name__" {
			out = append(out, [2]string{k, v})
		}
	}
	slices.SortFunc(out, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	return out
}

func field(b []byte, number byte, value []byte) []byte {
	return append(binary.AppendUvarint(append(b, number<<3|2), uint64(len(value))), value...)
}

func text(b []byte, number byte, value string) []byte {
	return append(binary.AppendUvarint(append(b, number<<3|2), uint64(len(value))), value...)
}
