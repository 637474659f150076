package parse

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// Options of ReadFile. The zero value reads with one worker a core and leaves rarely used fields out.
type Options struct {
	// Workers is how many parts of a file are parsed at a time; 0 means one a core. With 1 the sink gets the
	// records in the order of the file.
	Workers int
	// AllFields asks for fields that cost time on every line and that only a reader of single records wants: user
	// agent, referrer, protocol. Without it they are there for failed requests only (status 500 and above). Of a JSON
	// line at level info about a request answered well (below 400) no extra field is kept at all.
	AllFields bool
	// Latest is a time that no record can be after, as Unix nanoseconds: times without a year get the latest year
	// that obeys it. 0 means the file's last change. A caller who has files with whole dates passes their newest,
	// so that the answer does not hang on when a file was copied.
	Latest int64
	// Progress, if set, is called now and then with the bytes read of the file's size on disk. It must be quick.
	Progress func(read, total int64)
	// Known, for ReadRange, remembers what the file was taken for from one piece to the next.
	Known *Known
}

// sampleBytes is how much of the head of a file its format is recognised by.
const sampleBytes = 256 << 10

// ReadFile reads one file, at dir/name (name slash-separated; dir may be empty), and hands what it finds to the sinks
// that newSink makes, one for each worker. The report accounts for every line; its Err says why reading stopped
// early, and what was read before counts. A file of no known format gives a report with Format "".
func ReadFile(ctx context.Context, dir, name string, opts Options, newSink func() Sink) FileReport {
	rep := FileReport{File: name}
	src, err := openSource(dir, name)
	if err != nil {
		rep.Err = fmt.Errorf("%s: %w", name, err)
		return rep
	}
	defer src.Close()
	rep.Notes = append(rep.Notes, src.notes...)

	head := make([]byte, src.atMost(sampleBytes))
	n, err := io.ReadFull(src.r, head)
	head = head[:n]
	// A short file and a broken stream both end with ErrUnexpectedEOF here; which one it is shows on the next read.
	rest := src.r
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		rest = failedReader{err}
	}
	if n == 0 {
		rep.Err = emptyError(name, src, err)
		if rep.Err == nil {
			rep.Notes = append(rep.Notes, "empty file")
		}
		return rep
	}
	if msg := binaryText(head); msg != "" {
		rep.Err = fmt.Errorf("%s: %s", name, msg)
		return rep
	}
	j := &job{opts: opts, src: src, rep: &rep, newSink: newSink}
	j.recognise(head)
	in := io.MultiReader(bytes.NewReader(head), rest)
	switch {
	case rep.Format == "":
		j.countOnly(in)
	case j.found.main.read != nil:
		j.readDocument(in)
	default:
		j.readLines(ctx, &blocks{r: in})
	}
	if n := src.read.Load(); src.plain != nil && n < src.size && rep.Err == nil {
		rep.Notes = append(rep.Notes, fmt.Sprintf("the file got shorter while it was read, from %d to %d bytes: what was cut off is not here", src.size, n))
	}
	return rep
}

// emptyError tells an empty file from one whose first bytes cannot be decompressed.
func emptyError(name string, src *source, err error) error {
	if err == io.EOF {
		return nil
	}
	return fmt.Errorf("%s: %w", name, readError(err, src.read.Load()))
}

type failedReader struct{ err error }

func (f failedReader) Read([]byte) (int, error) { return 0, f.err }

// job is the reading of one file.
type job struct {
	opts    Options
	src     *source
	rep     *FileReport
	newSink func() Sink
	found   recognition
}

// latest returns Options.Latest or what stands in for it.
func (j *job) latest() int64 {
	if j.opts.Latest != 0 {
		return j.opts.Latest
	}
	return j.src.changed
}

// readLines runs the workers over the blocks of the file.
func (j *job) readLines(ctx context.Context, b *blocks) {
	workers := j.opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if j.found.sequential() {
		workers = 1
	}
	// No more workers than blocks: a small file is read by one.
	if j.src.plain != nil {
		workers = min(workers, int(j.src.size/blockSize)+1)
	}
	all := make([]*worker, workers)
	for i := range all {
		all[i] = newWorker(j, j.newSink())
	}
	run := func(w *worker) {
		buf := make([]byte, 0, j.src.atMost(bufferSize))
		for ctx.Err() == nil {
			blk, ok := b.next(buf, w.startFunc())
			if !ok {
				break
			}
			w.block(blk)
			if j.opts.Progress != nil {
				j.opts.Progress(j.src.read.Load(), j.src.size)
			}
		}
		w.flush()
	}
	var wg sync.WaitGroup
	for _, w := range all[1:] {
		wg.Go(func() { run(w) })
	}
	run(all[0])
	wg.Wait()
	j.account(b, all)
	if err := ctx.Err(); err != nil && j.rep.Err == nil {
		j.rep.Err = fmt.Errorf("%s: stopped after line %d: %w", j.rep.File, j.rep.Lines, err)
	}
}

// readDocument hands the stream to a format that reads whole documents.
func (j *job) readDocument(in io.Reader) {
	lc := &lineCounter{r: in}
	skipped := 0
	n, err := j.found.main.read(lc, j.rep.File, j.newSink(), func(line int, reason string) {
		skipped++
		j.rep.addSkip(line, reason)
	})
	// A reader that stops early leaves lines unread; they count.
	if _, cerr := io.Copy(io.Discard, lc); err == nil {
		err = cerr
	}
	j.rep.Lines, j.rep.Records, j.rep.Skipped = lc.lines(), n, skipped
	j.rep.Joined = max(0, j.rep.Lines-n-skipped)
	if err != nil {
		j.rep.Err = fmt.Errorf("%s: %w", j.rep.File, readError(err, j.src.read.Load()))
	}
}

// countOnly counts the lines of a file that no reader knows, so that coverage can say how much was left out.
func (j *job) countOnly(in io.Reader) {
	lc := &lineCounter{r: in}
	_, err := io.Copy(io.Discard, lc)
	j.rep.Lines = lc.lines()
	j.rep.Skipped = j.rep.Lines
	if j.rep.Lines > 0 {
		j.rep.addSkip(1, "no reader knows this format")
	}
	if err != nil {
		j.rep.Err = fmt.Errorf("%s: %w", j.rep.File, readError(err, j.src.read.Load()))
	}
}

// lineCounter counts the lines that pass through it.
type lineCounter struct {
	r    io.Reader
	n    int
	last byte
	any  bool
}

func (c *lineCounter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if n > 0 {
		c.n += bytes.Count(p[:n], newline)
		c.last, c.any = p[n-1], true
	}
	return n, err
}

func (c *lineCounter) lines() int {
	if c.any && c.last != '\n' {
		return c.n + 1
	}
	return c.n
}

// account adds up what the workers did.
func (j *job) account(b *blocks, all []*worker) {
	r := j.rep
	r.Lines = b.line
	var from, to int64
	clock := Clock(255)
	var skips []Skip
	nul := 0
	for _, w := range all {
		r.Records += w.records
		r.Joined += w.joined
		r.Skipped += w.skipped
		skips = append(skips, w.skips...)
		nul += w.nul
		if w.records == 0 {
			continue
		}
		if w.to != 0 && (from == 0 || w.from < from) {
			from = w.from
		}
		to = max(to, w.to)
		clock = weaker(clock, w.clock)
		for name, n := range w.extra {
			j.found.addExtra(name, n)
		}
	}
	if clock != 255 {
		r.Clock = clock
	}
	if to != 0 {
		r.From, r.To = time.Unix(0, from).UTC(), time.Unix(0, to).UTC()
	}
	r.mergeSkips(skips)
	if len(b.long) > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("line %s: longer than 1 MB, cut there", joinInts(b.long)))
	}
	if nul > 0 || b.nulHole > 0 {
		r.Notes = append(r.Notes, "NUL bytes between lines, as a crash leaves them: dropped")
	}
	if names := j.found.extraNames(); len(names) > 0 {
		r.Notes = append(r.Notes, "lines of other formats in the same file: "+strings.Join(names, ", "))
	}
	if b.err != nil {
		r.Err = fmt.Errorf("%s: line %d: %w", r.File, b.errLine, readError(b.err, j.src.read.Load()))
	}
}

// str is line as a string without a copy: it lives as long as the read buffer does.
func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
