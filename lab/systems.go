package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// partner starts a stand-in for a third party; Behave changes what it does. It keeps no log in the case.
func (e *Env) partner(name, ip string, env ...string) {
	if _, err := os.Stat("/srv/partner"); err != nil {
		e.Release("partner", "go/partner", "1", nil)
	}
	e.Host(name, ip)
	port := "80"
	for _, v := range env {
		if strings.HasPrefix(v, "CERT=") {
			port = "443"
		}
	}
	e.Start(Part{Name: name, Argv: []string{"/srv/partner/releases/1/bin"}, Env: append(env, "LISTEN="+ip+":"+port, "CONTROL=/srv/partner/"+name+".json")})
	e.WaitPort(ip+":"+port, 10*time.Second)
}

// behaviour tells a partner how to act from now on; see services/go/partner.
type behaviour struct {
	DelayMS, Status, Limit, Busy int
	Strict                       bool
	Ratio                        float64
	Body, Type                   string
}

func (e *Env) behave(name string, b behaviour) {
	text, err := json.Marshal(b)
	must(err, "json")
	e.Write("/srv/partner/"+name+".json", string(text))
}

func (e *Env) schema(src string, rename ...string) string {
	b, err := os.ReadFile(filepath.Join(e.Source, "services", src, "schema.sql"))
	must(err, "schema of %s", src)
	return strings.NewReplacer(rename...).Replace(string(b))
}

func nodePart(name, service, dir, ip string, env ...string) Part {
	return Part{Name: name, Dir: dir, Log: name + ".log", Restart: 2 * time.Second, Argv: []string{"/usr/bin/node", dir + "/server.js"},
		Env: append([]string{"HOST=" + ip, "PORT=3000", "SERVICE_NAME=" + service, "APP_VERSION=" + filepath.Base(dir), "NODE_ENV=production"}, env...)}
}

func gunicornPart(name, dir, ip string, workers, threads int, env ...string) Part {
	return Part{Name: name, Dir: dir, Log: name + ".log", Restart: 3 * time.Second,
		Argv: []string{"/usr/bin/python3", "/usr/bin/gunicorn", "-b", ip + ":8000", "-w", fmt.Sprint(workers), "--threads", fmt.Sprint(threads), "--worker-tmp-dir", "/dev/shm",
			"--timeout", "30", "app:app"},
		Env: append([]string{"APP_VERSION=" + filepath.Base(dir), "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1"}, env...)}
}

func goPart(name, dir, listen string, env ...string) Part {
	return Part{Name: name, Dir: dir, Log: name + ".log", Restart: 2 * time.Second, Argv: []string{dir + "/bin"},
		Env: append([]string{"LISTEN=" + listen, "APP_VERSION=" + filepath.Base(dir)}, env...)}
}

func rubyPart(name, dir, ip string, threads int, env ...string) Part {
	return Part{Name: name, Dir: dir, Log: name + ".log", Restart: 2 * time.Second,
		Argv: []string{"/usr/bin/ruby", "/usr/bin/puma", "-b", "tcp://" + ip + ":9292", "-t", fmt.Sprintf("%d:%d", threads, threads), "-e", "production", dir + "/config.ru"},
		Env:  append([]string{"APP_VERSION=" + filepath.Base(dir)}, env...)}
}

// phpPart runs PHP-FPM with a pool of the given size; its log holds what the scripts wrote, as catch_workers_output does.
func (e *Env) phpPart(name, ip string, children int, env ...string) Part {
	conf := fmt.Sprintf("[global]\nerror_log = /dev/stderr\ndaemonize = no\npid = /run/%s.pid\n[www]\nlisten = %s:9000\nuser = www-data\ngroup = www-data\npm = static\npm.max_children = %d\n"+
		"pm.status_path = /fpm-status\ncatch_workers_output = yes\ndecorate_workers_output = no\nclear_env = no\nphp_admin_value[error_log] = /dev/stderr\nphp_admin_value[date.timezone] = %s\nphp_admin_flag[log_errors] = on\nrequest_terminate_timeout = 30\n", name, ip, children, e.S.TZ)
	path := "/srv/gateway/" + name + ".conf"
	e.Write(path, conf)
	return Part{Name: name, User: "root", Log: name + ".log", Argv: []string{"/usr/sbin/php-fpm8.2", "-F", "-O", "-R", "-y", path, "-c", "/etc/php/8.2/fpm/php.ini"}, Env: env}
}

// up starts a part, waits for its port and scrapes it.
func (e *Env) up(p Part, addr string) {
	e.Start(p)
	e.WaitPort(addr, 40*time.Second)
}

// scanner is the noise that every public service hears.
func scanner(gw string) []Route {
	return []Route{
		{Name: "GET scanner", URL: gw + "/{pick:wp-login.php|.env|admin/config.php|.git/config|phpmyadmin/}", Weight: 0.15, Clients: "192.0.2.", Agent: "Mozilla/5.0 zgrab/0.x"},
	}
}

func ticketRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /api/events", URL: gw + "/api/events", Weight: 3},
		Route{Name: "GET /api/events/{id}", URL: gw + "/api/events/{n:1-405}", Weight: 4},
		Route{Name: "POST /api/orders", Method: "POST", URL: gw + "/api/orders", Body: `{"eventId":{n:1-400},"seats":{n:1-4},"email":"visitor{n:1-900}@mail.example","coupon":"{pick:|||SAVE{n:1-50}}"}`, Weight: 2},
		Route{Name: "GET /api/orders/{id}", URL: gw + "/api/orders/{n:1-5000}", Weight: 2},
		Route{Name: "POST /api/orders/{id}/pay", Method: "POST", URL: gw + "/api/orders/{n:1-5000}/pay", Body: `{"card":"tok_{hex}"}`, Weight: 1.2})
}

func clinicRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /v1/doctors", URL: gw + "/v1/doctors", Weight: 2},
		Route{Name: "GET /v1/slots", URL: gw + "/v1/slots?doctor={n:1-60}", Weight: 3},
		Route{Name: "GET /v1/appointments/{id}", URL: gw + "/v1/appointments/{n:1-4050}", Weight: 3},
		Route{Name: "POST /v1/appointments", Method: "POST", URL: gw + "/v1/appointments", Body: `{"patient":{n:1-2900},"doctor":{n:1-60},"kind":"{pick:standard|standard|long}"}`, Weight: 2},
		Route{Name: "GET /v1/appointments/{id}/letter", URL: gw + "/v1/appointments/{n:1-4000}/letter", Weight: 1},
		Route{Name: "GET /v1/insurance/{patient}", URL: gw + "/v1/insurance/{n:1-3000}", Weight: 1})
}

func ledgerRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /accounts/{id}", URL: gw + "/accounts/{n:1-2010}", Weight: 4},
		Route{Name: "GET /accounts/{id}/statement", URL: gw + "/accounts/{n:1-2000}/statement", Weight: 3},
		Route{Name: "POST /transfers", Method: "POST", URL: gw + "/transfers", Body: `{"from":{n:1-1000},"to":{n:1001-2000},"cents":{n:100-90000},"text":"rent {n:1-12}"}`, Weight: 2},
		Route{Name: "GET /fx/{currency}", URL: gw + "/fx/{pick:USD|GBP|NOK|NOK}", Weight: 1.5})
}

func libraryRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /books", URL: gw + "/books?q={pick:sea|north|winter|garden}", Weight: 2},
		Route{Name: "GET /books/{id}", URL: gw + "/books/{n:1-3005}", Weight: 4},
		Route{Name: "GET /members/{id}/loans", URL: gw + "/members/{n:1-900}/loans", Weight: 3},
		Route{Name: "POST /loans", Method: "POST", URL: gw + "/loans", Body: `{"member":{n:1-900},"book":{n:1-3000}}`, Weight: 1.5})
}

func marketRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /item/{id}", URL: gw + "/item/{n:1-2510}", Weight: 5},
		Route{Name: "GET /search", URL: gw + "/search?q={pick:bicycle|sofa|camera|desk}", Weight: 3},
		Route{Name: "POST /offer", Method: "POST", URL: gw + "/offer", Body: `{"item":{n:1-2500},"cents":{n:500-9000},"note":"would you take {n:5-90}?"}`, Weight: 2},
		Route{Name: "GET /export", URL: gw + "/export", Weight: 0.3})
}

func courseRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /courses", URL: gw + "/courses", Weight: 2},
		Route{Name: "GET /courses/{id}", URL: gw + "/courses/{n:1-203}", Weight: 4},
		Route{Name: "GET /courses/{id}/progress", URL: gw + "/courses/{n:1-1500}/progress", Weight: 2},
		Route{Name: "POST /enrolments", Method: "POST", URL: gw + "/enrolments", Body: `{"learner":{n:1-1500}}`, Weight: 2},
		Route{Name: "GET /certificates/{id}", URL: gw + "/certificates/{n:1-6000}", Weight: 1.5})
}

// renamed applies a scenario's renames (pairs) to routes, so that one service can play in several domains.
func renamed(routes []Route, pairs ...string) []Route {
	r := strings.NewReplacer(pairs...)
	out := append([]Route(nil), routes...)
	for i := range out {
		out[i].Name, out[i].URL, out[i].Body = r.Replace(out[i].Name), r.Replace(out[i].URL), r.Replace(out[i].Body)
	}
	return out
}

// changed returns routes with one of them edited.
func changed(routes []Route, name string, edit func(*Route)) []Route {
	out := append([]Route(nil), routes...)
	for i := range out {
		if out[i].Name == name {
			edit(&out[i])
		}
	}
	return out
}

// inc is an incident with the usual timeline.
func inc(name, class, mechanism, title string, t Truth) Scenario {
	t.Class, t.Mechanism = class, mechanism
	t.Acceptable = append([][2]string{{class, mechanism}}, t.Acceptable...)
	return Scenario{Name: name, Kind: "incident", Title: title, Truth: t, Baseline: 90 * time.Second, Fault: 50 * time.Second, RPS: 25, Host: "app-1"}
}

func mkdir(path string) error { return os.MkdirAll(path, 0o777) }

func base(dir string) string { return filepath.Base(dir) }

// restartBlip is how long a scenario waits after a restart until failures count as the fault's.
const restartBlip = 4 * time.Second
