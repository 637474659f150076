package accesslog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config is where lines go.
type Config struct {
	File     string        // path; "" for Standard, which is not rotated
	Standard *os.File      // standard output or standard error (default output)
	MaxSize  int64         // bytes after which the file is rotated (default 100 MiB; negative: never)
	MaxAge   time.Duration // after which it is rotated (default 0: never)
	Keep     int           // rotated files that stay (default 7)
	Flush    time.Duration // the longest that a line stays in memory (default 1 s)
	// OnError is told when writing begins to fail, with what was lost so far, and (nil) when it works again.
	OnError func(err error, lost int64)
}

// bufferSize is when lines are written before their time, in bytes: a write for some hundred lines costs nothing beside them.
const bufferSize = 64 << 10

// most is all that is kept while writing does not keep up, in bytes.
const most = 512 << 10

// Writer gathers lines and writes them. All methods may be called at any time from anywhere.
type Writer struct {
	cfg Config

	mu     sync.Mutex // the lines gathered
	buf    []byte
	closed bool
	lost   atomic.Int64 // lines
	failed bool         // the latest write did

	file   sync.Mutex // what follows
	spare  []byte
	f      *os.File
	size   int64
	cut    bool // the file ends within a line
	opened time.Time

	wake chan struct{}
	quit chan struct{}
	done chan struct{}
}

// Open opens the file for appending and starts writing. The error names the path: a log that cannot be opened at the start is a
// mistake to be told, not to be lived with.
func Open(cfg Config) (*Writer, error) {
	if cfg.MaxSize == 0 {
		cfg.MaxSize = 100 << 20
	}
	if cfg.Keep == 0 {
		cfg.Keep = 7
	}
	if cfg.Flush <= 0 {
		cfg.Flush = time.Second
	}
	w := &Writer{cfg: cfg, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	if err := w.open(); err != nil {
		return nil, err
	}
	go w.run()
	return w, nil
}

func (w *Writer) standard() bool { return w.cfg.File == "" }

func (w *Writer) open() error {
	if w.standard() {
		if w.f = w.cfg.Standard; w.f == nil {
			w.f = os.Stdout
		}
		return nil
	}
	f, err := os.OpenFile(w.cfg.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("access log: %w; create the folder, or let the gateway's user write there", err)
	}
	st, err := f.Stat()
	if err != nil {
		_ = f.Close() // the error that matters is the other one
		return fmt.Errorf("access log: %w", err)
	}
	w.f, w.size, w.opened = f, st.Size(), time.Now()
	w.cut = st.Mode().IsRegular() && w.size > 0 && cut(w.cfg.File, w.size)
	return nil
}

// cut reports whether a file ends within a line: a process before this one was killed while it wrote, and the kernel lets go of a
// write between two pages. What cannot be read is taken to be whole.
func cut(file string, size int64) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	var last [1]byte
	_, err = f.ReadAt(last[:], size-1)
	return err == nil && last[0] != '\n'
}

// Write takes one entry, and reports false if the writer is closed. It never waits for the disk.
func (w *Writer) Write(e *Entry) bool {
	return w.take(e.Append)
}

// WriteLine takes a line of another kind; the line feed is added.
func (w *Writer) WriteLine(line []byte) bool {
	return w.take(func(b []byte) []byte { return append(append(b, line...), '\n') })
}

func (w *Writer) take(line func([]byte) []byte) bool {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return false
	}
	if len(w.buf) > most {
		w.mu.Unlock()
		w.lost.Add(1)
		return true
	}
	w.buf = line(w.buf)
	full := len(w.buf) > bufferSize
	w.mu.Unlock()
	if full {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
	return true
}

// Lost is how many lines were dropped because they could not be written.
func (w *Writer) Lost() int64 { return w.lost.Load() }

// run writes what was gathered, at least every Flush.
func (w *Writer) run() {
	defer close(w.done)
	tick := time.NewTicker(w.cfg.Flush)
	defer tick.Stop()
	for {
		select {
		case <-w.quit:
			w.tell(w.flush())
			return
		case <-w.wake:
		case <-tick.C:
		}
		w.tell(w.flush())
	}
}

func (w *Writer) tell(err error) {
	if errors.Is(err, errIdle) {
		return // nothing was tried: it is not known to work again
	}
	if was := w.failed; w.cfg.OnError != nil && was != (err != nil) {
		w.cfg.OnError(err, w.Lost())
	}
	w.failed = err != nil
}

// errIdle: there was nothing to write.
var errIdle = errors.New("access log: nothing to write")

// flush writes the lines and rotates the file if it is due.
func (w *Writer) flush() error {
	w.file.Lock()
	defer w.file.Unlock()
	w.mu.Lock()
	lines := w.buf
	w.buf = w.spare[:0]
	w.mu.Unlock()
	w.spare = lines[:0]
	if cap(lines) > 2*bufferSize {
		w.spare = nil // of a time when the disk was slow
	}
	if w.f == nil { // it could not be opened again
		if err := w.open(); err != nil {
			w.drop(lines)
			return err
		}
	}
	due := !w.standard() && w.size > 0 && (w.cfg.MaxSize > 0 && w.size+int64(len(lines)) > w.cfg.MaxSize ||
		w.cfg.MaxAge > 0 && time.Since(w.opened) >= w.cfg.MaxAge)
	if due {
		if err := w.rotate(); err != nil {
			w.drop(lines)
			return err
		}
	}
	if len(lines) == 0 {
		return errIdle
	}
	if w.cut { // what comes next is not lost with that line
		n, err := w.f.WriteString("\n")
		if w.size += int64(n); err != nil {
			w.drop(lines)
			return fmt.Errorf("access log: %w; make room, the lines since are lost", err)
		}
		w.cut = false
	}
	n, err := w.f.Write(lines)
	w.size += int64(n)
	if err != nil {
		w.cut = n > 0 && lines[n-1] != '\n'
		w.drop(lines[n:])
		return fmt.Errorf("access log: %w; make room, the lines since are lost", err)
	}
	return nil
}

func (w *Writer) drop(lines []byte) {
	n := int64(0)
	for _, c := range lines {
		if c == '\n' {
			n++
		}
	}
	w.lost.Add(n)
}

// rotate renames the file after the time and opens a new one. Too many rotated ones are removed, the oldest first.
func (w *Writer) rotate() error {
	stamp := time.Now().UTC().Format("20060102T150405.000")
	name := w.cfg.File + "." + stamp
	if _, err := os.Stat(name); err == nil {
		return nil // twice within a millisecond: the next time
	}
	err := os.Rename(w.cfg.File, name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("access log: rotate: %w", err)
	}
	if err := w.reopen(); err != nil {
		return err
	}
	old, err := filepath.Glob(w.cfg.File + ".[0-9]*T*")
	if err != nil {
		return fmt.Errorf("access log: %w", err)
	}
	slices.Sort(old)
	for len(old) > w.cfg.Keep {
		if err := os.Remove(old[0]); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("access log: %w", err)
		}
		old = old[1:]
	}
	return nil
}

func (w *Writer) reopen() error {
	before := w.f
	w.f = nil
	err := w.open()
	if before != nil {
		err = errors.Join(err, before.Close())
	}
	return err
}

// Reopen writes what was gathered and opens the file anew, for tools that move it away themselves (logrotate, then SIGUSR1).
func (w *Writer) Reopen() error {
	if err := w.Sync(); err != nil {
		return err
	}
	if w.standard() {
		return nil
	}
	w.file.Lock()
	defer w.file.Unlock()
	return w.reopen()
}

// Sync writes what was gathered so far.
func (w *Writer) Sync() error {
	if err := w.flush(); !errors.Is(err, errIdle) {
		return err
	}
	return nil
}

// Close writes the rest and closes the file.
func (w *Writer) Close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	close(w.quit)
	<-w.done
	w.file.Lock()
	defer w.file.Unlock()
	if w.standard() || w.f == nil {
		return nil
	}
	return w.f.Close()
}
