package flow_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/casestest"
)

// relatives are cases of several formats, classes and kinds of trigger, on which a change of the folder that means nothing is tried.
// The first three are the quick ones.
var relatives = []string{
	"dependency-failure/dns/zone-entry-lost", "database/slow-query/progress-index-dropped", "unhandled-exception/panic/windows-map-never-made",
	"database/lock-contention/venue-lock", "dependency-failure/upstream-overload/pricing-retry-storm", "resource-exhaustion/disk/broker-disk-alarm",
	"bad-deploy/startup-crash/route-registered-twice", "unhandled-exception/null-dereference/two-faults-one-afternoon",
}

func eachRelative(t *testing.T, do func(t *testing.T, files []casestest.File, full *inquest.Diagnosis)) {
	t.Helper()
	few := relatives
	if testing.Short() {
		few = few[:3]
	}
	found := 0
	for _, c := range corpus(t) {
		if !slices.Contains(few, c.Name) {
			continue
		}
		found++
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			do(t, read(t, &c), investigate(t, c.Folder))
		})
	}
	if found != len(few) {
		t.Errorf("%d of %d cases found: the list names one that is gone", found, len(few))
	}
}

// replaced rewrites names and contents of files.
func replaced(files []casestest.File, in func(string) string) []casestest.File {
	out := make([]casestest.File, len(files))
	for i, f := range files {
		out[i] = casestest.File{Name: in(f.Name), Bytes: []byte(in(string(f.Bytes)))}
	}
	return out
}

// same compares two answers but for their times.
func same(t *testing.T, a, b *inquest.Diagnosis, culprit string) {
	t.Helper()
	va, vb := verdictOf(a), verdictOf(b)
	if va.Mechanism != vb.Mechanism || va.Level != vb.Level || vb.Culprit != culprit {
		t.Errorf("%s %s at %s became %s %s at %s, want %s", va.Level, va.Mechanism, va.Culprit, vb.Level, vb.Mechanism, vb.Culprit, culprit)
	}
	if a.Impact.Failed != b.Impact.Failed {
		t.Errorf("%d failures became %d", a.Impact.Failed, b.Impact.Failed)
	}
}

func sameTrigger(t *testing.T, a, b *inquest.Diagnosis, later time.Duration) {
	t.Helper()
	x, y := triggerOf(verdictOf(a)), triggerOf(verdictOf(b))
	if x.Kind != y.Kind || !x.Time.IsZero() && !x.Time.Add(later).Equal(y.Time) {
		t.Errorf("trigger %s at %s became %s at %s", x.Kind, x.Time, y.Kind, y.Time)
	}
}

func TestRenamedServicesGiveTheSameVerdict(t *testing.T) {
	names := regexp.MustCompile(`\b(stays|courses|dispatch|quotes|transit|sailings|freight|flowers)\b`)
	rename := func(s string) string { return names.ReplaceAllString(s, "mo$1") }
	eachRelative(t, func(t *testing.T, files []casestest.File, full *inquest.Diagnosis) {
		got := investigateFiles(t, replaced(files, rename))
		same(t, full, got, rename(verdictOf(full).Culprit))
		sameTrigger(t, full, got, 0)
	})
}

// week is a shift that keeps the day of the week, which some logs write.
const week = 7 * 24 * time.Hour

var (
	dates  = regexp.MustCompile(`\b(2026-\d\d-\d\d|2026/\d\d/\d\d|\d\d/[A-Z][a-z]{2}/2026|(?:Nov|Dec) [ 0-3]\d)`)
	epochs = regexp.MustCompile(`\b179[5-9]\d{6}(\d{3})?\b`)
)

// aWeekLater shifts what reads as a date or as seconds or milliseconds since 1970.
func aWeekLater(s string) string {
	s = dates.ReplaceAllStringFunc(s, func(d string) string {
		for _, layout := range []string{"2006-01-02", "2006/01/02", "02/Jan/2006", "Jan 02", "Jan _2"} {
			if at, err := time.Parse(layout, d); err == nil {
				if at.Year() == 0 {
					at = at.AddDate(2026, 0, 0)
				}
				return at.Add(week).Format(layout)
			}
		}
		return d
	})
	return epochs.ReplaceAllStringFunc(s, func(e string) string {
		n, err := strconv.ParseInt(e, 10, 64)
		if err != nil {
			return e
		}
		if len(e) == 13 {
			return strconv.FormatInt(n+week.Milliseconds(), 10)
		}
		return strconv.FormatInt(n+int64(week/time.Second), 10)
	})
}

func TestAllClocksAWeekLaterGiveTheSameVerdictAWeekLater(t *testing.T) {
	eachRelative(t, func(t *testing.T, files []casestest.File, full *inquest.Diagnosis) {
		got := investigateFiles(t, replaced(files, aWeekLater))
		same(t, full, got, verdictOf(full).Culprit)
		sameTrigger(t, full, got, week)
		if !full.Onset.Add(week).Equal(got.Onset) {
			t.Errorf("onset %s became %s", full.Onset, got.Onset)
		}
	})
}

func TestAnInnocentDeployIsNotTakenForTheTrigger(t *testing.T) {
	eachRelative(t, func(t *testing.T, files []casestest.File, full *inquest.Diagnosis) {
		for _, d := range []time.Duration{-10 * time.Minute, -45 * time.Second, -2 * time.Second, 20 * time.Second} {
			at := full.Onset.Add(d)
			line := fmt.Sprintf(`{"time":%q,"kind":"deploy","service":"newsletter","version":"9.4.0","summary":"newsletter 9.4.0: a new footer"}`+"\n", at.Format(time.RFC3339))
			got := investigateFiles(t, append(slices.Clone(files), casestest.File{Name: "changes-newsletter.jsonl", Bytes: []byte(line)}))
			same(t, full, got, verdictOf(full).Culprit)
			sameTrigger(t, full, got, 0)
			if tr := triggerOf(verdictOf(got)); tr.Service == "newsletter" {
				t.Errorf("a deploy %s from the onset is taken for the trigger: %s", d, tr.Why)
			}
		}
	})
}

func TestTheLogOfAHealthyServiceChangesNothing(t *testing.T) {
	eachRelative(t, func(t *testing.T, files []casestest.File, full *inquest.Diagnosis) {
		var log strings.Builder
		from, to := full.Baseline.From, full.Window.To
		for i := 0; from.Add(time.Duration(i) * time.Second).Before(to); i++ {
			at := from.Add(time.Duration(i) * time.Second).Format("2006-01-02T15:04:05.000Z07:00")
			fmt.Fprintf(&log, `{"time":%q,"level":"INFO","msg":"newsletter sent","service":"newsletter","letters":%d}`+"\n", at, i%7)
			if i%11 == 0 {
				fmt.Fprintf(&log, `{"time":%q,"level":"WARN","msg":"mail server answered slowly, trying again","service":"newsletter"}`+"\n", at)
			}
			if i%29 == 0 {
				fmt.Fprintf(&log, `{"time":%q,"level":"ERROR","msg":"address bounced: connection refused by mx.example","service":"newsletter"}`+"\n", at)
			}
		}
		got := investigateFiles(t, append(slices.Clone(files), casestest.File{Name: "newsletter.jsonl", Bytes: []byte(log.String())}))
		same(t, full, got, verdictOf(full).Culprit)
		sameTrigger(t, full, got, 0)
	})
}

// clients are the addresses that the recorder's clients have: those of the blocks for documentation (RFC 5737), which no server of it has.
var clients = regexp.MustCompile(`\b(?:198\.51\.100|203\.0\.113|192\.0\.2)\.\d{1,3}\b`)

// A gateway behind a balancer logs one address for all clients, and the verdict must not become "one client".
func TestBehindABalancerTheVerdictIsTheSame(t *testing.T) {
	eachRelative(t, func(t *testing.T, files []casestest.File, full *inquest.Diagnosis) {
		got := investigateFiles(t, replaced(files, func(s string) string { return clients.ReplaceAllString(s, "10.255.0.1") }))
		same(t, full, got, verdictOf(full).Culprit)
		sameTrigger(t, full, got, 0)
		if got.Impact.Spread == inquest.SpreadClient {
			t.Error("one client's failures, says the report")
		}
	})
}
