package parse

import (
	"testing"
	"time"
)

const utcClock, localClock, noClock, yearlessClock = ClockUTC, ClockLocal, ClockNone, ClockNoYear

var timeCases = map[string]struct {
	in    string
	want  string // RFC 3339; the placeholder year for times without one
	n     int
	clock Clock
}{
	"RFC 3339 in UTC":                         {"2026-11-20T16:12:03Z msg", "2026-11-20T16:12:03Z", 20, utcClock},
	"RFC 3339 with nine digits and an offset": {"2026-11-20T16:12:03.123456789+05:30", "2026-11-20T10:42:03.123456789Z", 35, utcClock},
	"more digits than nanoseconds":            {"2026-11-20T16:12:03.1234567891Z", "2026-11-20T16:12:03.123456789Z", 31, utcClock},
	"Java's offset without a colon":           {"2026-11-20T16:12:03.123+0100 x", "2026-11-20T15:12:03.123Z", 28, utcClock},
	"Python's comma":                          {"2026-11-20 16:12:03,245 INFO", "2026-11-20T16:12:03.245Z", 23, localClock},
	"a comma that separates columns":          {"2026-11-20 16:12:03,5,x", "2026-11-20T16:12:03Z", 19, localClock},
	".NET's blank before the offset":          {"2026-11-20 16:12:03.123 +01:00 [INF]", "2026-11-20T15:12:03.123Z", 30, utcClock},
	"a number behind a blank is no offset":    {"2026-11-20 16:12:03 -10items", "2026-11-20T16:12:03Z", 19, localClock},
	"slashes":                                 {"2026/11/20 16:15:08 msg", "2026-11-20T16:15:08Z", 19, localClock},
	"Gin's dash":                              {"2026/11/20 - 16:15:08 | 200", "2026-11-20T16:15:08Z", 21, localClock},
	"PostgreSQL in UTC":                       {"2026-11-20 16:12:35.019 UTC [1]", "2026-11-20T16:12:35.019Z", 27, utcClock},
	"a zone everybody agrees on":              {"2026-11-20 16:12:35.019 CET [1]", "2026-11-20T15:12:35.019Z", 27, utcClock},
	"a zone that is three zones":              {"2026-11-20 16:12:35.019 IST [1]", "2026-11-20T16:12:35.019Z", 27, localClock},
	"a level is no zone":                      {"2026-11-20 16:12:35 INFO x", "2026-11-20T16:12:35Z", 19, localClock},
	"PostgreSQL's numeric zone":               {"2026-11-20 16:12:35.019 +03 [1]", "2026-11-20T13:12:35.019Z", 27, utcClock},
	"common log format":                       {"20/Nov/2026:16:12:03 +0000]", "2026-11-20T16:12:03Z", 26, utcClock},
	"syslog":                                  {"Nov 20 16:12:03 host", "1972-11-20T16:12:03Z", 15, yearlessClock},
	"syslog with a padded day":                {"Nov  2 16:12:03 host", "1972-11-02T16:12:03Z", 15, yearlessClock},
	"29 February without a year":              {"Feb 29 16:12:03 host", "1972-02-29T16:12:03Z", 15, yearlessClock},
	"Apache's error log":                      {"Fri Nov 20 16:12:03.123456 2026] x", "2026-11-20T16:12:03.123456Z", 31, localClock},
	"date(1)":                                 {"Fri Nov 20 16:12:03 UTC 2026", "2026-11-20T16:12:03Z", 28, utcClock},
	"java.util.logging":                       {"Nov 20, 2026 4:12:03 PM org.x", "2026-11-20T16:12:03Z", 23, localClock},
	"midnight in twelve hours":                {"Nov 20, 2026 12:12:03 AM org.x", "2026-11-20T00:12:03Z", 24, localClock},
	"HTTP's date":                             {"Fri, 20 Nov 2026 16:12:03 GMT", "2026-11-20T16:12:03Z", 29, utcClock},
	"Redis":                                   {"20 Nov 2026 16:12:03.123 * x", "2026-11-20T16:12:03.123Z", 24, localClock},
	"Redis before 4":                          {"20 Nov 16:12:03.123 * x", "1972-11-20T16:12:03.123Z", 19, yearlessClock},
	"Tomcat":                                  {"20-Nov-2026 16:12:03.123 INFO", "2026-11-20T16:12:03.123Z", 24, localClock},
	"PHP":                                     {"20-Nov-2026 16:12:03 UTC] x", "2026-11-20T16:12:03Z", 24, utcClock},
	"RabbitMQ before 3.7":                     {"20-Nov-2026::16:12:03 ===", "2026-11-20T16:12:03Z", 21, localClock},
	"Spark's short year":                      {"17/06/09 20:10:40 INFO", "2017-06-09T20:10:40Z", 17, localClock},
	"month first":                             {"11/20/2026 16:12:03 x", "2026-11-20T16:12:03Z", 19, localClock},
	"day first where it must be":              {"20/11/2026 16:12:03 x", "2026-11-20T16:12:03Z", 19, localClock},
	"dots":                                    {"20.11.2026 16:12:03 x", "2026-11-20T16:12:03Z", 19, localClock},
	"MySQL 5.5 with a padded hour":            {"191015  9:46:45\t", "2019-10-15T09:46:45Z", 15, localClock},
	"compact":                                 {"20261120T161203Z", "2026-11-20T16:12:03Z", 16, utcClock},
	"Hadoop's compact":                        {"081109 203615 148", "2008-11-09T20:36:15Z", 13, localClock},
	"seconds since 1970":                      {"1763655123 x", "2025-11-20T16:12:03Z", 10, utcClock},
	"milliseconds":                            {"1763655123123", "2025-11-20T16:12:03.123Z", 13, utcClock},
	"microseconds":                            {"1763655123123456", "2025-11-20T16:12:03.123456Z", 16, utcClock},
	"nanoseconds":                             {"1763655123123456789", "2025-11-20T16:12:03.123456789Z", 19, utcClock},
	"seconds with a fraction":                 {"1763655123.25", "2025-11-20T16:12:03.25Z", 13, utcClock},
	"a leap second":                           {"2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z", 20, utcClock},
	"a time of day alone is layout, not time": {"16:12:03.123 [main]", "1970-01-01T00:00:00Z", 12, noClock},
	"29 February of an ordinary year":         {"2026-02-29T16:12:03Z", "1970-01-01T00:00:00Z", 0, noClock},
	"a 13th month":                            {"2026-13-20T16:12:03Z", "1970-01-01T00:00:00Z", 0, noClock},
	"text":                                    {"nothing to see here", "1970-01-01T00:00:00Z", 0, noClock},
	"an address":                              {"10.0.0.1 - - [20/Nov]", "1970-01-01T00:00:00Z", 0, noClock},
	"a cut line":                              {"2026-11-20 16:1", "1970-01-01T00:00:00Z", 0, noClock},
}

func TestParseTimeReadsEveryLayout(t *testing.T) {
	for name, c := range timeCases {
		t.Run(name, func(t *testing.T) {
			ns, n, clock := parseTime([]byte(c.in))
			got := time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
			if got != c.want || n != c.n || clock != c.clock {
				t.Errorf("parseTime(%q) = %s, %d, %d; want %s, %d, %d", c.in, got, n, clock, c.want, c.n, c.clock)
			}
			var cache stampCache
			for range 2 { // the second time from the cache
				if cns, cn, cc := cache.parse([]byte(c.in)); cns != ns || cn != n || cc != clock {
					t.Errorf("cached: %d, %d, %d; want %d, %d, %d", cns, cn, cc, ns, n, clock)
				}
			}
		})
	}
}

func TestKlogTimes(t *testing.T) {
	for in, want := range map[string]string{
		"1120 16:12:03.123456 1 x":     "1972-11-20T16:12:03.123456Z",
		"20261120 16:12:03.123456 1 x": "2026-11-20T16:12:03.123456Z",
	} {
		ns, n, _ := parseKlog([]byte(in))
		if got := time.Unix(0, ns).UTC().Format(time.RFC3339Nano); got != want || n == 0 {
			t.Errorf("parseKlog(%q) = %s, %d; want %s", in, got, n, want)
		}
	}
}

func TestAtYearPutsALogOverNewYearIntoBothYears(t *testing.T) {
	latest := time.Date(2026, 1, 3, 12, 0, 0, 0, time.UTC).UnixNano()
	for in, want := range map[string]string{
		"Dec 31 23:59:59 h": "2025-12-31T23:59:59Z",
		"Jan  1 00:00:01 h": "2026-01-01T00:00:01Z",
		"Jan  4 11:00:00 h": "2026-01-04T11:00:00Z", // a clock ahead by less than a day
		"Feb 29 10:00:00 h": "2024-02-29T10:00:00Z",
	} {
		ns, _, _ := parseTime([]byte(in))
		if got := time.Unix(0, atYear(ns, latest)).UTC().Format(time.RFC3339); got != want {
			t.Errorf("atYear(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestParseTimeDoesNotAllocate(t *testing.T) {
	lines := [][]byte{[]byte("2026-11-20 16:12:35.019 CET [1]"), []byte("Nov 20 16:12:03 host"), []byte("20/Nov/2026:16:12:03 +0000")}
	if n := testing.AllocsPerRun(100, func() {
		for _, l := range lines {
			parseTime(l)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2026-11-20T16:12:03.1Z", "20/Nov/2026:16:12:03 +0000", "Nov 20 16:12:03 2026", "191015  9:46:45",
		"20-Nov-2026::16:12:03", "1763655123123", "Fri Nov 20 16:12:03 UTC 2026", "1/2/2026 1:02:03 AM", "16:12:03,123"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ns, n, c := parseTime(b)
		if n < 0 || n > len(b) {
			t.Fatalf("took %d of %d bytes", n, len(b))
		}
		if n == 0 && (c != ClockNone || ns != 0) {
			t.Fatalf("no time, but %d, %d", ns, c)
		}
		var cache stampCache
		cache.parse(b)
		if cns, cn, cc := cache.parse(b); cns != ns || cn != n || cc != c {
			t.Fatalf("the cache says %d, %d, %d, parseTime %d, %d, %d", cns, cn, cc, ns, n, c)
		}
		parseKlog(b)
		parseEpoch(b)
	})
}
