// Package casestest judges what an investigation came to against what is known of the case. The tests of the corpus and
// the command scripts/cases use the same judgement.
//
// A case is a folder NAME/case with NAME/want.json beside it (testdata/cases), or a folder NAME with NAME.truth.json beside
// it (examples). It promises to read no more of the truth than it judges, and it will not investigate: callers do.
package casestest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// Truth is what a case's truth file says.
type Truth struct {
	ID         string      `json:"id"`
	IsIncident bool        `json:"is_incident"`
	Open       bool        `json:"open"` // undecidable on purpose
	Class      string      `json:"class"`
	Mechanism  string      `json:"mechanism"`
	Acceptable [][2]string `json:"acceptable"` // pairs of class and mechanism that are right as well; * is any mechanism
	Culprit    string      `json:"culprit"`
	Aliases    []string    `json:"culprit_aliases"`
	Trigger    *Trigger    `json:"trigger"`
	Onset      time.Time   `json:"onset"`
	Split      string      `json:"split"` // dev or held-out
}

// Trigger is what set the incident off. Recorded says that a file of the case tells it.
type Trigger struct {
	Kind     string    `json:"kind"`
	Summary  string    `json:"summary"`
	Time     time.Time `json:"time"`
	Recorded bool      `json:"recorded"`
}

// Case is a folder of evidence and the truth about it.
type Case struct {
	Name   string // the path below the corpus, with slashes: "database/down/ledger-db-down", "black-friday"
	Folder string // to be given to the investigation
	Truth  Truth
}

// Caused reports whether the case is an incident whose cause can be named.
func (c *Case) Caused() bool {
	return c.Truth.IsIncident && !c.Truth.Open && c.Truth.Class != ""
}

// Find lists the cases below the folders, sorted by path.
func Find(roots ...string) ([]Case, error) {
	var out []Case
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			folder, name := caseOf(root, path)
			if folder == "" || d.IsDir() {
				return nil
			}
			c := Case{Name: name, Folder: folder}
			b, err := os.ReadFile(path)
			if err == nil {
				err = json.Unmarshal(b, &c.Truth)
			}
			if err != nil {
				return fmt.Errorf("truth of a case: %s: %w", path, err)
			}
			out = append(out, c)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Folder < out[j].Folder })
	return out, nil
}

// caseOf returns the folder and the name of the case that a truth file is about, "" for other files.
func caseOf(root, path string) (folder, name string) {
	rel := func(p string) string {
		r, err := filepath.Rel(root, p)
		if err != nil || r == "." {
			return filepath.Base(p)
		}
		return filepath.ToSlash(r)
	}
	if filepath.Base(path) == "want.json" {
		return filepath.Join(filepath.Dir(path), "case"), rel(filepath.Dir(path))
	}
	if f, ok := strings.CutSuffix(path, ".truth.json"); ok {
		return f, rel(f)
	}
	return "", ""
}

// OnsetTolerance is how far the onset may be from the truth: a scrape or two, and less than people need to look up.
const OnsetTolerance = 10 * time.Second

// Score says which parts of a diagnosis are right. Of healthy and open cases only Incident and Mechanism count: there
// must be no mechanism.
type Score struct {
	Incident, Mechanism, Culprit, Trigger, Onset bool
	OnsetError                                   time.Duration // found minus true
}

// Whole reports whether everything is right.
func (s Score) Whole() bool { return s.Incident && s.Mechanism && s.Culprit && s.Trigger && s.Onset }

// Misses names what is wrong, in a fixed order.
func (s Score) Misses() []string {
	var out []string
	for _, part := range []struct {
		name string
		ok   bool
	}{{"incident", s.Incident}, {"mechanism", s.Mechanism}, {"culprit", s.Culprit}, {"trigger", s.Trigger}, {"onset", s.Onset}} {
		if !part.ok {
			out = append(out, part.name)
		}
	}
	return out
}

// Judge compares a diagnosis with the truth.
func (c *Case) Judge(d *inquest.Diagnosis) Score {
	t := &c.Truth
	v := d.Verdict
	if v == nil {
		v = &inquest.Verdict{}
	}
	s := Score{Incident: d.Incident == t.IsIncident}
	if !c.Caused() {
		s.Mechanism, s.Culprit, s.Trigger, s.Onset = v.Mechanism == "", true, true, true
		return s
	}
	s.Mechanism = t.mechanism(v.Mechanism)
	s.Culprit = t.culprit(v.Culprit)
	s.Trigger = t.trigger(v.Trigger)
	s.OnsetError = d.Onset.Sub(t.Onset)
	s.Onset = d.Incident && s.OnsetError.Abs() <= OnsetTolerance
	return s
}

func (t *Truth) mechanism(got inquest.MechanismID) bool {
	return string(got) == t.Class+"/"+t.Mechanism || slices.ContainsFunc(t.Acceptable, func(p [2]string) bool {
		return string(got.Class()) == p[0] && (p[1] == "*" || got.Name() == p[1])
	})
}

func (t *Truth) culprit(got string) bool {
	host, _, _ := strings.Cut(got, ":")
	return slices.ContainsFunc(append([]string{t.Culprit}, t.Aliases...), func(want string) bool {
		return want != "" && (strings.EqualFold(want, got) || strings.EqualFold(want, host))
	})
}

// trigger: a recorded one must be named by time; of one that no file records, the kind must be right or left open.
func (t *Truth) trigger(got *inquest.Trigger) bool {
	want := t.Trigger
	switch {
	case want == nil:
		return got == nil
	case got == nil:
		return !want.Recorded
	case want.Recorded:
		return got.Time.Sub(want.Time).Abs() < 3*time.Second || got.Summary == want.Summary // clocks of two machines; a rollout takes time
	}
	return string(got.Kind) == want.Kind
}
