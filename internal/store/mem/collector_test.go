package mem_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store/mem"
)

func TestRoutesAreFoldedByWhatPeopleNameAndMachinesNumber(t *testing.T) {
	long := strings.Repeat("a/", 150)
	for url, want := range map[string]string{
		"/":                    "/",
		"/cart":                "/cart",
		"/orders/17":           "/orders/{id}",
		"/orders/17/items/3":   "/orders/{id}/items/{id}",
		"/orders/17?verbose=1": "/orders/{id}",
		"/orders?id=17":        "/orders",
		"/v1/users":            "/v1/users",
		"/api/v2.1/users":      "/api/v2.1/users",
		"/users/550e8400-e29b-41d4-a716-446655440000": "/users/{id}",
		"/commit/deadbeef01":                          "/commit/{id}",
		"/commit/deadbeef":                            "/commit/deadbeef", // a word of letters only: people write such
		"/report/2026-11-20":                          "/report/{id}",
		"/img/1234.png":                               "/img/{id}.png",
		"/img/logo.png":                               "/img/logo.png",
		"/sku/AB-12345":                               "/sku/{id}",
		"/oauth2/token":                               "/oauth2/token",
		"/.well-known/acme-challenge/x":               "/.well-known/acme-challenge/x",
		"http://shop.example/orders/17?x=1":           "/orders/{id}",
		"https://shop.example":                        "/",
		"/redirect?to=http://evil/1":                  "/redirect",
		"*":                                           "*",
		"/a//b":                                       "/a//b",
		"/orders/17/":                                 "/orders/{id}/",
	} {
		st := gather(mem.Settings{}, "gw", access(t0, "GET", url, 200))
		if got := st.Streams()[0].Route; got != want {
			t.Errorf("%s: route %q, want %q", url, got, want)
		}
	}
	got := gather(mem.Settings{}, "gw", access(t0, "GET", "/"+long, 200)).Streams()[0].Route
	if len(got) > 210 || !strings.HasSuffix(got, "...") {
		t.Errorf("a path of %d bytes became a route of %d: %q", len(long), len(got), got)
	}
}

func TestWhoWritesWithoutANameIsNamedByItsFile(t *testing.T) {
	st := gather(mem.Settings{}, "checkout",
		access(t0, "GET", "/a", 500, id("r1"), via("10.0.0.1:80", "500")),
		line(t0, inquest.LevelError, "POST /pay failed: no answer"),
		line(t0, inquest.LevelError, "disk is full", by("agent")),
	)
	l := list(st)
	if l.Streams[0].Observer != "checkout" || l.Upstreams[0].Observer != "checkout" || l.Failures[0].Observer != "checkout" || l.Answers[0].By.Observer != "checkout" || l.Complaints[0].Service != "checkout" {
		t.Errorf("something kept no name: %+v", l)
	}
	services := []string{l.Patterns[0].Service, l.Patterns[1].Service}
	if !slices.Equal(services, []string{"agent", "checkout"}) {
		t.Errorf("patterns of %v, want agent (said so itself) and checkout", services)
	}
}

func TestAWriterThatIsNamedOnSomeLinesOnlyIsOneWriter(t *testing.T) {
	st := gather(mem.Settings{}, "api", line(t0, inquest.LevelWarn, "slow answer"), line(t0.Add(time.Second), inquest.LevelWarn, "slow answer", by("api")),
		access(t0, "GET", "/a", 200), access(t0, "GET", "/a", 200, by("api")))
	l := list(st)
	if len(l.Patterns) != 1 || l.Patterns[0].Count != 2 || len(l.Patterns[0].Examples) != 2 {
		t.Errorf("patterns %+v, want one of two lines", l.Patterns)
	}
	if len(l.Streams) != 1 || l.Streams[0].Status[0].Count != 2 {
		t.Errorf("streams %+v, want one of two requests", l.Streams)
	}
}

func TestCountsStayExactWhereDetailIsBounded(t *testing.T) {
	var records []*parse.Record
	for i := range 1000 {
		at := t0.Add(time.Duration(i) * 50 * time.Millisecond) // 50 s: one minute
		records = append(records, access(at, "GET", "/a", 503, inLine(i+1), client(fmt.Sprint("10.0.0.", i%250))), line(at, inquest.LevelError, "no answer from db", inLine(i+1)))
	}
	l := list(gather(mem.Settings{}, "api", records...))
	s := l.Streams[0]
	if s.Status[0].Count != 1000 || len(s.Clients) != 250 || l.Patterns[0].Count != 1000 {
		t.Errorf("%d failures of %d clients, %d lines: want 1000, 250, 1000", s.Status[0].Count, len(s.Clients), l.Patterns[0].Count)
	}
	if n := len(l.Failures); n != 32 {
		t.Errorf("%d failures of one route, status and minute kept, want 32", n)
	}
	if n := len(l.Patterns[0].Examples); n != 2 {
		t.Errorf("%d examples of a minute kept, want 2", n)
	}
}

func TestExamplesReachFromTheFirstToTheLastHourOfADay(t *testing.T) {
	var records []*parse.Record
	for i := range 24 * 60 {
		records = append(records, line(t0.Add(time.Duration(i)*time.Minute), inquest.LevelError, "db is away", inLine(i+1)))
	}
	e := list(gather(mem.Settings{}, "api", records...)).Patterns[0].Examples
	first, last := time.Unix(0, e[0].Time).UTC(), time.Unix(0, e[len(e)-1].Time).UTC()
	if !first.Equal(t0) || t0.Add(24*time.Hour).Sub(last) > 30*time.Minute {
		t.Errorf("examples from %s to %s of a day that began at %s", first, last, t0)
	}
	if len(e) > 400 {
		t.Errorf("%d examples of one pattern kept", len(e))
	}
}

func TestRequestsBeyondTheBoundOnRoutesAreCountedTogether(t *testing.T) {
	c := mem.NewCollector(mem.Settings{})
	const n = 30_000
	for i := range n { // four letters each: no segment looks like an id
		name := string([]byte{byte('g' + i%20), byte('g' + i/20%20), byte('g' + i/400%20), byte('g' + i/8000%20)})
		c.Log(access(t0, "GET", "/"+name, 200))
	}
	st := mem.New()
	st.Merge(c, "gw")
	st.Seal()
	sum, others := uint64(0), uint64(0)
	for _, s := range st.Streams() {
		k := s.Requests.Count(0, math.MaxInt64)
		if sum += k; s.Route == "(other)" {
			others += k
		}
	}
	if sum != n || others < 5000 || len(st.Streams()) > 25_001 {
		t.Errorf("%d requests on %d routes, %d of them together: want %d, at most 25000, the rest", sum, len(st.Streams()), others, n)
	}
}

func TestMeanDurationIsExactOverLongBusyRecordings(t *testing.T) {
	var records []*parse.Record
	for i := range 1500 { // 25 minutes, so that two seconds are counted together; a hundred requests a second take 50 s each
		for range 100 {
			records = append(records, access(t0.Add(time.Duration(i)*time.Second), "GET", "/slow", 200, took(50)))
		}
	}
	s := gather(mem.Settings{}, "gw", records...).Streams()[0]
	mean := float64(s.Requests.Sum(0, math.MaxInt64)) * mem.DurationUnit.Seconds() / float64(s.Requests.Count(0, math.MaxInt64))
	if math.Abs(mean-50) > 0.1 {
		t.Errorf("mean duration %.2f s, want 50", mean)
	}
}

func TestEachAttemptOfAProxyCountsForItsUpstream(t *testing.T) {
	l := list(gather(mem.Settings{}, "gw",
		access(t0, "GET", "/a", 200, via("10.0.0.1:80, 10.0.0.2:80", "502, 200")),
		access(t0, "GET", "/a", 502, via("10.0.0.1:80", "-")),
		access(t0, "GET", "/a", 504, via("10.0.0.1:80", "504")),
		access(t0, "GET", "/a", 500, via("10.0.0.2:80", "500")),
		access(t0, "GET", "/a", 404, via("10.0.0.2:80", "404")),
	))
	n := func(c counts) (sum uint32) {
		for _, b := range c.Buckets {
			sum += b.N
		}
		return sum
	}
	type row struct{ requests, failed, noAnswer uint32 }
	got := map[string]row{}
	for _, u := range l.Upstreams {
		got[u.Addr] = row{n(u.Requests), n(u.Failed), n(u.NoAnswer)}
	}
	want := map[string]row{"10.0.0.1:80": {3, 3, 1}, "10.0.0.2:80": {3, 1, 0}}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(row{})); d != "" {
		t.Error(d)
	}
	if !l.Streams[0].Proxy {
		t.Error("who asks upstreams is a proxy")
	}
}

func TestAnsweredByIsTheLastUpstreamThatWasTried(t *testing.T) {
	l := list(gather(mem.Settings{}, "gw", access(t0, "GET", "/a", 200, id("r1"), via("10.0.0.1:80, 10.0.0.2:80", "502, 200"))))
	if got := l.Answers[0].By.Upstream; got != "10.0.0.2:80" {
		t.Errorf("answered by %q", got)
	}
}

func TestErrorsAboutRequestsWithoutAnIDAreComplaints(t *testing.T) {
	for _, c := range []struct {
		name   string
		record *parse.Record
		want   string
	}{
		{"a request named in the message", line(t0, inquest.LevelError, "POST /orders/17/pay failed: gateway said no"), "POST /orders/{id}/pay"},
		{"with punctuation behind it", line(t0, inquest.LevelError, "could not answer GET /orders/17: timeout"), "GET /orders/{id}"},
		{"a request named in fields", line(t0, inquest.LevelError, "unhandled", func(r *parse.Record) { r.Method, r.URL = "GET", "/cart?x=1" }), "GET /cart"},
		{"a warning is none", line(t0, inquest.LevelWarn, "POST /orders failed"), ""},
		{"a line with an id, apart", line(t0, inquest.LevelError, "POST /orders failed", id("r1")), "POST /orders by id"},
		{"a path alone", line(t0, inquest.LevelError, "no fares", func(r *parse.Record) { r.Add("path", "/fares/17") }), "/fares/{id}"},
		{"no request named", line(t0, inquest.LevelError, "could not connect"), ""},
		{"a method within a word", line(t0, inquest.LevelError, "WIDGET /x"), ""},
		{"only in the stack below the first line", line(t0, inquest.LevelError, "boom\nGET /x"), ""},
	} {
		got := ""
		if l := list(gather(mem.Settings{}, "api", c.record)); len(l.Complaints) == 1 {
			if got = l.Complaints[0].Name; l.Complaints[0].Named > 0 {
				got += " by id"
			}
		}
		if got != c.want {
			t.Errorf("%s: complaint %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSpansThatFailedAreCountedUnderTheirError(t *testing.T) {
	c := mem.NewCollector(mem.Settings{File: 3})
	for i := range 5 {
		c.Signal(parse.Signal{Span: &inquest.Span{TraceID: fmt.Sprint("t", i), SpanID: "a", Service: "api", Instance: "api-1", Name: "SELECT", Peer: "db", Error: i > 1, Message: "timeout",
			Start: t0.Add(time.Duration(i) * time.Second), Duration: 250 * time.Millisecond, Source: inquest.Source{File: "spans.jsonl", Line: i + 1}}})
	}
	st := mem.New()
	st.Merge(c, "ignored: spans name their service")
	st.Seal()
	l := list(st)
	if len(l.SpanErrors) != 1 || len(l.Patterns) != 0 {
		t.Fatalf("%d patterns of failed spans, %d of lines", len(l.SpanErrors), len(l.Patterns))
	}
	p := l.SpanErrors[0]
	if p.Count != 3 || p.Service != "api" || len(p.Requests) != 3 || !slices.Equal(p.Instances, []string{"api-1"}) || !strings.Contains(p.Template, "SELECT: timeout (db)") {
		t.Errorf("%+v", p)
	}
	if e := p.Examples[0]; e.Time != t0.Add(2250*time.Millisecond).UnixNano() || e.File != 3 || e.Line != 3 || e.RequestID != "t2" {
		t.Errorf("first example %+v, want the end of the third span", e)
	}
}

func TestLinesWithoutATimeTakeThatOfTheLineBefore(t *testing.T) {
	records := func() []*parse.Record {
		return []*parse.Record{line(t0, inquest.LevelInfo, "start"), line(time.Time{}, inquest.LevelError, "panic: index out of range", clock(parse.ClockNone))}
	}
	for _, c := range []struct {
		name  string
		carry bool
		want  int64
	}{{"where one worker sees the whole file", true, t0.UnixNano()}, {"not where several do: it would depend on the split", false, 0}} {
		for _, p := range list(gather(mem.Settings{Carry: c.carry}, "api", records()...)).Patterns {
			if p.Level == inquest.LevelError && p.Examples[0].Time != c.want {
				t.Errorf("%s: at %d, want %d", c.name, p.Examples[0].Time, c.want)
			}
		}
	}
}

func TestOnlyTimesWithoutAZoneAreShifted(t *testing.T) {
	c := mem.NewCollector(mem.Settings{Shift: 2 * time.Hour})
	c.Log(line(t0, inquest.LevelWarn, "with zone"))
	c.Log(line(t0, inquest.LevelError, "without zone", clock(parse.ClockLocal)))
	c.Log(line(t0.Add(time.Minute), inquest.LevelError, "without year", clock(parse.ClockNoYear)))
	if from, to := c.Local(); from != t0.UnixNano() || to != t0.Add(time.Minute).UnixNano() {
		t.Errorf("local times %d to %d are not as read", from, to)
	}
	st := mem.New()
	st.Merge(c, "api")
	st.Seal()
	got := map[string]time.Duration{}
	for _, p := range st.Patterns() {
		got[p.Examples[0].Text] = time.Duration(p.Examples[0].Time - t0.UnixNano())
	}
	want := map[string]time.Duration{"with zone": 0, "without zone": 2 * time.Hour, "without year": 2*time.Hour + time.Minute}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestATextTellsTheExceptionAndItsRootOnce(t *testing.T) {
	e := &inquest.Exception{Type: "java.lang.RuntimeException", Message: "wrapped", Chain: []inquest.Cause{{Type: "java.lang.RuntimeException", Message: "wrapped"}, {Type: "java.net.ConnectException", Message: "Connection refused"}}}
	for _, c := range []struct {
		name   string
		record *parse.Record
		want   string
	}{
		{"type and root", line(t0, inquest.LevelError, "request failed\n\tat a.b.C(D.java:1)", func(r *parse.Record) { r.Exception = e }),
			"request failed; java.lang.RuntimeException: wrapped; java.net.ConnectException: Connection refused"},
		{"an error field", line(t0, inquest.LevelError, "request failed", field("err", "dial tcp 10.0.0.1:5432: connect: connection refused")),
			"request failed; err=dial tcp 10.0.0.1:5432: connect: connection refused"},
		{"an error field that the message quotes", line(t0, inquest.LevelError, "request failed: EOF", field("err", "EOF")), "request failed: EOF"},
		{"a field that tells no error", line(t0, inquest.LevelError, "request failed", field("user", "17")), "request failed"},
	} {
		if got := list(gather(mem.Settings{}, "api", c.record)).Patterns[0].Examples[0].Text; got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

func TestRequestsThatAreGivenUpAfterASecondAreAbandoned(t *testing.T) {
	l := list(gather(mem.Settings{}, "gw", access(t0, "GET", "/a", 499, took(0.2)), access(t0, "GET", "/a", 499, took(1)), access(t0, "GET", "/a", 499, took(30)), access(t0, "GET", "/a", 200, took(30))))
	if b := l.Streams[0].Abandoned.Buckets; len(b) != 1 || b[0].N != 2 {
		t.Errorf("abandoned: %v, want two", b)
	}
}

func TestAnswersThatBrokeOffAreCountedAndKeptThoughTheirStatusSaysSuccess(t *testing.T) {
	broken := func(r *parse.Record) { r.Broken = true }
	l := list(gather(mem.Settings{}, "gw", access(t0, "GET", "/a", 200, broken), access(t0, "GET", "/a", 206, broken), access(t0, "GET", "/a", 200),
		access(t0, "GET", "/a", 101, broken), access(t0, "GET", "/a", 502, broken)))
	if b := l.Streams[0].Broken.Buckets; len(b) != 1 || b[0].N != 2 {
		t.Errorf("broken: %v, want those of status 200 and 206: a tunnel ends as it pleases, and a 502 says what happened", b)
	}
	var kept []int32
	for _, f := range l.Failures {
		kept = append(kept, f.Status)
	}
	if slices.Sort(kept); !slices.Equal(kept, []int32{200, 206, 502}) {
		t.Errorf("failures kept with their detail: %v", kept)
	}
}

func TestHashOfAnIDIsZeroOnlyForNone(t *testing.T) {
	if mem.HashID("") != 0 || mem.HashID("a") == 0 || mem.HashID("a") == mem.HashID("b") {
		t.Error("ids cannot be told apart")
	}
}

// FuzzRoute holds the route of a path against its definition, segment by segment.
func FuzzRoute(f *testing.F) {
	for _, url := range []string{"", "orders/17/items/3", "orders/17?verbose=1", "api/v2.1/users", "a//b", ".1234/x", "sku/AB-12345", "img/1234.png", "x/y;v=1", "a/1b2c3d4e.tar.gz/77",
		"users/550e8400-e29b-41d4-a716-446655440000?x", "oauth2/<b>/=5:6", strings.Repeat("abc/", 60) + "123", strings.Repeat("abc/", 48) + "abcdefgh1234", "%41%42/12345%"} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		url = "/" + url // the form in which servers are asked
		path, _, _ := strings.Cut(url, "?")
		segments := strings.Split(path, "/")
		for i, s := range segments {
			segments[i] = foldSegment(s)
		}
		want := strings.Join(segments, "/")
		if len(want) > 200 {
			want = want[:200] + "..."
		}
		if got := gather(mem.Settings{}, "gw", access(t0, "GET", url, 200)).Streams()[0].Route; got != want {
			t.Errorf("%q: route %q, want %q", url, got, want)
		}
	})
}

// foldSegment is {id} for what a machine named, with its extension.
func foldSegment(s string) string {
	if s == "" {
		return s
	}
	name, rest := s, ""
	if i := strings.IndexByte(s[1:], '.'); i >= 0 {
		name, rest = s[:i+1], s[i+1:]
	}
	digits, hex, others := 0, 0, 0
	for _, c := range []byte(name) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '-' || c == '_':
		case (c|0x20) >= 'a' && (c|0x20) <= 'f':
			hex++
		default:
			others++
		}
	}
	if digits > 0 && (hex+others == 0 || others == 0 && digits+hex >= 8 || digits >= 4) {
		return "{id}" + rest
	}
	return s
}

func TestATraceTellsWhomItWasCalling(t *testing.T) {
	for source, want := range map[string]string{
		`urllib.request.urlopen(f"{os.environ['PASSCHECK_URL']}/v1/check", timeout=10)`: "timed out; while calling PASSCHECK_URL",
		`requests.get("http://pricing:8080/quote", timeout=2)`:                          "timed out; while calling http://pricing:8080",
		`self.sock.recv_into(b)`: "timed out",
	} {
		trace := func(r *parse.Record) {
			r.Message += "\nTraceback (most recent call last):\n  File \"/srv/app.py\", line 9, in check\n    " + source + "\nTimeoutError: timed out"
			r.Exception = &inquest.Exception{Language: "python", Type: "TimeoutError", Message: "timed out"}
		}
		l := list(gather(mem.Settings{}, "api", line(t0, inquest.LevelError, "timed out", trace)))
		if got := l.Patterns[0].Examples[0].Text; !strings.HasSuffix(strings.ReplaceAll(got, "TimeoutError: ", ""), want) {
			t.Errorf("%s: %q, want it to end with %q", source, got, want)
		}
	}
}
