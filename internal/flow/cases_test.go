package flow_test

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/casestest"
	"github.com/inquesthq/inquest/internal/flow"
)

var shrink = flag.Bool("shrink", false, "take the cases that come out now from the list of known misses")

const knownMisses = "../../testdata/cases/KNOWN_MISSES.md"

func corpus(t *testing.T) []casestest.Case {
	t.Helper()
	cases, err := casestest.Find("../../testdata/cases", "../../examples")
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no cases found: the corpus is missing")
	}
	return cases
}

// ledger compares what misses with what is known to miss: both a new miss and a mended one fail the test.
type ledger struct {
	section string
	listed  map[string]string
	mu      sync.Mutex
	seen    map[string]bool
	mended  []string
}

func open(t *testing.T, section string) *ledger {
	t.Helper()
	m, err := casestest.ReadMisses(knownMisses)
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{section: section, listed: m[section], seen: map[string]bool{}}
	t.Cleanup(func() {
		if err := casestest.Strike(knownMisses, section, l.mended); err != nil {
			t.Error(err)
		}
		for name := range l.listed {
			if !l.seen[name] && !t.Failed() {
				t.Errorf("%s lists %q under %q, which is no case", knownMisses, name, section)
			}
		}
	})
	return l
}

// skip passes over a case that a quick run leaves out.
func (l *ledger) skip(name string) { l.seen[name] = true }

// check fails the test when the outcome of a case is not the listed one.
func (l *ledger) check(t *testing.T, name string, misses []string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[name] = true
	want, listed := l.listed[name]
	switch {
	case len(misses) > 0 && !listed:
		t.Errorf("MISS | %s | %s | %s |", l.section, name, strings.Join(misses, ", "))
	case len(misses) == 0 && listed && *shrink:
		l.mended = append(l.mended, name)
	case len(misses) == 0 && listed:
		t.Errorf("MENDED | %s | %s | comes out now: take its row (%s) out of %s (make shrink)", l.section, name, want, knownMisses)
	}
}

func investigate(t *testing.T, folder string) *inquest.Diagnosis {
	t.Helper()
	o, err := flow.Investigate(context.Background(), folder, flow.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return o.Diagnosis
}

func investigateFiles(t *testing.T, files []casestest.File) *inquest.Diagnosis {
	t.Helper()
	dir := t.TempDir()
	if err := casestest.Write(dir, files); err != nil {
		t.Fatal(err)
	}
	return investigate(t, dir)
}

func read(t *testing.T, c *casestest.Case) []casestest.File {
	t.Helper()
	files, err := casestest.Files(c.Folder)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestEveryCaseComesOutAsItHappened(t *testing.T) {
	l := open(t, "verdict")
	for _, c := range corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			l.check(t, c.Name, c.Judge(investigate(t, c.Folder)).Misses())
		})
	}
}

var order = map[inquest.VerdictLevel]int{"": 0, inquest.Open: 0, inquest.Probable: 1, inquest.Established: 2}

// surer says in what way the second verdict claims more than the first.
func surer(full, less *inquest.Diagnosis) string {
	level, confidence := levelOf(full)
	level2, confidence2 := levelOf(less)
	switch {
	case order[level2] > order[level]:
		return fmt.Sprintf("level %s became %s", level, level2)
	case order[level2] > 0 && confidence2 > confidence+0.005: // half of what is printed
		return fmt.Sprintf("confidence %.2f became %.2f", confidence, confidence2)
	}
	return ""
}

func levelOf(d *inquest.Diagnosis) (inquest.VerdictLevel, float64) {
	if d.Verdict == nil {
		return inquest.Open, 0
	}
	return d.Verdict.Level, d.Verdict.Confidence
}

func TestLessEvidenceNeverMakesAVerdictSurer(t *testing.T) {
	if testing.Short() {
		t.Skip("four investigations a case: make test-full")
	}
	l := open(t, "less evidence")
	for _, c := range corpus(t) {
		if !c.Caused() {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			files := read(t, &c)
			full := investigate(t, c.Folder)
			for _, kind := range casestest.Kinds() {
				left := slices.DeleteFunc(slices.Clone(files), func(f casestest.File) bool { return f.Kind() == kind })
				if len(left) == 0 || len(left) == len(files) {
					continue
				}
				var misses []string
				if m := surer(full, investigateFiles(t, left)); m != "" {
					misses = []string{m}
				}
				l.check(t, fmt.Sprintf("%s without %s", c.Name, kind), misses)
			}
		})
	}
}

// A server investigates within seconds of the first failures. What it then calls established is what people act on.
func TestAnEarlyLookEstablishesNothingThatIsWrong(t *testing.T) {
	if testing.Short() {
		t.Skip("an investigation more for each case: make test-full")
	}
	l := open(t, "early look")
	for _, c := range corpus(t) {
		if !c.Caused() {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			for _, after := range []time.Duration{5 * time.Second, 20 * time.Second} {
				files, err := casestest.Until(c.Folder, read(t, &c), c.Truth.Onset.Add(after), investigate(t, c.Folder).Coverage.Files)
				if err != nil {
					t.Fatal(err)
				}
				var misses []string
				d := investigateFiles(t, files)
				if s := c.Judge(d); verdictOf(d).Level == inquest.Established && !(s.Mechanism && s.Culprit) {
					misses = s.Misses()
				}
				l.check(t, fmt.Sprintf("%s after %s", c.Name, after), misses)
			}
		})
	}
}

func TestHealthyStaysHealthyWhateverFileIsMissing(t *testing.T) {
	l := open(t, "healthy with a file missing")
	for _, c := range corpus(t) {
		if c.Truth.IsIncident {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			files := read(t, &c)
			for i, gone := range files {
				left := slices.Delete(slices.Clone(files), i, i+1)
				if len(left) == 0 {
					continue
				}
				var misses []string
				if investigateFiles(t, left).Incident {
					misses = []string{"incident"}
				}
				l.check(t, fmt.Sprintf("%s without %s", c.Name, filepath.Base(gone.Name)), misses)
			}
		})
	}
}

func TestTheSameFilesLaidOutDifferentlyGiveTheSameVerdict(t *testing.T) {
	if testing.Short() {
		t.Skip("four investigations a case: make test-full")
	}
	l := open(t, "laid out differently")
	for _, c := range corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			files := read(t, &c)
			full := investigate(t, c.Folder)
			for _, a := range casestest.Arrangements() {
				l.check(t, c.Name+" "+a.Name, differences(full, investigateFiles(t, a.Do(files)), a.Whole))
			}
		})
	}
}

// differences lists the parts of the answer that changed. Without the names of files, only what the lines say is compared.
func differences(a, b *inquest.Diagnosis, whole bool) []string {
	va, vb := verdictOf(a), verdictOf(b)
	var out []string
	add := func(what string, same bool) {
		if !same {
			out = append(out, what)
		}
	}
	add("incident", a.Incident == b.Incident)
	add("onset", a.Onset.Equal(b.Onset))
	add("mechanism", va.Mechanism == vb.Mechanism)
	if whole {
		add("level", va.Level == vb.Level)
		add("culprit", va.Culprit == vb.Culprit)
		add("confidence", va.Confidence == vb.Confidence)
		add("trigger", triggerOf(va) == triggerOf(vb))
	}
	return out
}

func verdictOf(d *inquest.Diagnosis) inquest.Verdict {
	if d.Verdict == nil {
		return inquest.Verdict{}
	}
	return *d.Verdict
}

func triggerOf(v inquest.Verdict) inquest.Trigger {
	if v.Trigger == nil {
		return inquest.Trigger{}
	}
	return *v.Trigger
}
