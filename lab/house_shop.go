package main

import (
	"fmt"
	"strings"
	"time"
)

// shop is a small shop: checkout (Node, two instances), auth (Flask), catalog (Go with a cache) and shipping (Java) behind
// one nginx, one database, one cache, a payment provider and a carrier. All of it lives in 127.20.0.0/24: the gateway
// has .10, checkout .21 and .22, auth .31, catalog .41, shipping .51, the database .61, the cache .62, the third parties .91 and .92.
type shop struct {
	logs     map[string]string   // file of a part's log by part name
	zones    map[string]string   // time zone of a service's log lines by service
	env      map[string][]string // further environment by service
	versions map[string]string   // of the first releases, by service
	edits    map[string][]Edit   // of the first releases, by service
	memory   map[string]int      // limit in MB by service
	cpu      map[string]float64  // limit in cores by service
	traces   string              // file of checkout's traces; "" means none
	ratio    string              // share of traces that are kept
	pg       Postgres
	payLife  time.Duration // how long the payment provider's certificate lives from the end of the set-up
	noNames  bool          // the scenario starts a resolver that knows the carrier
	more     string        // further SQL before the start
}

const (
	shopNet  = "127.20.0."
	paygrid  = "api.paygrid.example"
	carrier  = "rates.parcelwing.example"
	shopGate = "http://" + shopNet + "10"
)

func newShop() shop {
	return shop{logs: map[string]string{}, zones: map[string]string{}, env: map[string][]string{}, edits: map[string][]Edit{}, memory: map[string]int{}, cpu: map[string]float64{},
		versions: map[string]string{"checkout": "2.31.4", "auth": "1.18.0", "catalog": "5.6.1", "shipping": "0.44.2"}, ratio: "0.15", payLife: 2000 * time.Hour}
}

func (s shop) release(e *Env, service, version string, edits ...Edit) string {
	src := map[string]string{"checkout": "node/checkout", "auth": "python/auth", "catalog": "go/catalog", "shipping": "java/shipping"}[service]
	return e.Release("shop/"+service, src, version, nil, edits...)
}

// part is one process of a service; env comes last and so wins.
func (s shop) part(name, dir string, env ...string) Part {
	url := "postgres://shop:pw@db-primary:5432/shop?sslmode=disable"
	service := strings.TrimRight(name, "-12")
	var p Part
	switch service {
	case "checkout":
		p = nodePart(name, service, dir, shopNet+"2"+name[len(name)-1:], "INSTANCE="+name, "DATABASE_URL="+url, "PAYMENT_URL=https://"+paygrid, "PAYMENT_CA=/srv/shop/tls/ca.pem", "PAYMENT_API_KEY=pk_live_71c",
			"FLAGS_FILE=/srv/shop/flags.json", "ANALYTICS_URL=http://"+shopNet+"95:4318/v1/events")
		if s.traces != "" {
			p.Argv = []string{"/usr/bin/node", "-r", dir + "/otel.js", dir + "/server.js"}
			p.Env = append(p.Env, "TRACES_URL=http://"+shopNet+"94:4318/v1/traces", "TRACE_RATIO="+s.ratio)
		}
	case "auth":
		p = gunicornPart(name, dir, shopNet+"31", 1, 8, "DATABASE_URL="+strings.NewReplacer("postgres://", "postgresql://", "shop:pw", "shop_auth:pw").Replace(url))
	case "catalog":
		p = goPart(name, dir, shopNet+"41:8080", "DATABASE_URL="+url, "REDIS_ADDR=cache-1:6379")
	case "shipping":
		p = javaPart(name, dir, "com.shop.shipping.Shipping", "HOST="+shopNet+"51", "APP_VERSION="+base(dir), "DATABASE_URL=jdbc:postgresql://db-primary:5432/shop", "DATABASE_PASSWORD=pw", "CARRIER_URL=http://"+carrier)
		p.Restart = 3 * time.Second
	}
	if z := s.zones[service]; z != "" {
		p.Env = append(p.Env, "TZ="+z)
	}
	p.Env = append(append(p.Env, s.env[service]...), env...)
	p.MemMB, p.CPU = s.memory[service], s.cpu[service]
	p.Log = s.log(name)
	return p
}

func (s shop) log(name string) string {
	if f, ok := s.logs[name]; ok {
		return f
	}
	return name + ".log"
}

// where is the address that a process listens on.
func where(name string) string {
	return shopNet + map[string]string{"checkout-1": "21:3000", "checkout-2": "22:3000", "auth": "31:8000", "catalog": "41:8080", "shipping": "51:8090"}[name]
}

func instances(service string) []string {
	if service == "checkout" {
		return []string{"checkout-1", "checkout-2"}
	}
	return []string{service}
}

// up starts everything but the gateway.
func (s shop) up(e *Env) {
	must(mkdir("/srv/shop/labels"), "mkdir")
	e.Run("chown", "www-data:www-data", "/srv/shop/labels")
	pg := s.pg
	pg.Name, pg.IP, pg.DB, pg.Pass, pg.Export, pg.Schema = "db-primary", shopNet+"61", "shop", "pw", true, e.schema("node/checkout")
	conf := map[string]string{"log_line_prefix": "'%m [%p] %q%u@%d %a '", "log_checkpoints": "on"}
	for k, v := range pg.Conf {
		conf[k] = v
	}
	pg.Conf = conf
	e.Postgres(pg)
	e.SQLAs("postgres", "create role shop_auth login password 'pw' in role shop; create role reporting login in role shop")
	if s.more != "" {
		e.SQL("shop", s.more)
	}
	e.Redis("cache-1", shopNet+"62")
	if !s.noNames {
		e.partner(carrier, shopNet+"92")
	}
	if s.traces != "" {
		e.Collector(shopNet+"94:4318", s.traces)
	}
	dirs := map[string]string{}
	for _, service := range []string{"checkout", "auth", "catalog", "shipping"} {
		dirs[service] = s.release(e, service, s.versions[service], s.edits[service]...)
	}
	e.Certificate("/srv/shop/tls", paygrid, s.payLife) // its life counts from here
	e.partner(paygrid, shopNet+"91", "CERT=/srv/shop/tls/cert.pem", "KEY=/srv/shop/tls/key.pem", "CLOSE=1")
	for _, service := range []string{"checkout", "auth", "catalog", "shipping"} {
		for _, name := range instances(service) {
			e.up(s.part(name, dirs[service]), where(name))
		}
	}
	for _, name := range []string{"checkout-1", "checkout-2"} {
		e.Scrape("checkout", name+":3000", "http://"+where(name)+"/metrics")
	}
	e.Scrape("auth", "auth-1:8000", "http://"+where("auth")+"/metrics")
	e.Scrape("catalog", "catalog-1:8080", "http://"+where("catalog")+"/metrics")
	e.Scrape("shipping", "shipping-1:8091", "http://"+shopNet+"51:8091/metrics")
	e.scraper.Every = 4 * time.Second
}

// gate puts nginx in front; params stands behind each instance of checkout, opts goes into all its locations.
func (s shop) gate(e *Env, g GW, params, opts string) {
	g.Kind, g.Name, g.IP, g.Server, g.Routes = "nginx", "gateway", shopNet+"10", "api.shop.example", s.routes(params, opts)
	e.Gateway(g)
}

func (s shop) routes(params, opts string) []Upstream {
	if opts == "" {
		opts = "proxy_read_timeout 15s;"
	}
	out := []Upstream{
		{Name: "checkout", Prefix: "/api/cart", Servers: []string{where("checkout-1") + params, where("checkout-2") + params}, Pool: "keepalive 8;", Opts: opts},
		{Name: "auth", Prefix: "/api/users", Servers: []string{where("auth")}, Opts: opts},
		{Name: "catalog", Prefix: "/api/products", Servers: []string{where("catalog")}, Pool: "keepalive 8;", Opts: opts},
		{Name: "shipping", Prefix: "/api/shipping", Servers: []string{where("shipping")}, Opts: opts},
	}
	for _, r := range [][2]string{{"/api/orders", "checkout"}, {"/api/checkout", "checkout"}, {"/api/mobile", "checkout"}, {"/api/webhooks", "checkout"}, {"= /healthz", "checkout"}, {"/api/login", "auth"}, {"/api/search", "catalog"}} {
		out = append(out, Upstream{Prefix: r[0], Opts: "proxy_pass http://" + r[1] + "; " + opts})
	}
	return append(out, Upstream{Prefix: "/", Opts: "return 404;"})
}

// load is the ordinary traffic with its ordinary faults: wrong passwords, declined cards, unknown numbers, scanners, and an old
// bug with a country that nobody ships to.
func (s shop) load() []Route {
	var people []string
	for n := 3; n < 2000; n += 61 {
		people = append(people, fmt.Sprintf(`"user%d@mail.example","password":"pw%d"`, n, n))
	}
	people = append(people, `"user4@mail.example","password":"letmein"`, `"user71@mail.example","password":"123456"`)
	routes := []Route{
		{Name: "GET /api/products/{id}", URL: "/api/products/{n:1-3060}", Weight: 4.2},
		{Name: "GET /api/products", URL: "/api/products?category={pick:kitchen|toys|garden|office|audio}&page={n:0-9}", Weight: 2.9},
		{Name: "GET /api/search", URL: "/api/search?q={pick:cable|pro|steel|wool|chair|paint}", Weight: 1.8},
		{Name: "POST /api/cart", Method: "POST", URL: "/api/cart", Body: `{"user":{n:1-2000},"product":{n:1-3060},"quantity":{pick:0|1|2|1|1|3|1|2|1|1|2|1},"coupon":{pick:null|null|"SAVE7"|"SAVE12"|"WINTER"}}`, Weight: 1.9},
		{Name: "GET /api/cart/{id}", URL: "/api/cart/{n:1-4060}", Weight: 1.2},
		{Name: "POST /api/checkout", Method: "POST", URL: "/api/checkout", Body: `{"cart":{n:1-4060},"card":"{pick:tok_visa|tok_mc|tok_visa|tok_amex|tok_visa|tok_mc|tok_visa|tok_mc|tok_visa|tok_visa|tok_mc|tok_declined}"}`, Weight: 1.1},
		{Name: "GET /api/orders", URL: "/api/orders?user={n:1-2000}", Weight: 0.9},
		{Name: "POST /api/mobile/order", Method: "POST", URL: "/api/mobile/order", Body: `{"cart":{n:1-4000},"card":"tok_visa"}`, Weight: 0.35, Agent: "ShopApp/4.{pick:11.2 (iOS 17.4)|12.0 (Android 14)}", Lying: `"error":"TRY_LATER"`},
		{Name: "POST /api/webhooks/payment", Method: "POST", URL: "/api/webhooks/payment", Body: `{"type":"charge.settled","id":"pay_{hex}"}`, Weight: 0.12, Agent: "PayGrid-Hook/2", Clients: shopNet + "91"},
		{Name: "GET /healthz", URL: "/healthz", Weight: 0.4, Agent: "uptime-probe/1.3"},
		{Name: "POST /api/login", Method: "POST", URL: "/api/login", Body: `{"email":{pick:` + strings.Join(people, "|") + `}}`, Weight: 1},
		{Name: "GET /api/users/me", URL: "/api/users/me", Headers: map[string]string{"Authorization": "Bearer st_{n:1-2060}"}, Weight: 1.6},
		{Name: "POST /api/users/profile", Method: "POST", URL: "/api/users/profile", Body: `{"user":{n:1-2000},"name":"Customer {n:1-900}"}`, Weight: 0.4},
		{Name: "POST /api/shipping/quote", Method: "POST", URL: "/api/shipping/quote", Body: `{"country":"{pick:DE|FR|AT|PL|US}","grams":{pick:0|400|900|1200|2500|300|700|5000|80|640|990|1800}}`, Weight: 1.3},
		{Name: "POST /api/shipping/quote (no service)", Method: "POST", URL: "/api/shipping/quote", Body: `{"country":"{pick:AQ|XK}","grams":700}`, Weight: 0.05, Background: true},
		{Name: "POST /api/shipping/labels", Method: "POST", URL: "/api/shipping/labels", Body: `{"order":{n:1-40000}}`, Weight: 0.4},
		{Name: "GET scanner", URL: "/{pick:wp-login.php|.env|admin/config.php|favicon.ico|api/v1/status}", Weight: 0.15},
	}
	for i := range routes {
		r := &routes[i]
		r.URL = shopGate + r.URL
		if r.Clients == "" {
			r.Clients = "127.81.{n:1-250}."
		}
		if r.Headers == nil {
			r.Headers = map[string]string{}
		}
		r.Headers["Host"] = "api.shop.example"
	}
	return routes
}

// hum is what the database hears all day beside the services.
func (s shop) hum(e *Env) {
	say := func(first, every time.Duration, sql string) {
		go func() {
			time.Sleep(first)
			for {
				e.Background(func() { e.psql("reporting", "shop", sql) }) // refused or cancelled: that is the hum
				time.Sleep(every)
			}
		}()
	}
	say(9*time.Second, 43*time.Second, "set application_name = 'feed-sync'; INSERT INTO products (sku, name, category, price_cents, stock, tiers) VALUES ('SKU-1794', 'x', 'toys', 1, 1, '[]')")
	say(21*time.Second, 56*time.Second, "set application_name = 'adhoc'; set statement_timeout = 60; select count(*) from order_lines a, order_lines b")
	say(50*time.Second, 97*time.Second, "set application_name = 'reporting'; select p.category, count(*), sum(l.quantity * length(md5(l.note || p.sku))) from order_lines l join products p on p.id = l.product_id, generate_series(1, 5) g group by 1")
}

// deploy puts a new release in place; a service with one instance is away for a moment.
func (s shop) deploy(e *Env, service, version, summary string, edits ...Edit) {
	dir := s.release(e, service, version, edits...)
	e.Injected = time.Now() // building took its time
	e.Change("deploy", service, version, "deploy "+service+" "+version+": "+summary)
	for i, name := range instances(service) {
		if i > 0 {
			e.Sleep(13 * time.Second) // longer than the gateway keeps the first one out
		}
		e.Replace(s.part(name, dir), 0)
		e.WaitPort(where(name), 20*time.Second)
	}
}

// innocent deploys a release that changes a few words, and lets d pass.
func (s shop) innocent(e *Env, service, version, summary string, d time.Duration) {
	edit := map[string]Edit{"checkout": {"server.js", "no such product", "unknown product"}, "auth": {"app.py", "email or password is wrong", "wrong email or password"},
		"catalog": {"products.go", "cache set failed", "cache write failed"}, "shipping": {"QuoteService.java", "not served", "country is not served"}}[service]
	s.deploy(e, service, version, summary, edit)
	e.settle(d)
}

// fourth gives a scenario of the shop its usual shape.
func fourth(s Scenario, h shop) Scenario {
	s.Baseline, s.Fault, s.RPS = 105*time.Second, 85*time.Second, 14
	s.Host = "shop-1"
	s.Routes = h.load()
	s.Supervisord = "supervisord.log"
	s.Rename = map[string]string{"metrics.om": "metrics/"}
	s.Truth.Split = "held-out"
	return s
}
