package tail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/spool"
)

// headBytes is how much of a file's begin tells it from another file with the same number: file systems give numbers away again.
const headBytes = 256

// file is one that is followed. Its entry is written by whoever reads it, under Tail.mu; one reader at a time.
type file struct {
	entry
	target int
	source string
	at     string   // the name by which it was seen last
	f      *os.File // nil: not kept open

	order int64     // of discovery: what was rotated away is read before its successor
	size  int64     // as of the last look
	read  mark      // when it was read to its last whole line
	news  bool      // it has something to read
	idle  time.Time // when it had news last
	gone  time.Time // since when its name is not followed any more; zero: it is
	last  bool      // nobody writes to it any more: a line without an ending counts
}

// mark is a state of a file: with another mark it may hold something else.
type mark struct {
	size    int64
	changed time.Time
}

func markOf(st os.FileInfo) mark { return mark{st.Size(), st.ModTime()} }

// close closes a file that was kept open. t.mu is held.
func (t *Tail) close(f *file) {
	if f.f != nil {
		_ = f.f.Close() // read only
		f.f = nil
		t.opened--
	}
}

// head takes the fingerprint of the begin.
func (f *file) head(in io.ReaderAt) {
	f.Head, f.HeadLen = fingerprint(in, headBytes)
}

func fingerprint(in io.ReaderAt, n int) (sum uint64, length int) {
	var b [headBytes]byte
	length, _ = in.ReadAt(b[:n], 0) // what is there is the fingerprint
	h := fnv.New64a()
	h.Write(b[:length])
	return h.Sum64(), length
}

// same reports whether the file still begins as it did.
func (f *file) same(in io.ReaderAt) bool {
	sum, n := fingerprint(in, f.HeadLen)
	return n == f.HeadLen && sum == f.Head
}

// isCopy reports whether in, of a size, is a copy of f that rotation has made, or is making: it begins the same, and is the same where f was
// read up to. What is behind it is not looked at: the original may be cut already.
func (f *file) isCopy(in io.ReaderAt, size int64) bool {
	if f.Offset == 0 || size == 0 || size >= int64(f.HeadLen) && !f.same(in) {
		return false
	}
	if size >= f.Offset {
		sum, _ := hashBefore(in, f.Offset)
		return sum == f.Tail
	}
	// Half a copy, and the original is still whole; or the original went on after it was copied, and is cut: then its begin has to do.
	original, err := openFile(f.at, f.identity())
	if err != nil {
		return false
	}
	defer original.Close()
	if st, err := original.Stat(); err == nil && st.Size() < f.Offset {
		return size >= headBytes && f.HeadLen == headBytes
	}
	a, n := hashBefore(in, size)
	b, m := hashBefore(original, size)
	return a == b && n == m
}

// hashBefore takes the fingerprint of the bytes before a place.
func hashBefore(in io.ReaderAt, place int64) (uint64, int) {
	from := max(0, place-headBytes)
	return fingerprint(io.NewSectionReader(in, from, place-from), int(place-from))
}

// named reports whether path is a name that rotation gives to a file: "app.log.1", "app.log-20261129", "app-20261129.log".
func named(path, original string) bool {
	return path != original && strings.HasPrefix(path, strings.TrimSuffix(original, ".log"))
}

// openFile opens a regular file without waiting for a writer of a pipe that has taken its place.
func openFile(path string, want identity) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: let the server's user read it, or take it out of the patterns", err)
	}
	st, err := f.Stat()
	if err == nil && identityOf(st) != want {
		err = errMoved
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

var errMoved = errors.New("the file was replaced while it was looked at; it is read at the next look")

// binary reports whether a file is packed or no text.
func binary(in io.ReaderAt) bool {
	var b [512]byte
	n, _ := in.ReadAt(b[:], 0)
	return bytes.HasPrefix(b[:n], []byte{0x1f, 0x8b}) || bytes.HasPrefix(b[:n], []byte{0x28, 0xb5, 0x2f, 0xfd}) || bytes.IndexByte(b[:n], 0) >= 0
}

// lineStart is the begin of the last line that is not whole, the end if there is none.
func lineStart(in io.ReaderAt, size int64) int64 {
	var b [64 << 10]byte
	from := max(0, size-int64(len(b)))
	n, _ := in.ReadAt(b[:size-from], from)
	return from + int64(bytes.LastIndexByte(b[:n], '\n')+1)
}

// advance reads one piece of a file, has the spool keep it and notes that it did. It reports whether there may be more.
func (t *Tail) advance(ctx context.Context, f *file, buf *[]byte) (more bool, err error) {
	in, err := t.open(f)
	if err != nil {
		t.mu.Lock()
		f.news = false
		t.mu.Unlock()
		return false, err
	}
	if in != f.f {
		defer in.Close()
	}
	st, err := in.Stat()
	if err != nil {
		return false, err
	}
	if st.Size() < f.Offset || !f.same(in) {
		if err := t.cut(ctx, f, in, buf); err != nil {
			return false, err
		}
	}
	n, end, err := t.piece(in, f.Offset, st.Size(), f.last, buf)
	if err != nil {
		return false, err
	}
	if err := t.hand(ctx, f, (*buf)[:n]); err != nil {
		return false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f.size = max(f.size, st.Size())
	f.Offset += int64(n)
	if f.HeadLen < headBytes {
		f.head(in)
	}
	if n > 0 {
		f.Tail, _ = hashBefore(in, f.Offset)
		t.log.add(f.entry)
	}
	if f.news = n > 0 && !end; !f.news {
		f.read = markOf(st)
	}
	return f.news, nil
}

// open returns the open file, or opens it and keeps it if there is room.
func (t *Tail) open(f *file) (*os.File, error) {
	if f.f != nil {
		return f.f, nil
	}
	in, err := openFile(f.at, f.identity())
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.opened < t.cfg.MaxOpen {
		f.f = in
		t.opened++
	}
	return in, nil
}

// piece reads whole lines from a place on into buf. It returns their length, and whether there is nothing behind them yet.
func (t *Tail) piece(in io.ReaderAt, from, size int64, last bool, buf *[]byte) (n int, end bool, err error) {
	for want := t.cfg.Piece; ; want = maxLine {
		if cap(*buf) < want {
			*buf = make([]byte, want)
		}
		b := (*buf)[:want]
		got, err := in.ReadAt(b, from)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, false, err
		}
		b = b[:got]
		*buf = b[:cap(b)]
		whole := bytes.LastIndexByte(b, '\n') + 1
		switch {
		case whole > 0 && !(last && from+int64(got) >= size):
			return whole, from+int64(got) >= size && whole == got, nil
		case last && from+int64(got) >= size, got >= maxLine:
			return got, got < want, nil
		case got < want:
			return 0, true, nil
		}
	}
}

// hand gives lines to the spool, as often as it takes until it has them.
func (t *Tail) hand(ctx context.Context, f *file, lines []byte) error {
	if len(lines) == 0 {
		return nil
	}
	src := spool.Source{Name: f.source, Kind: "log"}
	count := bytes.Count(lines, []byte{'\n'})
	if lines[len(lines)-1] != '\n' {
		count++
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := t.cfg.Spool.Append(ctx, src, lines)
		if err == nil {
			if t.cfg.Intake != nil {
				t.cfg.Intake.Received(t.cfg.Intake.Source(f.source, "unknown"), ingest.Logs, count)
			}
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		t.failed(f.Path, err)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// cut is a file that begins anew: it was truncated, or its number was given to another one. If rotation has made a copy before, what was
// not read yet stands there.
func (t *Tail) cut(ctx context.Context, f *file, in io.ReaderAt, buf *[]byte) error {
	if err := t.rest(ctx, f, buf); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f.Offset, f.Tail = 0, 0
	f.head(in)
	t.log.add(f.entry)
	return nil
}

// rest reads from the copy what the original had behind the place where it was read up to.
func (t *Tail) rest(ctx context.Context, f *file, buf *[]byte) error {
	from, err := f.findCopy()
	if err != nil || from == nil {
		return err
	}
	defer from.Close()
	st, err := from.Stat()
	if err != nil {
		return err
	}
	for f.Offset < st.Size() {
		n, _, err := t.piece(from, f.Offset, st.Size(), true, buf)
		if err != nil || n == 0 {
			return err
		}
		if err := t.hand(ctx, f, (*buf)[:n]); err != nil {
			return err
		}
		t.mu.Lock()
		f.Offset += int64(n)
		f.Tail, _ = hashBefore(from, f.Offset)
		t.log.add(f.entry)
		t.mu.Unlock()
	}
	return nil
}

// findCopy opens the newest neighbour that is named after the file and begins as it began.
func (f *file) findCopy() (*os.File, error) {
	dir, base := filepath.Split(f.Path)
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var best os.FileInfo
	var found *os.File
	for _, n := range names {
		if !named(n.Name(), base) || !n.Type().IsRegular() {
			continue
		}
		st, err := n.Info()
		if err != nil || st.Size() < f.Offset || identityOf(st) == f.identity() || best != nil && !st.ModTime().After(best.ModTime()) {
			continue
		}
		in, err := openFile(filepath.Join(dir, n.Name()), identityOf(st))
		if err != nil {
			continue
		}
		if !f.isCopy(in, st.Size()) {
			in.Close()
			continue
		}
		if found != nil {
			found.Close()
		}
		best, found = st, in
	}
	return found, nil
}
