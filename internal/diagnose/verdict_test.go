package diagnose_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
)

func TestTheDeeperAndEarlierMechanismIsTheCause(t *testing.T) {
	refusedBy := func(who, text string) part { return says(who, text, 0.9, 0) }
	for _, c := range []struct {
		name  string
		parts []part
		want  string
	}{
		{"a null dereference alone", []part{nullDereference}, "unhandled-exception/null-dereference at cart"},
		{"a pool that ran dry explains the null dereference behind it", []part{nullDereference, poolError, poolFull}, "database/pool-exhausted at cart"},
		{"a full pool, by its metrics alone, in the same requests", []part{nullDereference, poolFull, says("cart", "connection pool exhausted", 0.9, 0)}, "database/pool-exhausted at cart"},
		{"slow statements of the database explain the pool", []part{slowStatement, slow, poolError, poolFull}, "database/slow-query at db-1"},
		{"and all that lies behind it", []part{slowStatement, slow, poolError, poolFull, nullDereference}, "database/slow-query at db-1"},
		{"a reason behind it that is only a guess does not silence a fact", []part{slowStatement, poolError, poolFull}, "database/pool-exhausted at cart"},
		{"the database is gone", []part{refusedBy("cart", "connect ECONNREFUSED 10.0.0.9:5432"), measured("pg_up", 0, 1, 0, "instance", "db-1:9187")}, "database/down at db-1"},
		{"the database shuts down, and the null dereference hurts", []part{says("db-1", "received fast shutdown request", -1, -2*time.Second, at(inquest.LevelInfo)), refusedBy("cart", "connect ECONNREFUSED 10.0.0.9:5432"), nullDereference}, "database/down at db-1"},
		{"another service that cart calls refuses", []part{refusedBy("cart", "request to http://pay:9000/charge failed, reason: connect ECONNREFUSED")}, "dependency-failure/refused at pay"},
		{"a third party is slow", []part{says("cart", "HTTPSConnectionPool(host='api.tax.example', port=443): Read timed out. (read timeout=5)", 0.9, 0)}, "dependency-failure/timeout at api.tax.example"},
		{"its name does not resolve", []part{says("cart", "getaddrinfo ENOTFOUND api.tax.example", 0.9, 0)}, "dependency-failure/dns at api.tax.example"},
		{"the kernel kills", []part{says("kernel", "Out of memory: Killed process 4711 (cart) total-vm:900000kB", -1, -time.Second), component("kernel", inquest.KindKernel, true)}, "resource-exhaustion/memory at cart"},
		{"the kernel kills a worker of a unit", []part{says("kernel", "Memory cgroup out of memory: Killed process 4711 (uwsgi) total-vm:900000kB", -1, -time.Second), says("kernel", "uwsgi invoked oom-killer: gfp_mask=0xcc0, order=0", -1, -time.Second),
			says("kernel", "oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/system.slice/cart.service,task=uwsgi,pid=4711,uid=0", -1, -time.Second), component("kernel", inquest.KindKernel, true)}, "resource-exhaustion/memory at cart"},
		{"the kernel kills a process whose master tells its number", []part{says("kernel", "Out of memory: Killed process 4711 (uwsgi) total-vm:900000kB", -1, -time.Second), says("cart", "worker 1 (pid: 4711) died, killed by signal 9, trying respawn", -1, 0), component("kernel", inquest.KindKernel, true)}, "resource-exhaustion/memory at cart"},
		{"no space left", []part{says("cart", "write /var/spool/x: no space left on device", 0.9, 0)}, "resource-exhaustion/disk at cart"},
		{"a missing environment variable", []part{says("cart", "KeyError: 'PAYMENT_KEY' missing environment variable PAYMENT_KEY", 0.9, 0)}, "misconfiguration/missing-env at cart"},
		{"a server of which no file tells is called by its software", []part{says("cart", "Uncaught RedisException: Connection refused in /srv/cart/basket.php:9", 0.9, 0)}, "dependency-failure/refused at redis"},
		{"a server without a free slot, told by its callers and by itself", []part{says("cart", "FATAL: sorry, too many clients already", 0.9, 0), says("db-1", "FATAL: sorry, too many clients already", -1, 0)}, "database/too-many-connections at db-1"},
		{"a statement that is wrong is the matter of who sent it", []part{says("db-1", "ERROR: operator does not exist: text < integer", -1, 0)}, "database/query-error at cart"},
		{"a file that a release left out", []part{says("cart", "Error: Cannot find module 'phonetic'", 0.9, 0), changed(-time.Second, inquest.ChangeDeploy, "cart", "cart 2.1")}, "bad-deploy/missing-dependency at cart"},
		{"a health check for a page that is not there", []part{says("gateway", "Server be_cart/cart1 is DOWN, reason: Layer7 wrong status, code: 404, info: \"Not Found\", check duration: 4ms.", -1, -time.Second, func(p *inquest.LogPattern) { p.Total, p.During = 2, 2 })}, "misconfiguration/wrong-path at gateway"},
		{"a file where a new setting looks for it", []part{says("cart", "Failed opening required '/srv/themes/winter/room.php' (include_path='.')", 0.9, 0), changed(-time.Second, inquest.ChangeConfig, "cart", "theme_dir to winter")}, "misconfiguration/wrong-path at cart"},
		{"a process that ends in the middle of requests did start", []part{says("cart", "UnhandledPromiseRejection: This error originated by throwing inside of an async function", -1, 0), crashLoop("cart"), answersBetween}, "unhandled-exception/unhandled-rejection at cart"},
		{"a queue before a limit that was lowered", []part{failing(func(_ int, r *inquest.Request) {
			r.Status, r.Reason, r.Upstream, r.UpstreamStatus = 503, "sQ--", "cart/<NOSRV>", ""
		}), changed(-3*time.Second, inquest.ChangeConfig, "gateway", "conservative connection limits")}, "misconfiguration/limit-too-small at gateway"},
		{"a database that hangs up on idle clients is not down", []part{says("db-1", "Aborted connection 126 to db: 'x' user: 'x' host: '10.0.0.1' (Got timeout reading communication packets)", -1, -time.Second, at(inquest.LevelWarn)), says("cart", "(2006, \"MySQL server has gone away (ConnectionResetError(104, 'Connection reset by peer'))\")", 0.9, 0)}, "misconfiguration/keepalive-mismatch at db-1"},
		{"an event loop that is late by its own measure", []part{measured("nodejs_eventloop_lag_seconds", 2.5, 0.01, 0, "job", "cart"), says("cart", "Connection terminated due to connection timeout", 0.2, 4*time.Second)}, "resource-exhaustion/cpu at cart"},
		{"an event loop that answers neither requests nor scrapes, though its process runs", []part{measured("nodejs_eventloop_lag_seconds", 0.01, 0.01, 0, "job", "cart"), measured("up", 0, 1, 0, "job", "cart"), timingOut,
			says("cart", "Connection terminated due to connection timeout", 0.1, 4*time.Second), measured("pg_up", 1, 1, 0, "instance", "db-1:9187")}, "resource-exhaustion/cpu at cart"},
		{"who waited for seconds waited for an answer, and did not use a closed connection", []part{says("db-1", "Aborted connection 126 to db: 'x' user: 'x' host: '10.0.0.1' (Got timeout reading communication packets)", -1, 5*time.Second, at(inquest.LevelWarn)),
			says("cart", "Lost connection to server during query", 0.9, 5*time.Second), failing(func(_ int, r *inquest.Request) { r.Duration = 5.02 }), slow}, "open"},
		{"a list of processes that wait for a lock", []part{says("db-1", "166 stage 10.0.0.1:35982 stage Execute 1 Waiting for backup lock update shows set seats_left = seats_left - ?", -1, 0)}, "database/lock-contention at db-1"},
		{"a job on whose account all wait", []part{says("db-1", "canceling statement due to lock timeout", -1, 0), says("cart", "canceling statement due to lock timeout", 0.9, 0), changed(-2*time.Second, inquest.ChangeRestart, "backup", inquest.JobBegan+"backup began: tables are locked")}, "database/lock-contention at backup"},
		{"an event loop that falls silent after its own release", []part{measured("nodejs_eventloop_lag_seconds", 0.01, 0.01, 0, "job", "cart"), measured("up", 0, 1, 0, "job", "cart"), timingOut, startedAgain("cart", -20*time.Second),
			changed(-30*time.Second, inquest.ChangeDeploy, "cart", "cart 2.1")}, "resource-exhaustion/cpu at cart"},
		{"not one that was started anew by nobody: silence may have another reason", []part{measured("nodejs_eventloop_lag_seconds", 0.01, 0.01, 0, "job", "cart"), measured("up", 0, 1, 0, "job", "cart"), timingOut, startedAgain("cart", -20*time.Second)}, "open"},
		{"who began to starve when somebody began to wait for he does not say whom", []part{says("cart", "request timed out", 0.9, 0, thrown("java.net.http.HttpTimeoutException", "request timed out")), component("tax", inquest.KindApp, true),
			throttled("tax", 0)}, "resource-exhaustion/cpu at tax"},
		{"not who starves since minutes", []part{says("cart", "request timed out", 0.9, 0, thrown("java.net.http.HttpTimeoutException", "request timed out")), component("tax", inquest.KindApp, true), throttled("tax", -5*time.Minute)}, "dependency-failure/timeout at cart"},
		{"a route that always took seconds and is asked for far more often", []part{timingOut, slow, export}, "resource-exhaustion/threads at cart"},
		{"not such a route when nobody waits", []part{nullDereference, export}, "unhandled-exception/null-dereference at cart"},
		{"what most failed requests met, before the louder cause of a few", []part{says("pay", "permission denied for table vouchers", -1, time.Minute), says("db-1", "permission denied for table vouchers", -1, time.Minute), says("gateway", "connect() failed (111: Connection refused) while connecting to upstream", -1, 0, to("10.0.0.1:8080")),
			func(c *inquest.Case) {
				c.Components[3].Aliases, c.Impact.Services, c.Edges = []string{"10.0.0.2:8080"}, []string{"cart", "pay"}, append(c.Edges[:1:1], inquest.Edge{From: "gateway", To: "pay"}, inquest.Edge{From: "pay", To: "db-1"})
			},
			failing(func(i int, r *inquest.Request) {
				r.Status, r.UpstreamStatus = 502, "502"
				if i%7 == 0 {
					r.Status, r.Upstream, r.UpstreamStatus = 500, "10.0.0.2:8080", "500"
				}
			})}, "dependency-failure/refused at cart"},
		{"a pool's time-out that a database's exporter contradicts is not the database's end", []part{says("cart", "Connection terminated due to connection timeout", 0.9, 0), measured("pg_up", 0, 1, 0, "instance", "db-1:9187")}, "database/down at db-1"},
		{"a worker that somebody kills again and again", []part{says("cart", "Worker with pid 366 was terminated due to signal 9", -1, 0, at(inquest.LevelWarn)), says("gateway", "upstream prematurely closed connection while reading response header from upstream", 0.9, 0)}, "resource-exhaustion/memory at cart"},
		{"a key of the environment that Python does not find", []part{says("cart", "unhandled exception on POST /x; KeyError: 'PAYMENT_SIGNING_KEY'", 0.9, 0, thrown("KeyError", "'PAYMENT_SIGNING_KEY'"))}, "misconfiguration/missing-env at cart"},
		{"a cache that stands still", []part{component("cache-1", inquest.KindCache, true), measured("up", 0, 1, 0, "job", "cache-1"), says("cart", "request failed: dial tcp cache-1:6379: i/o timeout", 0.9, 0)}, "dependency-failure/timeout at cache-1"},
		{"a third party that only the span of the call names", []part{says("cart", "request failed; certificate has expired", 0.9, 0, thrown("Error", "certificate has expired")),
			says("cart", "POST: certificate has expired (api.pay.example)", 0.9, 0, func(p *inquest.LogPattern) {
				p.Span, p.Examples[0].Fields = true, map[string]string{"span.peer": "api.pay.example"}
			})}, "dependency-failure/tls at api.pay.example"},
		{"a page instead of JSON, from the only third party that the traces know", []part{says("cart", "Unexpected token '<', \"<!doctype \"... is not valid JSON", 0.9, 0, thrown("SyntaxError", "Unexpected token '<'")),
			func(c *inquest.Case) {
				c.Edges = []inquest.Edge{{From: "cart", To: "api.pay.example"}, {From: "cart", To: "db-1"}}
			}}, "dependency-failure/bad-response at api.pay.example"},
		{"what came first, when something else comes on top later", []part{says("cart", "count: READONLY You can't write against a read only replica.", -1, 0),
			component("cache-1", inquest.KindCache, true), measured("up", 0, 1, 8*time.Second, "job", "cache-1"),
			says("cart", "count: i/o timeout", -1, 8*time.Second), says("cart", "show: context deadline exceeded (Client.Timeout exceeded while awaiting headers)", -1, 8*time.Second)}, "database/read-only at cache-1"},
		{"an address that answered until the onset is the right one", []part{says("gateway", "connect() failed (111: Connection refused) while connecting to upstream", 0.9, 0, func(p *inquest.LogPattern) {
			p.Examples[0].Fields = map[string]string{"upstream": "http://10.0.0.1:8080/cart"}
		}), failing(func(_ int, r *inquest.Request) { r.Status, r.UpstreamStatus = 502, "502" }),
			func(c *inquest.Case) {
				c.Upstreams = []inquest.UpstreamUse{{Observer: "gateway", Addr: "10.0.0.1:8080", Component: "cart", BaselineOK: 6000, IncidentFailed: 600, FirstSeen: t0, LastSeen: end}}
			}}, "dependency-failure/refused at cart"},
		{"a column that is not there", []part{says("cart", `column "discount" of relation "baskets" does not exist`, 0.9, 0)}, "bad-deploy/schema-mismatch at cart"},
	} {
		if got := name(verdict(c.parts...)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestAConsequenceIsToldAsOneAndNotAsARival(t *testing.T) {
	d := catalogue.Diagnose(incident(nullDereference, poolError, poolFull)).Diagnosis
	i := slices.IndexFunc(d.Alternatives, func(c inquest.Candidate) bool { return c.Mechanism == "unhandled-exception/null-dereference" })
	if i < 0 || !strings.Contains(strings.Join(d.Alternatives[i].Against, " "), "a consequence of database/pool-exhausted at cart") {
		t.Errorf("alternatives %+v", d.Alternatives)
	}
	roles := map[inquest.LinkRole]string{}
	for _, l := range d.Verdict.Chain {
		roles[l.Role] += l.Text
		if l.Role != inquest.RoleTrigger && len(l.Evidence) == 0 {
			t.Errorf("%s without evidence: %s", l.Role, l.Text)
		}
	}
	if !strings.Contains(roles[inquest.RoleCause], "timeout exceeded when trying to connect") || !strings.Contains(roles[inquest.RoleEffect], "Cannot read properties") || !strings.Contains(roles[inquest.RoleSymptom], "600 answers of 500 on GET /cart") {
		t.Errorf("chain %v", roles)
	}
}

// Who waits for a connection in vain sends no statement: behind a pool that ran dry the slow ones are few, and keep its connections.
func TestAFewSlowStatementsExplainAPoolThatRanDry(t *testing.T) {
	told := func(n int, text string) part {
		return says("db-1", text, -1, time.Second, at(inquest.LevelInfo), func(p *inquest.LogPattern) { p.Total, p.During = n, n })
	}
	for _, c := range []struct {
		n          int
		text, want string
	}{
		{8, "duration: 40066.5 ms  execute <unnamed>: SELECT sum(cents) FROM orders WHERE owner = $1", "database/slow-query at db-1"},
		{8, `"Slow query" {"durationMillis":40066,"planSummary":"COLLSCAN"}`, "database/slow-query at db-1"},
		{8, "duration: 1066.5 ms  execute <unnamed>: SELECT sum(cents) FROM orders WHERE owner = $1", "database/pool-exhausted at cart"}, // 8 s of 300
		{1, "duration: 40066.5 ms  execute <unnamed>: SELECT sum(cents) FROM orders WHERE owner = $1", "database/pool-exhausted at cart"},
	} {
		if v := verdict(poolError, slow, told(c.n, c.text)); name(v) != c.want {
			t.Errorf("%d of %s: %s, want %s", c.n, c.text, name(v), c.want)
		}
	}
	// Without a pool the failed requests are the ones that run them.
	if v := verdict(nullDereference, slow, told(8, "duration: 40066.5 ms  execute <unnamed>: SELECT 1")); v.Culprit != "cart" {
		t.Errorf("nobody waited: %s", name(v))
	}
}

func TestWhatComesLaterIsNoCauseOfWhatWasThereBefore(t *testing.T) {
	later := func(c *inquest.Case) {
		says("cart", "timeout exceeded when trying to connect", 0.1, 3*time.Minute)(c)
		measured("pg_pool_waiting_count", 40, 0, 3*time.Minute, "job", "cart")(c)
	}
	if got := name(verdict(nullDereference, later)); got != "unhandled-exception/null-dereference at cart" {
		t.Errorf("%s: the pool ran dry three minutes after the exceptions began", got)
	}
}

func TestFailuresAreFollowedDownTheCallGraph(t *testing.T) {
	chain := []part{
		component("web", inquest.KindApp, true), calls("gateway", "web"), calls("web", "cart"),
		func(c *inquest.Case) { c.Impact.Services = []string{"web"} },
		says("web", `Get "http://cart:8080/cart": context deadline exceeded`, 0.9, time.Second),
		says("cart", "connection pool exhausted", -1, 0), poolFull,
	}
	if got := name(verdict(chain...)); got != "database/pool-exhausted at cart" {
		t.Errorf("%s: what web says of cart is a consequence", got)
	}
	if got := name(verdict(append(chain, slowStatement, slow)...)); got != "database/slow-query at db-1" {
		t.Errorf("%s: behind cart's pool are the statements of its database", got)
	}
}

func TestWhatHasNothingToDoWithTheFailedRequestsIsNotTheCause(t *testing.T) {
	for _, c := range []struct {
		name  string
		parts []part
	}{
		{"an error of a service off the path", []part{component("newsletter", inquest.KindApp, true), says("newsletter", "connect ECONNREFUSED 10.0.0.77:25", -1, 0)}},
		{"an error of requests that did not fail", []part{says("cart", "connect ECONNREFUSED 10.0.0.77:25", 0, 0)}},
		{"chatter", []part{says("cart", "connection pool exhausted", 0.9, 0, at(inquest.LevelInfo))}},
		{"an old line as frequent as ever", []part{says("cart", "connection pool exhausted", -1, 0, func(p *inquest.LogPattern) { p.New, p.Before = false, 600 })}},
	} {
		v := verdict(c.parts...)
		if v.Level == inquest.Established {
			t.Errorf("%s: %s is %s", c.name, name(v), v.Level)
		}
		if got := name(verdict(append(c.parts, nullDereference)...)); got != "unhandled-exception/null-dereference at cart" {
			t.Errorf("%s: beside the exceptions in nine of ten failed requests it is %s", c.name, got)
		}
	}
}

func TestTheLevelFallsWithEachLayerThatIsMissing(t *testing.T) {
	full := verdict(nullDereference, poolError, poolFull, slowStatement, slow)
	if full.Level != inquest.Established {
		t.Errorf("with every layer read and three witnesses it is %s", full.Level)
	}
	last := full.Confidence
	for i := range 3 {
		layers := []inquest.Layer{inquest.LayerInfrastructure, inquest.LayerResponse, inquest.LayerApplication}[:i+1]
		v := verdict(nullDereference, poolError, poolFull, slowStatement, slow, without(layers...))
		if v.Level == inquest.Established || v.Confidence >= last {
			t.Errorf("without %v: %s, %.2f after %.2f", layers, v.Level, v.Confidence, last)
		}
		last = v.Confidence
	}
	v := verdict(nullDereference, poolError, poolFull, func(c *inquest.Case) { c.Baseline = inquest.Window{} })
	if v.Level == inquest.Established {
		t.Error("without a baseline nothing is new for certain")
	}
}

func TestNothingThatSpeaksIsOpen(t *testing.T) {
	for _, c := range []struct {
		name  string
		parts []part
		needs string
	}{
		{"every layer read, and silent", nil, "raise its log level"},
		{"an access log alone", []part{without(inquest.LayerApplication, inquest.LayerInfrastructure, inquest.LayerChange)}, "the application's log, metrics and the logs of database and supervisor, the record of changes"},
		{"slow answers fit a dozen mechanisms", []part{func(c *inquest.Case) { c.Traffic.IncidentMean = 3 }, failing(func(_ int, r *inquest.Request) { r.Duration = 5 })}, ""},
		{"a deploy half a minute before is no reason", []part{changed(-30*time.Second, inquest.ChangeDeploy, "cart", "release 2")}, ""},
	} {
		v := verdict(c.parts...)
		if v.Level != inquest.Open || v.Mechanism != "" || v.Culprit != "" || v.Trigger != nil || len(v.Actions) != 0 || !strings.Contains(v.Summary, c.needs) {
			t.Errorf("%s: %s %s %+v %q", c.name, v.Level, name(v), v.Trigger, v.Summary)
		}
		if !slices.ContainsFunc(v.Chain, func(l inquest.Link) bool { return l.Role == inquest.RoleSymptom }) {
			t.Errorf("%s: the symptom is not told", c.name)
		}
	}
}

func TestNoIncidentHasNoVerdict(t *testing.T) {
	r := catalogue.Diagnose(incident(nullDereference, func(c *inquest.Case) { c.Incident = false; c.Onset, c.End = time.Time{}, time.Time{} }, changed(0, inquest.ChangeDeploy, "cart", "v2")))
	if d := r.Diagnosis; d.Verdict != nil || d.Incident || len(d.Timeline) != 1 || len(r.Symptoms) != 0 {
		t.Errorf("%+v", d)
	}
}

func TestASecondIndependentCauseIsNamedToo(t *testing.T) {
	own := says("cart", "TypeError: Cannot read properties of undefined (reading 'price')", 0.5, 0, thrown("TypeError", "Cannot read properties of undefined"))
	other := says("pay", "panic: write /var/lib/pay/journal: no space left on device", 0.45, 0)
	two := func(c *inquest.Case) {
		c.Impact.Services = []string{"cart", "pay"}
		c.Edges = []inquest.Edge{{From: "gateway", To: "cart"}, {From: "gateway", To: "pay"}}
	}
	v := verdict(own, other, two)
	var got []string
	for _, a := range v.Also {
		got = append(got, string(a.Mechanism)+" at "+a.Culprit)
	}
	both := append(got, name(v))
	slices.Sort(both)
	if !slices.Equal(both, []string{"resource-exhaustion/disk at pay", "unhandled-exception/null-dereference at cart"}) {
		t.Errorf("verdict %s, also %v", name(v), got)
	}
	if v := verdict(nullDereference, poolError, poolFull); len(v.Also) != 0 {
		t.Errorf("a consequence is no second cause: %+v", v.Also)
	}
}

func TestActionsAreFilledAndInTheOrderOfTheirTime(t *testing.T) {
	phases := []inquest.Phase{inquest.PhaseNow, inquest.PhaseLater, inquest.PhasePrevent}
	for _, parts := range [][]part{{nullDereference}, {poolError, poolFull, nullDereference}, {slowStatement, slow, poolError, poolFull}, {nullDereference, changed(-20*time.Second, inquest.ChangeDeploy, "cart", "release 2.1")}, {says("cart", "getaddrinfo ENOTFOUND api.tax.example", 0.9, 0)}} {
		v := verdict(parts...)
		if len(v.Actions) == 0 {
			t.Errorf("%s: %+v", name(v), v.Actions)
		}
		if !slices.IsSortedFunc(v.Actions, func(a, b inquest.Action) int { return slices.Index(phases, a.Phase) - slices.Index(phases, b.Phase) }) {
			var got []inquest.Phase
			for _, a := range v.Actions {
				got = append(got, a.Phase)
			}
			t.Errorf("%s: actions are not ordered now, later, prevent: %v", name(v), got)
		}
		for _, a := range v.Actions {
			if strings.Contains(a.Text+a.Command, "{service}") || a.Text == "" || a.Cures != "cause" && a.Cures != "symptom" {
				t.Errorf("%s: %+v", name(v), a)
			}
		}
		for _, c := range v.Confirm {
			if strings.Contains(c.Command, "{service}") || c.Text == "" {
				t.Errorf("%s: %+v", name(v), c)
			}
		}
	}
}

func TestEverySentenceCitesEvidenceThatIsThere(t *testing.T) {
	d := catalogue.Diagnose(incident(nullDereference, poolError, poolFull, slowStatement, changed(-time.Minute, inquest.ChangeDeploy, "cart", "basket of many items"))).Diagnosis
	known := map[string]bool{}
	for _, e := range d.Evidence {
		if known[e.ID] = true; e.Text == "" || e.Source.File == "" && e.Source.Metric == "" {
			t.Errorf("evidence %+v points nowhere", e)
		}
	}
	cited := 0
	check := func(ids []string) {
		for _, id := range ids {
			if cited++; !known[id] {
				t.Errorf("%s is cited and not there", id)
			}
		}
	}
	for _, l := range d.Verdict.Chain {
		check(l.Evidence)
	}
	for _, e := range d.Timeline {
		check(e.Evidence)
	}
	if cited < 5 || !slices.IsSortedFunc(d.Timeline, func(a, b inquest.Entry) int { return a.Time.Compare(b.Time) }) {
		t.Errorf("%d citations, timeline %+v", cited, d.Timeline)
	}
}

func TestBlipsAndOtherBurstsAreNoted(t *testing.T) {
	d := catalogue.Diagnose(incident(nullDereference, changed(-5*time.Minute-10*time.Second, inquest.ChangeRestart, "pay", "restart"), func(c *inquest.Case) {
		c.Blips = []inquest.FailureGroup{{Route: "GET /pay", Status: 502, Failed: 40, Window: inquest.Window{From: onset.Add(-5 * time.Minute), To: onset.Add(-5*time.Minute + 2*time.Second)}}}
	})).Diagnosis
	if len(d.Notes) != 1 || !strings.Contains(d.Notes[0], "40 answers of 502 on GET /pay at 10:05:00, over within 2s") || !strings.Contains(d.Notes[0], "restart of pay") {
		t.Errorf("notes %q", d.Notes)
	}
}

func TestTheSameCaseGivesTheSameDiagnosis(t *testing.T) {
	parts := []part{nullDereference, poolError, poolFull, slowStatement, component("web", inquest.KindApp, true), calls("web", "cart"), says("web", `Get "http://cart:8080/": context deadline exceeded`, 0.3, 0),
		changed(-time.Minute, inquest.ChangeDeploy, "cart", "v2"), changed(-time.Minute, inquest.ChangeDeploy, "pay", "v3"), failing(func(i int, r *inquest.Request) { r.Status, r.Duration = 500+i%4, 5 })}
	same := cmp.Options{cmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) })}
	want := catalogue.Diagnose(incident(parts...))
	for range 30 {
		if d := cmp.Diff(want, catalogue.Diagnose(incident(parts...)), same); d != "" {
			t.Fatal(d)
		}
	}
	// Nor does the order matter in which equal things stand in the case.
	got := catalogue.Diagnose(incident(append(parts, func(c *inquest.Case) { slices.Reverse(c.Patterns); slices.Reverse(c.Series) })...))
	if a, b := want.Diagnosis.Verdict, got.Diagnosis.Verdict; a.Mechanism != b.Mechanism || a.Culprit != b.Culprit || a.Confidence != b.Confidence || !cmp.Equal(a.Trigger, b.Trigger) {
		t.Errorf("%s %.2f, reversed %s %.2f", name(a), a.Confidence, name(b), b.Confidence)
	}
}

func TestTheCaseIsNotEdited(t *testing.T) {
	c, want := incident(nullDereference, poolError, poolFull), incident(nullDereference, poolError, poolFull)
	catalogue.Diagnose(c)
	c.Coverage, want.Coverage = inquest.Coverage{}, inquest.Coverage{}
	if d := cmp.Diff(want, c); d != "" {
		t.Error(d)
	}
}

func TestADatabaseThatFinishesStatementsIsNotDown(t *testing.T) {
	lost := says("cart", "Connection terminated due to connection timeout", 0.9, 5*time.Second)
	if got := name(verdict(lost, slowStatement, slow)); got != "database/slow-query at db-1" {
		t.Errorf("while it logs statements: %s", got)
	}
	if got := name(verdict(lost)); got != "database/down at db-1" {
		t.Errorf("while it is silent: %s", got)
	}
	if got := name(verdict(lost, slowStatement, says("db-1", "received fast shutdown request", -1, -2*time.Second, at(inquest.LevelInfo)))); got != "database/down at db-1" {
		t.Errorf("though it says that it goes down: %s", got)
	}
}

// "at 22:18:36" is taken for today's by everybody who reads it.
func TestATimeOfAnotherDayHasItsDate(t *testing.T) {
	friday := changed(-62*time.Hour, inquest.ChangeDeploy, "cart", "baskets with discount_percent")
	column := says("cart", `column "discount_percent" of relation "baskets" does not exist`, 0.9, 0)
	today := says("cart", "TypeError: Cannot read properties of undefined (reading 'price')", 0.9, 0, thrown("TypeError", "Cannot read properties of undefined (reading 'price')"))
	lasts := func(c *inquest.Case) { c.Span.To = onset.Add(30 * time.Hour) }
	for _, c := range []struct {
		name  string
		parts []part
		want  []string
	}{
		{"a change of another day", []part{column, friday}, []string{"since 10:10:00:", "deploy of cart at 17 Nov 20:10:00 ("}},
		{"an onset of another day than the end of the record", []part{column, friday, lasts}, []string{"since 20 Nov 10:10:00:", "deploy of cart at 17 Nov 20:10:00 ("}},
		{"all on one day", []part{today, changed(-20*time.Second, inquest.ChangeDeploy, "cart", "release 2.1")}, []string{"since 10:10:00.", "deploy of cart at 10:09:40 ("}},
	} {
		v := verdict(c.parts...)
		for _, want := range c.want {
			if !strings.Contains(v.Summary, want) {
				t.Errorf("%s: %q is not in %q", c.name, want, v.Summary)
			}
		}
		undo := "Undo the " + strings.TrimSuffix(c.want[1], " (") + " first"
		if !slices.ContainsFunc(v.Actions, func(a inquest.Action) bool { return strings.HasPrefix(a.Text, undo) }) {
			t.Errorf("%s: no action begins with %q: %v", c.name, undo, v.Actions)
		}
	}
}
