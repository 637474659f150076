package parse

import (
	"bytes"
	"sort"
)

// How many lines of a file its format is recognised by: enough to see a second format that every tenth line has,
// few enough that recognising a small file costs less than reading it.
const (
	sampleHead   = 200
	sampleMiddle = 60
)

// genericWeight scales the share of lines that a catch-all format (any JSON, any line with a time stamp) takes. A
// specific format that takes a third of the lines says more about a file than a catch-all that takes all.
const genericWeight = 0.3

// anchoredShare is the share of possible first lines that must begin a record for the others to be continuations.
// Loggers that print SQL or JSON over many lines have more continuations than records, but hardly ten times as many.
const anchoredShare = 0.2

// recognition is what a file was taken for.
type recognition struct {
	table   []format
	wrapper *wrapper
	main    *format
	first   []*format // specific formats of a file whose main format is a catch-all: tried before it
	others  []*format // further formats that the sample showed, tried after main, catch-alls last
	sample  []byte    // head of the file, unwrapped

	// anchored says that records of main begin with a time on most lines that could begin one, so that a line which
	// does not is a continuation. In a file where only a few lines have a time, the others speak for themselves.
	anchored bool
	extra    map[string]int
}

// isSingle reports whether every record of the format is one line.
func (f *format) isSingle() bool { return f.single || f.kind == KindAccess }

func (r *recognition) sequential() bool { return r.main.sequential }

func (r *recognition) addExtra(name string, n int) {
	if r.extra == nil {
		r.extra = map[string]int{}
	}
	r.extra[name] += n
}

func (r *recognition) extraNames() []string { return keysOf(r.extra) }

func keysOf[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// recognise finds wrapper and formats from the head of the file and, where it can be reached, its middle.
func (j *job) recognise(head []byte) {
	r := &j.found
	r.table = table()
	sample := bytes.TrimPrefix(head, bomUTF8)
	lines := sampleLines(sample, sampleHead)
	lines = append(lines, j.middle()...)
	if r.wrapper = findWrapper(lines, r.table); r.wrapper != nil {
		lines, sample = r.wrapper.unwrapSample(lines)
		j.rep.Wrapper = r.wrapper.name
	}
	r.sample = sample
	r.choose(lines)
	if r.main != nil {
		j.rep.Format = r.main.name
	}
}

// middle returns lines from the middle of an uncompressed file.
func (j *job) middle() [][]byte {
	if j.src.plain == nil || j.src.size < 2*sampleBytes {
		return nil
	}
	buf := make([]byte, sampleBytes/4)
	n, _ := j.src.plain.ReadAt(buf, j.src.size/2)
	buf = buf[:n]
	i := bytes.IndexByte(buf, '\n')
	if i < 0 {
		return nil
	}
	return sampleLines(buf[i+1:], sampleMiddle)
}

// sampleLines returns up to n whole lines that are not blank.
func sampleLines(p []byte, n int) [][]byte {
	var out [][]byte
	for len(p) > 0 && len(out) < n {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			if len(p) < sampleBytes/2 || len(out) == 0 {
				out = append(out, trimEnd(p))
			}
			break
		}
		if l := bytes.Trim(trimEnd(p[:i]), "\x00"); len(bytes.TrimSpace(l)) > 0 {
			out = append(out, l)
		}
		p = p[i+1:]
	}
	return out
}

// choose sets main and others: main takes the largest weighted share of the lines, or is a document format that is
// surer of the sample than any line format.
func (r *recognition) choose(lines [][]byte) {
	best, share, bestTaken := 0.0, 0.0, []bool(nil)
	for i := range r.table {
		f := &r.table[i]
		score, taken := r.score(f, lines)
		weighted := score
		if f.generic {
			weighted *= genericWeight
		}
		if weighted > best {
			r.main, best, share, bestTaken = f, weighted, score, taken
		}
	}
	if r.main == nil || r.main.read != nil {
		return
	}
	r.anchored = !r.main.untimed && (!r.main.generic || share >= anchoredShare)
	r.chooseOthers(lines, bestTaken)
}

// score returns the share of lines that f takes, and which; indented lines are somebody's continuation and do not count.
func (r *recognition) score(f *format, lines [][]byte) (float64, []bool) {
	if f.score != nil {
		return f.score(r.sample), make([]bool, len(lines))
	}
	if f.new == nil {
		return 0, nil
	}
	p := f.new(r.sample)
	h, _ := p.(headerReader)
	var rec Record
	taken := make([]bool, len(lines))
	n, of := 0, 0
	for i, l := range lines {
		rec.Reset()
		switch {
		case p.parse(l, &rec):
			taken[i] = true
			n++
			of++
		case tracePart(l) || h != nil && h.header(l):
		default:
			of++
		}
	}
	if of == 0 {
		return 0, taken
	}
	return float64(n) / float64(of), taken
}

// chooseOthers finds, for the sample lines that main refused, the first format that takes them. If main is a catch-all,
// specific formats are asked about all lines: an access log between a program's messages is told from them that way.
func (r *recognition) chooseOthers(lines [][]byte, taken []bool) {
	if r.main.generic {
		all := make([]bool, len(lines))
		r.first = r.claim(lines, all, false)
		for i := range taken {
			taken[i] = taken[i] || all[i]
		}
	}
	r.others = r.claim(lines, taken, false)
	r.others = append(r.others, r.claim(lines, taken, true)...)
}

// claim returns the formats that take a line which is not taken yet, in the order of the table, and marks the lines.
func (r *recognition) claim(lines [][]byte, taken []bool, generic bool) (found []*format) {
	var rec Record
	for i := range r.table {
		f := &r.table[i]
		if f.new == nil || f == r.main || f.sequential || f.generic != generic {
			continue
		}
		p, n := f.new(r.sample), 0
		for k, l := range lines {
			if taken[k] || l[0] == ' ' || l[0] == '\t' {
				continue
			}
			rec.Reset()
			if p.parse(l, &rec) && rec.Clock != ClockNone {
				taken[k] = true
				n++
			}
		}
		if n > 0 {
			found = append(found, f)
		}
	}
	return found
}
