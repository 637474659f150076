package parse

import (
	"bytes"
	"io"
	"sync"
)

// blockSize is how much text is read at a time: large against the cost of the lock and of the system call, small enough
// that the bytes a worker has just read are still in its core's cache while it parses them.
const blockSize = 512 << 10

// maxLine is the longest physical line that is kept; the rest of a longer one is dropped and reported.
const maxLine = 1 << 20

// bufferSize is what a worker's buffer must hold: what was left of the block before and a block.
const bufferSize = maxLine + 2*blockSize

// blocks cuts a stream into blocks of whole lines, at the same places in every run. Workers share it: each takes
// the next block under the lock, so reading and line counting stay in order and everything else runs in parallel.
type blocks struct {
	mu     sync.Mutex
	r      io.Reader
	carry  []byte // text behind the last cut
	inside bool   // the last cut lies within a record
	skip   bool   // inside a line longer than maxLine: drop up to its end
	eof    bool
	line   int  // physical lines before the next block
	begun  bool // the byte order mark is dealt with

	err     error // why reading stopped early
	errLine int   // last line that was read before err
	long    []int // numbers of over-long lines, the first few
	nulHole int64 // bytes of NUL holes that were dropped
}

// block is a piece of the file; data ends with a line ending, except at the end of the file.
type block struct {
	data   []byte
	line   int  // number of the first line
	inside bool // begins in the middle of a record too long to keep
}

// next fills buf, of bufferSize, with the next block. start tells whether a line starts a record;
// nil means that every line does. It returns false at the end.
func (b *blocks) next(buf []byte, start func(line []byte) bool) (block, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	buf = append(buf[:0], b.carry...)
	b.carry = b.carry[:0]
	buf = b.fill(buf)
	if !b.begun {
		b.begun = true
		buf = bytes.TrimPrefix(buf, bomUTF8)
	}
	if len(buf) == 0 {
		return block{}, false
	}
	blk := block{data: buf, line: b.line + 1, inside: b.inside}
	if b.inside = false; !b.eof {
		var cut int
		cut, b.inside = b.cut(buf, start)
		blk.data = buf[:cut]
		b.carry = append(b.carry, buf[cut:]...)
	}
	b.line += bytes.Count(blk.data, newline)
	if blk.data[len(blk.data)-1] != '\n' {
		b.line++
	}
	if b.err != nil && b.eof {
		b.errLine = b.line
	}
	return blk, true
}

var newline = []byte{'\n'}

// fill reads a block's worth of text behind what buf holds, and on until there is a line ending in it. How much the
// reader returns at a time does not matter, so that blocks begin at the same places in every run.
func (b *blocks) fill(buf []byte) []byte {
	for {
		buf = b.more(buf, min(cap(buf), len(buf)+blockSize))
		switch {
		case bytes.IndexByte(buf, '\n') >= 0:
			return buf
		case len(buf) >= maxLine:
			return b.longLine(buf)
		case b.eof || len(buf) == cap(buf):
			return buf
		}
	}
}

// more reads until buf holds end bytes or the stream ends.
func (b *blocks) more(buf []byte, end int) []byte {
	for empty := 0; !b.eof && len(buf) < end; {
		from := len(buf)
		n, err := b.r.Read(buf[from:end])
		buf = buf[:from+n]
		if b.skip {
			buf = b.dropLine(buf, from)
		}
		if empty++; n > 0 {
			empty = 0
		}
		if err == nil && empty > 100 {
			err = io.ErrNoProgress
		}
		if err != nil {
			b.eof = true
			if err != io.EOF {
				b.err = err
			}
		}
	}
	return buf
}

// dropLine drops the rest of an over-long line from what was read at from.
func (b *blocks) dropLine(buf []byte, from int) []byte {
	i := bytes.IndexByte(buf[from:], '\n')
	if i < 0 {
		return buf[:from]
	}
	b.skip = false
	return append(buf[:from], buf[from+i+1:]...)
}

// longLine shortens a line without an end in sight, or empties it when it is the hole of NUL bytes that a crash
// leaves in a preallocated file: then the text behind the hole is what matters.
func (b *blocks) longLine(buf []byte) []byte {
	if i := firstNonNul(buf); i == len(buf) {
		b.nulHole += int64(i)
		return b.fill(buf[:0])
	}
	if len(b.long) < 10 {
		b.long = append(b.long, b.line+1)
	}
	buf = append(buf[:maxLine-1], '\n')
	b.skip = !b.eof
	return buf
}

func firstNonNul(p []byte) int {
	for i, c := range p {
		if c != 0 {
			return i
		}
	}
	return len(p)
}

// cut finds the end of the last whole record in buf: the last line that starts one begins the next block. It
// reports whether the cut lies within a record.
func (b *blocks) cut(buf []byte, start func([]byte) bool) (int, bool) {
	end := bytes.LastIndexByte(buf, '\n') + 1
	if end == 0 {
		return len(buf), false
	}
	if start == nil {
		return end, false
	}
	// The record that is still open at the end goes to the next block whole. A record longer than MaxRecordBytes
	// is cut off there anyway, so looking further back would only make blocks irregular.
	for at := end; at > 0 && end-at <= MaxRecordBytes; {
		prev := bytes.LastIndexByte(buf[:at-1], '\n') + 1
		if start(trimEnd(buf[prev : at-1])) {
			if prev > 0 {
				return prev, false
			}
		}
		at = prev
	}
	return end, true
}

// trimEnd takes a carriage return off the end of a line.
func trimEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}
