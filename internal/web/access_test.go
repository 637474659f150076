package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/web"
)

// agent is a signed-in person, or a program, or nobody.
type agent struct {
	w      *world
	cookie *http.Cookie
	csrf   string
	bearer string
	here   bool // on this machine
}

func (w *world) signIn(t testing.TB, name string) *agent {
	t.Helper()
	form := url.Values{"name": {name}, "password": {name + " has a long password"}, "next": {"/incidents"}}
	r := httptest.NewRequest(http.MethodPost, "http://inquest.test/login", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	out := w.do(r)
	if out.Code != http.StatusSeeOther || out.Header().Get("Location") != "/incidents" {
		t.Fatalf("login of %s: %d %s", name, out.Code, out.Body)
	}
	a := &agent{w: w, cookie: out.Result().Cookies()[0]}
	page := parsePage(t, a.get("/").Body.String())
	for _, in := range page.all("input[name=csrf]") {
		a.csrf = in.attr("value")
	}
	if a.csrf == "" {
		t.Fatal("a page of somebody who is signed in has no token")
	}
	return a
}

func (a *agent) send(method, path, kind, body string) *httptest.ResponseRecorder {
	host := "http://inquest.test"
	if a.here {
		host = "http://localhost"
	}
	r := httptest.NewRequest(method, host+path, strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if a.cookie != nil {
		r.AddCookie(a.cookie)
	}
	if a.cookie != nil || a.here {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("X-CSRF-Token", a.csrf)
	}
	if a.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+a.bearer)
	}
	return a.w.do(r)
}

func (a *agent) get(path string) *httptest.ResponseRecorder { return a.send("GET", path, "", "") }

func (a *agent) post(path string, pairs ...string) *httptest.ResponseRecorder {
	form := url.Values{"csrf": {a.csrf}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return a.send("POST", path, "application/x-www-form-urlencoded", form.Encode())
}

func (a *agent) json(method, path, body string) *httptest.ResponseRecorder {
	return a.send(method, path, "application/json", body)
}

var pathVariable = regexp.MustCompile(`\{\w+\}`)

// filled puts something into the variables of a path.
func filled(path string) string {
	return pathVariable.ReplaceAllStringFunc(strings.TrimSuffix(path, "{$}"), func(v string) string {
		return map[string]string{"{id}": openIncident, "{step}": "look", "{silence}": "S1", "{window}": "M1", "{token}": "none"}[v]
	})
}

// TestNothingIsServedWithoutTheRoleThatItNeeds walks the whole table, as each kind of person.
func TestNothingIsServedWithoutTheRoleThatItNeeds(t *testing.T) {
	w := newWorld(t, users(), nil)
	key, _, err := w.cfg.Auth.NewToken(t.Context(), "root", auth.Token{Name: "shop", Source: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	agents := map[string]*agent{"nobody": {w: w}, "vic": w.signIn(t, "vic"), "ann": w.signIn(t, "ann"), "root": w.signIn(t, "root"), "ingest": {w: w, bearer: key}, "guess": {w: w, bearer: "inq_guess"}}
	roles := map[string]auth.Role{"vic": auth.Viewer, "ann": auth.Responder, "root": auth.Admin}
	routes := w.Routes()
	routes = append(routes, "GET /events viewer", "GET /api/v1/openapi.json viewer", "GET /nowhere viewer", "GET /api/v1/nowhere viewer", "DELETE /incidents viewer")
	if len(routes) < 60 {
		t.Fatalf("%d routes: the table is not walked", len(routes))
	}
	for _, route := range routes {
		parts := strings.Fields(route)
		method, path, need := parts[0], filled(parts[1]), auth.Role(parts[2])
		for name, a := range agents {
			if path == "/events" && roles[name] != "" {
				continue // answers for ever; see live_test.go
			}
			kind, body := "", ""
			if method == "POST" {
				kind, body = "application/x-www-form-urlencoded", "csrf="+url.QueryEscape(a.csrf)
				if strings.HasPrefix(path, "/api/") {
					kind, body = "application/json", "{}"
				}
			}
			out := a.send(method, path, kind, body)
			page := !strings.HasPrefix(path, "/api/") && path != "/events"
			switch {
			case roles[name].Allows(need):
				if out.Code == http.StatusUnauthorized || out.Code == http.StatusForbidden {
					t.Errorf("%s %s as %s: %d", method, path, name, out.Code)
				}
			case name == "nobody" && page && method == "GET":
				if out.Code != http.StatusSeeOther || !strings.HasPrefix(out.Header().Get("Location"), "/login?next=") || out.Body.Len() > 200 {
					t.Errorf("%s %s as nobody: %d %s", method, path, out.Code, out.Header().Get("Location"))
				}
			case name == "guess" && page && method == "GET":
				if out.Code != http.StatusSeeOther {
					t.Errorf("%s %s with a wrong token: %d", method, path, out.Code)
				}
			case out.Code != http.StatusUnauthorized && out.Code != http.StatusForbidden && out.Code != http.StatusNotFound:
				t.Errorf("%s %s as %s: %d %.80s", method, path, name, out.Code, out.Body)
			case out.Code == http.StatusNotFound && name != "ingest":
				t.Errorf("%s %s as %s says that it is not there", method, path, name)
			}
			if strings.Contains(out.Body.String(), "Slow queries") && !roles[name].Allows(auth.Viewer) {
				t.Errorf("%s %s as %s shows a verdict", method, path, name)
			}
		}
	}
}

func TestEveryAnswerHasTheHeadersThatProtectIt(t *testing.T) {
	w := newWorld(t, users(), nil)
	for _, path := range []string{"/", "/login", "/assets/app.js", "/api/v1/overview", "/nowhere", "/incidents/" + openIncident} {
		h := (&agent{w: w}).get(path).Header()
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %s", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", path, h)
		}
		if path != "/assets/app.js" && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached: %q", path, h.Get("Cache-Control"))
		}
	}
}

func TestAnotherSiteCannotAct(t *testing.T) {
	w := newWorld(t, users(), nil)
	ann := w.signIn(t, "ann")
	for name, forge := range map[string]func(r *http.Request){
		"a form of another site":         func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"a form of another host":         func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
		"another origin, an old browser": func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") },
	} {
		r := httptest.NewRequest(http.MethodPost, "http://inquest.test/incidents/"+openIncident+"/resolve", strings.NewReader("force=true&csrf="+ann.csrf))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(ann.cookie)
		forge(r)
		if out := w.do(r); out.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, out.Code)
		}
	}
	stolen := &agent{w: w, cookie: ann.cookie, csrf: "guess"}
	if out := stolen.post("/incidents/"+openIncident+"/resolve", "force", "true"); out.Code != http.StatusForbidden {
		t.Errorf("our origin, a wrong token: %d", out.Code)
	}
	if out := stolen.json("POST", "/api/v1/incidents/"+openIncident+"/resolve", `{"force":true}`); out.Code != http.StatusForbidden {
		t.Errorf("JSON with a wrong token: %d", out.Code)
	}
	if len(w.desk.acts) != 0 {
		t.Errorf("something was done: %+v", w.desk.acts)
	}
	if out := ann.post("/incidents/"+openIncident+"/resolve", "force", "true"); out.Code != http.StatusSeeOther || len(w.desk.acts) != 1 {
		t.Errorf("the page itself: %d %s", out.Code, out.Body)
	}
}

func TestGuessingAPasswordHasToWait(t *testing.T) {
	w := newWorld(t, users(), nil)
	guess := func(password string) *httptest.ResponseRecorder {
		return (&agent{w: w}).post("/login", "name", "ann", "password", password)
	}
	for i := range 5 {
		out := guess("guess")
		page := parsePage(t, out.Body.String())
		if out.Code != http.StatusUnauthorized || page.first("[role=alert]") != "name or password are wrong" || len(out.Result().Cookies()) != 0 {
			t.Fatalf("guess %d: %d %s", i, out.Code, page.first("main"))
		}
	}
	out := guess("ann has a long password")
	if out.Code != http.StatusTooManyRequests || out.Header().Get("Retry-After") == "" {
		t.Errorf("the sixth: %d, Retry-After %q", out.Code, out.Header().Get("Retry-After"))
	}
}

func TestSigningInAndOut(t *testing.T) {
	w := newWorld(t, users(), nil)
	ann := w.signIn(t, "ann")
	if out := ann.get("/login?next=/slos"); out.Code != http.StatusSeeOther || out.Header().Get("Location") != "/slos" {
		t.Errorf("who is signed in sees the form: %d", out.Code)
	}
	if out := (&agent{w: w}).get("/login?next=//evil.example"); out.Code != http.StatusOK || strings.Contains(out.Body.String(), "evil.example") {
		t.Errorf("the form leads elsewhere: %d", out.Code)
	}
	if out := (&agent{w: w, cookie: ann.cookie}).post("/logout"); out.Code != http.StatusForbidden {
		t.Errorf("signed out without the token: %d", out.Code)
	}
	if out := ann.post("/logout"); out.Code != http.StatusSeeOther || out.Header().Get("Location") != "/login" {
		t.Errorf("sign out: %d", out.Code)
	}
	if out := ann.get("/"); out.Code != http.StatusSeeOther {
		t.Errorf("after signing out: %d", out.Code)
	}
	open := newWorld(t, nil, nil)
	if out := (&agent{w: open}).get("/login"); out.Code != http.StatusForbidden {
		t.Errorf("nobody to sign in: %d", out.Code)
	}
}

func TestUntilUsersAreConfiguredOnlyThisMachineIsServed(t *testing.T) {
	w := newWorld(t, nil, nil)
	for _, path := range []string{"/", "/api/v1/overview", "/events", "/api/v1/openapi.json", "/tokens"} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost:9187"+path, nil)
		r.RemoteAddr = "10.1.2.3:999"
		if out := w.do(r); out.Code != http.StatusForbidden || !strings.Contains(out.Body.String(), "127.0.0.1") {
			t.Errorf("%s from another machine: %d", path, out.Code)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "http://rebound.example/api/v1/overview", nil)
	if out := w.do(r); out.Code != http.StatusForbidden {
		t.Errorf("by a name that a stranger chose: %d", out.Code)
	}
	if out := w.do(httptest.NewRequest(http.MethodGet, "http://localhost/", nil)); out.Code != http.StatusOK || !strings.Contains(out.Body.String(), "no sign-in") {
		t.Errorf("from here: %d", out.Code)
	}
}

func TestTheReportFormIsForEverybodyOnlyWhenTheSettingsSaySo(t *testing.T) {
	closed := newWorld(t, users(), nil)
	if out := (&agent{w: closed}).get("/report"); out.Code != http.StatusSeeOther {
		t.Errorf("by default: %d", out.Code)
	}
	w := newWorld(t, users(), func(c *web.Config, _ *world) { c.PublicReports = true })
	guest := &agent{w: w}
	page := parsePage(t, guest.get("/report?id="+knownError).Body.String())
	if v := page.all("input[name=errorId]"); len(v) != 1 || v[0].attr("value") != knownError || len(page.all("nav")) != 0 {
		t.Errorf("the form: %s", page.first("main"))
	}
	out := guest.post("/report", "errorId", knownError, "text", "I cannot pay")
	if out.Code != http.StatusOK || len(w.desk.reports) != 1 || strings.Contains(out.Body.String(), "INC-") {
		t.Errorf("%d %d %s", out.Code, len(w.desk.reports), out.Body)
	}
	if out := guest.json("POST", "/api/v1/report", `{"text":"me too"}`); out.Code != http.StatusOK || strings.Contains(out.Body.String(), "INC-") {
		t.Errorf("as JSON: %d %s", out.Code, out.Body)
	}
	if out := guest.post("/report"); out.Code != http.StatusBadRequest {
		t.Errorf("an empty one: %d", out.Code)
	}
	last := 0
	for range 12 {
		last = guest.post("/report", "text", "again").Code
	}
	if last != http.StatusTooManyRequests || len(w.desk.reports) > 10 {
		t.Errorf("a flood: %d, %d reports taken", last, len(w.desk.reports))
	}
	if out := guest.get("/incidents"); out.Code != http.StatusSeeOther {
		t.Errorf("other pages stay closed: %d", out.Code)
	}
}

// local is somebody on this machine while nobody has to sign in.
func (w *world) local(t testing.TB) *agent {
	t.Helper()
	a := &agent{w: w, here: true}
	for _, in := range parsePage(t, a.get("/").Body.String()).all("input[name=csrf]") {
		a.csrf = in.attr("value")
	}
	if a.csrf == "" {
		t.Fatal("a page has no token")
	}
	return a
}
