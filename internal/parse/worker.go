package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// worker parses blocks of one file into its own sink. It keeps nothing from block to block but parsers' caches and
// counts, so the outcome does not depend on which worker got which block.
type worker struct {
	sink     Sink
	all      bool    // Options.AllFields
	first    []other // specific formats that are tried before a catch-all main format
	main     other
	text     lineParser // of lines without a time, where a main format with time has them
	single   bool       // the main format has no continuation lines
	anchored bool       // lines that start no record go on with the one before, see recognition
	rest     []byte     // what follows the line being parsed, in its block
	others   []other
	base     int // others that the sample showed; the rest were met in the block
	head     headerReader
	wrap     *wrapper
	table    []format
	latest   int64 // no record is younger, see Options.Latest

	traces  traceMemo
	one     stream
	streams map[string]*stream // by wrapper prefix
	arena   []byte             // unwrapped text of the block
	tries   int                // lines of the block that were offered to every format

	records, joined, skipped, nul int
	from, to                      int64
	clock                         Clock
	skips                         []Skip
	extra                         map[string]int
}

// other is one of the formats of a file, with this worker's parser.
type other struct {
	parser   lineParser
	finisher recordFinisher // the parser, if it wants to see finished records
	format   *format
}

// headerReader is implemented by parsers whose format has lines that carry no record but belong to it, such as the
// #Fields line of W3C logs. header is asked about refused lines and says whether line is such a line.
type headerReader interface {
	header(line []byte) bool
}

// fieldsParser is implemented by parsers that can leave rarely used fields out, see Options.AllFields.
type fieldsParser interface {
	allFields(bool)
}

// stream is what one writer of a file wrote last: files of one writer have one, wrapped files one per prefix.
type stream struct {
	cur, next *Record // the open record, and the one being parsed
	have      bool
	finisher  recordFinisher // of the format of cur
	single    bool           // cur is of a format without continuation lines
	text      []byte         // message of cur when it has continuation lines
	blanks    int            // blank lines since, which count only if more text follows
	trace     traceState

	service, instance, name string         // from the wrapper
	time                    int64          // of the line being parsed, by the wrapper's clock
	partial                 [2]partialLine // standard output and error: runtimes read them apart, so their parts mix
}

// partialLine is the beginning of a line that the container runtime split.
type partialLine struct {
	text        []byte
	line, lines int    // where it begins and how many parts there are
	stream      string // stdout or stderr
}

func newWorker(j *job, sink Sink) *worker {
	f := &j.found
	w := &worker{sink: sink, all: j.opts.AllFields, wrap: f.wrapper, table: f.table, latest: j.latest(), clock: 255, extra: map[string]int{}}
	w.one = newStream()
	w.main = w.other(f.main, f.sample)
	w.single, w.anchored = f.main.isSingle(), f.anchored
	w.text = newPlainText(f.sample)
	w.head, _ = w.main.parser.(headerReader)
	for _, o := range f.first {
		w.first = append(w.first, w.other(o, f.sample))
	}
	for _, o := range f.others {
		w.others = append(w.others, w.other(o, f.sample))
	}
	w.base = len(w.others)
	if w.wrap != nil {
		w.streams = map[string]*stream{}
	}
	return w
}

func (w *worker) other(f *format, sample []byte) other {
	o := other{parser: f.new(sample), format: f}
	if p, ok := o.parser.(fieldsParser); ok {
		p.allFields(w.all)
	}
	o.finisher, _ = o.parser.(recordFinisher)
	return o
}

func newStream() stream { return stream{cur: new(Record), next: new(Record)} }

// startFunc tells the cutter of blocks what starts a record; nil where every line does.
func (w *worker) startFunc() func([]byte) bool {
	if w.single && w.wrap == nil && len(w.others) == 0 && len(w.first) == 0 {
		return nil
	}
	var r Record
	var plain []byte
	return func(line []byte) bool {
		if w.wrap != nil {
			var u unwrapped
			if !w.wrap.unwrap(line, &u) || u.partial {
				return false
			}
			line = u.text
			if u.escaped {
				plain = unescape(plain[:0], line)
				line = plain
			}
		}
		for _, list := range [...][]other{w.first, {w.main}, w.others[:w.base]} {
			for i := range list {
				r.Reset()
				if list[i].parser.parse(line, &r) {
					return true
				}
			}
		}
		return false
	}
}

// block parses one block. No record reaches into the next one.
func (w *worker) block(b block) {
	w.others, w.tries = w.others[:w.base], 0
	if cap(w.arena) < len(b.data) && w.wrap != nil {
		w.arena = make([]byte, 0, len(b.data))
	}
	w.arena = w.arena[:0]
	data, line := b.data, b.line
	if b.inside {
		data, line = w.dropInside(data, line)
	}
	for ; len(data) > 0; line++ {
		i := bytes.IndexByte(data, '\n')
		var l []byte
		if i < 0 {
			l, data = data, nil
		} else {
			l, data = data[:i], data[i+1:]
		}
		l = trimEnd(l)
		w.rest = data
		if w.wrap != nil {
			w.wrappedLine(line, l)
			continue
		}
		w.line(&w.one, line, 1, l)
	}
	w.flush()
}

// dropInside counts the lines that belong to a record too long to keep.
func (w *worker) dropInside(data []byte, line int) ([]byte, int) {
	start := w.startFunc()
	for len(data) > 0 && start != nil {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			i = len(data) - 1
		}
		if start(trimEnd(bytes.TrimSuffix(data[:i+1], newline))) {
			break
		}
		data = data[i+1:]
		line++
		w.joined++
	}
	return data, line
}

// line parses one line of a stream; lines is how many physical lines it came in.
func (w *worker) line(s *stream, line, lines int, l []byte) {
	if len(l) > 0 && l[0] == 0 {
		w.hole(s, line, lines, l)
		return
	}
	for i := range w.first {
		if w.offer(s, line, lines, l, &w.first[i]) {
			return
		}
	}
	if w.main.format.untimed && s.have {
		if len(bytes.TrimSpace(l)) == 0 {
			w.blank(s, lines)
			return
		}
		if s.trace.continues(l, w.rest) {
			w.join(s, lines, l)
			return
		}
	}
	r := s.next
	r.Reset()
	if !w.main.parser.parse(l, r) {
		w.refused(s, line, lines, l)
		return
	}
	w.open(s, line, lines, w.single, w.main.finisher)
	if w.main.format.untimed {
		s.trace.begin(l)
	}
}

// open closes the record before and makes the one in s.next the open one.
func (w *worker) open(s *stream, line, lines int, single bool, f recordFinisher) {
	if s.have {
		w.emit(s)
	}
	s.cur, s.next = s.next, s.cur
	s.cur.Line, s.cur.Lines = line, lines
	if w.wrap != nil {
		s.stamp(s.cur)
	}
	s.trace = traceState{}
	w.joined += lines - 1
	s.have, s.single, s.finisher = true, single, f
}

// emit hands the open record to the sink.
func (w *worker) emit(s *stream) {
	r := s.cur
	s.have = false
	if len(s.text) > 0 || s.blanks > 0 {
		w.closeText(s, r)
	}
	if s.finisher != nil {
		s.finisher.finish(r)
	}
	if r.Clock == ClockNoYear {
		r.Time = atYear(r.Time, w.latest)
	}
	w.records++
	if r.Time != 0 {
		if w.to == 0 || r.Time < w.from {
			w.from = r.Time
		}
		if r.Time > w.to {
			w.to = r.Time
		}
	}
	if r.Clock != w.clock {
		w.clock = weaker(w.clock, r.Clock)
	}
	if r.Level >= inquest.LevelWarn || r.Status >= 500 || r.Lines > 1 {
		extract(r, &w.traces)
	}
	w.sink.Log(r)
}

func (w *worker) closeText(s *stream, r *Record) {
	if len(s.text) > 0 {
		r.Message = str(s.text)
	}
	w.joined += s.blanks
	r.Lines += s.blanks
	s.blanks = 0
	// The sink may keep nothing of the record, so the buffer is free again after the call.
	s.text = s.text[:0]
}

// flush closes all open records.
func (w *worker) flush() {
	if w.one.have {
		w.emit(&w.one)
	}
	for _, key := range keysOf(w.streams) {
		s := w.streams[key]
		for i := range s.partial {
			if s.partial[i].lines > 0 {
				w.endPartial(s, &s.partial[i], s.time)
			}
		}
		if s.have {
			w.emit(s)
		}
	}
	clear(w.streams)
}
