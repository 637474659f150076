package parse

import (
	"io"
	"time"

	"github.com/inquesthq/inquest"
)

// MaxRecordBytes bounds one record with its continuation lines; what is beyond is dropped and reported.
const MaxRecordBytes = 256 << 10

// Sink receives what a reader finds. Each worker of a file gets a Sink of its own, so methods need no lock;
// the caller merges the sinks afterwards and must not depend on the order of chunks.
type Sink interface {
	// Log takes one record; r and its strings are valid only during the call.
	Log(r *Record)
	// Signal takes everything rarer: exactly one field of s is set.
	Signal(s Signal)
}

// Signal is one non-log signal; exactly one pointer is set. The values may be kept.
type Signal struct {
	Series *inquest.Series // all samples of one series found in one file or chunk
	Span   *inquest.Span
	Change *inquest.Change
	Edge   *inquest.Edge
	Hint   *inquest.Hint
}

// format is one entry of the table of formats: a line format (new set) or a document format (read set).
type format struct {
	name string // shown in coverage, e.g. "nginx", "pino", "postgresql"
	kind Kind

	// new makes a parser for one worker. sample is the head of the file (a W3C header names its columns there).
	new func(sample []byte) lineParser

	// sequential formats carry state from line to line (W3C #Fields, MySQL slow log) and are read by one worker.
	sequential bool

	// single formats never continue on the next line (JSON); access formats are single anyway. A line that such a
	// format refuses is another format's, or plain text, and not joined to the record before it.
	single bool

	// untimed formats take text without times: whether a line begins a record is told by the form of stack traces alone.
	untimed bool

	// generic formats are catch-alls (any JSON, any line with a time stamp, any text): a specific format that takes
	// a third as many lines is preferred, and in mixed files they get what nobody else takes.
	generic bool

	// read reads a whole document (OpenMetrics, Prometheus API JSON, CloudWatch JSON, git log, OTLP lines).
	// It returns how many records it handed to sink and reports lines it could not read to skip.
	read func(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (records int, err error)

	// score says how surely the sample is of this format, 0 to 1; nil for line formats means: the share of
	// sample lines that parse, where of equal shares the format earlier in the table wins (most specific first).
	score func(sample []byte) float64
}

// lineParser reads physical lines. It may keep caches (the last time stamp) but no pointer into old buffers.
type lineParser interface {
	// parse reads line, without its line ending, as the first line of a record into r, which is Reset.
	// It returns false when the line does not start a record of the format: then the line is joined to the
	// record before it, or skipped. It must not retain line beyond the Sink call (strings in r may alias it).
	parse(line []byte, r *Record) bool
}

// recordFinisher is implemented by line parsers that read more than the first line of a record: MySQL's slow log,
// SQL text, CSV with line breaks in quotes. finish is called once for each record, after its last continuation line
// was joined to r.Message (with "\n") and before the Sink. Other lines may have been parsed since the first one.
type recordFinisher interface {
	finish(r *Record)
}

// FileReport is the account of one file: what it was taken for and what became of its lines.
type FileReport struct {
	File     string // path relative to the case folder, slash-separated
	Format   string // "" when not recognised
	Wrapper  string // "cri", "docker", "compose", ... when lines were unwrapped first
	Lines    int    // physical lines read
	Records  int
	Joined   int // continuation lines
	Skipped  int // lines that no reader took
	From, To time.Time
	Clock    Clock         // the weakest clock seen
	Shift    time.Duration // what the caller added to times without a zone or year to fit the other files
	Writer   string        // whose log the caller takes it for where its records name nobody
	Notes    []string      // truncated gzip, NUL bytes, over-long lines, mixed formats: in people's words, with line
	Skips    []Skip        // the first few skipped lines
	Through  int64         // of ReadRange: the byte up to which was read
	Err      error         // why reading stopped early (permission, cut gzip); what was read before it counts
}

// Skip is one line that no reader took, and why.
type Skip struct {
	Line   int
	Reason string
}
