package parse

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/inquesthq/inquest"
)

// journalExportFormat reads `journalctl -o export`: entries of NAME=value lines, set apart by blank lines. A value with
// a line feed or bytes that are no text (a stack trace has both) stands behind NAME alone on its line: its length as 64
// bits, little-endian, then the bytes. https://systemd.io/JOURNAL_EXPORT_FORMATS/
func journalExportFormat() format {
	return format{name: "journald-export", read: readJournalExport, score: func(sample []byte) float64 {
		entry, _, _ := bytes.Cut(sample, []byte("\n\n"))
		if bytes.HasPrefix(sample, []byte("__CURSOR=")) || journalName(entry) && bytes.Contains(entry, []byte("\n__REALTIME_TIMESTAMP=")) {
			return 1
		}
		return 0
	}}
}

// journalName reports whether b begins with a field's name and an equals sign.
func journalName(b []byte) bool {
	n := 0
	for n < len(b) && (b[n] == '_' || b[n] >= 'A' && b[n] <= 'Z' || isDigit(b[n])) {
		n++
	}
	return n > 0 && n < len(b) && b[n] == '='
}

// journalExport is the state of reading one file.
type journalExport struct {
	br      *bufio.Reader
	line    int // of what is read next
	sink    Sink
	skip    func(line int, reason string)
	rec     Record
	fields  int // of the open entry
	records int
}

func readJournalExport(r io.Reader, file string, sink Sink, skip func(int, string)) (int, error) {
	p := &journalExport{br: bufio.NewReaderSize(r, 64<<10), line: 1, sink: sink, skip: skip}
	p.rec.Reset()
	for {
		err := p.next()
		if err == nil {
			continue
		}
		p.close(p.line)
		if errors.Is(err, io.EOF) {
			return p.records, nil
		}
		return p.records, err
	}
}

// next reads one field, or the blank line that ends an entry.
func (p *journalExport) next() error {
	line, err := readLimited(p.br, MaxRecordBytes)
	if len(line) == 0 {
		return err
	}
	at := p.line
	p.line++
	line = bytes.TrimSuffix(line, newline)
	name, value, ok := bytes.Cut(line, []byte{'='})
	switch {
	case len(line) == 0:
		p.close(at)
		return err
	case !ok && err == nil && journalName(append(bytes.Clone(line), '=')):
		if value, err = p.binary(); err != nil {
			return err
		}
	case !ok:
		p.skip(at, "no field of a journal entry")
		return err
	}
	if p.fields == 0 {
		p.rec.Line = at
	}
	p.fields++
	p.field(string(name), string(value))
	return err
}

// binary reads a value that is given with its length.
func (p *journalExport) binary() ([]byte, error) {
	var size [8]byte
	if _, err := io.ReadFull(p.br, size[:]); err != nil {
		return nil, fmt.Errorf("line %d: the length of a value is cut off: %w", p.line, io.ErrUnexpectedEOF)
	}
	n := binary.LittleEndian.Uint64(size[:])
	// What is beyond the bound of a record is read over; no buffer grows by what a file claims.
	value, err := io.ReadAll(io.LimitReader(p.br, int64(min(n, MaxRecordBytes))))
	if err == nil && uint64(len(value)) < min(n, MaxRecordBytes) {
		err = io.ErrUnexpectedEOF
	}
	for left := n - min(n, MaxRecordBytes); left > 0 && err == nil; {
		var k int
		k, err = p.br.Discard(int(min(left, 32<<10)))
		left -= uint64(k)
	}
	if err == nil {
		_, err = p.br.ReadByte() // the line feed behind the bytes
	}
	if err != nil {
		return nil, fmt.Errorf("line %d: a value of %d bytes is cut off: %w", p.line, n, io.ErrUnexpectedEOF)
	}
	p.line += bytes.Count(size[:], newline) + bytes.Count(value, newline) + 1
	return value, nil
}

// field files one field under the names that journald's JSON is read to.
func (p *journalExport) field(name, value string) {
	r := &p.rec
	switch name {
	case "__REALTIME_TIMESTAMP":
		if us, err := strconv.ParseInt(value, 10, 64); err == nil && us > 0 && us < 1<<53 {
			r.Time, r.Clock = us*1e3, ClockUTC
		}
	case "MESSAGE":
		r.Message = value
	case "PRIORITY":
		if n, err := strconv.Atoi(value); err == nil {
			r.Level, _ = numberLevel(n, numbersSyslog)
		}
		r.AddNum("priority", value)
	case "SYSLOG_IDENTIFIER":
		r.Add("program", value)
	case "_PID":
		r.AddNum("pid", value)
	case "_HOSTNAME":
		r.Instance = value
		r.Add("hostname", value)
	case "_SYSTEMD_UNIT":
		r.Add("unit", value)
	case "__CURSOR", "__MONOTONIC_TIMESTAMP", "_BOOT_ID", "_MACHINE_ID":
	default:
		r.Add(name, value)
	}
}

// close hands on the open entry, which ends before line end.
func (p *journalExport) close(end int) {
	r := &p.rec
	if p.fields > 0 && (r.Message != "" || r.Clock != ClockNone) {
		r.Lines = end - r.Line
		if r.Get("program") == "kernel" {
			kernelMessage([]byte(r.Message), r)
		}
		if r.Level >= inquest.LevelWarn || bytes.IndexByte([]byte(r.Message), '\n') >= 0 {
			extract(r, nil)
		}
		p.sink.Log(r)
		p.records++
	}
	r.Reset()
	p.fields = 0
}
