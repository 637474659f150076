package audit_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/audit"
)

func TestChangesOfStatusInOneLine(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		tail   string
		want   []string
	}{
		"the same status is right":                         {503, via("503"), nil},
		"a failure told as success":                        {200, via("502"), []string{"mapping/failure-as-success 1 POST /pay (gateway): upstream answered 502, the client got 200"}},
		"a stale answer while the upstream is down is one": {200, via("502") + " cs=STALE", nil},
		"a second upstream that answered well":             {200, `ua="10.0.0.1:80, 10.0.0.2:80" us="502, 200"`, nil},
		"statuses of two upstreams without their names":    {200, `us="502, 200"`, nil},
		"a limit told as a bug":                            {500, via("429"), []string{"mapping/limit-lost 1 POST /pay (gateway): upstream answered 429, the client got 500"}},
		"a client's mistake told as a server's":            {502, via("404"), []string{"mapping/client-error-as-server-error 1 POST /pay (gateway): upstream answered 404, the client got 502"}},
		"a server's failure told as a client's":            {403, via("500"), []string{"mapping/server-error-as-client-error 1 POST /pay (gateway): upstream answered 500, the client got 403"}},
		"no answer told as a bug":                          {500, `ua="10.0.0.1:8080" us="0"`, []string{"mapping/no-answer-as-500 1 POST /pay (gateway): the upstream did not answer, the client got 500"}},
		"no answer told as 504 is right":                   {504, `ua="10.0.0.1:8080" us="0"`, nil},
		"overload told as a bug":                           {500, via("503"), []string{"mapping/unavailable-as-500 1 POST /pay (gateway): upstream answered 503, the client got 500"}},
		"a bug told as overload":                           {503, via("500"), []string{"mapping/bug-as-unavailable 1 POST /pay (gateway): upstream answered 500, the client got 503"}},
		"a good answer that the gateway could not pass on": {502, via("200"), []string{"mapping/good-answer-as-failure 1 POST /pay (gateway): upstream answered 200, the client got 502"}},
		"a page that is missing told as found":             {200, via("404"), []string{"mapping/error-as-200 1 POST /pay (gateway): upstream answered 404, the client got 200"}},
		"a redirect to the login is a matter of taste":     {302, via("401"), nil},
		"a client that left changes nothing":               {499, via("502"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := judge(t, audit.Config{}, map[string]string{"gateway.log": clf(0, "GET /other", 200, via("200")) + clf(1, "POST /pay", c.status, c.tail)})
			if diff := cmp.Diff(append([]string{}, c.want...), found(a, "mapping/")); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// Each route where upstream and final status differ is listed with its count, whether a rule is broken or not (REQUIREMENTS 9).
func TestTableOfChangedStatuses(t *testing.T) {
	a := judge(t, audit.Config{}, map[string]string{"gateway.log": times(7, func(i int) string { return clf(i, "GET /a/"+fmt.Sprint(i), 500, via("429")) }) +
		times(3, func(i int) string { return clf(i, "GET /b", 404, via("403")) }) + clf(1, "GET /c", 500, via("500"))})
	want := []inquest.StatusMapping{
		{Service: "gateway", Route: "GET /a/{id}", UpstreamStatus: "429", Status: 500, Count: 7, Basis: inquest.ByLine, Rule: "mapping/limit-lost"},
		{Service: "gateway", Route: "GET /b", UpstreamStatus: "403", Status: 404, Count: 3, Basis: inquest.ByLine},
	}
	if diff := cmp.Diff(want, a.Mappings); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Inquest's own gateway says in its log what it corrected, and that an answer was no whole one: that is no lie on the way.
func TestWhatTheGatewayCorrectedIsNoFinding(t *testing.T) {
	line := func(i, status, upstream int, more string) string {
		return fmt.Sprintf(`{"time":"2026-03-14T09:00:%02dZ","status":%d,%s"method":"POST","host":"a","request_uri":"/pay","upstream_name":"a","upstream_addr":"10.0.0.1:80","upstream_status":%d,"attempts":1,"request_id":"r%d","bytes_sent":1,"duration_s":0.1,"route_name":"a"}`+"\n", i, status, more, upstream, i)
	}
	corrected := line(1, 429, 500, `"reason":"body-rule","rule":"limit-as-500",`) + line(2, 500, 200, `"reason":"body-rule","rule":"error-as-200",`) + line(3, 502, 200, `"reason":"cut",`) + line(4, 504, 200, `"reason":"stall",`)
	a := judge(t, audit.Config{}, map[string]string{"access.log": corrected})
	if got := found(a, "mapping/"); len(got) > 0 {
		t.Errorf("found %q", got)
	}
	a = judge(t, audit.Config{}, map[string]string{"access.log": corrected + line(5, 429, 500, "")})
	if diff := cmp.Diff([]string{"mapping/server-error-as-client-error 1 POST /pay (inquest-gateway): upstream answered 500, the client got 429"}, found(a, "mapping/")); diff != "" {
		t.Errorf("a change without a reason: -want +got\n%s", diff)
	}
}

// paired are two logs of the same requests: what the service answered, and what the gateway made of it.
func paired(ids bool) map[string]string {
	id := func(i int) string {
		if !ids {
			return ""
		}
		return fmt.Sprintf("rid=00000000000000000000000000%06x", i*7919)
	}
	service := func(i int) int {
		switch {
		case i%4 == 0:
			return 429
		case i%10 == 1:
			return 503
		}
		return 200
	}
	gateway := func(i int) int {
		if s := service(i); s != 429 {
			return s
		}
		return 500
	}
	return map[string]string{
		"nginx-access.log":  times(400, func(i int) string { return clf(i, "GET /api/list?p="+fmt.Sprint(i), gateway(i), id(i)) }),
		"orders-access.log": times(400, func(i int) string { return clf(i, "GET /api/list?p="+fmt.Sprint(i), service(i), id(i)) }),
	}
}

func TestTwoLogsThatShareRequestIDs(t *testing.T) {
	a := judge(t, audit.Config{}, paired(true))
	want := []inquest.StatusMapping{{Service: "nginx", Route: "GET /api/list", UpstreamStatus: "429", Status: 500, Count: 100, Basis: inquest.ByID, Rule: "mapping/limit-lost"}}
	if diff := cmp.Diff(want, a.Mappings); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	e := a.Findings[0].Examples
	if len(e) != 3 || e[0].Source.File != "nginx-access.log" || e[0].Source.Line != 1 {
		t.Errorf("examples %+v", e)
	}
}

func TestTwoLogsWithoutSharedIDsAreComparedByRouteAndMinute(t *testing.T) {
	a := judge(t, audit.Config{}, paired(false))
	want := []inquest.StatusMapping{{Service: "nginx", Route: "GET /api/list", UpstreamStatus: "429", Status: 500, Count: 100, Basis: inquest.ByMinute, Rule: "mapping/limit-lost"}}
	if diff := cmp.Diff(want, a.Mappings); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if f := a.Findings[0]; !f.Estimated {
		t.Errorf("not marked as an estimate: %+v", f)
	}
}

func TestLogsOfDifferentTrafficAreNotCompared(t *testing.T) {
	files := paired(false)
	files["orders-access.log"] = files["orders-access.log"][:len(files["orders-access.log"])/2]
	if a := judge(t, audit.Config{}, files); len(a.Mappings) != 0 {
		t.Errorf("%+v", a.Mappings)
	}
}

// A service that calls another one shares its id, but the answer of the one is not the answer of the other.
func TestCallsAreNoAttempts(t *testing.T) {
	a := judge(t, audit.Config{}, map[string]string{
		"nginx-access.log":  clf(1, "POST /checkout", 201, "rid=0000000000000000000000000000abcd"),
		"orders-access.log": clf(0, "POST /stock/reserve", 409, "rid=0000000000000000000000000000abcd") + clf(1, "POST /stock/reserve", 200, "rid=0000000000000000000000000000abcd"),
	})
	if len(a.Mappings) != 0 || len(found(a, "retry/")) != 0 {
		t.Errorf("%+v %v", a.Mappings, found(a, "retry/"))
	}
}

func TestMappingsThatCannotBeSeenAreUnchecked(t *testing.T) {
	a := judge(t, audit.Config{}, map[string]string{"access.log": clf(0, "GET /", 500, "")})
	n := 0
	for _, g := range a.Unchecked {
		if g.Rule == "mapping/limit-lost" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("unchecked: %+v", a.Unchecked)
	}
}
