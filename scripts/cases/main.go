// Command cases investigates recorded cases whose truth is known and prints one row a case: what came out, and what
// should have. It reads folders with want.json beside case/, and folders X with X.truth.json beside them.
//
//	go run ./scripts/cases [-split dev|held-out] [-only WORD] [-after 10s] [-v] DIR...
//
// With -after it looks at each incident as it was that long after the onset, for the sake of those who are called then.
// Exit code 1 when a case misses that is not listed in the file of -known.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/casestest"
	"github.com/inquesthq/inquest/internal/flow"
)

func main() {
	split := flag.String("split", "", "only cases of this split")
	only := flag.String("only", "", "only cases whose path contains this")
	known := flag.String("known", "", "file of known misses, which do not count")
	after := flag.Duration("after", 0, "look this long after the onset")
	verbose := flag.Bool("v", false, "print what came out of misses")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: cases [-split dev|held-out] [-only WORD] [-known FILE] [-after 10s] [-v] DIR...")
		os.Exit(2)
	}
	ok, err := run(flag.Args(), *split, *only, *known, *after, *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cases:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(roots []string, split, only, known string, after time.Duration, verbose bool) (bool, error) {
	cases, err := casestest.Find(roots...)
	if err != nil {
		return false, err
	}
	misses := casestest.Misses{}
	if known != "" {
		if misses, err = casestest.ReadMisses(known); err != nil {
			return false, err
		}
	}
	total, whole, excused := 0, 0, 0
	levels := map[inquest.VerdictLevel]*tally{}
	fmt.Printf("%-58s %-5s %-42s %-5s %-22s %-5s %-5s %s\n", "case", "inc", "mechanism", "ok", "culprit", "ok", "trig", "onset")
	for i := range cases {
		c := &cases[i]
		if after > 0 && !c.Caused() || split != "" && c.Truth.Split != split || !strings.Contains(c.Folder, only) {
			continue
		}
		total++
		switch _, listed := misses["verdict"][c.Name]; {
		case row(c, after, verbose, levels):
			whole++
		case listed:
			excused++
		}
	}
	fmt.Printf("%d of %d cases came out whole", whole, total)
	if known != "" {
		fmt.Printf("; %d of the others are in %s", excused, known)
	}
	fmt.Println()
	for _, l := range []inquest.VerdictLevel{inquest.Established, inquest.Probable} {
		if t := levels[l]; t != nil {
			fmt.Printf("%s: %d of %d causes right (%.0f%%), mean confidence %.2f\n", l, t.right, t.all, 100*float64(t.right)/float64(t.all), t.confidence/float64(t.all))
		}
	}
	return whole+excused == total, nil
}

// tally calibrates one level: how often mechanism and culprit were right where a verdict claimed it, against the confidence that
// it printed. Established should be right in 95 of 100, probable in 80.
type tally struct {
	all, right int
	confidence float64
}

func (t *tally) count(v *inquest.Verdict, right bool) *tally {
	if t == nil {
		t = &tally{}
	}
	t.all++
	t.confidence += v.Confidence
	if right {
		t.right++
	}
	return t
}

// row investigates one case, prints what came out, and reports whether it is whole.
func row(c *casestest.Case, after time.Duration, verbose bool, levels map[inquest.VerdictLevel]*tally) bool {
	o, err := flow.Investigate(context.Background(), c.Folder, flow.Options{})
	if after > 0 && err == nil {
		o, err = early(c, after, o.Diagnosis)
	}
	if err != nil {
		fmt.Printf("%-58s %v\n", cut(c.Name, 58), err)
		return false
	}
	d, t, s := o.Diagnosis, &c.Truth, c.Judge(o.Diagnosis)
	v := d.Verdict
	if v == nil {
		v = &inquest.Verdict{}
	}
	name := string(v.Mechanism) + " " + string(v.Level)
	if v.Mechanism != "" {
		levels[v.Level] = levels[v.Level].count(v, s.Mechanism && s.Culprit)
	}
	if !c.Caused() {
		fmt.Printf("%-58s %-5v %-42s %-5s\n", cut(c.Name, 58), d.Incident, name, mark(s.Whole()))
		if !s.Whole() && verbose {
			fmt.Println("    ", v.Summary)
		}
		return s.Whole()
	}
	fmt.Printf("%-58s %-5v %-42s %-5s %-22s %-5s %-5s %s %s\n", cut(c.Name, 58), d.Incident, name, mark(s.Mechanism),
		cut(v.Culprit, 22), mark(s.Culprit), mark(s.Trigger), mark(s.Onset), s.OnsetError.Round(100*time.Millisecond))
	if !s.Whole() && verbose {
		fmt.Printf("     want %s/%s at %s", t.Class, t.Mechanism, t.Culprit)
		if t.Trigger != nil {
			fmt.Printf(", trigger %s %q", t.Trigger.Kind, t.Trigger.Summary)
		}
		fmt.Println()
		fmt.Println("     got ", v.Summary)
	}
	return s.Whole()
}

// early investigates what was there so long after the onset.
func early(c *casestest.Case, after time.Duration, whole *inquest.Diagnosis) (*flow.Outcome, error) {
	dir, err := os.MkdirTemp("", "cases-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	files, err := casestest.Files(c.Folder)
	if err == nil {
		files, err = casestest.Until(c.Folder, files, c.Truth.Onset.Add(after), whole.Coverage.Files)
	}
	if err == nil {
		err = casestest.Write(dir, files)
	}
	if err != nil {
		return nil, err
	}
	return flow.Investigate(context.Background(), dir, flow.Options{})
}

func mark(ok bool) string {
	if ok {
		return "ok"
	}
	return "MISS"
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n-1] + "~"
	}
	return s
}
