// Command cases investigates recorded cases whose truth is known and prints one row a case: what came out, and what
// should have. It reads folders with want.json beside case/, and folders X with X.truth.json beside them.
//
//	go run ./scripts/cases [-split dev|held-out] [-v] DIR...
//
// Exit code 1 when a case misses.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/flow"
)

// truth is what a case's truth file says.
type truth struct {
	ID         string      `json:"id"`
	IsIncident bool        `json:"is_incident"`
	Open       bool        `json:"open"` // undecidable on purpose
	Class      string      `json:"class"`
	Mechanism  string      `json:"mechanism"`
	Acceptable [][2]string `json:"acceptable"`
	Culprit    string      `json:"culprit"`
	Aliases    []string    `json:"culprit_aliases"`
	Trigger    *struct {
		Kind     string    `json:"kind"`
		Summary  string    `json:"summary"`
		Time     time.Time `json:"time"`
		Recorded bool      `json:"recorded"`
	} `json:"trigger"`
	Onset time.Time `json:"onset"`
	Split string    `json:"split"`
}

func main() {
	split := flag.String("split", "", "only cases of this split")
	only := flag.String("only", "", "only cases whose path contains this")
	verbose := flag.Bool("v", false, "print what came out of misses")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: cases [-split dev|held-out] [-v] DIR...")
		os.Exit(2)
	}
	total, whole := 0, 0
	fmt.Printf("%-58s %-5s %-42s %-5s %-22s %-5s %-5s %s\n", "case", "inc", "mechanism", "ok", "culprit", "ok", "trig", "onset")
	for _, c := range find(flag.Args()) {
		if *split != "" && c.truth.Split != *split || !strings.Contains(c.folder, *only) {
			continue
		}
		total++
		if c.judge(*verbose) {
			whole++
		}
	}
	fmt.Printf("%d of %d cases came out whole\n", whole, total)
	if whole < total {
		os.Exit(1)
	}
}

type kase struct {
	folder string
	truth  truth
}

func find(roots []string) []kase {
	var out []kase
	for _, root := range roots {
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil
			}
			folder := ""
			switch {
			case d.Name() == "want.json":
				folder = filepath.Join(filepath.Dir(path), "case")
			case strings.HasSuffix(d.Name(), ".truth.json"):
				folder = strings.TrimSuffix(path, ".truth.json")
			default:
				return nil
			}
			b, err := os.ReadFile(path)
			k := kase{folder: folder}
			if err == nil {
				err = json.Unmarshal(b, &k.truth)
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
				os.Exit(2)
			}
			out = append(out, k)
			return nil
		})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].folder < out[j].folder })
	return out
}

func (k *kase) judge(verbose bool) bool {
	o, err := flow.Investigate(context.Background(), k.folder, flow.Options{})
	if err != nil {
		fmt.Printf("%-58s %v\n", short(k.folder), err)
		return false
	}
	d, t := o.Diagnosis, &k.truth
	v := d.Verdict
	if v == nil {
		v = &inquest.Verdict{}
	}
	if !t.IsIncident || t.Open || t.Class == "" {
		ok := d.Incident == t.IsIncident && v.Mechanism == ""
		fmt.Printf("%-58s %-5v %-42s %-5s\n", short(k.folder), d.Incident, string(v.Mechanism)+" "+string(v.Level), mark(ok))
		if !ok && verbose {
			fmt.Println("    ", v.Summary)
		}
		return ok
	}
	mech := string(v.Mechanism) == t.Class+"/"+t.Mechanism || slices.ContainsFunc(t.Acceptable, func(p [2]string) bool {
		return string(v.Mechanism.Class()) == p[0] && (p[1] == "*" || v.Mechanism.Name() == p[1])
	})
	cul := k.culprit(v.Culprit)
	trig := k.trigger(v.Trigger)
	delta := d.Onset.Sub(t.Onset)
	onset := d.Incident && delta.Abs() <= 10*time.Second
	fmt.Printf("%-58s %-5v %-42s %-5s %-22s %-5s %-5s %s %s\n", short(k.folder), d.Incident, string(v.Mechanism)+" "+string(v.Level), mark(mech), cut(v.Culprit, 22), mark(cul), mark(trig), mark(onset), delta.Round(100*time.Millisecond))
	ok := mech && cul && trig && onset
	if !ok && verbose {
		fmt.Printf("     want %s/%s at %s", t.Class, t.Mechanism, t.Culprit)
		if t.Trigger != nil {
			fmt.Printf(", trigger %s %q", t.Trigger.Kind, t.Trigger.Summary)
		}
		fmt.Println()
		fmt.Println("     got ", v.Summary)
	}
	return ok
}

func (k *kase) culprit(got string) bool {
	host, _, _ := strings.Cut(got, ":")
	for _, want := range append([]string{k.truth.Culprit}, k.truth.Aliases...) {
		if strings.EqualFold(want, got) || strings.EqualFold(want, host) {
			return true
		}
	}
	return false
}

// trigger: a recorded one must be named by time; of one that no file records, the kind must be right or left open.
func (k *kase) trigger(got *inquest.Trigger) bool {
	want := k.truth.Trigger
	switch {
	case want == nil:
		return got == nil
	case got == nil:
		return !want.Recorded
	case want.Recorded:
		return got.Time.Sub(want.Time).Abs() < 3*time.Second
	}
	return string(got.Kind) == want.Kind
}

func mark(ok bool) string {
	if ok {
		return "ok"
	}
	return "MISS"
}

func short(p string) string {
	p = strings.TrimSuffix(p, "/case")
	if i := strings.Index(p, "cases/"); i >= 0 {
		p = p[i+6:]
	} else if i := strings.Index(p, "incidents/"); i >= 0 {
		p = p[i+10:]
	}
	return cut(p, 58)
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n-1] + "~"
	}
	return s
}
