package casefile_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

// isOne checks that a component goes by all the names, and nobody else by any of them.
func isOne(t *testing.T, c *inquest.Case, name string, kind inquest.ComponentKind, aliases ...string) {
	t.Helper()
	x := component(c, name)
	if x == nil {
		t.Errorf("no component %q among %v", name, names(c))
		return
	}
	if x.Kind != kind {
		t.Errorf("%s is a %q, want %q", name, x.Kind, kind)
	}
	for _, a := range aliases {
		if !slices.Contains(x.Aliases, a) {
			t.Errorf("%s does not go by %q but by %v", name, a, x.Aliases)
		}
	}
	for _, o := range c.Components {
		for _, a := range append([]string{name}, aliases...) {
			if o.Name != name && (o.Name == a || slices.Contains(o.Aliases, a)) {
				t.Errorf("%q is %s and %s", a, name, o.Name)
			}
		}
	}
}

func TestAnUpstreamAddressIsTheServiceThatLoggedTheSameRequests(t *testing.T) {
	gw := gateway()
	cart, pay := &file{name: "cart.log", format: "pino"}, &file{name: "pay.log", format: "pino"}
	for i := range 20 {
		a, b := fmt.Sprint("a", i), fmt.Sprint("b", i)
		gw.asked(sec(float64(i)), "GET /cart", 200, id(a), via("10.0.0.1:8080", "200"))
		gw.asked(sec(float64(i)), "POST /pay", 200, id(b), via("10.0.0.1:9090", "200"))
		cart.asked(sec(float64(i)), "GET /cart", 200, id(a))
		pay.asked(sec(float64(i)), "POST /pay", 200, id(b))
	}
	c := build(gw, cart, pay)
	isOne(t, c, "cart", inquest.KindApp, "10.0.0.1:8080")
	isOne(t, c, "pay", inquest.KindApp, "10.0.0.1:9090")
	isOne(t, c, "gateway", inquest.KindProxy)
	if slices.Contains(component(c, "cart").Aliases, "10.0.0.1") || slices.Contains(component(c, "pay").Aliases, "10.0.0.1") {
		t.Error("a host that two services share names neither of them")
	}
	if want := []inquest.Edge{{From: "gateway", To: "cart"}, {From: "gateway", To: "pay"}}; !cmp.Equal(c.Edges, want) {
		t.Errorf("edges %v", c.Edges)
	}
}

func TestWithoutIdsTheOnlyApplicationOrThePortTells(t *testing.T) {
	gw := gateway()
	for i := range 5 {
		gw.asked(sec(float64(i)), "GET /cart", 200, via("10.0.0.1:8080", "200"))
	}
	one := &file{name: "cart.log", format: "pino"}
	one.says(sec(1), inquest.LevelInfo, "listening")
	isOne(t, build(gw, one), "cart", inquest.KindApp, "10.0.0.1:8080", "10.0.0.1")

	two := &file{name: "pay.log", format: "pino"}
	two.says(sec(1), inquest.LevelInfo, "listening")
	m := &file{name: "metrics.om", format: "openmetrics"}
	m.series("up", "job", "pay", "instance", "localhost:8080")
	m.series("up", "job", "cart", "instance", "localhost:8081")
	if c := build(gw, one, two); slices.Contains(component(c, "cart").Aliases, "10.0.0.1:8080") || slices.Contains(component(c, "pay").Aliases, "10.0.0.1:8080") {
		t.Errorf("with two services and nothing else to go by, the address is somebody's: %+v", c.Components)
	}
	gw.signals = nil
	m.series("up", "job", "pay", "instance", "pay-host:8080")
	isOne(t, build(gw, one, two, m), "pay", inquest.KindApp, "10.0.0.1:8080")
}

func TestHAProxysServersAreFoundBehindTheirBackends(t *testing.T) {
	lb := &file{name: "haproxy.log", format: "haproxy"}
	for i := range 5 {
		lb.asked(sec(float64(i)), "GET /cart", 200, via("be_cart/cart-1", "200"))
	}
	app := &file{name: "cart.log", format: "pino"}
	app.says(sec(1), inquest.LevelInfo, "listening", instance("cart-1"))
	c := build(lb, app)
	if len(c.Upstreams) != 1 || c.Upstreams[0].Component != "cart" {
		t.Errorf("upstreams %+v, want cart's", c.Upstreams)
	}
}

func TestADatabasesLogExporterAndChangeRecordAreOne(t *testing.T) {
	log := &file{name: "postgresql.log", format: "postgresql"}
	log.says(sec(1), inquest.LevelInfo, "database system is ready to accept connections")
	m := &file{name: "metrics.om", format: "openmetrics"}
	m.series("pg_up", "job", "postgres", "instance", "db-1:9187")
	ch := &file{name: "changes.jsonl", format: "changes"}
	ch.change(sec(5), inquest.ChangeMigration, "db-1", "add an index")
	app := &file{name: "cart.log", format: "pino"}
	app.says(sec(1), inquest.LevelInfo, "listening")
	for _, files := range [][]*file{{log, m, ch, app}, {m, app, ch, log}, {ch, log, app, m}} {
		c := build(files...)
		isOne(t, c, "db-1", inquest.KindDatabase, "postgresql")
		if x := component(c, "db-1"); x != nil && (!x.Logs || !x.Metrics) {
			t.Errorf("logs %v, metrics %v", x.Logs, x.Metrics)
		}
	}
}

func TestTwinsOfOtherSoftwareAreNotJoined(t *testing.T) {
	log := &file{name: "mysqld.log", format: "mysql-error"}
	log.says(sec(1), inquest.LevelInfo, "ready for connections")
	m := &file{name: "metrics.om", format: "openmetrics"}
	m.series("pg_up", "job", "postgres", "instance", "db-1:9187")
	c := build(log, m)
	isOne(t, c, "mysqld", inquest.KindDatabase)
	isOne(t, c, "db-1", inquest.KindDatabase, "postgres")
}

func TestAnApplicationsOwnPoolMetricsDoNotMakeItADatabase(t *testing.T) {
	m := &file{name: "metrics.om", format: "openmetrics"}
	m.series("pg_pool_size", "job", "cart", "instance", "cart:9090")
	m.series("redis_pool_hits_total", "job", "cart", "instance", "cart:9090")
	m.series("node_load1", "job", "node", "instance", "worker-3:9100")
	c := build(m)
	isOne(t, c, "cart", inquest.KindApp)
	if component(c, "worker-3") != nil {
		t.Error("a host's exporter is no component of the request path")
	}
}

func TestNumberedInstancesAreOneService(t *testing.T) {
	a, b := &file{name: "cart-1.log", format: "pino"}, &file{name: "cart-2.log", format: "pino"}
	a.says(sec(1), inquest.LevelInfo, "listening")
	b.says(sec(1), inquest.LevelInfo, "listening")
	c := build(a, b)
	isOne(t, c, "cart", inquest.KindApp, "cart-1", "cart-2")
	lone := &file{name: "db-1.log", format: "postgresql"}
	lone.says(sec(1), inquest.LevelInfo, "ready")
	isOne(t, build(lone), "db-1", inquest.KindDatabase)
}

func TestKindsByName(t *testing.T) {
	for name, want := range map[string]inquest.ComponentKind{
		"orders-db": inquest.KindDatabase, "pg": inquest.KindDatabase, "mongo-0": inquest.KindDatabase, "redis": inquest.KindCache, "session-cache": inquest.KindCache,
		"kafka": inquest.KindBroker, "edge": inquest.KindProxy, "api-gateway": inquest.KindProxy, "supervisord": inquest.KindSupervisor, "kern": inquest.KindKernel,
		"cart": inquest.KindApp, "dbwriter": inquest.KindApp, "imageproxying": inquest.KindApp, "queued-mail": inquest.KindApp,
	} {
		f := &file{name: name + ".log", format: "json"}
		f.says(sec(1), inquest.LevelInfo, "x")
		c := build(f)
		if len(c.Components) != 1 || c.Components[0].Kind != want {
			t.Errorf("%s: %+v, want %q", name, c.Components, want)
		}
	}
}

func TestTheOutermostProxyIsTheObserver(t *testing.T) {
	edge, inner := &file{name: "edge.log", format: "nginx-json"}, &file{name: "mesh.log", format: "envoy"}
	app := &file{name: "cart.log", format: "pino"}
	for i := range 100 {
		edge.asked(sec(float64(i)), "GET /cart", 200, via("mesh:80", "200"))
		app.asked(sec(float64(i)), "GET /cart", 200)
		app.asked(sec(float64(i)), "GET /health", 200)
		if i%2 == 0 {
			inner.asked(sec(float64(i)), "GET /cart", 200, via("cart:80", "200"))
		}
	}
	c := build(edge, inner, app)
	if c.Observer != "edge" || !c.Proxy {
		t.Errorf("observer %q (proxy %v), want the proxy that answered the most", c.Observer, c.Proxy)
	}
	if c := build(app); c.Observer != "cart" || c.Proxy {
		t.Errorf("observer %q (proxy %v), want the application itself", c.Observer, c.Proxy)
	}
}

func TestANameOfARoleDoesNotMakeAServiceOne(t *testing.T) {
	for _, c := range []struct {
		service, format string
		want            inquest.ComponentKind
	}{
		{"queue-api", "pino", inquest.KindApp},
		{"gateway-billing", "logback", inquest.KindApp},
		{"edge-cases", "logfmt", inquest.KindApp},
		{"pg-orders", "json", inquest.KindDatabase},  // software anywhere in the name
		{"db-primary", "json", inquest.KindDatabase}, // a role, and which of several
		{"order-queue", "json", inquest.KindBroker},
		{"cache-2", "redis", inquest.KindCache},
		{"events", "k8s-events", inquest.KindSupervisor}, // by the format, which only Kubernetes writes
	} {
		f := &file{name: c.service + ".log", format: c.format}
		f.says(sec(1), inquest.LevelInfo, "ready")
		isOne(t, build(gateway(), f), c.service, c.want)
	}
}

func TestWhoAnswersRequestsOrIsDeployedIsAnApplicationWhateverItsName(t *testing.T) {
	answers := &file{name: "events.log", format: "pino"}
	answers.asked(sec(1), "GET /events", 200)
	isOne(t, build(gateway(), answers), "events", inquest.KindApp)

	deployed := &file{name: "journal.log", format: "pino"}
	deployed.says(sec(1), inquest.LevelInfo, "ready")
	changes := &file{name: "changes.jsonl", format: "changes"}
	changes.change(sec(0), inquest.ChangeDeploy, "journal", "deploy journal 2")
	isOne(t, build(gateway(), deployed, changes), "journal", inquest.KindApp)
}

func TestAServerGoesByTheAddressThatItSaysItListensAt(t *testing.T) {
	for _, text := range []string{
		"Listening at: http://10.0.0.1:8080 (66)", `listening on IPv4 address "10.0.0.1", port 8080`, "* Listening on http://10.0.0.1:8080", `using inherited socket fd=8, "10.0.0.1:8080"`,
		"Uvicorn running on http://10.0.0.1:8080 (Press CTRL+C to quit)", "Now listening on: http://10.0.0.1:8080",
	} {
		one, two := &file{name: "cart.log", format: "plain"}, &file{name: "pay.log", format: "plain"}
		one.says(sec(1), inquest.LevelInfo, text)
		two.says(sec(1), inquest.LevelInfo, "ready")
		isOne(t, build(gateway(), one, two), "cart", inquest.KindApp, "10.0.0.1:8080")
	}
}

func TestTheOnlyApplicationIsCalledAsItIsDeployed(t *testing.T) {
	app, changes := &file{name: "app/5001.log", format: "level-text"}, &file{name: "changes.jsonl", format: "changes"}
	app.says(sec(1), inquest.LevelInfo, "listening")
	changes.change(sec(0), inquest.ChangeDeploy, "wren", "leaderboard")
	isOne(t, build(app, changes), "wren", inquest.KindApp, "app")

	changes.change(sec(2), inquest.ChangeDeploy, "robin", "footer") // of two nobody knows which
	if c := build(app, changes); component(c, "app") == nil {
		t.Errorf("components %v", names(c))
	}
}

func TestAHostNamedAfterAServiceIsTheService(t *testing.T) {
	app, changes := &file{name: "ember.log", format: "json"}, &file{name: "changes.jsonl", format: "changes"}
	app.says(sec(1), inquest.LevelInfo, "listening")
	changes.change(sec(0), inquest.ChangeConfig, "ember-b2", "role hardening")
	changes.change(sec(0), inquest.ChangeConfig, "ember-reports", "colours")
	c := build(app, changes)
	isOne(t, c, "ember", inquest.KindApp, "ember-b2")
	isOne(t, c, "ember-reports", inquest.KindApp)
}

func TestAnUpstreamThatNothingElseNamesGoesByTheProxysNameForIt(t *testing.T) {
	named := func(name string) option { return func(r *parse.Record) { r.Add("upstream_name", name) } }
	gw := gateway()
	gw.traffic(0, 300, 5)
	gw.failing(0, 300, 1, "GET /pay", 502, via("10.0.0.9:3100", "-"), named("payment"))
	gw.failing(0, 300, 1, "GET /mail", 502, via("10.0.0.8:25", "-"))
	c := build(gw)
	isOne(t, c, "payment", inquest.KindApp, "10.0.0.9:3100")
	if component(c, "10.0.0.8") != nil || component(c, "10.0.0.8:25") != nil {
		t.Errorf("an address is no component: %v", names(c))
	}
	pay := &file{name: "payment.log", format: "pino"}
	other := &file{name: "cart.log", format: "pino"}
	pay.says(sec(1), inquest.LevelInfo, "started")
	other.says(sec(1), inquest.LevelInfo, "started")
	isOne(t, build(gw, pay, other), "payment", inquest.KindApp, "10.0.0.9:3100")
}

func TestAGroupOfServersIsTheServiceThatItsNameContains(t *testing.T) {
	app := &file{name: "cart.log", format: "pino"}
	app.says(sec(1), inquest.LevelInfo, "listening")
	front := &file{name: "cart-web.log", format: "pino"}
	front.says(sec(1), inquest.LevelInfo, "listening")
	for group, want := range map[string]string{"be_cart/be_cart-1": "cart", "bk-cart-web/s1": "cart-web", "shop-cart-8080": "cart", "cartoons/s1": "", "be_all/s1": "", "10.0.0.7:8080": ""} {
		lb := &file{name: "haproxy.log", format: "haproxy"}
		for i := range 5 {
			lb.asked(sec(float64(i)), "GET /", 200, via(group, "200"))
		}
		c := build(lb, app, front)
		if len(c.Upstreams) != 1 || c.Upstreams[0].Component != want {
			t.Errorf("%s: %+v, want %q", group, c.Upstreams, want)
		}
	}
}

// The service that serves at one port is not the one that answers at another one of another host.
func TestAnAddressAtAnotherPortIsNotTheOnlyApplicationThatHasALog(t *testing.T) {
	gw := gateway()
	for i := range 5 {
		gw.asked(sec(float64(i)), "GET /cart", 200, via("10.0.0.1:8080", "200"))
		gw.asked(sec(float64(i)), "GET /pay", 200, via("10.0.0.2:9090", "200"))
	}
	cart := &file{name: "cart.log", format: "pino"}
	cart.says(sec(1), inquest.LevelInfo, "listening")
	m := &file{name: "metrics.om", format: "openmetrics"}
	m.series("up", "job", "cart", "instance", "cart:8080")
	c := build(gw, cart, m)
	isOne(t, c, "cart", inquest.KindApp, "10.0.0.1:8080")
	if slices.Contains(component(c, "cart").Aliases, "10.0.0.2:9090") {
		t.Errorf("%+v", c.Components)
	}
}

func TestTheOnlyApplicationStandsBehindABackendOfAnyName(t *testing.T) {
	lb := &file{name: "haproxy.log", format: "haproxy"}
	for i := range 5 {
		lb.asked(sec(float64(i)), "GET /", 200, via("be_box/be_box-1", "200"))
	}
	lb.asked(sec(6), "GET /", 503, via("fe_public/<NOSRV>", ""))
	app := &file{name: "cart.log", format: "pino"}
	app.says(sec(1), inquest.LevelInfo, "listening")
	for _, u := range build(lb, app).Upstreams {
		want := "cart"
		if u.Addr == "fe_public/<NOSRV>" { // nobody was asked
			want = ""
		}
		if u.Component != want {
			t.Errorf("%s is %q, want %q", u.Addr, u.Component, want)
		}
	}
}

func TestWhenProcessesCameUp(t *testing.T) {
	gw, app, db := gateway(), &file{name: "cart.log", format: "pino"}, &file{name: "postgresql.log", format: "postgresql"}
	gw.traffic(0, 600, 10)
	app.says(sec(120), inquest.LevelInfo, "Started server process [66]")
	app.says(sec(121), inquest.LevelInfo, "order 7 placed")
	db.says(sec(60), inquest.LevelInfo, "starting PostgreSQL 15.5")
	if got, want := build(gw, app, db).Starts, []inquest.Start{{Component: "cart", Time: sec(120)}}; !cmp.Equal(got, want) {
		t.Errorf("%v, want %v: a server's start is nobody's release", got, want)
	}
}
