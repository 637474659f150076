package diagnose_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
)

func TestTheTriggerIsTheChangeThatFits(t *testing.T) {
	unused := func(c *inquest.Case) { // nobody asked for the affected routes before the onset
		c.Passed = make([]int, 13*60*60)
	}
	lateNull := says("cart", "TypeError: Cannot read properties of undefined (reading 'price')", 0.9, 20*time.Second, thrown("TypeError", "Cannot read properties of undefined (reading 'price')"))
	surge := func(c *inquest.Case) { c.Traffic.OnsetRate, c.Traffic.IncidentRate = 40, 45 }
	mystery := says("cart", `column "discount" of relation "baskets" does not exist`, 0.9, 0)
	slowSince := says("db-1", "duration: 8123.4 ms  statement: SELECT * FROM baskets WHERE owner = 17", -1, 0, at(inquest.LevelInfo))
	for _, c := range []struct {
		name  string
		parts []part
		want  string // kind and service, "" for none
	}{
		{"a deploy of the culprit right before", []part{nullDereference, changed(-20*time.Second, inquest.ChangeDeploy, "cart", "release 2.1")}, "deploy cart"},
		{"not the deploy of another service half a minute before", []part{nullDereference, changed(-30*time.Second, inquest.ChangeDeploy, "pay", "release 7")}, "data "},
		{"the culprit's deploy, though another service was deployed nearer", []part{nullDereference, changed(-60*time.Second, inquest.ChangeDeploy, "cart", "release 2.1"), changed(-30*time.Second, inquest.ChangeDeploy, "pay", "release 7")}, "deploy cart"},
		{"not what came after the first failure", []part{nullDereference, changed(30*time.Second, inquest.ChangeDeploy, "cart", "hotfix")}, "data "},
		{"a deploy that is recorded when the release that it replaced has gone away, before the first sign of the cause", []part{lateNull, changed(8*time.Second, inquest.ChangeDeploy, "cart", "release 2.1")}, "deploy cart"},
		{"not a restart then: what fails is restarted", []part{lateNull, changed(8*time.Second, inquest.ChangeRestart, "cart", "by the supervisor")}, "data "},
		{"not the deploy of another service then", []part{lateNull, changed(8*time.Second, inquest.ChangeDeploy, "pay", "release 7")}, "data "},
		{"not a deploy after the first sign of the cause", []part{lateNull, changed(30*time.Second, inquest.ChangeDeploy, "cart", "hotfix")}, "data "},
		{"not a deploy with thousands of good answers since", []part{nullDereference, changed(-9*time.Minute, inquest.ChangeDeploy, "cart", "release 2.1")}, "data "},
		{"a deploy hours before whose route nobody used since", []part{nullDereference, unused, func(c *inquest.Case) { c.Span.From = onset.Add(-13 * time.Hour) }, changed(-12*time.Hour, inquest.ChangeDeploy, "cart", "release 2.1")}, "deploy cart"},
		{"a migration that drops what the failures name", []part{mystery, changed(-40*time.Second, inquest.ChangeMigration, "db-1", "baskets: drop column discount"), changed(-20*time.Second, inquest.ChangeDeploy, "pay", "release 7")}, "migration db-1"},
		{"a dropped index before slow statements", []part{slowSince, slow, poolError, poolFull, changed(-15*time.Second, inquest.ChangeMigration, "db-1", "drop index on baskets (owner)")}, "migration db-1"},
		{"an index that was dropped while all went well, though the load rose before it hurt", []part{slowSince, slow, poolError, poolFull, surge, says("db-1", scanPlan, -1, 0), changed(-50*time.Second, inquest.ChangeMigration, "db-1", "0042 drop index by_email")}, "migration db-1"},
		{"an index by the name of its table, without a plan, though the load rose", []part{slowSince, slow, poolError, poolFull, surge, changed(-50*time.Second, inquest.ChangeMigration, "db-1", "0042 drop index baskets_by_owner")}, "migration db-1"},
		{"the load, when another table lost an index", []part{slowSince, slow, poolError, poolFull, surge, changed(-50*time.Second, inquest.ChangeMigration, "db-1", "0042 drop index invoices_by_owner")}, "traffic "},
		{"the load, when another migration went before", []part{slowSince, slow, poolError, poolFull, surge, says("db-1", scanPlan, -1, 0), changed(-50*time.Second, inquest.ChangeMigration, "db-1", "0042 add index by_email")}, "traffic "},
		{"the load, when another database lost an index", []part{slowSince, slow, poolError, poolFull, surge, says("db-1", scanPlan, -1, 0), changed(-50*time.Second, inquest.ChangeMigration, "reports-db", "0042 drop index by_email")}, "traffic "},
		{"the load that rose before a pool ran dry", []part{poolError, poolFull, surge}, "traffic "},
		{"a change right before beats the load", []part{poolError, poolFull, surge, changed(-10*time.Second, inquest.ChangeConfig, "cart", "pool max 50 -> 10")}, "config cart"},
		{"the load does not set off a null dereference", []part{nullDereference, surge}, "data "},
		{"somebody else's failure", []part{says("cart", "HTTPSConnectionPool(host='api.tax.example', port=443): Read timed out. (read timeout=5)", 0.9, 0)}, "external "},
		{"one client's requests", []part{nullDereference, func(c *inquest.Case) { c.Impact.Spread = inquest.SpreadClient }}, "client "},
		{"no record of changes: that nothing changed is not known", []part{nullDereference, without(inquest.LayerChange)}, ""},
		{"a pool that ran dry for no visible reason", []part{poolError, poolFull}, ""},
		{"a job that takes what others share", []part{says("db-1", "canceling statement due to lock timeout", -1, 0), says("cart", "canceling statement due to lock timeout", 0.9, 0), changed(-time.Second, inquest.ChangeRestart, "stocktaking", "yearly run started")}, "restart stocktaking"},
		{"not a job that ran well beside the failing routes for half a minute", []part{says("db-1", "canceling statement due to lock timeout", -1, 0), says("cart", "canceling statement due to lock timeout", 0.9, 0), changed(-30*time.Second, inquest.ChangeRestart, "stocktaking", "yearly run started")}, ""},
		{"a third party does not fail because its caller was deployed while all went well", []part{says("cart", "HTTPSConnectionPool(host='api.tax.example', port=443): Read timed out. (read timeout=5)", 0.9, 0), changed(-25*time.Second, inquest.ChangeDeploy, "cart", "release 2.1")}, "external "},
		{"not a deploy that only shares a word with the route", []part{says("cart", "certificate verify failed: Hostname mismatch for https://api.tax.example/", 0.9, 0), changed(-20*time.Second, inquest.ChangeDeploy, "cart-ui", "new form for the cart")}, "external "},
		{"a flag of the service that sends the slow statements, and not a deploy before it", []part{says("db-1", "duration: 8123.4 ms  statement: SELECT * FROM baskets WHERE owner = 17", -1, -10*time.Second, at(inquest.LevelInfo)), slow, poolError, poolFull,
			changed(-35*time.Second, inquest.ChangeDeploy, "pay", "release 7"), changed(-14*time.Second, inquest.ChangeFlag, "cart", "companions 0% -> 100%")}, "flag cart"},
		{"more copies of somebody who uses the same database, and not a deploy before it", []part{says("cart", "FATAL: sorry, too many clients already", 0.9, 0), says("db-1", "sorry, too many clients already", -1, 0),
			changed(-24*time.Second, inquest.ChangeDeploy, "web", "map tiles"), changed(-3*time.Second, inquest.ChangeScale, "reports", "2 -> 24 workers")}, "scale reports"},
		{"a service that is new to the database, and not a slightly earlier scaling of an old one", []part{says("cart", "FATAL: sorry, too many clients already", 0.9, 0), says("db-1", "sorry, too many clients already", -1, 0),
			changed(-20*time.Second, inquest.ChangeScale, "pay", "threads 6 -> 8"), changed(-5*time.Second, inquest.ChangeDeploy, "sync", "stock levels"), func(c *inquest.Case) { c.Changes[len(c.Changes)-1].Version = "1.0.0" }}, "deploy sync"},
		{"a release breaks what it contains, not a service that was released nearer", []part{says("cart", "request failed; provider answered 422: errors in the amount", 0.9, 0, thrown("Error", "provider answered 422: errors in the amount")),
			changed(-12*time.Second, inquest.ChangeDeploy, "cart", "platform fee"), changed(-time.Second, inquest.ChangeDeploy, "pay", "wording of errors")}, "deploy cart"},
		{"the setting that a restart woke", []part{says("cart", "cannot sign: PAY_SECRET_KEY is not set", 0.9, 0), changed(-9*time.Minute, inquest.ChangeConfig, "cart", "environment from the vault"), changed(-2*time.Second, inquest.ChangeRestart, "cart", "kernel update")}, "config cart"},
		{"the setting that a restart woke, though another component's: it is about what is refused", []part{says("cart", "Request failed with status code 401: token expired", 0.9, 0, thrown("AxiosError", "Request failed with status code 401")), component("idp", inquest.KindApp, false),
			changed(-9*time.Minute, inquest.ChangeConfig, "idp", "access tokens live 60 s instead of 2 h"), changed(-time.Minute, inquest.ChangeRestart, "cart", "kernel update")}, "config idp"},
		{"a caller's own time limit for the call that is given up", []part{says("cart", `Get "http://stock:8000/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`, 0.9, 0), component("stock", inquest.KindApp, true), calls("cart", "stock"),
			changed(-25*time.Second, inquest.ChangeConfig, "cart", "stock client timeout 3000 ms -> 400 ms"), changed(-12*time.Second, inquest.ChangeDeploy, "pay", "release 7")}, "config cart"},
		{"the restart itself, when another start after the setting went well", []part{says("cart", "cannot sign: PAY_SECRET_KEY is not set", 0.9, 0), changed(-9*time.Minute, inquest.ChangeConfig, "cart", "environment from the vault"), changed(-8*time.Minute, inquest.ChangeDeploy, "cart", "cart 2.2"), changed(-2*time.Second, inquest.ChangeRestart, "cart", "kernel update")}, "restart cart"},
		{"the other side of a credential", []part{says("cart", "GET /points: upstream said 401 api key is not valid", 0.9, 0), component("points", inquest.KindApp, true), changed(-20*time.Second, inquest.ChangeDeploy, "cart-ui", "wording"), changed(0, inquest.ChangeConfig, "points", "API_KEYS rotated (yearly)")}, "config points"},
		{"a change of the names that gave the address which refuses, and not a release that is nearer", []part{says("cart", "connect ECONNREFUSED 10.97.0.44:80", 0.9, 0), changed(-2*time.Second, inquest.ChangeInfra, "dns", "dns: route.waymark.example moves to 10.97.0.44"),
			changed(-time.Second, inquest.ChangeDeploy, "cart-ui", "map in the dark")}, "infra dns"},
		{"who fills the disk and says so too, and not a release that is nearer", []part{says("cart", "write failed: No space left on device", 0.9, 0), says("shipper", "debug log: [Errno 28] No space left on device", -1, -time.Second), component("shipper", inquest.KindApp, true), component("web", inquest.KindApp, true),
			changed(-44*time.Second, inquest.ChangeConfig, "shipper", "level debug"), changed(-35*time.Second, inquest.ChangeDeploy, "web", "wording")}, "config shipper"},
		{"instances that were added and alone fail", []part{says("cart", "Access denied for user 'cart'@'10.0.0.1' (using password: YES)", 0.9, 0), changed(-3*time.Second, inquest.ChangeScale, "cart", "2 -> 3 instances"), instances(0)}, "scale cart"},
		{"not more instances, when the old ones fail as well", []part{says("cart", "Access denied for user 'cart'@'10.0.0.1' (using password: YES)", 0.9, 0), changed(-3*time.Second, inquest.ChangeScale, "cart", "2 -> 3 instances"), instances(200)}, ""},
		{"a job that began, and not a release whose only process answered well for twenty seconds", []part{says("cart", "carrier answered 429: rate_limit_exceeded, too many requests", 0.9, 0), changed(-30*time.Second, inquest.ChangeDeploy, "cart", "wording"), started("cart", -25*time.Second),
			changed(-12*time.Second, inquest.ChangeRestart, "recheck", inquest.JobBegan+"recheck began: (returns) CMD (recheck.py)")}, "restart recheck"},
		{"a value, and not a release whose only process answered well for twenty seconds", []part{nullDereference, changed(-30*time.Second, inquest.ChangeDeploy, "cart", "wording"), started("cart", -25*time.Second)}, "data "},
		{"the release, when one of several instances came up", []part{nullDereference, changed(-30*time.Second, inquest.ChangeDeploy, "cart", "wording"), started("cart", -25*time.Second), instances(200)}, "deploy cart"},
		{"the release, when its process came up right before", []part{nullDereference, changed(-30*time.Second, inquest.ChangeDeploy, "cart", "wording"), started("cart", -2*time.Second)}, "deploy cart"},
		{"a job that keeps the connections of a pool", []part{poolError, poolFull, changed(-20*time.Second, inquest.ChangeRestart, "settle", inquest.JobBegan+"settle began: (billing) CMD (settle.py)")}, "restart settle"},
		{"one slow route that many ask for", []part{timingOut, slow, export}, "traffic "},
		{"one slow route that a single network asks for", []part{timingOut, slow, export, failing(func(i int, r *inquest.Request) {
			if r.Client = fmt.Sprint("203.0.113.", i); i%2 == 0 {
				r.Route, r.Client = "GET /stock", fmt.Sprint("198.51.100.", i)
			}
		})}, "client "},
		{"a rollback long before heals rather than harms", []part{nullDereference, changed(-8*time.Minute, inquest.ChangeDeploy, "cart", "rollback to 2.0")}, "data "},
	} {
		v := verdict(c.parts...)
		got := ""
		if v.Trigger != nil {
			got = string(v.Trigger.Kind) + " " + v.Trigger.Service
			if v.Trigger.Why == "" || v.Trigger.Summary == "" || v.Trigger.Time.IsZero() {
				t.Errorf("%s: the trigger does not say why: %+v", c.name, v.Trigger)
			}
		}
		if got != c.want {
			t.Errorf("%s (%s): trigger %q, want %q", c.name, name(v), got, c.want)
		}
	}
}

// Two weeks hold many changes. What was changed on Friday may fail on Monday, and most of what was changed since has nothing to do with it.
func TestAnOldChangeIsTheTriggerOfWhatItNamesOnly(t *testing.T) {
	friday := -62 * time.Hour
	column := says("cart", `column "discount_percent" of relation "baskets" does not exist`, 0.9, 0)
	mailed := says("cart", "TypeError: Cannot read properties of undefined (reading 'postcode') in renderInvoice", 0.9, 0, thrown("TypeError", "Cannot read properties of undefined (reading 'postcode')"))
	many := func(c *inquest.Case) { // a busy fortnight: all services are released twice a day
		for i := range 14 {
			for _, who := range []string{"cart", "pay", "db-1", "gateway"} {
				d := -time.Duration(14-i)*24*time.Hour + time.Hour
				changed(d, inquest.ChangeDeploy, who, fmt.Sprintf("release %d: baskets are drawn faster", i))(c)
				changed(d+6*time.Hour, inquest.ChangeConfig, who, "pool max 20 -> 30")(c)
			}
		}
	}
	rising := func(c *inquest.Case) { // as the recording begins, without a healthy stretch
		c.Baseline = inquest.Window{}
		s := inquest.Series{Name: "pg_pool_total_count", Labels: map[string]string{"job": "cart"}}
		for x := time.Duration(0); x < 20*time.Minute; x += 5 * time.Second {
			s.Samples = append(s.Samples, inquest.Sample{Time: t0.Add(x), Value: min(10, 3+20*x.Minutes())})
		}
		c.Series = append(c.Series, s)
		measured("pg_pool_idle_count", 0, 0, 0, "job", "cart")(c)
		measured("pg_pool_max", 10, 10, 0, "job", "cart")(c)
		measured("pg_pool_waiting_count", 40, 0, 0, "job", "cart")(c)
	}
	routed := func(c *inquest.Case) {
		c.Impact.Routes[0].Route, c.Groups[0].Route = "GET /baskets/coupons/vouchers", "GET /baskets/coupons/vouchers"
		failing(func(_ int, r *inquest.Request) { r.Route = "GET /baskets/coupons/vouchers" })(c)
	}
	for _, c := range []struct {
		name  string
		parts []part
		want  string
	}{
		{"the release of Friday that names what fails on Monday", []part{column, changed(friday, inquest.ChangeDeploy, "cart", "baskets with discount_percent")}, "deploy cart"},
		{"the same among a hundred others", []part{column, many, changed(friday, inquest.ChangeDeploy, "cart", "baskets with discount_percent")}, "deploy cart"},
		{"the same of thirteen days ago", []part{column, changed(-13*24*time.Hour, inquest.ChangeDeploy, "cart", "baskets with discount_percent")}, "deploy cart"},
		{"not a release of Friday that names nothing of it", []part{column, changed(friday, inquest.ChangeDeploy, "cart", "new colours")}, ""},
		{"not one of another service", []part{column, changed(friday, inquest.ChangeDeploy, "pay", "invoices by baskets")}, ""},
		{"none of a hundred that have nothing to do with it", []part{column, many}, ""},
		{"none of a hundred for an exception", []part{mailed, many}, "data "},
		{"not one that shares only the words of the route", []part{mailed, routed, changed(friday, inquest.ChangeDeploy, "cart", "coupons and vouchers for baskets")}, "data "},
		{"though it is taken for what was changed the evening before", []part{mailed, routed, changed(-12*time.Hour, inquest.ChangeDeploy, "cart", "coupons and vouchers for baskets")}, "deploy cart"},
		{"not one of last week for a pool that rose in two minutes", []part{poolError, rising, changed(-7*24*time.Hour, inquest.ChangeDeploy, "cart", "new colours")}, ""},
		{"what is near and fits, whatever was before", []part{nullDereference, many, changed(-20*time.Second, inquest.ChangeDeploy, "cart", "release 99")}, "deploy cart"},
	} {
		v, got := verdict(c.parts...), ""
		if v.Trigger != nil {
			got = string(v.Trigger.Kind) + " " + v.Trigger.Service
		}
		if got != c.want {
			t.Errorf("%s (%s): trigger %q (%v), want %q", c.name, name(v), got, v.Trigger, c.want)
		}
	}
}

func TestTheTimelineShowsWhatTheCulpritRanWith(t *testing.T) {
	d := catalogue.Diagnose(incident(nullDereference, changed(-5*24*time.Hour, inquest.ChangeDeploy, "cart", "older"), changed(-62*time.Hour, inquest.ChangeDeploy, "cart", "of Friday"),
		changed(-60*time.Hour, inquest.ChangeDeploy, "pay", "a stranger's"))).Diagnosis
	var got []string
	for _, e := range d.Timeline {
		if e.Kind == "change" {
			got = append(got, e.Text)
		}
	}
	if len(got) != 1 || !strings.Contains(got[0], "of Friday") {
		t.Errorf("%q: the last change of the culprit, and no other old one", got)
	}
}

func TestAGatewayThatIsPointedElsewhereIsTheCulprit(t *testing.T) {
	moved := []part{
		failing(func(_ int, r *inquest.Request) { r.Status, r.Upstream, r.UpstreamStatus = 502, "10.0.0.1:8081", "-" }),
		func(c *inquest.Case) {
			c.Impact.Routes[0].Status = map[int]int{502: 600}
			c.Upstreams = []inquest.UpstreamUse{
				{Observer: "gateway", Addr: "10.0.0.1:8080", Component: "cart", BaselineOK: 6000, FirstSeen: t0, LastSeen: onset},
				{Observer: "gateway", Addr: "10.0.0.1:8081", IncidentFailed: 600, NoAnswer: 600, FirstSeen: onset, LastSeen: end},
			}
		},
		changed(-5*time.Second, inquest.ChangeConfig, "gateway", "regenerate upstreams"), changed(-40*time.Second, inquest.ChangeDeploy, "pay", "release 7"),
	}
	v := verdict(moved...)
	if name(v) != "misconfiguration/wrong-upstream at gateway" || v.Trigger == nil || v.Trigger.Service != "gateway" {
		t.Errorf("%s, trigger %+v", name(v), v.Trigger)
	}
	stopped := verdict(moved[0], func(c *inquest.Case) {
		c.Upstreams = []inquest.UpstreamUse{{Observer: "gateway", Addr: "10.0.0.1:8080", Component: "cart", BaselineOK: 6000, IncidentFailed: 600, NoAnswer: 600, FirstSeen: t0, LastSeen: end}}
	}, failing(func(_ int, r *inquest.Request) { r.Upstream = "10.0.0.1:8080" }))
	if stopped.Mechanism == "misconfiguration/wrong-upstream" {
		t.Error("an address that answered before and refuses now is no wrong address")
	}
	early := verdict(moved[0], func(c *inquest.Case) { // three requests came before the onset: the other half may always have failed
		c.Upstreams = []inquest.UpstreamUse{
			{Observer: "gateway", Addr: "10.0.0.1:8080", BaselineOK: 3, IncidentOK: 600, FirstSeen: t0, LastSeen: end},
			{Observer: "gateway", Addr: "10.0.0.1:8081", IncidentFailed: 600, NoAnswer: 600, FirstSeen: onset, LastSeen: end},
		}
	})
	if early.Mechanism == "misconfiguration/wrong-upstream" {
		t.Error("an address is not new where too few requests came before it")
	}
}

func TestWithoutAHealthyStretchARefusalIsNoWrongAddress(t *testing.T) {
	v := verdict(says("gateway", "error=refused: dial tcp 10.0.0.1:8080: connect: connection refused", 1, 0),
		failing(func(_ int, r *inquest.Request) { r.Status, r.UpstreamStatus, r.Reason = 502, "", "refused" }), func(c *inquest.Case) { c.Baseline = inquest.Window{} })
	if name(v) != "dependency-failure/refused at cart" {
		t.Errorf("%s: the lines say that cart refuses, and not why", name(v))
	}
}
