package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/redact"
)

// JSONOptions are the options of JSON.
type JSONOptions struct {
	Compact bool // one line instead of indented by two blanks
}

// stamp is a time on the wire: RFC 3339 in UTC with milliseconds.
type stamp time.Time

const stampLayout = "2006-01-02T15:04:05.000Z"

// MarshalJSON writes the time in UTC. RFC 3339 has four digits for the year; others cannot be written.
func (s stamp) MarshalJSON() ([]byte, error) {
	t := time.Time(s).UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		return []byte("null"), nil
	}
	return []byte(t.Format(`"` + stampLayout + `"`)), nil
}

// UnmarshalJSON reads any RFC 3339 time.
func (s *stamp) UnmarshalJSON(b []byte) error {
	var t time.Time
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	*s = stamp(t.UTC())
	return nil
}

// ratio is a number on the wire with six decimals: enough for one in a million, the same bytes on every machine.
type ratio float64

// MarshalJSON writes 0 for what is no number.
func (r ratio) MarshalJSON() ([]byte, error) {
	f := float64(r)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("0"), nil
	}
	return json.Marshal(math.Round(f*1e6) / 1e6)
}

// JSON writes d as one object of the schema inquest/report/v1 and a line feed. The same d gives the same bytes.
func JSON(w io.Writer, d *inquest.Diagnosis, opts JSONOptions) error {
	if d == nil {
		return errors.New("report: no diagnosis to write")
	}
	return writeJSON(w, toWire(redacted(d)), opts.Compact)
}

// writeJSON writes v in one line or indented, so that it can do no harm in a terminal.
func writeJSON(w io.Writer, v any, compact bool) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // "&&" in commands stays readable; the HTML rendering does its own escaping
	if !compact {
		enc.SetIndent("", "  ")
	}
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("report: encode JSON: %w", err)
	}
	if _, err := w.Write(redact.EscapeJSON(b.Bytes())); err != nil {
		return fmt.Errorf("report: write JSON: %w", err)
	}
	return nil
}

// ReadJSON reads what JSON has written, for replay and for other renderings. Keys it does not know are passed over,
// as later versions may add some; another schema is an error. Times come back in UTC with milliseconds.
func ReadJSON(r io.Reader) (*inquest.Diagnosis, error) {
	var in wireReport
	dec := json.NewDecoder(r)
	if err := dec.Decode(&in); err != nil {
		return nil, fmt.Errorf("report: read JSON, expected the output of `inquest investigate --format json`: %w", err)
	}
	if in.Schema != Schema {
		return nil, fmt.Errorf("report: schema is %q, expected %q; use the version of inquest that wrote it", in.Schema, Schema)
	}
	return fromWire(&in), nil
}
