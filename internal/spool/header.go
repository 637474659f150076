package spool

import (
	"bytes"
	"io"
	"os"
)

// maxHeader bounds the directives that a segment begins with.
const maxHeader = 4 << 10

// headerOf returns the directives at the head of a log, as W3C's extended format has them ("#Fields: date time ..."): they name the columns of
// all lines that follow, so each segment of the log begins with them.
func headerOf(head []byte) []byte {
	n := 0
	for n < len(head) && directive(head[n:]) {
		i := bytes.IndexByte(head[n:], '\n')
		if i < 0 {
			break
		}
		n += i + 1
	}
	return bytes.Clone(head[:min(n, maxHeader)])
}

// directive reports whether a line is "#Word: ...". A comment, or the "# Time: ..." that begins a record of MySQL's slow log, is none.
func directive(line []byte) bool {
	if len(line) < 3 || line[0] != '#' {
		return false
	}
	n := 1
	for n < len(line) && (line[n] >= 'a' && line[n] <= 'z' || line[n] >= 'A' && line[n] <= 'Z' || line[n] == '-') {
		n++
	}
	return n > 1 && n < len(line) && line[n] == ':'
}

// readHeader reads the directives of the log from its newest segment.
func (s *Spool) readHeader(seg *segment) ([]byte, error) {
	f, err := os.Open(s.path(seg))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, min(maxHeader, seg.size))
	n, err := io.ReadFull(f, head)
	return headerOf(head[:n]), err
}
