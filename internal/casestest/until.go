package casestest

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

// Until leaves of a case's files what was written by then: how the folder looked to whoever was called then. A line
// without a time of its own goes with the one before it. The coverage of the whole folder's investigation tells how times without zone
// or year are read.
func Until(folder string, files []File, at time.Time, whole []inquest.FileCoverage) ([]File, error) {
	var out []File
	for _, f := range files {
		t := times{of: map[int]int64{}}
		report := parse.ReadFile(context.Background(), folder, f.Name, parse.Options{Workers: 1}, func() parse.Sink { return &t })
		if report.Err != nil {
			return nil, report.Err
		}
		latest := at.UnixNano()
		for i := range whole {
			if whole[i].File == f.Name && !report.From.IsZero() {
				latest -= int64(whole[i].From.Sub(report.From))
			}
		}
		late, n := false, 0
		var kept []byte
		for line := range bytes.Lines(f.Bytes) {
			n++
			switch when, ok := t.of[n]; {
			case ok:
				late = when > latest
			case t.series:
				late = sampled(line) > latest
			}
			if !late {
				kept = append(kept, line...)
			}
		}
		if len(bytes.TrimSpace(kept)) > 0 {
			out = append(out, File{Name: f.Name, Bytes: kept})
		}
	}
	return out, nil
}

// sampled is the time of an OpenMetrics sample in Unix nanoseconds, 0 for comments.
func sampled(line []byte) int64 {
	line = bytes.TrimSpace(line)
	seconds, err := strconv.ParseFloat(string(line[bytes.LastIndexByte(line, ' ')+1:]), 64)
	if err != nil || line[0] == '#' {
		return 0
	}
	return int64(seconds * 1e9)
}

// times collects when the lines of a file were written.
type times struct {
	of     map[int]int64 // Unix ns, by the number of the first line of a record
	series bool
}

func (t *times) Log(r *parse.Record) {
	if r.Clock != parse.ClockNone {
		t.of[r.Line] = r.Time
	}
}

func (t *times) Signal(s parse.Signal) {
	switch {
	case s.Series != nil:
		t.series = true
	case s.Change != nil:
		t.of[s.Change.Source.Line] = s.Change.Time.UnixNano()
	}
}
