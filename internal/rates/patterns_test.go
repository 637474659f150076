package rates_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/rates"
)

// settle lets everything that is due be stored by a store that knows nothing, and lists what is new.
func settle(p *rates.Patterns, now time.Time, most int) (due []rates.Due, fresh []string) {
	due = p.Due(now, most)
	for _, d := range due {
		if d.Fresh && p.Settle(d, false, false) {
			fresh = append(fresh, d.Template)
		}
		p.Saved(d)
	}
	return due, fresh
}

func TestAPatternIsNewOnceItsServiceIsKnown(t *testing.T) {
	t.Parallel()
	p := rates.NewPatterns(step)
	at := func(m int) time.Time { return noon.Add(time.Duration(m) * time.Minute) }
	p.Log(said(inquest.LevelInfo, "listening on 8080"), "cart", "f", at(0))
	if _, fresh := settle(p, at(0), 100); len(fresh) > 0 {
		t.Errorf("a new service has no new patterns: %v", fresh)
	}
	p.Log(said(inquest.LevelError, "pool exhausted after 5 s"), "cart", "f", at(11))
	p.Log(said(inquest.LevelError, "pool exhausted after 7 s"), "cart", "f", at(12))
	due, fresh := settle(p, at(12), 100)
	if diff := cmp.Diff([]string{"pool exhausted after <*>"}, fresh); diff != "" {
		t.Errorf("new (-want +got):\n%s", diff)
	}
	if len(due) != 1 || due[0].Count != 2 || due[0].Delta != 2 || due[0].Level != inquest.LevelError || due[0].Example.Text != "pool exhausted after 5 s" {
		t.Errorf("due %+v", due)
	}
	if got := p.Series(at(12)); len(got) > 0 {
		t.Errorf("twice may be chance, and is counted as new: %s", lines(got))
	}
	p.Log(said(inquest.LevelError, "pool exhausted after 9 s"), "cart", "f", at(12))
	want := []string{`inquest_new_patterns_total{level="error", service="cart"} 0@11m59s 1@12m0s`}
	if diff := cmp.Diff(want, lines(p.Series(at(12)))); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
	if due, _ := settle(p, at(12), 100); len(due) != 0 {
		t.Errorf("due again at once: %+v", due)
	}
	if due, fresh := settle(p, at(13), 100); len(due) != 1 || due[0].Delta != 1 || due[0].Count != 3 || len(fresh) != 0 {
		t.Errorf("a minute later: %+v, new %v", due, fresh)
	}
}

func TestAPatternThatTheStoreKnowsIsNotNew(t *testing.T) {
	t.Parallel()
	p := rates.NewPatterns(step)
	p.Log(said(inquest.LevelError, "known"), "cart", "f", noon)
	p.Log(said(inquest.LevelError, "unknown"), "cart", "f", noon)
	for _, d := range p.Due(noon, 10) {
		if got, want := p.Settle(d, d.Template == "known", true), d.Template == "unknown"; got != want {
			t.Errorf("%s is new: %v, though its service is known to the store", d.Template, got)
		}
		if p.Settle(d, false, true) {
			t.Errorf("%s counts twice", d.Template)
		}
	}
}

func TestWhatIsCountedAsAPattern(t *testing.T) {
	t.Parallel()
	failed := request("GET", "/", 502)
	failed.Message = "upstream gone"
	answered := request("GET", "/", 200)
	answered.Message = "request served"
	thrown := said(inquest.LevelError, "boom\n\tat a.b(C.java:1)")
	thrown.Exception = &inquest.Exception{Type: "E", Message: "boom"}
	for name, c := range map[string]struct {
		record *parse.Record
		want   int
	}{
		"a line of a log":                        {said(inquest.LevelInfo, "x"), 1},
		"a request that failed and says why":     {failed, 1},
		"a request that failed":                  {request("GET", "/", 502), 0},
		"a request that was answered":            {answered, 0},
		"a stack trace, once and without frames": {thrown, 1},
		"a line that says nothing":               {said(inquest.LevelInfo, ""), 0},
	} {
		p := rates.NewPatterns(step)
		p.Log(c.record, "cart", "f", noon)
		due := p.Due(noon, 10)
		if len(due) != c.want {
			t.Errorf("%s: %d patterns, want %d", name, len(due), c.want)
		}
		if len(due) > 0 && strings.Contains(due[0].Template, "C.java") {
			t.Errorf("%s: %q", name, due[0].Template)
		}
	}
}

func TestAPatternSurges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after int // a minute
		level         inquest.Level
		minutes       int
		want          bool
	}{
		"ten times as often":                  {3, 30, inquest.LevelError, 30, true},
		"twice as often is what traffic does": {3, 6, inquest.LevelError, 30, false},
		"as ever":                             {30, 30, inquest.LevelError, 30, false},
		"more chatter is no surge":            {3, 30, inquest.LevelInfo, 30, false},
		"too little known of before":          {3, 30, inquest.LevelError, 8, false},
	} {
		p := rates.NewPatterns(step)
		now, surged := noon, false
		for m := range c.minutes + 7 {
			n := c.before
			if m >= c.minutes {
				n = c.after
			}
			for i := range n {
				p.Log(said(c.level, "timeout"), "cart", "f", now.Add(time.Duration(i)*time.Second))
			}
			now = now.Add(time.Minute)
			due, _ := settle(p, now, 100)
			for _, d := range due {
				surged = surged || d.Surging
				if d.Surging && d.Ratio < 3 {
					t.Errorf("%s: surges by %g", name, d.Ratio)
				}
			}
		}
		if surged != c.want {
			t.Errorf("%s: surged = %v", name, surged)
		}
		if !c.want {
			continue
		}
		for m := range 60 { // as often from now on: that is the new usual
			for range c.after {
				p.Log(said(c.level, "timeout"), "cart", "f", now)
			}
			now = now.Add(time.Minute)
			if due, _ := settle(p, now, 100); m == 59 && (len(due) != 1 || due[0].Surging) {
				t.Errorf("%s: an hour later %+v", name, due)
			}
		}
	}
}

func TestTenThousandPatternsAMinuteAreBounded(t *testing.T) {
	t.Parallel()
	p := rates.NewPatterns(step)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	now, written, count := noon, 0, uint64(0)
	word := func(n int) string {
		return strings.Map(func(r rune) rune { return 'a' + r - '0' }, fmt.Sprint(n))
	}
	for m := range 30 {
		for tick := range 30 {
			for i := range 333 {
				p.Log(said(inquest.LevelError, "failed with word "+word(m*10_000+tick*333+i)), "cart", "f", now)
			}
			due, _ := settle(p, now, 200)
			if len(due) > 200 {
				t.Fatalf("%d to be written in one tick", len(due))
			}
			for _, d := range due {
				count += d.Delta
			}
			written += len(due)
			now = now.Add(2 * time.Second)
		}
	}
	for range 30 {
		now = now.Add(time.Minute)
		due, _ := settle(p, now, 1000)
		for _, d := range due {
			count += d.Delta
		}
	}
	if count != 30*30*333 {
		t.Errorf("%d lines in all patterns, want %d: none may be lost", count, 30*30*333)
	}
	if written > 30*130 {
		t.Errorf("%d records written in half an hour", written)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("memory has grown by %d MB", grown>>20)
	}
	runtime.KeepAlive(p)
}

func TestAPatternIsForgottenAfterADayAndMetAgain(t *testing.T) {
	t.Parallel()
	p := rates.NewPatterns(step)
	p.Log(said(inquest.LevelError, "rare"), "cart", "f", noon)
	settle(p, noon, 10)
	later := noon.Add(25 * time.Hour)
	settle(p, later, 10)
	p.Log(said(inquest.LevelError, "rare"), "cart", "f", later)
	due := p.Due(later, 10)
	if len(due) != 1 || !due[0].Fresh || due[0].Count != 1 {
		t.Fatalf("due %+v", due)
	}
	if p.Settle(due[0], true, true) {
		t.Error("what the store remembers is not new")
	}
}

func TestVersionsInLogsAreDeploys(t *testing.T) {
	t.Parallel()
	type heard struct {
		minute  int
		version string
	}
	for name, c := range map[string]struct {
		heard []heard
		want  []string
	}{
		"the first version is no change":           {[]heard{{0, "1"}, {1, "1"}}, nil},
		"a new version is one":                     {[]heard{{0, "1"}, {1, "2"}, {2, "2"}}, []string{"2"}},
		"while a deploy rolls both speak":          {[]heard{{0, "1"}, {1, "2"}, {1, "1"}, {2, "2"}, {3, "1"}, {4, "2"}}, []string{"2"}},
		"going back is one once 2 has had a while": {[]heard{{0, "1"}, {1, "2"}, {20, "2"}, {21, "1"}}, []string{"2", "1"}},
	} {
		changes := rates.NewChanges()
		for _, h := range c.heard {
			r := said(inquest.LevelInfo, "x")
			r.Service, r.Version, r.Clock = "cart", h.version, parse.ClockNone
			changes.Log(r, noon.Add(time.Duration(h.minute)*time.Minute))
		}
		var got []string
		for _, x := range changes.Found() {
			got = append(got, x.Version)
			if x.Kind != inquest.ChangeDeploy || x.Service != "cart" || x.Summary == "" {
				t.Errorf("%s: %+v", name, x)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if len(changes.Found()) != 0 {
			t.Errorf("%s: found twice", name)
		}
	}
}
