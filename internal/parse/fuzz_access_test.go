package parse_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/parse"
)

// FuzzReadFile: whatever a file holds, reading it ends, loses no line and prints JSON.
func FuzzReadFile(f *testing.F) {
	logs, err := filepath.Glob("testdata/access/*.log")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range logs {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 2000)])
	}
	f.Add(gz(f, combinedLines(3)))
	f.Add([]byte("__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795191123123456\nMESSAGE\n\x03\x00\x00\x00\x00\x00\x00\x00a\nb\n\nMESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte(`<request id="1"> <ip>10.0.0.1</ip> <requestTime>20/Nov/2026:16:12:03 +0000</requestTime> <httpMethod>GET</httpMethod> <status>502</status>`))
	f.Add(zst(f, combinedLines(3)))
	f.Add(utf16LE(combinedLines(1)))
	f.Add([]byte("2026-11-20T16:12:03Z stdout P a\n2026-11-20T16:12:03Z stdout F b\n"))
	f.Add([]byte(`{"log":"a\u00`))
	f.Add([]byte("Traceback (most recent call last):\n  File \"a\"\n\nValueError: x\n\x00\x00y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		recs, rep := read(t, data, parse.Options{Workers: 2, AllFields: true})
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("reading %d bytes took %v", len(data), d)
		}
		if rep.Lines > bytes.Count(data, []byte("\n"))+1 && rep.Err == nil && !packed(data) {
			t.Errorf("%d lines of a file with %d line endings", rep.Lines, bytes.Count(data, []byte("\n")))
		}
		for _, r := range recs {
			if r.Line < 1 || r.Lines < 1 || r.Line+r.Lines-1 > rep.Lines {
				t.Errorf("record at line %d over %d lines, the file has %d", r.Line, r.Lines, rep.Lines)
			}
			if b := parse.AppendJSON(nil, r); !json.Valid(b) {
				t.Errorf("output is not JSON: %s", b)
			}
		}
	})
}

// packed reports whether data does not hold its text as it is.
func packed(data []byte) bool {
	for _, magic := range []string{"\x1f\x8b", "\x28\xb5\x2f\xfd", "\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return true
		}
	}
	return len(data) > 1 && (data[0] == 0 || data[1] == 0)
}

// FuzzRequestFormats: no line makes a parser panic, and what is read prints as JSON.
func FuzzRequestFormats(f *testing.F) {
	logs, err := filepath.Glob("testdata/access/*.log")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range logs {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for i, line := range bytes.Split(data, []byte("\n")) {
			if i < 12 {
				f.Add(line)
			}
		}
	}
	formats := parse.RequestFormatsForTest()
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		taken := 0
		for _, name := range formats {
			r, ok := parse.ParseLineForTest(name, bytes.Clone(line))
			if !ok {
				continue
			}
			taken++
			if b := parse.AppendJSON(nil, r); !json.Valid(b) {
				t.Errorf("%s: output is not JSON: %s", name, b)
			}
			if r.Clock == parse.ClockNone && r.Message == "" && r.Status == 0 && r.Method == "" {
				t.Errorf("%s takes a line that has neither time nor request nor message: %q", name, line)
			}
		}
	})
}
