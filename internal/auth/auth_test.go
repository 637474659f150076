package auth_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/store"
)

// clock is a time that a test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time          { return c.t }
func (c *clock) forward(d time.Duration) { c.t = c.t.Add(d) }

const annPassword, rootPassword = "correct horse battery", "another long one"

// annHash and rootHash are made once: a hash is meant to be slow.
var (
	annHash  = sync.OnceValue(func() string { h, _ := auth.HashPassword(rand.Reader, annPassword); return h })
	rootHash = sync.OnceValue(func() string { h, _ := auth.HashPassword(rand.Reader, rootPassword); return h })
)

// setup returns an Auth with the users ann (responder) and root (admin), whatever change makes of it.
func setup(t testing.TB, change func(*auth.Config)) (*auth.Auth, *records, *clock) {
	t.Helper()
	m, c := &records{}, &clock{t: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
	cfg := auth.Config{Records: m, Now: c.now, Users: []auth.User{
		{Name: "ann", Password: annHash(), Role: auth.Responder}, {Name: "root", Password: rootHash(), Role: auth.Admin},
	}}
	if change != nil {
		change(&cfg)
	}
	a, err := auth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a, m, c
}

func open(c *auth.Config) { c.Users = nil }

// request is one from another machine.
func request(method, target string, header ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Cookie" {
			name, value, _ := strings.Cut(header[i+1], "=")
			r.AddCookie(&http.Cookie{Name: name, Value: value})
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// local is a request from this machine.
func local(method, target string, header ...string) *http.Request {
	r := request(method, target, header...)
	r.RemoteAddr = "127.0.0.1:4711"
	return r
}

func TestUntilSomebodyCanSignInOnlyThisMachineIsServed(t *testing.T) {
	a, _, _ := setup(t, open)
	for address, want := range map[string]bool{
		"127.0.0.1:9187": true, "localhost:9187": true, "[::1]:9187": true, "127.8.0.1:80": true,
		":9187": false, "0.0.0.0:9187": false, "[::]:9187": false, "10.0.0.4:9187": false, "example.com:80": false, "nonsense": false,
	} {
		if err := a.MayListen(address); (err == nil) != want {
			t.Errorf("MayListen(%q) = %v", address, err)
		}
	}
	for name, c := range map[string]struct {
		r  *http.Request
		ok bool
	}{
		"a browser on this machine": {local("GET", "http://localhost:9187/"), true},
		"by address":                {local("GET", "http://127.0.0.1:9187/"), true},
		"another machine":           {request("GET", "http://localhost:9187/"), false},
		"a name that a stranger points at this machine": {local("GET", "http://evil.example:9187/"), false},
		"a wrong token is an error even here":           {local("GET", "http://localhost/", "Authorization", "Bearer inq_wrong"), false},
	} {
		id, err := a.Authenticate(c.r)
		if (err == nil) != c.ok || c.ok && (id.Role != auth.Admin || id.Via != auth.ViaLoopback) {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
	if configured, _, _ := setup(t, nil); configured.MayListen(":9187") != nil {
		t.Error("with users it may listen anywhere")
	}
}

func TestWithUsersNobodyIsLetInUnasked(t *testing.T) {
	a, _, _ := setup(t, nil)
	for name, c := range map[string]struct {
		r    *http.Request
		want error
	}{
		"nothing":               {local("GET", "http://localhost/"), auth.ErrNobody},
		"a cookie of nobody":    {request("GET", "/", "Cookie", "inquest=abc"), auth.ErrNobody},
		"an unknown token":      {request("GET", "/", "Authorization", "Bearer inq_abcdefg"), auth.ErrInvalid},
		"no token of ours":      {request("GET", "/", "Authorization", "Bearer eyJhbGciOi"), auth.ErrInvalid},
		"name and password":     {request("GET", "/", "Authorization", "Basic YW5uOng="), auth.ErrInvalid},
		"an empty bearer token": {request("GET", "/", "Authorization", "Bearer "), auth.ErrInvalid},
	} {
		if id, err := a.Authenticate(c.r); !errors.Is(err, c.want) || id != (auth.Identity{}) {
			t.Errorf("%s: %+v, %v; want %v", name, id, err, c.want)
		}
	}
}

func TestRoles(t *testing.T) {
	for _, c := range []struct {
		have, need auth.Role
		want       bool
	}{
		{auth.Viewer, auth.Viewer, true}, {auth.Viewer, auth.Responder, false}, {auth.Responder, auth.Viewer, true},
		{auth.Responder, auth.Admin, false}, {auth.Admin, auth.Responder, true}, {"", auth.Viewer, false}, {auth.Admin, "", false}, {"root", auth.Viewer, false},
	} {
		if got := c.have.Allows(c.need); got != c.want {
			t.Errorf("%q allows %q: %v", c.have, c.need, got)
		}
	}
}

func TestSettingsThatCannotBeMeant(t *testing.T) {
	m, c := &records{}, &clock{}
	good := annHash()
	for name, cfg := range map[string]auth.Config{
		"no store":            {Now: c.now},
		"no clock":            {Records: m},
		"a plain password":    {Records: m, Now: c.now, Users: []auth.User{{Name: "ann", Password: annPassword, Role: auth.Viewer}}},
		"no such role":        {Records: m, Now: c.now, Users: []auth.User{{Name: "ann", Password: good, Role: "boss"}}},
		"no name":             {Records: m, Now: c.now, Users: []auth.User{{Password: good, Role: auth.Viewer}}},
		"a name twice":        {Records: m, Now: c.now, Users: []auth.User{{Name: "ann", Password: good, Role: auth.Viewer}, {Name: "ann", Password: good, Role: auth.Admin}}},
		"a memory bomb":       {Records: m, Now: c.now, Users: []auth.User{{Name: "ann", Password: strings.Replace(good, "m=19456", "m=99999999", 1), Role: auth.Viewer}}},
		"no address":          {Records: m, Now: c.now, URL: "inquest.example.com"},
		"oidc without url":    {Records: m, Now: c.now, OIDC: &auth.OIDC{Issuer: "https://id.example", ClientID: "x", Default: auth.Viewer}},
		"oidc unencrypted":    {Records: m, Now: c.now, URL: "https://i.example", OIDC: &auth.OIDC{Issuer: "http://id.example", ClientID: "x", Default: auth.Viewer}},
		"oidc for nobody":     {Records: m, Now: c.now, URL: "https://i.example", OIDC: &auth.OIDC{Issuer: "https://id.example", ClientID: "x"}},
		"oidc without client": {Records: m, Now: c.now, URL: "https://i.example", OIDC: &auth.OIDC{Issuer: "https://id.example", Default: auth.Viewer}},
		"oidc wrong role":     {Records: m, Now: c.now, URL: "https://i.example", OIDC: &auth.OIDC{Issuer: "https://id.example", ClientID: "x", Roles: map[string]auth.Role{"sre": "boss"}}},
	} {
		if _, err := auth.New(cfg); err == nil || !strings.Contains(err.Error(), "auth: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPasswordsAreKeptAsHashesOnly(t *testing.T) {
	one := annHash()
	two, err := auth.HashPassword(rand.Reader, annPassword)
	if err != nil {
		t.Fatal(err)
	}
	if one == two || strings.Contains(one, "horse") || !strings.HasPrefix(one, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hashes %q and %q", one, two)
	}
	for _, bad := range []string{"", "short", strings.Repeat("x", 1001)} {
		if _, err := auth.HashPassword(rand.Reader, bad); err == nil {
			t.Errorf("a password of %d characters was taken", len(bad))
		}
	}
	if _, err := auth.HashPassword(strings.NewReader("few"), annPassword); err == nil {
		t.Error("no random numbers, yet a hash")
	}
}

func TestEveryChangeIsOnRecord(t *testing.T) {
	a, m, c := setup(t, nil)
	ctx := context.Background()
	long := strings.Repeat("é", 400)
	if err := a.Audit(ctx, auth.Audit{By: "ann", Action: "incident resolved", Target: "INC-1", Detail: long, From: "10.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	c.forward(time.Second)
	if err := a.Audit(ctx, auth.Audit{By: "root", Action: "token revoked"}); err != nil {
		t.Fatal(err)
	}
	log, err := a.Log(ctx, 10)
	if err != nil || len(log) != 2 || log[0].By != "root" || log[1].Target != "INC-1" || !log[1].Time.Before(log[0].Time) {
		t.Fatalf("%+v, %v", log, err)
	}
	if d := log[1].Detail; len(d) > 500 || !strings.HasPrefix(long, d) {
		t.Errorf("the detail has %d bytes and is not the beginning of what was given", len(d))
	}
	m.fail = store.ErrCorrupt
	if err := a.Audit(ctx, auth.Audit{By: "ann"}); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("a log that cannot be written: %v", err)
	}
}

func TestIdentityTravelsInTheContext(t *testing.T) {
	if id := auth.From(context.Background()); id != (auth.Identity{}) {
		t.Errorf("somebody in an empty context: %+v", id)
	}
	if id := auth.From(auth.With(context.Background(), auth.Identity{Name: "ann"})); id.Name != "ann" {
		t.Errorf("%+v", id)
	}
}
