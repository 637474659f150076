package parse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxDocument bounds one JSON value of a document format. A larger export is cut into lines by every exporter we know.
const maxDocument = 512 << 20

// jsonValues hands each JSON value of a stream to f with the number of its first line: a document in one piece, pretty
// printed or not, or one value a line. Bytes between values that are no JSON are skipped to the next line and reported.
// It stops when f returns an error.
func jsonValues(r io.Reader, skip func(line int, reason string), f func(value []byte, line int) error) error {
	br := bufio.NewReaderSize(r, 256<<10)
	var buf []byte
	scan := valueScanner{}
	line, start := 1, 1
	for {
		chunk, err := br.ReadSlice('\n')
		if len(buf) == 0 {
			start = line
			if scan = (valueScanner{}); len(bytes.TrimSpace(chunk)) == 0 {
				chunk = nil
			}
		}
		if len(chunk) > 0 {
			buf = append(buf, chunk...)
			if e := takeValues(&buf, &scan, start, skip, f); e != nil {
				return e
			}
			if len(buf) > maxDocument {
				return fmt.Errorf("line %d: one JSON value is larger than %d MB: split the export, or convert it to one object a line",
					start, maxDocument>>20)
			}
		}
		if err == nil {
			line++
			continue
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(bytes.TrimSpace(buf)) > 0 {
			skip(start, "the JSON value breaks off before its end")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
}

// takeValues cuts the complete values off the front of buf.
func takeValues(buf *[]byte, scan *valueScanner, start int, skip func(int, string), f func([]byte, int) error) error {
	for {
		end, state := scan.next(*buf)
		switch state {
		case valueMore:
			return nil
		case valueBad: // not the start of an object or array: drop the line
			skip(start, "not JSON")
			rest := *buf
			if i := bytes.IndexByte(rest, '\n'); i >= 0 {
				rest = rest[i+1:]
			} else {
				rest = nil
			}
			*buf = append((*buf)[:0], rest...)
		case valueWhole:
			if err := f((*buf)[:end], start); err != nil {
				return err
			}
			rest := bytes.TrimSpace((*buf)[end:])
			rest = bytes.TrimLeft(rest, ", \t\r\n")
			*buf = append((*buf)[:0], rest...)
		}
		*scan = valueScanner{}
		if len(bytes.TrimSpace(*buf)) == 0 {
			*buf = (*buf)[:0]
			return nil
		}
	}
}

type valueState int

const (
	valueMore valueState = iota
	valueBad
	valueWhole
)

// valueScanner finds the end of a bracketed value and remembers how far it has looked.
type valueScanner struct {
	at, depth int
	str, esc  bool
	begun     bool
}

func (s *valueScanner) next(b []byte) (end int, state valueState) {
	for ; s.at < len(b); s.at++ {
		c := b[s.at]
		switch {
		case s.str:
			switch {
			case s.esc:
				s.esc = false
			case c == '\\':
				s.esc = true
			case c == '"':
				s.str = false
			}
		case c == '"' && s.begun:
			s.str = true
		case c == '{' || c == '[':
			s.depth++
			s.begun = true
		case (c == '}' || c == ']') && s.begun:
			if s.depth--; s.depth == 0 {
				s.at++
				return s.at, valueWhole
			}
		case !s.begun && c != ' ' && c != '\t' && c != '\r' && c != '\n':
			return 0, valueBad
		}
	}
	return 0, valueMore
}
