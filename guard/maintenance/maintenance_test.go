package maintenance_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/inquesthq/inquest/guard/maintenance"
)

func serve(h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr = "192.0.2.1:1234"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestOneRouteIsClosedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s maintenance.Switch
		h := s.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
		code := func(path string) int { return serve(h, "GET", path, "").Code }
		if code("/login") != 204 {
			t.Error("closed before anybody closed it")
		}
		if err := s.On(maintenance.Window{Route: "/login/", Until: time.Now().Add(10 * time.Minute)}); err != nil {
			t.Fatal(err)
		}
		w := serve(h, "GET", "/login", "")
		if w.Code != 503 || w.Header().Get("Retry-After") != "600" || !strings.Contains(w.Body.String(), `"MAINTENANCE"`) || w.Header().Get("X-Error-Id") == "" {
			t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
		}
		for path, want := range map[string]int{"/login/reset": 503, "/loginx": 204, "/": 204, "/orders": 204} {
			if got := code(path); got != want {
				t.Errorf("%s: %d, want %d", path, got, want)
			}
		}
		if n := len(s.Active()); n != 1 {
			t.Errorf("%d windows", n)
		}
		time.Sleep(10 * time.Minute)
		if code("/login") != 204 || len(s.Active()) != 0 || s.Off("/login") {
			t.Error("it did not end by itself")
		}
	})
}

func TestWhoMendsMayPass(t *testing.T) {
	var s maintenance.Switch
	h := s.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	soon := time.Now().Add(time.Hour)
	for _, w := range []maintenance.Window{
		{Route: "/", Until: soon},
		{Route: "/orders", Until: soon, Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
	} {
		if err := s.On(w); err != nil {
			t.Fatal(err)
		}
	}
	if got := serve(h, "GET", "/orders/1", "").Code; got != 204 {
		t.Errorf("a friend: %d", got)
	}
	if got := serve(h, "GET", "/cart", "").Code; got != 503 {
		t.Errorf("elsewhere: %d", got)
	}
	r := httptest.NewRequest(http.MethodGet, "/orders", nil)
	r.RemoteAddr = "198.51.100.9:1"
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 503 {
		t.Errorf("a stranger: %d", w.Code)
	}
	if !s.Off("/") || s.Off("/") {
		t.Error("Off reports the wrong thing")
	}
}

func TestTheAPI(t *testing.T) {
	var s maintenance.Switch
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for _, step := range []struct {
		method, target, body string
		want                 int
		says                 string
	}{
		{"GET", "/", "", 200, "[]"},
		{"PUT", "/", `{"route":"/login","until":"` + until + `","message":"Back soon.","allow":["10.0.0.0/8"]}`, 200, `"Back soon."`},
		{"GET", "/", "", 200, `"route":"/login"`},
		{"PUT", "/", `{"route":"/login"}`, 400, "it has no end"},
		{"PUT", "/", `{"route":"login","until":"` + until + `"}`, 400, "begin it with /"},
		{"PUT", "/", `{"route":"/login","until":"2001-01-01T00:00:00Z"}`, 400, "already"},
		{"PUT", "/", `{"route":"/login","until":"2901-01-01T00:00:00Z"}`, 400, "week"},
		{"PUT", "/", `{"rout":"/login"}`, 400, "unknown field"},
		{"DELETE", "/?route=/cart", "", 404, "NO_SUCH_WINDOW"},
		{"DELETE", "/?route=/login", "", 200, "[]"},
		{"POST", "/", "", 405, "METHOD_NOT_ALLOWED"},
	} {
		if w := serve(s.API(), step.method, step.target, step.body); w.Code != step.want || !strings.Contains(w.Body.String(), step.says) {
			t.Errorf("%s %s %s: %d %s", step.method, step.target, step.body, w.Code, w.Body)
		}
	}
}

func TestAnOpenRouteCostsNothing(t *testing.T) {
	var s maintenance.Switch
	h := s.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
	if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
