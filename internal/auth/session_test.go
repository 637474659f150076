package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/auth"
)

// signIn starts a session and returns its cookie.
func signIn(t testing.TB, a *auth.Auth, id auth.Identity, before *http.Request) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	if err := a.StartSession(w, before, id); err != nil {
		t.Fatal(err)
	}
	cs := w.Result().Cookies()
	if len(cs) != 1 {
		t.Fatalf("cookies: %v", cs)
	}
	return cs[0]
}

func with(r *http.Request, c *http.Cookie) *http.Request {
	r.AddCookie(c)
	return r
}

func TestASessionOpensUntilItIsIdleOldOrEnded(t *testing.T) {
	ann := auth.Identity{Name: "ann", Role: auth.Responder, Via: auth.ViaPassword}
	a, m, c := setup(t, nil)
	cookie := signIn(t, a, ann, request("POST", "/login"))
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Errorf("cookie %v", cookie)
	}
	for _, rec := range m.all {
		if strings.Contains(rec.ID+string(rec.Body), cookie.Value) {
			t.Error("the session's secret itself is kept")
		}
	}
	id, err := a.Authenticate(with(request("GET", "/"), cookie))
	if err != nil || id.Name != "ann" || id.Role != auth.Responder || id.CSRF == "" {
		t.Fatalf("%+v, %v", id, err)
	}
	for range 20 { // in use, it stays open beyond the idle time, but not for ever
		c.forward(11 * time.Hour)
		_, err = a.Authenticate(with(request("GET", "/"), cookie))
		if err != nil {
			break
		}
	}
	if !errors.Is(err, auth.ErrNobody) || c.t.Sub(time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)) < 7*24*time.Hour {
		t.Errorf("ended %v at %v", err, c.t)
	}
	cookie = signIn(t, a, ann, request("POST", "/login"))
	c.forward(13 * time.Hour)
	if _, err := a.Authenticate(with(request("GET", "/"), cookie)); !errors.Is(err, auth.ErrNobody) {
		t.Errorf("idle for 13 hours: %v", err)
	}
	cookie = signIn(t, a, ann, request("POST", "/login"))
	w := httptest.NewRecorder()
	if err := a.EndSession(w, with(request("POST", "/logout"), cookie)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Authenticate(with(request("GET", "/"), cookie)); !errors.Is(err, auth.ErrNobody) {
		t.Errorf("after signing out: %v", err)
	}
	if cs := w.Result().Cookies(); len(cs) != 1 || cs[0].MaxAge >= 0 {
		t.Errorf("the browser keeps %v", cs)
	}
}

func TestLoginMakesANewSession(t *testing.T) {
	a, _, _ := setup(t, nil)
	ann := auth.Identity{Name: "ann", Role: auth.Responder, Via: auth.ViaPassword}
	planted := &http.Cookie{Name: "inquest", Value: "chosen-by-a-stranger"}
	first := signIn(t, a, ann, with(request("POST", "/login"), planted))
	if first.Value == planted.Value {
		t.Error("the id that the browser had was kept")
	}
	second := signIn(t, a, ann, with(request("POST", "/login"), first))
	if _, err := a.Authenticate(with(request("GET", "/"), first)); !errors.Is(err, auth.ErrNobody) {
		t.Errorf("the session from before the login still opens: %v", err)
	}
	if _, err := a.Authenticate(with(request("GET", "/"), second)); err != nil {
		t.Error(err)
	}
}

func TestOverTLSTheCookieIsBoundToTheHost(t *testing.T) {
	a, _, _ := setup(t, func(c *auth.Config) { c.URL = "https://inquest.example.com" })
	c := signIn(t, a, auth.Identity{Name: "ann", Via: auth.ViaPassword}, request("POST", "/login"))
	if !c.Secure || c.Name != "__Host-inquest" || c.Domain != "" || c.Path != "/" {
		t.Errorf("cookie %v", c)
	}
}

func TestWhoIsTakenOutOfTheSettingsIsOutAtOnce(t *testing.T) {
	a, m, c := setup(t, nil)
	cookie := signIn(t, a, auth.Identity{Name: "ann", Role: auth.Responder, Via: auth.ViaPassword}, request("POST", "/login"))
	again := func(users ...auth.User) (auth.Identity, error) {
		b, err := auth.New(auth.Config{Records: m, Now: c.now, Users: users})
		if err != nil {
			t.Fatal(err)
		}
		return b.Authenticate(with(request("GET", "/"), cookie))
	}
	if id, err := again(auth.User{Name: "ann", Password: annHash(), Role: auth.Viewer}); err != nil || id.Role != auth.Viewer {
		t.Errorf("made a viewer: %+v, %v", id, err)
	}
	if _, err := again(auth.User{Name: "bob", Password: annHash(), Role: auth.Viewer}); !errors.Is(err, auth.ErrNobody) {
		t.Errorf("taken out: %v", err)
	}
}

func TestLoginTellsNotWhatIsWrong(t *testing.T) {
	a, _, _ := setup(t, nil)
	ctx := context.Background()
	for name, c := range map[string]struct{ user, password string }{
		"wrong password": {"ann", "wrong"}, "unknown name": {"eve", annPassword}, "nothing": {"", ""},
		"another's": {"ann", rootPassword}, "longer than any": {"ann", strings.Repeat("x", 2000)},
	} {
		if id, err := a.Login(ctx, "10.1.1.1", c.user, c.password); !errors.Is(err, auth.ErrWrong) || id != (auth.Identity{}) {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
	id, err := a.Login(ctx, "10.1.1.2", "ann", annPassword)
	if err != nil || id.Name != "ann" || id.Role != auth.Responder || id.Via != auth.ViaPassword {
		t.Errorf("%+v, %v", id, err)
	}
	log, err := a.Log(ctx, 100)
	if err != nil || len(log) != 4 || log[0].Action != "login failed" || log[0].From != "10.1.1.1" {
		t.Errorf("log %+v, %v", log, err)
	}
}

func TestGuessingHasToWait(t *testing.T) {
	a, _, c := setup(t, nil)
	ctx := context.Background()
	guess := func(address, name, password string) error {
		_, err := a.Login(ctx, address, name, password)
		return err
	}
	wait := func(err error) time.Duration {
		var w *auth.WaitError
		if errors.As(err, &w) {
			return w.Wait
		}
		return 0
	}
	for i := range 5 {
		if err := guess("10.0.0.1", "ann", "no"); !errors.Is(err, auth.ErrWrong) {
			t.Fatalf("guess %d: %v", i, err)
		}
	}
	if w := wait(guess("10.0.0.1", "ann", annPassword)); w != time.Second {
		t.Errorf("after five failures: %v", w)
	}
	if w := wait(guess("10.0.0.2", "ann", annPassword)); w != time.Second {
		t.Errorf("from another address, the name has to wait: %v", w)
	}
	if w := wait(guess("10.0.0.1", "root", rootPassword)); w != time.Second {
		t.Errorf("another name, the address has to wait: %v", w)
	}
	longest := time.Duration(0)
	for range 30 {
		err := guess("10.0.0.1", "ann", "no")
		longest = max(longest, wait(err))
		c.forward(wait(err))
	}
	if longest != 15*time.Minute {
		t.Errorf("an address waits for at most %v", longest)
	}
	c.forward(time.Minute) // the owner, from elsewhere, waits no longer than that
	if err := guess("10.0.0.9", "ann", annPassword); err != nil {
		t.Errorf("the owner is locked out: %v", err)
	}
	for i := range 7 {
		if w := wait(guess("2001:db8:1:2::"+string(rune('a'+i%6)), "nobody", "no")); i >= 5 && w == 0 {
			t.Error("addresses of one IPv6 network count apart")
		}
		c.forward(0)
	}
}

func TestFailuresOfLongAgoAreForgotten(t *testing.T) {
	a, _, c := setup(t, nil)
	for range 4 {
		_, _ = a.Login(context.Background(), "10.0.0.1", "ann", "no")
	}
	c.forward(2 * time.Hour)
	for range 4 {
		if _, err := a.Login(context.Background(), "10.0.0.1", "ann", "no"); !errors.Is(err, auth.ErrWrong) {
			t.Fatal(err)
		}
	}
	if _, err := a.Login(context.Background(), "10.0.0.1", "ann", annPassword); err != nil {
		t.Errorf("four failures, and four of two hours ago: %v", err)
	}
}

func TestForgedRequests(t *testing.T) {
	a, _, _ := setup(t, nil)
	closed := auth.Identity{Name: "ann", Via: auth.ViaPassword, CSRF: "right"}
	loop := auth.Identity{Name: "local", Via: auth.ViaLoopback, CSRF: "right"}
	json := []string{"Content-Type", "application/json"}
	for name, c := range map[string]struct {
		id     auth.Identity
		method string
		token  string
		header []string
		ok     bool
	}{
		"reading needs nothing":                        {closed, "GET", "", []string{"Sec-Fetch-Site", "cross-site"}, true},
		"our page":                                     {closed, "POST", "right", []string{"Sec-Fetch-Site", "same-origin"}, true},
		"an old browser, our page":                     {closed, "POST", "right", []string{"Origin", "http://example.com"}, true},
		"our page without the token":                   {closed, "POST", "", []string{"Sec-Fetch-Site", "same-origin"}, false},
		"a wrong token":                                {closed, "POST", "wrong", []string{"Sec-Fetch-Site", "same-origin"}, false},
		"another site with a token that it has stolen": {closed, "POST", "right", []string{"Sec-Fetch-Site", "cross-site"}, false},
		"another host of the same site":                {closed, "POST", "right", []string{"Sec-Fetch-Site", "same-site"}, false},
		"another origin, old browser":                  {closed, "POST", "right", []string{"Origin", "http://evil.example"}, false},
		"a sandboxed frame":                            {closed, "POST", "right", []string{"Origin", "null"}, false},
		"a program with a session and no token":        {closed, "POST", "", json, false},
		"a program with a bearer token":                {auth.Identity{Via: auth.ViaToken}, "POST", "", json, true},
		"a program on this machine":                    {loop, "POST", "", json, true},
		"a browser on this machine, another site":      {loop, "POST", "", append([]string{"Sec-Fetch-Site", "cross-site"}, json...), false},
		"a form of an old browser on this machine":     {loop, "POST", "", []string{"Content-Type", "application/x-www-form-urlencoded"}, false},
		"an identity without a token":                  {auth.Identity{Via: auth.ViaPassword}, "POST", "", []string{"Sec-Fetch-Site", "same-origin"}, false},
	} {
		err := a.Check(request(c.method, "http://example.com/incidents", c.header...), c.id, c.token)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, auth.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
