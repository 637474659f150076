package main

import (
	"io"
	"net"
	"net/http"
	"time"
)

// line is a house of four services in four languages behind one nginx: bookings (Node, two instances), members (Flask),
// sailings (Go with a cache) and freight (Java), one database, one cache, a payment provider, a rates service, a proof of
// age and a print shop. net is "10.44.7.": the gateway has .10, bookings .21 and .22, members .31, sailings .41, freight .51,
// the database .61, the cache .62. rename lets the same house play in another domain.
type line struct {
	net        string
	db, dbHost string
	cache      string
	domain     string // of the third parties
	rename     []string
	bookings   string // names of the services
	members    string
	sailings   string
	freight    string
	versions   [4]string
	logs       map[string]string // file of a part's log by part name
	traces     string            // file of the traces; "" means none
	ratio      string            // share of traces that are kept
	pg         Postgres
	nodeEnv    []string
	pyEnv      []string
	payTLS     time.Duration // how long the certificates of pay and rates live from the end of the set-up
	ratesTLS   time.Duration
	edits      map[string][]Edit // of the first releases, by service
	skipPay    bool              // the scenario starts the payment provider itself
	nodeMB     int
}

func ferry() line {
	return line{net: "10.44.7.", db: "ferry", dbHost: "ferry-pg", cache: "ferry-kv", domain: "example", bookings: "bookings", members: "members", sailings: "sailings", freight: "freight",
		versions: [4]string{"4.3.1", "2.9.0", "7.0.4", "1.12.2"}, ratio: "0.3", payTLS: 2000 * time.Hour, ratesTLS: 2000 * time.Hour}
}

// campsite is the same house with another name on every door.
func campsite() line {
	l := ferry()
	l.net, l.db, l.dbHost, l.cache = "10.71.2.", "camp", "pg-camp-1", "redis-camp"
	l.bookings, l.members, l.sailings, l.freight = "stays", "guests", "pitches", "rental"
	l.versions = [4]string{"2026.11.3", "0.31.0", "12.4.1", "3.3.0"}
	l.rename = campWords()
	return l
}

func campWords() []string {
	return []string{"bookings", "stays", "Bookings", "Stays", "booking", "stay", "sailings", "pitches", "sailing", "pitch", "members", "guests", "member", "guest",
		"consignments", "hires", "Consignments", "Hires", "consignment", "hire", "freight", "rental", "Freight", "Rental", "vessel", "meadow"}
}

func (l line) gw() string            { return "http://" + l.net + "10" }
func (l line) ip(last string) string { return l.net + last }
func (l line) pay() string           { return "api.coastpay." + l.domain }
func (l line) rates() string         { return "rates.haulindex." + l.domain }
func (l line) passcheck() string     { return "check.agegate." + l.domain }
func (l line) print() string         { return "print.paperjet." + l.domain }

func (l line) url() string { return "postgres://" + l.db + ":pw@" + l.dbHost + ":5432/" + l.db }

func (l line) log(name string) string {
	if f, ok := l.logs[name]; ok {
		return f
	}
	return name + ".log"
}

func (l line) nodePart(i string, dir string, env ...string) Part {
	name := l.bookings + "-" + i
	all := append([]string{"INSTANCE=" + name, "DATABASE_URL=" + l.url(), "PAY_URL=https://" + l.pay(), "PAY_CA=/srv/tls/pay/ca.pem", "PAY_SECRET_KEY=sk_live_x7",
		"PRINT_URL=http://" + l.print(), "FLAGS_FILE=/srv/flags/" + l.bookings + ".json", "ANALYTICS_URL=http://" + l.ip("96") + ":4318/v1/events"}, l.nodeEnv...)
	p := nodePart(name, l.bookings, dir, l.ip("2"+i), append(all, env...)...)
	p.Log, p.MemMB = l.log(name), l.nodeMB
	if l.traces != "" {
		p.Argv = []string{"/usr/bin/node", "-r", dir + "/otel.js", dir + "/server.js"}
		p.Env = append(p.Env, "TRACES_URL=http://"+l.ip("95")+":4318/v1/traces", "TRACE_RATIO="+l.ratio)
	}
	return p
}

func (l line) pyPart(dir string, env ...string) Part {
	all := append([]string{"DATABASE_URL=postgresql" + l.url()[len("postgres"):], "PASSCHECK_URL=http://" + l.passcheck()}, l.pyEnv...)
	p := gunicornPart(l.members, dir, l.ip("31"), 1, 6, append(all, env...)...)
	p.Log = l.log(l.members)
	return p
}

func (l line) goPart(dir string, env ...string) Part {
	p := goPart(l.sailings, dir, l.ip("41")+":8080", append([]string{"SERVICE_NAME=" + l.sailings, "DATABASE_URL=" + l.url(), "REDIS_ADDR=" + l.cache + ":6379"}, env...)...)
	p.Log = l.log(l.sailings)
	return p
}

func (l line) javaPart(dir string, env ...string) Part {
	main := "line.freight.Freight"
	if len(l.rename) > 0 {
		main = "line.rental.Rental"
	}
	p := javaPart(l.freight, dir, main, append([]string{"HOST=" + l.ip("51"), "APP_VERSION=" + base(dir), "DATABASE_URL=jdbc:postgresql://" + l.dbHost + ":5432/" + l.db, "DATABASE_USER=" + l.db, "DATABASE_PASSWORD=pw",
		"RATES_URL=https://" + l.rates(), "RATES_CA=/srv/tls/rates/ca.pem"}, env...)...)
	p.Log, p.Restart = l.log(l.freight), 3*time.Second
	return p
}

func (l line) release(e *Env, service, version string, edits ...Edit) string {
	src := map[string]string{l.bookings: "node/bookings", l.members: "python/members", l.sailings: "go/sailings", l.freight: "java/freight"}[service]
	return e.Release(service, src, version, l.rename, edits...)
}

// up starts everything but the gateway; the rates service comes last so that its certificate's life counts from there.
func (l line) up(e *Env) {
	must(mkdir("/srv/flags"), "mkdir")
	pg := l.pg
	pg.Name, pg.IP, pg.DB, pg.Pass, pg.Export, pg.Schema = l.dbHost, l.ip("61"), l.db, "pw", true, e.schema("node/bookings", l.rename...)
	conf := map[string]string{"log_line_prefix": "'%m [%p] %q%u@%d %a '", "log_min_duration_statement": "800"}
	for k, v := range pg.Conf {
		conf[k] = v
	}
	pg.Conf = conf
	e.Postgres(pg)
	e.Redis(l.cache, l.ip("62"))
	e.partner(l.passcheck(), "10.98.1.3")
	e.partner(l.print(), "10.98.1.4")
	e.behave(l.print(), behaviour{DelayMS: 900})
	if !l.skipPay {
		e.Certificate("/srv/tls/pay", l.pay(), l.payTLS)
		e.partner(l.pay(), "10.98.1.1", "CERT=/srv/tls/pay/cert.pem", "KEY=/srv/tls/pay/key.pem", "CLOSE=1")
	}
	if l.traces != "" {
		e.Collector(l.ip("95")+":4318", l.traces)
	}
	node := l.release(e, l.bookings, l.versions[0], l.edits[l.bookings]...)
	for _, i := range []string{"1", "2"} {
		e.up(l.nodePart(i, node), l.ip("2"+i)+":3000")
		e.Scrape(l.bookings, l.bookings+"-"+i+":3000", "http://"+l.ip("2"+i)+":3000/metrics")
	}
	e.up(l.pyPart(l.release(e, l.members, l.versions[1], l.edits[l.members]...)), l.ip("31")+":8000")
	e.Scrape(l.members, l.members+":8000", "http://"+l.ip("31")+":8000/metrics")
	e.up(l.goPart(l.release(e, l.sailings, l.versions[2], l.edits[l.sailings]...)), l.ip("41")+":8080")
	e.Scrape(l.sailings, l.sailings+":8080", "http://"+l.ip("41")+":8080/metrics")
	java := l.release(e, l.freight, l.versions[3], l.edits[l.freight]...)
	e.Certificate("/srv/tls/rates", l.rates(), l.ratesTLS)
	e.partner(l.rates(), "10.98.1.2", "CERT=/srv/tls/rates/cert.pem", "KEY=/srv/tls/rates/key.pem", "CLOSE=1")
	e.up(l.javaPart(java), l.ip("51")+":8090")
	e.Scrape(l.freight, l.freight+":8090", "http://"+l.ip("51")+":8090/metrics")
	e.scraper.Every = 4 * time.Second
}

// routes of the gateway; params stands behind each server of bookings, opts goes into its locations.
func (l line) routes(params, opts string) []Upstream {
	names := func(paths ...string) []string {
		return renamedWords(paths, l.rename)
	}
	p := names("/api/bookings", "/api/members", "/api/sailings", "/api/freight")
	return []Upstream{
		{Name: l.bookings, Prefix: p[0], Servers: []string{l.ip("21") + ":3000" + params, l.ip("22") + ":3000" + params}, Opts: opts},
		{Prefix: "/api/app", Opts: "proxy_pass http://" + l.bookings + "; " + opts},
		{Name: l.members, Prefix: p[1], Servers: []string{l.ip("31") + ":8000 max_fails=0"}, Opts: "proxy_read_timeout 15s;"},
		{Prefix: "/api/session", Opts: "proxy_pass http://" + l.members + "; proxy_read_timeout 15s;"},
		{Name: l.sailings, Prefix: p[2], Servers: []string{l.ip("41") + ":8080 max_fails=0"}, Opts: "proxy_read_timeout 15s;"},
		{Prefix: "/api/search", Opts: "proxy_pass http://" + l.sailings + "; proxy_read_timeout 15s;"},
		{Name: l.freight, Prefix: p[3], Servers: []string{l.ip("51") + ":8090 max_fails=0"}, Opts: "proxy_read_timeout 15s;"},
		{Prefix: "/", Opts: "return 404;"},
	}
}

func renamedWords(words, pairs []string) []string {
	routes := make([]Route, len(words))
	for i, w := range words {
		routes[i].URL = w
	}
	out := make([]string, len(words))
	for i, r := range renamed(routes, pairs...) {
		out[i] = r.URL
	}
	return out
}

func (l line) gate(e *Env, g GW, params, opts string) {
	g.Kind, g.IP, g.Routes = "nginx", l.ip("10"), l.routes(params, opts)
	if g.Name == "" {
		g.Name = "gateway"
	}
	e.Gateway(g)
}

// load is the ordinary traffic with its ordinary faults: sign-ins with a wrong password, declined cards, unknown numbers,
// scanners, and an old bug with a country that has no zone.
func (l line) load() []Route {
	gw := l.gw()
	return append(scanner(gw), renamed([]Route{
		{Name: "GET /api/sailings", URL: gw + "/api/sailings?line={n:1-12}&day={n:1-7}", Weight: 3},
		{Name: "GET /api/sailings/{id}", URL: gw + "/api/sailings/{n:1-1206}", Weight: 2.4},
		{Name: "GET /api/search", URL: gw + "/api/search?q={pick:aurora|borealis|cygnus|dorado|quay}", Weight: 1.2},
		{Name: "POST /api/bookings", Method: "POST", URL: gw + "/api/bookings", Body: `{"sailing":{n:1-1206},"member":{n:1-3000},"seats":{n:0-30}}`, Weight: 1.5},
		{Name: "GET /api/bookings", URL: gw + "/api/bookings?member={n:1-3000}", Weight: 1},
		{Name: "GET /api/bookings/{id}", URL: gw + "/api/bookings/{n:1-40100}", Weight: 1.8},
		{Name: "POST /api/bookings/{id}/pay", Method: "POST", URL: gw + "/api/bookings/{n:1-40000}/pay", Body: `{"card":"{pick:tok_visa|tok_mc|tok_visa|tok_mc|tok_visa|tok_mc|tok_debit|tok_debit|tok_visa|tok_declined}"}`, Weight: 1.2},
		{Name: "GET /api/bookings/{id}/pass", URL: gw + "/api/bookings/{n:1-40000}/pass", Weight: 0.3},
		{Name: "POST /api/app/batch", Method: "POST", URL: gw + "/api/app/batch", Body: `{"ops":[{"op":"fares","sailing":{n:1-1200}},{"op":"bookings","member":{n:1-3000}}]}`, Weight: 1, Agent: "LineApp/6.2.0 (Android 15)"},
		{Name: "POST /api/session", Method: "POST", URL: gw + "/api/session", Body: `{"email":{pick:"p7@mail.example","password":"pw7"|"p90@mail.example","password":"pw90"|"p2111@mail.example","password":"pw2111"|"p4@mail.example","password":"hunter2"}}`, Weight: 0.9},
		{Name: "GET /api/members/me", URL: gw + "/api/members/me{pick:?as=12|?as=801|?as=2200|?as=5|?as=77|}", Weight: 0.9},
		{Name: "GET /api/members/{id}", URL: gw + "/api/members/{n:1-3010}", Weight: 1},
		{Name: "POST /api/members/{id}/verify", Method: "POST", URL: gw + "/api/members/{n:1-3000}/verify", Body: `{}`, Weight: 0.4},
		{Name: "POST /api/freight/quote", Method: "POST", URL: gw + "/api/freight/quote", Body: `{"country":"{pick:SE|FI|EE|DK}","kilos":{n:0-90}}`, Weight: 1},
		{Name: "POST /api/freight/quote (no zone)", Method: "POST", URL: gw + "/api/freight/quote", Body: `{"country":"{pick:IS|FO}","kilos":40}`, Weight: 0.09, Background: true},
		{Name: "POST /api/freight/consignments", Method: "POST", URL: gw + "/api/freight/consignments", Body: `{"kilos":{n:1-90}}`, Weight: 0.5},
		{Name: "GET /api/freight/consignments/{id}", URL: gw + "/api/freight/consignments/{n:1-3000}", Weight: 0.6},
	}, l.rename...)...)
}

// hum is what the database hears all day beside the services: a feed that inserts what is there already, a query that
// somebody's tool gives up on, a report that takes a while.
func (l line) hum(e *Env) {
	say := func(every time.Duration, sql string) {
		go func() {
			for {
				time.Sleep(every)
				func() {
					defer func() { _ = recover() }() // the feed's insert and the tool's query are refused: that is the hum
					e.SQLLogged(l.db, renamedWords([]string{sql}, l.rename)[0])
				}()
			}
		}()
	}
	say(41*time.Second, "set application_name = 'timetable-feed'; insert into sailings (code, line) values ('S118', 4)")
	say(67*time.Second, "set application_name = 'adhoc'; set statement_timeout = 50; select pg_sleep(1)")
	say(83*time.Second, "set application_name = 'reports'; select s.line, count(*), sum(b.cents * length(md5(b.note || s.code || b.id::text))) from bookings b join sailings s on s.id = b.sailing_id, generate_series(1, 9) g group by 1")
}

// Collector takes OTLP traces as an agent does and keeps each export request as a line of the file.
func (e *Env) Collector(addr, file string) {
	w := e.sink(file, "", "", "stdout")
	ln, err := net.Listen("tcp", addr)
	must(err, "collector")
	go func() {
		_ = http.Serve(ln, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { // ends with the recording
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			_, _ = w.Write(append(body, '\n'))
			rw.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(rw, "{}")
		}))
	}()
}

// deploy puts a new release of a service with one instance in place; its restart costs a few requests.
func (l line) deploy(e *Env, service, version, summary string, edits ...Edit) {
	dir := l.release(e, service, version, edits...)
	e.Injected = time.Now() // building took its time
	e.Change("deploy", service, version, summary)
	switch service {
	case l.members:
		e.Replace(l.pyPart(dir), 0)
		e.WaitPort(l.ip("31")+":8000", 20*time.Second)
	case l.sailings:
		e.Replace(l.goPart(dir), 0)
		e.WaitPort(l.ip("41")+":8080", 20*time.Second)
	case l.freight:
		e.Replace(l.javaPart(dir), 0)
		e.WaitPort(l.ip("51")+":8090", 20*time.Second)
	}
}

// settle ends a decoy: what failed until now is not the fault's.
func (e *Env) settle(d time.Duration) {
	e.Sleep(d)
	e.Injected = time.Now()
}

// thirdA gives a scenario of this house its usual shape.
func thirdA(s Scenario, l line) Scenario {
	s.Baseline, s.Fault, s.RPS = 130*time.Second, 100*time.Second, 13
	s.Routes = l.load()
	s.Supervisord = "supervisord.log"
	s.Truth.Split = "held-out"
	return s
}
