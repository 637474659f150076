package roster_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/roster"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func parse(t *testing.T, s string) roster.Roster {
	t.Helper()
	r, err := roster.Parse([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const weekly = `{"name":"primary","rotations":[{"zone":"Europe/Berlin","people":["ada","ben","cy"],"start":"2026-03-16","handover":"09:00"}],
	"overrides":[{"person":"dee","from":"2026-03-20T10:00:00Z","until":"2026-03-20T12:00:00Z","why":"dentist"},{"person":"eve","from":"2026-03-20T11:00:00Z","until":"2026-03-20T11:30:00Z"}]}`

const sun = `{"name":"sun","rotations":[
	{"zone":"Europe/Berlin","people":["ada","ben"],"start":"2026-01-05","days":1,"hours":{"from":"08:00","to":"20:00","days":[1,2,3,4,5]}},
	{"zone":"America/Los_Angeles","people":["lee"],"start":"2026-01-05","hours":{"from":"22:00","to":"06:00","days":[5]}},
	{"zone":"Asia/Tokyo","people":["ken"],"start":"2026-02-01"}]}`

func TestWhoIsOnCall(t *testing.T) {
	for name, c := range map[string]struct{ roster, at, want string }{
		"before the roster begins":                    {weekly, "2026-03-16T07:59:59Z", ""},
		"from the first hand-over":                    {weekly, "2026-03-16T08:00:00Z", "ada"},
		"until a second before the next, winter time": {weekly, "2026-03-23T07:59:59Z", "ada"},
		"the next week":                               {weekly, "2026-03-23T08:00:00Z", "ben"},
		"the clocks went forward: 9 o'clock is 7 UTC": {weekly, "2026-03-30T07:00:00Z", "cy"},
		"a second before that":                        {weekly, "2026-03-30T06:59:59Z", "ben"},
		"and round again":                             {weekly, "2026-04-06T12:00:00Z", "ada"},
		"years later":                                 {weekly, "2029-03-12T12:00:00Z", "ada"},
		"an override":                                 {weekly, "2026-03-20T10:00:00Z", "dee"},
		"the last override counts":                    {weekly, "2026-03-20T11:15:00Z", "eve"},
		"and ends":                                    {weekly, "2026-03-20T12:00:00Z", "ada"},
		"follow the sun: Monday in Berlin":            {sun, "2026-02-02T07:00:00Z", "ada"},
		"Tuesday in Berlin":                           {sun, "2026-02-03T07:00:00Z", "ben"},
		"the evening is nobody's but Tokyo's":         {sun, "2026-02-03T19:30:00Z", "ken"},
		"the weekend in Berlin is Tokyo's":            {sun, "2026-02-07T19:30:00Z", "ken"},
		"Friday night in Los Angeles":                 {sun, "2026-02-07T07:30:00Z", "lee"},
		"which goes on after midnight":                {sun, "2026-02-07T13:59:00Z", "lee"},
		"but not on Saturday night":                   {sun, "2026-02-08T07:30:00Z", "ken"},
		"before Tokyo began nobody is on at night":    {sun, "2026-01-06T23:00:00Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := parse(t, c.roster)
			if got := r.OnCall(at(t, c.at)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestShiftsAreExactToTheMinute(t *testing.T) {
	r := parse(t, `{"name":"p","rotations":[{"zone":"Asia/Kathmandu","people":["ada","ben"],"start":"2026-03-16","handover":"09:07"}],
		"overrides":[{"person":"dee","from":"2026-03-20T10:03:00Z","until":"2026-03-20T12:00:00Z"}]}`)
	got := r.Shifts(at(t, "2026-03-16T00:00:00Z"), at(t, "2026-03-24T00:00:00Z"))
	want := []roster.Shift{
		{"", at(t, "2026-03-16T00:00:00Z"), at(t, "2026-03-16T03:22:00Z")}, // Nepal is 5:45 ahead
		{"ada", at(t, "2026-03-16T03:22:00Z"), at(t, "2026-03-20T10:03:00Z")},
		{"dee", at(t, "2026-03-20T10:03:00Z"), at(t, "2026-03-20T12:00:00Z")},
		{"ada", at(t, "2026-03-20T12:00:00Z"), at(t, "2026-03-23T03:22:00Z")},
		{"ben", at(t, "2026-03-23T03:22:00Z"), at(t, "2026-03-24T00:00:00Z")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestShiftsAgreeWithWhoIsOnCall(t *testing.T) {
	for _, text := range []string{weekly, sun} {
		r := parse(t, text)
		from := at(t, "2026-03-18T00:00:00Z")
		for _, s := range r.Shifts(from, from.AddDate(0, 0, 14)) {
			for m := s.From; m.Before(s.Until); m = m.Add(7 * time.Minute) {
				if got := r.OnCall(m); got != s.Person {
					t.Fatalf("%s: at %s %q is on call, the shift says %q", r.Name, m, got, s.Person)
				}
			}
		}
	}
}

func TestARosterThatCannotBeMeantIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                          "unexpected EOF",
		`{"name":"p"}`:               "needs a name and a rotation",
		`{"name":"p","rotation":[]}`: `unknown field "rotation"`,
		`{"name":"p","rotations":[{"people":["a"],"start":"2026-01-01","zone":"Mars/Olympus"}]}`:                                                                     "use a name such as Europe/Berlin",
		`{"name":"p","rotations":[{"start":"2026-01-01"}]}`:                                                                                                          "needs people",
		`{"name":"p","rotations":[{"people":[""],"start":"2026-01-01"}]}`:                                                                                            "needs people",
		`{"name":"p","rotations":[{"people":["a"],"start":"01.02.2026"}]}`:                                                                                           "a day such as 2026-11-02",
		`{"name":"p","rotations":[{"people":["a"],"start":"2026-01-01","handover":"9 am"}]}`:                                                                         "no time of day",
		`{"name":"p","rotations":[{"people":["a"],"start":"2026-01-01","days":-1}]}`:                                                                                 "must not be negative",
		`{"name":"p","rotations":[{"people":["a"],"start":"2026-01-01","hours":{"from":"9"}}]}`:                                                                      "two times such as",
		`{"name":"p","rotations":[{"people":["a"],"start":"2026-01-01","hours":{"from":"09:00","to":"09:00"}}]}`:                                                     "two times such as",
		`{"name":"p","rotations":[{"people":["a"],"start":"2026-01-01","hours":{"from":"09:00","to":"10:00","days":[7]}}]}`:                                          "from 0, Sunday, to 6",
		`{"name":"p","rotations":[{"people":["a"],"start":"2026-01-01"}],"overrides":[{"person":"b","from":"2026-01-02T00:00:00Z","until":"2026-01-01T00:00:00Z"}]}`: "must end after it begins",
	} {
		_, err := roster.Parse([]byte(text))
		if !errors.Is(err, roster.ErrInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(weekly), int64(1_770_000_000))
	f.Add([]byte(sun), int64(0))
	f.Fuzz(func(t *testing.T, b []byte, unix int64) {
		r, err := roster.Parse(b)
		if err != nil {
			return
		}
		if unix < -1<<40 || unix > 1<<40 {
			return
		}
		p := r.OnCall(time.Unix(unix, 0))
		known := p == ""
		for _, t := range r.Rotations {
			for _, n := range t.People {
				known = known || n == p
			}
		}
		for _, o := range r.Overrides {
			known = known || o.Person == p
		}
		if !known {
			t.Fatalf("%q is on call, and not in the roster", p)
		}
	})
}
