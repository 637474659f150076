package main

import (
	"fmt"
	"strings"
	"time"
)

// house is one service, its database and its third party in a network of its own (net is "10.17.4."): the gateway has .2,
// the instances .11 and on, the database .30, the third party 10.98.0.5. It serves every source, so that a scenario
// chooses names, addresses and wording without code of its own.
type house struct {
	src     string // below services/
	service string
	version string
	net     string
	db      string // database and role
	dbHost  string
	n       int
	rename  []string
	edits   []Edit
	env     []string
	wrap    string
	log     string // one log for all instances
	workers int    // threads of Python and Ruby, children of PHP
	pg      Postgres
	partner string // host name of the third party
	https   bool   // the third party's certificate is the one in /srv/partner/tls
	dbOpts  string // appended to the database URL
}

func (h house) gw() string  { return "http://" + h.net + "2" }
func (h house) gip() string { return h.net + "2" }

func (h house) ip(i int) string { return fmt.Sprintf("%s1%d", h.net, i) }

func (h house) port() string {
	switch {
	case strings.HasPrefix(h.src, "node/"):
		return ":3000"
	case strings.HasPrefix(h.src, "python/"):
		return ":8000"
	case strings.HasPrefix(h.src, "ruby/"):
		return ":9292"
	case strings.HasPrefix(h.src, "php/"):
		return ":9000"
	}
	return ":8080"
}

func (h house) name(i int) string {
	if h.n <= 1 {
		return h.service
	}
	return fmt.Sprintf("%s-%d", h.service, i)
}

// part is instance i of a release; env comes last and so wins.
func (h house) part(e *Env, i int, dir string, env ...string) Part {
	url := fmt.Sprintf("postgres://%s:pw@%s:5432/%s%s", h.db, h.dbHost, h.db, h.dbOpts)
	all := append(append([]string{"DATABASE_URL=" + url}, h.env...), env...)
	var p Part
	switch strings.SplitN(h.src, "/", 2)[0] {
	case "node":
		p = nodePart(h.name(i), h.service, dir, h.ip(i), all...)
	case "python":
		p = gunicornPart(h.name(i), dir, h.ip(i), 1, max(4, h.workers), append(all, "DATABASE_URL="+strings.Replace(url, "postgres:", "postgresql:", 1))...)
	case "ruby":
		p = rubyPart(h.name(i), dir, h.ip(i), max(5, h.workers), all...)
	case "php":
		p = e.phpPart(h.name(i), h.ip(i), max(8, h.workers), append(all, "DATABASE_DSN=pgsql:host="+h.dbHost+";dbname="+h.db, "DATABASE_USER="+h.db, "DATABASE_PASSWORD=pw")...)
	case "java":
		p = javaPart(h.name(i), dir, strings.NewReplacer(h.rename...).Replace("academy.Main"), append(all, "HOST="+h.ip(i), "PORT=8080", "APP_VERSION="+base(dir),
			"DATABASE_URL=jdbc:postgresql://"+h.dbHost+":5432/"+h.db+"?socketTimeout=8", "DATABASE_USER="+h.db)...)
		p.Restart = 3 * time.Second
	default:
		p = goPart(h.name(i), dir, h.ip(i)+":8080", all...)
	}
	p.Wrap = h.wrap
	if h.log != "" {
		p.Log = h.log
	}
	return p
}

func (h house) up(e *Env) {
	pg := h.pg
	pg.Name, pg.IP, pg.DB, pg.Pass = h.dbHost, h.net+"30", h.db, "pw"
	if strings.HasPrefix(h.src, "java/") {
		pg.Pass = ""
	}
	if pg.Schema == "" {
		pg.Schema = e.schema(h.src, h.rename...)
	}
	e.Postgres(pg)
	if h.partner != "" {
		var env []string
		if h.https {
			e.Certificate("/srv/partner/tls", h.partner, 2000*time.Hour)
			env = []string{"CERT=/srv/partner/tls/cert.pem", "KEY=/srv/partner/tls/key.pem"}
			e.Release("partner", "go/partner", "1", nil)
		}
		e.partner(h.partner, "10.98.0.5", env...)
	}
	dir := h.release(e, h.version, h.edits...)
	for i := 1; i <= max(1, h.n); i++ {
		e.up(h.part(e, i, dir), h.ip(i)+h.port())
		if !strings.HasPrefix(h.src, "php/") {
			e.Scrape(h.service, h.name(i)+h.port(), "http://"+h.ip(i)+h.port()+"/metrics")
		}
	}
}

// release builds a version; of PHP it becomes the current one at once, as a symbolic link switch does.
func (h house) release(e *Env, version string, edits ...Edit) string {
	dir := e.Release(h.service, h.src, version, h.rename, edits...)
	if strings.HasPrefix(h.src, "php/") {
		e.Run("ln", "-sfn", dir, "/srv/"+h.service+"/current.new")
		e.Run("mv", "-T", "/srv/"+h.service+"/current.new", "/srv/"+h.service+"/current")
	}
	return dir
}

func (h house) roll(e *Env, dir string, gap time.Duration, env ...string) {
	for i := 1; i <= max(1, h.n); i++ {
		e.Replace(h.part(e, i, dir, env...), 0)
		e.WaitPort(h.ip(i)+h.port(), 20*time.Second)
		e.Sleep(gap)
	}
}

// gate puts a gateway in front of the instances; opts goes into the route, params behind each server.
func (h house) gate(e *Env, g GW, params, opts string) {
	g.IP = h.gip()
	up := Upstream{Name: strings.ReplaceAll(h.service, "-", "_"), Prefix: "/", Opts: opts}
	if strings.HasPrefix(h.src, "php/") {
		root := "/srv/" + h.service + "/current"
		switch g.Kind {
		case "nginx":
			up.Opts = "include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME " + root + "/index.php; fastcgi_pass " + h.ip(1) + ":9000; " + opts
		case "caddy":
			up.Opts = "root * " + root + "\n    php_fastcgi " + h.ip(1) + ":9000 {\n      read_timeout 10s\n    }"
		case "apache":
			g.HTTP += "DocumentRoot /srv\nProxyFCGIBackendType FPM\nProxyPassMatch ^/(.*)$ fcgi://" + h.ip(1) + ":9000" + root + "/index.php\n"
			e.Gateway(g)
			return
		}
	} else {
		for i := 1; i <= max(1, h.n); i++ {
			up.Servers = append(up.Servers, h.ip(i)+h.port()+params)
		}
	}
	g.Routes = []Upstream{up}
	e.Gateway(g)
}

// decoy records a change that has nothing to do with the fault, and lets twenty seconds pass.
func (e *Env) decoy(kind, service, version, summary string) {
	e.Change(kind, service, version, summary)
	e.Sleep(20 * time.Second)
	e.Injected = time.Now()
}

func parcelRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /parcels/{id}", URL: gw + "/parcels/{n:1-4020}", Weight: 3},
		Route{Name: "GET /parcels/{id}/track", URL: gw + "/parcels/{n:1-4000}/track", Weight: 3},
		Route{Name: "POST /parcels", Method: "POST", URL: gw + "/parcels", Body: `{"receiver":"R. {n:1-900}","postcode":"{n:10000-99999}","grams":{n:90-9000}}`, Weight: 2},
		Route{Name: "GET /depots", URL: gw + "/depots", Weight: 1},
		Route{Name: "GET /quote", URL: gw + "/quote?to={pick:NO|CH|GB|US}", Weight: 1.5})
}

func menuRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /menu/{id}", URL: gw + "/menu/{n:1-503}", Weight: 4},
		Route{Name: "GET /menu/{id}/hours", URL: gw + "/menu/{n:1-500}/hours", Weight: 2},
		Route{Name: "POST /baskets", Method: "POST", URL: gw + "/baskets", Body: `{"restaurant":{n:1-500},"lines":[{"dish":{n:1-5000},"count":{n:1-3}}]}`, Weight: 2},
		Route{Name: "GET /baskets/{id}", URL: gw + "/baskets/{n:1-3000}", Weight: 2},
		Route{Name: "GET /delivery/{postcode}", URL: gw + "/delivery/{n:10000-99999}", Weight: 2})
}

// parking is what the clinic's source is called when it plays a car park operator.
func parking() []string {
	return []string{"doctors", "garages", "doctor", "garage", "slots", "bays", "appointments", "permits", "appointment", "permit", "APPOINTMENT", "PERMIT",
		"patients", "drivers", "patient", "driver", "PATIENT", "DRIVER", "insurance", "badge", "INSURER", "REGISTRY", "clinic", "parking", "letter", "notice", "Dear driver", "Dear driver"}
}

// lodging is what the marketplace's source is called when it plays rooms for the night.
func lodging() []string {
	return []string{"/item", "/room", "items", "rooms", "item", "room", "ITEM", "ROOM", "Listings", "Rooms", "offers", "enquiries", "offer", "enquiry"}
}

// workshop is what the courses' source is called when it plays a craft studio.
func workshop() []string {
	return []string{"courses", "workshops", "Courses", "Workshops", "course", "workshop", "COURSE", "WORKSHOP", "academy", "studio", "lesson_views", "visits", "lessons", "sittings", "lesson", "sitting",
		"enrolments", "bookings", "certificates", "diplomas", "Certificates", "Diplomas"}
}
