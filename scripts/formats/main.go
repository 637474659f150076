// Command formats runs the parser over a folder of sample logs with expected results and prints, per format, how much
// of them it got right. It exits with 1 when a bound is not held: every sample with expected events recognised, 99% of
// its expected fields right, every line accounted for. contested.txt lists expected values that we hold to be wrong, or
// that contradict another sample of the same format, with the reason: they count as misses in every figure, but do not
// decide the exit code. A listed one that comes out right does, because then the list is out of date.
//
//	go run ./scripts/formats [-v] [-only word] DATA_DIR
//
// DATA_DIR holds INDEX.jsonl with one object a sample ({"file","kind","format","lines","events"}); next to each sample
// NAME.log may lie NAME.expected.jsonl, one object an event, with the fields that are to be compared.
package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/parse"
)

const wantFields = 0.99

func main() {
	verbose := flag.Bool("v", false, "print each mismatch")
	only := flag.String("only", "", "only samples whose path contains this")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: formats [-v] [-only word] DATA_DIR")
		os.Exit(2)
	}
	ok, err := run(flag.Arg(0), *only, *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "formats:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// sample is one row of INDEX.jsonl.
type sample struct {
	File   string `json:"file"`
	Kind   string `json:"kind"`
	Format string `json:"format"`
}

// score is what became of one sample, or the sum over a format.
type score struct {
	files, recognised, events, found, fields, right, lines, accounted int
	truth                                                             bool
	as                                                                map[string]bool
	contested                                                         int // misses that contested.txt explains
	misses                                                            []string
}

// contestedList has a line for each: file, line, field, reason, set apart by tabs.
//
//go:embed contested.txt
var contestedList string

// contests reads the list into the reason by "file line field".
func contests() map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(contestedList) {
		if part := strings.SplitN(strings.TrimSpace(line), "\t", 4); len(part) == 4 && line[0] != '#' {
			out[strings.Join(part[:3], " ")] = part[3]
		}
	}
	return out
}

func run(dir, only string, verbose bool) (bool, error) {
	samples, err := index(filepath.Join(dir, "INDEX.jsonl"))
	if err != nil {
		return false, err
	}
	rows := map[string]*score{}
	good, contested := true, contests()
	for _, s := range samples {
		if !strings.Contains(s.File, only) {
			continue
		}
		sc, err := check(dir, s, contested)
		if err != nil {
			return false, err
		}
		key := s.Kind + "/" + s.Format
		if rows[key] == nil {
			rows[key] = &score{as: map[string]bool{}}
		}
		rows[key].add(sc)
		bad := sc.accounted != sc.lines || sc.truth && (sc.recognised == 0 || float64(sc.right+sc.contested) < wantFields*float64(sc.fields))
		if bad {
			good = false
			fmt.Printf("BELOW %-60s recognised as %q, %d/%d fields, %d of them contested, %d/%d lines\n",
				s.File, keys(sc.as), sc.right, sc.fields, sc.contested, sc.accounted, sc.lines)
		}
		if verbose {
			for _, m := range sc.misses {
				fmt.Println("    ", s.File, m)
			}
		}
	}
	table(rows)
	for key := range contested {
		if strings.Contains(key, only) {
			good = false
			fmt.Printf("NOT MISSED %s: take it out of contested.txt\n", key)
		}
	}
	return good, nil
}

func index(name string) ([]sample, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("no index of samples: %w", err)
	}
	defer f.Close()
	var out []sample
	in := bufio.NewScanner(f)
	for in.Scan() {
		var s sample
		if err := json.Unmarshal(in.Bytes(), &s); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, s)
	}
	return out, in.Err()
}

// collect keeps the JSON of every record by its first line.
type collect struct {
	byLine map[int][]map[string]any
	err    error
}

func (c *collect) Log(r *parse.Record) {
	var m map[string]any
	b := parse.AppendJSON(nil, r)
	if err := json.Unmarshal(b, &m); err != nil && c.err == nil {
		c.err = fmt.Errorf("line %d: output is not JSON: %w: %s", r.Line, err, b)
	}
	c.byLine[r.Line] = append(c.byLine[r.Line], m)
}

func (c *collect) Signal(parse.Signal) {}

func check(dir string, s sample, contested map[string]string) (score, error) {
	c := &collect{byLine: map[int][]map[string]any{}}
	rep := parse.ReadFile(context.Background(), dir, s.File, parse.Options{Workers: 1, AllFields: true}, func() parse.Sink { return c })
	if c.err != nil {
		return score{}, fmt.Errorf("%s: %w", s.File, c.err)
	}
	sc := score{files: 1, lines: rep.Lines, accounted: rep.Joined + rep.Skipped, as: map[string]bool{}}
	for _, recs := range c.byLine {
		sc.accounted += len(recs)
	}
	if sc.accounted > sc.lines && rep.Records+rep.Joined+rep.Skipped > rep.Lines && rep.Joined == 0 {
		sc.accounted = sc.lines // a document format: many records stand on one line
	}
	if rep.Format != "" {
		sc.recognised = 1
		name := rep.Format
		if rep.Wrapper != "" {
			name += " in " + rep.Wrapper
		}
		sc.as[name] = true
	} else {
		sc.as["?"] = true
	}
	if rep.Err != nil {
		sc.misses = append(sc.misses, rep.Err.Error())
	}
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Join(dir, s.File), ".log"), ".json") + ".expected.jsonl"
	f, err := os.Open(name)
	if err != nil {
		return sc, nil // no ground truth: it must only not break
	}
	defer f.Close()
	sc.truth = true
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var want map[string]any
		if err := json.Unmarshal(in.Bytes(), &want); err != nil {
			return sc, fmt.Errorf("%s: %w", name, err)
		}
		sc.compare(s, want, c.byLine, contested)
	}
	return sc, in.Err()
}

// compare counts the fields of one expected event that the record at the same line has. It takes a miss that is
// contested out of the list, so that what is left in the end was not missed.
func (s *score) compare(of sample, want map[string]any, got map[int][]map[string]any, contested map[string]string) {
	s.events++
	line, _ := want["line"].(float64)
	if line == 0 {
		line = 1 // a document that is one event
	}
	recs := got[int(line)]
	if len(recs) == 0 {
		s.fields += len(want)
		s.misses = append(s.misses, fmt.Sprintf("line %v: no record", line))
		return
	}
	s.found++
	for name, w := range want {
		s.fields++
		if same(of.Format, name, w, recs[0]) {
			s.right++
			continue
		}
		if key := fmt.Sprintf("%s %v %s", of.File, line, name); contested[key] != "" {
			s.contested++
			s.misses = append(s.misses, fmt.Sprintf("line %v: %s: %s", line, name, contested[key]))
			delete(contested, key)
		} else {
			s.misses = append(s.misses, fmt.Sprintf("line %v: %s: want %s, got %s", line, name, short(w), short(recs[0][name])))
		}
	}
}

func short(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	s := strings.TrimSpace(b.String())
	if len(s) > 200 {
		s = s[:200] + "..."
	}
	return s
}

// same compares one field: times to the millisecond, durations to the microsecond, levels without case, lists of
// addresses as sets, user agents of IIS with a plus for a blank (of two sources one writes what IIS wrote, the other what
// it meant), everything else as its text.
func same(format, name string, want any, rec map[string]any) bool {
	got, there := rec[name]
	switch name {
	case "line":
		return true
	case "lines":
		return there && reflect.DeepEqual(want, got) || !there && want == 1.0
	case "multiline":
		n, _ := rec["lines"].(float64)
		return n > 1
	case "time", "time_local":
		return sameTime(want, got)
	case "level":
		return strings.EqualFold(text(want), text(got))
	case "remote_addrs":
		return sameSet(want, got)
	}
	if !there {
		return text(want) == ""
	}
	if name == "user_agent" && format == "iis-w3c" {
		return plusBlank(text(want)) == plusBlank(text(got))
	}
	if strings.HasSuffix(name, "_s") {
		a, ok1 := want.(float64)
		b, ok2 := got.(float64)
		return ok1 && ok2 && math.Abs(a-b) <= 1e-6
	}
	if w, ok := want.(map[string]any); ok {
		g, _ := got.(map[string]any)
		for k, v := range w {
			if text(g[k]) != text(v) {
				return false
			}
		}
		return true
	}
	return text(want) == text(got)
}

func plusBlank(s string) string { return strings.ReplaceAll(s, "+", " ") }

func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	if v == nil {
		return ""
	}
	return short(v)
}

func sameTime(want, got any) bool {
	a, err1 := parseTime(text(want))
	b, err2 := parseTime(text(got))
	return err1 == nil && err2 == nil && a.Sub(b).Abs() <= time.Millisecond
}

func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	return time.Parse("2006-01-02T15:04:05.999999999", s)
}

func sameSet(want, got any) bool {
	a, b := list(want), list(got)
	return reflect.DeepEqual(a, b)
}

func list(v any) []string {
	l, _ := v.([]any)
	var out []string
	for _, x := range l {
		out = append(out, text(x))
	}
	sort.Strings(out)
	return out
}

func (s *score) add(o score) {
	s.files += o.files
	s.recognised += o.recognised
	s.events += o.events
	s.found += o.found
	s.fields += o.fields
	s.right += o.right
	s.lines += o.lines
	s.accounted += o.accounted
	s.truth = s.truth || o.truth
	for k := range o.as {
		s.as[k] = true
	}
}

func keys(m map[string]bool) string {
	var k []string
	for s := range m {
		k = append(k, s)
	}
	sort.Strings(k)
	return strings.Join(k, ", ")
}

func percent(a, b int) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", 100*float64(a)/float64(b))
}

func table(rows map[string]*score) {
	var names []string
	total := &score{as: map[string]bool{}}
	for n, s := range rows {
		names = append(names, n)
		total.add(*s)
	}
	sort.Strings(names)
	fmt.Printf("%-28s %5s %5s %7s %7s %8s %8s  %s\n", "format", "files", "recog", "events", "found", "fields%", "lines%", "recognised as")
	for _, n := range append(names, "total") {
		s := rows[n]
		if s == nil {
			s = total
			s.as = nil
		}
		fmt.Printf("%-28s %5d %5d %7d %7d %8s %8s  %s\n", n, s.files, s.recognised, s.events, s.found, percent(s.right, s.fields), percent(s.accounted, s.lines), keys(s.as))
	}
}
