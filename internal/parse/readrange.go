package parse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// Known remembers what a growing log was taken for, so that a follower need not recognise it again for each piece. The zero Known
// knows nothing. One belongs to one log and is not for concurrent use. A log that goes on in another file is of the format that it had:
// the head of the new file may be the middle of a stack trace, and has no line that names the columns.
type Known struct {
	found           recognition
	format, wrapper string
	head            int64  // bytes that it was recognised by
	name            string // of the file read last,
	at              int64  // where its next piece begins, and
	lines           int    // how many lines are before it
}

// knownBytes is how much of the head of a growing file its format is recognised by: followers have many, and keep it.
const knownBytes = 64 << 10

// fresh reports whether a file that has grown to size bytes would not be recognised by much more text than it was.
func (k *Known) fresh(size int64) bool {
	return k.head > 0 && (k.head >= knownBytes || size < 4*k.head)
}

// ReadRange is ReadFile for the bytes [from, to) of an uncompressed file that grows, of which nothing behind to is looked at. It
// stops behind the last whole line; the report's Through says where the next call goes on. from is the begin of a line: lines there
// that go on with a record of the piece before are counted as joined. The format is recognised from the head of the file, or taken from
// opts.Known, which also counts the lines on, so that records have their line of the file; without it the piece's first line is 1.
func ReadRange(ctx context.Context, dir, name string, from, to int64, opts Options, newSink func() Sink) FileReport {
	rep := FileReport{File: name, Through: from}
	src, err := openSource(dir, name)
	if err == nil && src.plain == nil {
		src.Close()
		err = errors.New("is compressed or UTF-16: only plain text can be read in pieces")
	}
	if err != nil {
		rep.Err = fmt.Errorf("%s: %w", name, err)
		return rep
	}
	defer src.Close()
	to = min(to, src.size)
	src.size = to
	end, err := lastLineEnd(src.plain, from, to)
	if err != nil {
		rep.Err = fmt.Errorf("%s: %w", name, readError(err, from))
		return rep
	}
	if end <= from {
		return rep
	}
	rep.Through = end
	k := opts.Known
	if k == nil {
		k = new(Known)
	} else if k.at != from || k.name != name {
		k.lines, err = countLines(src.plain, from)
	}
	j := &job{opts: opts, src: src, rep: &rep, newSink: newSink}
	if err := errors.Join(err, j.recall(k)); err != nil {
		rep.Err = fmt.Errorf("%s: %w", name, err)
		return rep
	}
	j.readPiece(ctx, k.lines, from)
	k.lines, k.at, k.name = k.lines+rep.Lines, end, name
	return rep
}

// recall takes the format from k, or recognises it by the head of the file and tells k.
func (j *job) recall(k *Known) error {
	goesOn := k.head > 0 && k.name != j.rep.File
	if goesOn || !k.fresh(j.src.size) {
		most := int64(knownBytes)
		if j.opts.Known == nil { // nothing is kept
			most = sampleBytes
		}
		head := make([]byte, min(j.src.size, most))
		n, err := j.src.plain.ReadAt(head, 0)
		if err != nil && err != io.EOF {
			return readError(err, 0)
		}
		head = head[:n]
		if msg := binaryText(head); msg != "" {
			return errors.New(msg)
		}
		j.recognise(head)
		if !goesOn || k.changes(&j.found, head, j.src.size) {
			k.found, k.format, k.wrapper, k.head = j.found, j.rep.Format, j.rep.Wrapper, int64(n)
			return nil
		}
	}
	j.found, j.rep.Format, j.rep.Wrapper = k.found, k.format, k.wrapper
	j.found.extra = nil // a map that counts for one call
	return nil
}

// changes reports whether a log that goes on in another file, of size bytes, is of another format than it was taken for: the new file is
// one of lines with times, and the old format takes hardly any of them. (Lines of a stack trace have no time.)
func (k *Known) changes(now *recognition, head []byte, size int64) bool {
	switch {
	case now.main == nil || now.main.untimed:
		return false
	case k.found.main == nil || k.found.main.untimed || !k.fresh(size): // it was recognised by too little
		return true
	case k.found.main.read != nil || now.main.read != nil:
		return now.main.name != k.format
	}
	lines := sampleLines(bytes.TrimPrefix(head, bomUTF8), sampleHead)
	if k.found.wrapper != nil {
		lines, _ = k.found.wrapper.unwrapSample(lines)
	}
	share, _ := k.found.score(k.found.main, lines)
	return share < anchoredShare/2
}

// readPiece reads from from up to the report's Through; before is how many lines of the file precede it.
func (j *job) readPiece(ctx context.Context, before int, from int64) {
	n := j.rep.Through - from
	j.src.size = n
	in := countingReader{io.NewSectionReader(j.src.plain, from, n), &j.src.read}
	switch {
	case j.rep.Format == "":
		j.countOnly(in)
	case j.found.main.read != nil:
		j.readDocument(in)
	default:
		j.readLines(ctx, &blocks{r: in, line: before, begun: from > 0, inside: from > 0 && j.found.anchored})
		j.rep.Lines -= before
	}
}

// countLines counts the lines before to: a follower that was started again goes on in the middle of a file.
func countLines(f io.ReaderAt, to int64) (int, error) {
	lc := &lineCounter{r: io.NewSectionReader(f, 0, to)}
	_, err := io.Copy(io.Discard, lc)
	return lc.lines(), err
}

// lastLineEnd is the place behind the last line ending in [from, to), from if there is none. A line longer than any that is kept is not
// waited for.
func lastLineEnd(f io.ReaderAt, from, to int64) (int64, error) {
	var buf [4096]byte
	for end := to; end > from; {
		p := buf[:min(int64(len(buf)), end-from)]
		if n, err := f.ReadAt(p, end-int64(len(p))); n < len(p) {
			return from, err
		}
		if i := bytes.LastIndexByte(p, '\n'); i >= 0 {
			return end - int64(len(p)) + int64(i) + 1, nil
		}
		end -= int64(len(p))
	}
	if to-from >= maxLine {
		return to, nil
	}
	return from, nil
}

// Format is what the file is taken for, "" when no reader knows it or nothing was read of it.
func (k *Known) Format() string { return k.format }
