package parse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// maxMetricLine is the longest exposition line; labels beyond that are somebody's mistake.
const maxMetricLine = 1 << 20

// point is a sample while it is read: 16 bytes, half of inquest.Sample.
type point struct {
	t int64 // Unix nanoseconds, math.MinInt64 when the line had no time
	v float64
}

const noTime = math.MinInt64

// expoSeries is one series while it is read.
type expoSeries struct {
	key    string // name and labels as written
	name   string
	labels map[string]string
	points []point
	sorted bool
}

// exposition reads OpenMetrics and Prometheus text. Series may be interleaved (one scrape after the other) or stand
// one after the other, so all samples are held until the end of the file, 16 bytes each.
type exposition struct {
	file   string
	sink   Sink
	skip   func(line int, reason string)
	types  map[string]string // family name -> type
	series map[string]*expoSeries
	order  []*expoSeries
	last   *expoSeries
	n      int
	lineNo int
}

func openMetricsFormat() format {
	return format{name: "openmetrics", kind: KindLog, read: readOpenMetrics, score: scoreOpenMetrics}
}

// readOpenMetrics is the read function of the format "openmetrics".
func readOpenMetrics(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (int, error) {
	x := &exposition{file: file, sink: sink, skip: skip, types: map[string]string{}, series: map[string]*expoSeries{}}
	err := eachLine(r, maxMetricLine, func(line []byte, no int) {
		x.lineNo = no
		x.line(line)
	}, skip)
	x.flush()
	return x.n, err
}

// eachLine hands on every line without its ending; a line longer than limit is skipped and reported.
func eachLine(r io.Reader, limit int, f func(line []byte, no int), skip func(line int, reason string)) error {
	br := bufio.NewReaderSize(r, 256<<10)
	var long []byte
	over := false
	for no := 1; ; {
		b, err := br.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if !over {
				long = append(long, b...)
				over = len(long) > limit
			}
			continue
		}
		if len(long) > 0 && !over {
			long = append(long, b...)
			b = long
		}
		switch {
		case over || len(b) > limit:
			skip(no, fmt.Sprintf("longer than %d bytes", limit))
		case len(b) > 0:
			f(bytes.TrimRight(b, "\r\n"), no)
		}
		long, over = long[:0], false
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		no++
	}
}

func (x *exposition) line(line []byte) {
	// The fast path: the same series as on the line before, or a series that was seen already.
	if s := x.last; s != nil && len(line) > len(s.key) && line[len(s.key)] == ' ' && string(line[:len(s.key)]) == s.key {
		x.sample(s, line[len(s.key)+1:])
		return
	}
	line = bytes.TrimLeft(line, " \t")
	if len(line) == 0 {
		return
	}
	if line[0] == '#' {
		x.comment(line)
		return
	}
	end := keyEnd(line)
	if end <= 0 || end >= len(line) {
		x.skip(x.lineNo, "not a sample: want name{labels} value [timestamp]")
		return
	}
	s := x.series[string(line[:end])]
	if s == nil {
		name, labels, ok := parseSeriesKey(line[:end])
		if !ok {
			x.skip(x.lineNo, "malformed metric name or labels")
			return
		}
		s = &expoSeries{key: string(line[:end]), name: name, labels: labels, sorted: true}
		x.series[s.key] = s
		x.order = append(x.order, s)
	}
	x.last = s
	x.sample(s, line[end:])
}

func (x *exposition) comment(line []byte) {
	f := strings.Fields(string(line))
	if len(f) >= 4 && f[1] == "TYPE" {
		x.types[strings.Trim(f[2], `"`)] = strings.ToLower(f[3])
	}
}

// keyEnd returns where "name{labels}" ends, -1 if the braces do not close.
func keyEnd(line []byte) int {
	i := 0
	for i < len(line) && line[i] != '{' && line[i] != ' ' && line[i] != '\t' {
		i++
	}
	if i == len(line) || line[i] != '{' {
		return i
	}
	for i < len(line) {
		j := bytes.IndexAny(line[i:], `"}`)
		if j < 0 {
			return -1
		}
		i += j
		if line[i] == '}' {
			return i + 1
		}
		for i++; i < len(line) && line[i] != '"'; i++ {
			if line[i] == '\\' {
				i++
			}
		}
		i++
	}
	return -1
}

// parseSeriesKey reads name{a="b",...}; a name with other characters than Prometheus' old set stands quoted inside
// the braces.
func parseSeriesKey(b []byte) (name string, labels map[string]string, ok bool) {
	i := bytes.IndexByte(b, '{')
	if i < 0 {
		return string(b), map[string]string{}, metricName(b)
	}
	if i > 0 && !metricName(b[:i]) {
		return "", nil, false
	}
	name, labels = string(b[:i]), map[string]string{}
	for i++; i < len(b) && b[i] != '}'; {
		if b[i] == ',' || b[i] == ' ' {
			i++
			continue
		}
		quoted := b[i] == '"'
		var key string
		if quoted {
			var n int
			if key, n = quotedLabel(b[i:]); n < 0 {
				return "", nil, false
			}
			i += n
		} else {
			j := i
			for j < len(b) && (isWordByte(b[j]) || b[j] == '.' || b[j] == ':') {
				j++
			}
			key, i = string(b[i:j]), j
		}
		for i < len(b) && b[i] == ' ' {
			i++
		}
		if quoted && name == "" && (b[i] == ',' || b[i] == '}') {
			name = key
			continue
		}
		if key == "" || i+1 >= len(b) || b[i] != '=' {
			return "", nil, false
		}
		for i++; i < len(b) && b[i] == ' '; {
			i++
		}
		v, n := quotedLabel(b[i:])
		if n < 0 {
			return "", nil, false
		}
		labels[key] = v
		i += n
	}
	return name, labels, name != ""
}

// quotedLabel reads a quoted value with the escapes \\, \" and \n; n is -1 when it does not close.
func quotedLabel(b []byte) (v string, n int) {
	if len(b) == 0 || b[0] != '"' {
		return "", -1
	}
	esc := false
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			esc = true
			i++
		case '"':
			v = string(b[1:i])
			if esc {
				v = labelUnescape.Replace(v)
			}
			return v, i + 1
		}
	}
	return "", -1
}

var labelUnescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")

func metricName(b []byte) bool {
	for i, c := range b {
		if !isWordByte(c) && c != ':' && c != '.' && c != '-' || i == 0 && c >= '0' && c <= '9' {
			return false
		}
	}
	return len(b) > 0
}

// sample reads "value [timestamp] [# exemplar]".
func (x *exposition) sample(s *expoSeries, b []byte) {
	v, b, ok := cutFloat(b)
	if !ok {
		x.skip(x.lineNo, "the value is not a number")
		return
	}
	t := int64(noTime)
	b = bytes.TrimLeft(b, " \t")
	if len(b) > 0 && b[0] != '#' {
		if t, ok = expoTime(b); !ok {
			x.skip(x.lineNo, "the timestamp is not a number")
			return
		}
	}
	x.n++
	if v != v { // NaN means "no observation": a summary's quantile before its first one
		return
	}
	if n := len(s.points); n > 0 && s.points[n-1].t > t {
		s.sorted = false
	}
	s.points = append(s.points, point{t, v})
}

// flush emits the series in the order in which they first appeared and lets go of each at once.
func (x *exposition) flush() {
	x.series, x.last = nil, nil
	for i, s := range x.order {
		x.order[i] = nil
		if len(s.points) == 0 {
			continue
		}
		x.sink.Signal(Signal{Series: newSeries(x.file, s.name, familyType(x.types, s.name), s.labels, s.points, s.sorted)})
	}
}

// newSeries makes the noun. Samples without a time get the zero time: one scrape, taken nobody says when.
func newSeries(file, name, typ string, labels map[string]string, points []point, sorted bool) *inquest.Series {
	if !sorted {
		slices.SortStableFunc(points, func(a, b point) int {
			switch {
			case a.t < b.t:
				return -1
			case a.t > b.t:
				return 1
			}
			return 0
		})
	}
	out := &inquest.Series{Name: name, Labels: labels, Type: typ, Samples: make([]inquest.Sample, len(points)),
		Source: inquest.Source{File: file, Metric: name, Labels: labels}}
	for i, p := range points {
		out.Samples[i].Value = p.v
		if p.t != noTime {
			out.Samples[i].Time = time.Unix(0, p.t).UTC()
		}
	}
	return out
}

// familyType finds the declared type; samples of a family carry suffixes.
func familyType(types map[string]string, name string) string {
	if t, ok := types[name]; ok {
		return knownType(t)
	}
	for _, suffix := range [...]string{"_total", "_bucket", "_count", "_sum", "_created", "_info", "_gsum", "_gcount"} {
		if base, ok := strings.CutSuffix(name, suffix); ok {
			if t, ok := types[base]; ok {
				return knownType(t)
			}
		}
	}
	return ""
}

func knownType(t string) string {
	switch t {
	case "counter", "gauge", "histogram", "summary":
		return t
	case "gaugehistogram":
		return "histogram"
	case "info", "stateset":
		return "gauge"
	}
	return ""
}

// scoreOpenMetrics: declarations are proof; without them every line must be a sample and some must have labels or a
// timestamp, because "word number" alone may be anything.
func scoreOpenMetrics(sample []byte) float64 {
	good, bad, declared, rich := 0, 0, 0, 0
	lines := bytes.Split(sample, []byte("\n"))
	for i, line := range lines {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || i == len(lines)-1 && i > 0 { // the last one may be cut
			continue
		}
		if line[0] == '#' {
			if bytes.HasPrefix(line, []byte("# TYPE ")) || bytes.HasPrefix(line, []byte("# HELP ")) || bytes.HasPrefix(line, []byte("# UNIT ")) {
				declared++
			}
			continue
		}
		end := keyEnd(line)
		if end <= 0 || end >= len(line) {
			bad++
			continue
		}
		_, _, okKey := parseSeriesKey(line[:end])
		_, rest, okVal := cutFloat(line[end:])
		rest = bytes.TrimLeft(rest, " \t")
		_, okTime := expoTime(rest)
		switch {
		case !okKey || !okVal || len(rest) > 0 && rest[0] != '#' && !okTime:
			bad++
		case line[end-1] == '}' || okTime:
			good++
			rich++
		default:
			good++
		}
	}
	if declared == 0 && (bad > 0 || rich == 0) || good+declared == 0 {
		return 0
	}
	return float64(good+declared) / float64(good+declared+bad)
}
