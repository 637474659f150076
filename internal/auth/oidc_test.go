package auth_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/auth"
)

// idp is a small OpenID provider: discovery, keys, authorisation and token endpoint, with PKCE.
type idp struct {
	*httptest.Server
	key    *rsa.PrivateKey
	now    func() time.Time
	claims map[string]any            // of the next token, besides the usual ones
	spoil  func(map[string]any)      // changes the usual claims
	codes  map[string]url.Values     // code -> the authorisation request
	sign   *rsa.PrivateKey           // another key than the published one, when set
	seen   map[string]url.Values     // code -> the token request
	header func(h map[string]string) // changes the token's header
}

func newIDP(t *testing.T, now func() time.Time) *idp {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{key: key, sign: key, now: now, codes: map[string]url.Values{}, seen: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
			"jwks_uri": p.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		b64 := base64.RawURLEncoding.EncodeToString
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig",
			"n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		code := fmt.Sprint("code-", len(p.codes))
		p.codes[code] = q
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	asked, ok := p.codes[r.Form.Get("code")]
	delete(p.codes, r.Form.Get("code")) // serves once
	sum := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
	if !ok || asked.Get("code_challenge_method") != "S256" || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") ||
		asked.Get("redirect_uri") != r.Form.Get("redirect_uri") {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant"}`)
		return
	}
	claims := map[string]any{"iss": p.URL, "aud": asked.Get("client_id"), "sub": "u-17", "nonce": asked.Get("nonce"),
		"iat": p.now().Unix(), "exp": p.now().Add(time.Minute).Unix()}
	for k, v := range p.claims {
		claims[k] = v
	}
	if p.spoil != nil {
		p.spoil(claims)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": p.jwt(claims)})
}

func (p *idp) jwt(claims map[string]any) string {
	header := map[string]string{"alg": "RS256", "kid": "1", "typ": "JWT"}
	if p.header != nil {
		p.header(header)
	}
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(header) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	sig, _ := rsa.SignPKCS1v15(rand.Reader, p.sign, crypto.SHA256, sum[:])
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// oidcSetup is an Auth whose only way in is the provider.
func oidcSetup(t *testing.T) (*auth.Auth, *idp, *clock) {
	var p *idp
	a, _, c := setup(t, func(cfg *auth.Config) {
		p = newIDP(t, cfg.Now)
		cfg.Users, cfg.URL = nil, "http://inquest.test"
		cfg.OIDC = &auth.OIDC{Name: "Corp", Issuer: p.URL, ClientID: "inquest", ClientSecret: "s3cret",
			Roles: map[string]auth.Role{"sre": auth.Responder, "sre-leads": auth.Admin, "staff": auth.Viewer}}
	})
	p.claims = map[string]any{"email": "ann@corp.example", "email_verified": true, "groups": []string{"staff", "sre"}}
	return a, p, c
}

// goThere starts a login and lets the provider answer; it returns the request that comes back.
func goThere(t *testing.T, a *auth.Auth, next string) *http.Request {
	t.Helper()
	w := httptest.NewRecorder()
	if err := a.StartOIDC(w, request("GET", "/login/oidc"), next); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(w.Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	back := request("GET", resp.Header.Get("Location"))
	for _, c := range w.Result().Cookies() {
		back.AddCookie(c)
	}
	return back
}

func TestSigningInWithAProvider(t *testing.T) {
	a, _, _ := oidcSetup(t)
	if password, name := a.Methods(); password || name != "Corp" || !a.Configured() {
		t.Errorf("methods %v %q", password, name)
	}
	back := goThere(t, a, "/incidents/INC-1")
	if !strings.HasPrefix(back.URL.String(), "http://inquest.test/login/callback?") {
		t.Fatalf("sent back to %s", back.URL)
	}
	id, next, err := a.FinishOIDC(httptest.NewRecorder(), back)
	if err != nil || id.Name != "ann@corp.example" || id.Role != auth.Responder || next != "/incidents/INC-1" {
		t.Fatalf("%+v, %q, %v", id, next, err)
	}
	cookie := signIn(t, a, id, request("GET", "/login/callback"))
	if got, err := a.Authenticate(with(request("GET", "/"), cookie)); err != nil || got.Role != auth.Responder || got.Via != auth.ViaOIDC {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhoTheProviderSaysItIs(t *testing.T) {
	for name, c := range map[string]struct {
		claims map[string]any
		want   string
		role   auth.Role
	}{
		"the highest role counts":             {map[string]any{"email": "a@x", "email_verified": true, "groups": []string{"sre-leads", "staff"}}, "a@x", auth.Admin},
		"one group as a string":               {map[string]any{"email": "a@x", "email_verified": true, "groups": "staff"}, "a@x", auth.Viewer},
		"an address that nobody has verified": {map[string]any{"email": "boss@x", "preferred_username": "eve", "groups": "staff"}, "eve", auth.Viewer},
		"no name at all":                      {map[string]any{"groups": "staff"}, "u-17", auth.Viewer},
	} {
		a, p, _ := oidcSetup(t)
		p.claims = c.claims
		id, _, err := a.FinishOIDC(httptest.NewRecorder(), goThere(t, a, "/"))
		if err != nil || id.Name != c.want || id.Role != c.role {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
}

func TestLoginsThatAreRefused(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		idp  func(*idp)
		back func(*http.Request, *clock)
		want error
	}{
		"in no group that has a role":     {func(p *idp) { p.claims["groups"] = []string{"guests"} }, nil, auth.ErrForbidden},
		"signed by somebody else":         {func(p *idp) { p.sign = other }, nil, auth.ErrInvalid},
		"not signed":                      {func(p *idp) { p.header = func(h map[string]string) { h["alg"] = "none" } }, nil, auth.ErrInvalid},
		"for another client":              {func(p *idp) { p.spoil = func(c map[string]any) { c["aud"] = "other" } }, nil, auth.ErrInvalid},
		"of another issuer":               {func(p *idp) { p.spoil = func(c map[string]any) { c["iss"] = "https://evil.example" } }, nil, auth.ErrInvalid},
		"expired":                         {func(p *idp) { p.spoil = func(c map[string]any) { c["exp"] = 1 } }, nil, auth.ErrInvalid},
		"of another login":                {func(p *idp) { p.spoil = func(c map[string]any) { c["nonce"] = "x" } }, nil, auth.ErrInvalid},
		"a code that the provider denies": {nil, func(r *http.Request, _ *clock) { setQuery(r, "code", "guess") }, auth.ErrInvalid},
		"begun in another browser":        {nil, func(r *http.Request, _ *clock) { setQuery(r, "state", "x") }, auth.ErrForged},
		"cancelled at the provider":       {nil, func(r *http.Request, _ *clock) { setQuery(r, "error", "access_denied") }, auth.ErrForbidden},
		"without the cookie":              {nil, func(r *http.Request, _ *clock) { r.Header.Del("Cookie") }, auth.ErrNobody},
		"after a quarter of an hour":      {nil, func(_ *http.Request, c *clock) { c.forward(15 * time.Minute) }, auth.ErrNobody},
	} {
		a, p, clock := oidcSetup(t)
		if c.idp != nil {
			c.idp(p)
		}
		back := goThere(t, a, "/")
		if c.back != nil {
			c.back(back, clock)
		}
		w := httptest.NewRecorder()
		if _, _, err := a.FinishOIDC(w, back); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if cs := w.Result().Cookies(); len(cs) != 1 || cs[0].MaxAge >= 0 {
			t.Errorf("%s: the login's cookie stays: %v", name, cs)
		}
	}
}

func setQuery(r *http.Request, key, value string) {
	q := r.URL.Query()
	q.Set(key, value)
	r.URL.RawQuery = q.Encode()
}

func TestACodeServesOnce(t *testing.T) {
	a, _, _ := oidcSetup(t)
	back := goThere(t, a, "/")
	if _, _, err := a.FinishOIDC(httptest.NewRecorder(), back); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.FinishOIDC(httptest.NewRecorder(), back); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("the second time: %v", err)
	}
}

func TestAServerStartsWhileItsProviderIsDown(t *testing.T) {
	a, p, _ := oidcSetup(t)
	p.Close()
	if err := a.StartOIDC(httptest.NewRecorder(), request("GET", "/login/oidc"), "/"); err == nil || !strings.Contains(err.Error(), "Corp cannot be reached") {
		t.Errorf("%v", err)
	}
	none, _, _ := setup(t, nil)
	if err := none.StartOIDC(httptest.NewRecorder(), request("GET", "/login/oidc"), "/"); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("no provider: %v", err)
	}
	if _, _, err := none.FinishOIDC(httptest.NewRecorder(), request("GET", "/login/callback").WithContext(context.Background())); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("no provider: %v", err)
	}
}

func TestALoginLeadsNowhereElse(t *testing.T) {
	for path, want := range map[string]string{
		"/incidents?state=open": "/incidents?state=open", "/": "/", "": "/", "incidents": "/", "//evil.example/": "/", "https://evil.example": "/",
		"/\\evil.example": "/", "javascript:alert(1)": "/", "/\tx": "/", "/%zz": "/",
	} {
		if got := auth.LocalPath(path); got != want {
			t.Errorf("LocalPath(%q) = %q, want %q", path, got, want)
		}
	}
}
