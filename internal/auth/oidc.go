package auth

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// OIDC is a provider of OpenID Connect that people sign in with (authorisation code flow with PKCE, RFC 7636).
type OIDC struct {
	Name         string // on the button; default: the issuer's host
	Issuer       string // "https://accounts.example.com"
	ClientID     string
	ClientSecret string          // "" for a public client
	Scopes       []string        // besides openid; default: email, profile
	Claim        string          // that Roles are chosen by; default "groups"
	Roles        map[string]Role // value of the claim -> role; the highest one counts
	Default      Role            // of whom no value fits; "": they may not sign in
	Client       *http.Client    // default: one with a timeout of 10 s
}

// callbackPath is where the provider sends people back to.
const callbackPath = "/login/callback"

// stateAge is how long somebody may take at the provider.
const stateAge = 10 * time.Minute

type provider struct {
	cfg      OIDC
	now      func() time.Time
	redirect string

	mu    sync.Mutex
	found *oidc.Provider // nil until the issuer was asked
}

func newProvider(c OIDC, cfg Config) (*provider, error) {
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("auth: oidc issuer %q: write it as https://accounts.example.com", c.Issuer)
	case c.ClientID == "":
		return nil, errors.New("auth: oidc needs a client_id: register Inquest with the provider")
	case cfg.URL == "":
		return nil, errors.New("auth: oidc needs the server's url, to which the provider sends people back")
	case len(c.Roles) == 0 && c.Default == "":
		return nil, errors.New("auth: oidc: nobody could sign in: map groups to roles, or name a default role")
	}
	for _, r := range c.Roles {
		if err := r.validate(); err != nil {
			return nil, err
		}
	}
	if c.Default != "" {
		if err := c.Default.validate(); err != nil {
			return nil, err
		}
	}
	c.Name = cmp.Or(c.Name, u.Hostname())
	c.Claim = cmp.Or(c.Claim, "groups")
	if c.Scopes == nil {
		c.Scopes = []string{"email", "profile"}
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 10 * time.Second}
	}
	return &provider{cfg: c, now: cfg.Now, redirect: strings.TrimSuffix(cfg.URL, "/") + callbackPath}, nil
}

// discover asks the issuer for its addresses, once. It is not asked at start: a server that watches must start while the provider is down.
func (p *provider) discover(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.cfg.Client), p.cfg.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("auth: the provider %s cannot be reached, try again in a moment: %w", p.cfg.Name, err)
		}
		p.found = found
	}
	return p.found, &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: p.found.Endpoint(), RedirectURL: p.redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, p.cfg.Scopes...),
	}, nil
}

// errNoProvider: there is none.
var errNoProvider = fmt.Errorf("%w: no provider is configured", ErrForbidden)

// handshake is what the browser keeps while its person is at the provider.
type handshake struct {
	State, Nonce, Verifier, Next string
	Until                        time.Time
}

func (a *Auth) handshakeCookie() string { return a.cookieName() + "-login" }

// StartOIDC sends the browser to the provider. next is the local path to go to afterwards.
func (a *Auth) StartOIDC(w http.ResponseWriter, r *http.Request, next string) error {
	if a.oidc == nil {
		return errNoProvider
	}
	_, conf, err := a.oidc.discover(r.Context())
	if err != nil {
		return err
	}
	h := handshake{Verifier: oauth2.GenerateVerifier(), Next: LocalPath(next), Until: a.cfg.Now().Add(stateAge)}
	for _, s := range []*string{&h.State, &h.Nonce} {
		if *s, err = a.secret(); err != nil {
			return err
		}
	}
	b, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("auth: login: %w", err)
	}
	http.SetCookie(w, a.cookie(a.handshakeCookie(), url.QueryEscape(string(b)), int(stateAge.Seconds())))
	http.Redirect(w, r, conf.AuthCodeURL(h.State, oidc.Nonce(h.Nonce), oauth2.S256ChallengeOption(h.Verifier)), http.StatusSeeOther)
	return nil
}

// FinishOIDC checks what the browser brings back and says who it is and where they wanted to go. The caller starts the session.
func (a *Auth) FinishOIDC(w http.ResponseWriter, r *http.Request) (Identity, string, error) {
	if a.oidc == nil {
		return Identity{}, "", errNoProvider
	}
	h, err := a.handshake(r)
	http.SetCookie(w, a.cookie(a.handshakeCookie(), "", -1)) // it serves once
	if err != nil {
		return Identity{}, "", err
	}
	q := r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(h.State)) != 1 {
		return Identity{}, "", fmt.Errorf("%w: the login was begun elsewhere", ErrForged)
	}
	if e := q.Get("error"); e != "" {
		return Identity{}, "", fmt.Errorf("%w: the provider says %q", ErrForbidden, e)
	}
	id, err := a.oidc.exchange(r.Context(), q.Get("code"), h)
	if err != nil {
		return Identity{}, "", errors.Join(err, a.Audit(r.Context(), Audit{By: id.Name, Action: "login failed", Detail: "oidc", From: Address(r)}))
	}
	return id, h.Next, nil
}

func (a *Auth) handshake(r *http.Request) (handshake, error) {
	var h handshake
	c, err := r.Cookie(a.handshakeCookie())
	if err != nil {
		return h, fmt.Errorf("%w: the login took too long, or cookies are off; sign in again", ErrNobody)
	}
	text, err := url.QueryUnescape(c.Value)
	if err != nil || json.Unmarshal([]byte(text), &h) != nil || h.State == "" || h.Nonce == "" || a.cfg.Now().After(h.Until) {
		return handshake{}, fmt.Errorf("%w: the login took too long; sign in again", ErrNobody)
	}
	return h, nil
}

// exchange redeems the code and reads who it is. On a refusal the identity still has the name, for the audit log.
func (p *provider) exchange(ctx context.Context, code string, h handshake) (Identity, error) {
	found, conf, err := p.discover(ctx)
	if err != nil {
		return Identity{}, err
	}
	token, err := conf.Exchange(oidc.ClientContext(ctx, p.cfg.Client), code, oauth2.VerifierOption(h.Verifier))
	if err != nil {
		return Identity{}, fmt.Errorf("%w: the provider did not take the code: %w", ErrInvalid, err)
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := found.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: p.now}).Verify(oidc.ClientContext(ctx, p.cfg.Client), raw)
	if err != nil {
		return Identity{}, fmt.Errorf("%w: the provider's token: %w", ErrInvalid, err)
	}
	if subtle.ConstantTimeCompare([]byte(idToken.Nonce), []byte(h.Nonce)) != 1 {
		return Identity{}, fmt.Errorf("%w: the provider's token is for another login", ErrInvalid)
	}
	claims := map[string]any{}
	if err := idToken.Claims(&claims); err != nil {
		return Identity{}, fmt.Errorf("%w: the provider's token: %w", ErrInvalid, err)
	}
	id := Identity{Name: nameIn(claims, idToken.Subject), Role: p.roleIn(claims), Via: ViaOIDC}
	if id.Role == "" {
		return id, fmt.Errorf("%w: %s is in no group that has a role here; an administrator maps groups to roles in the settings", ErrForbidden, id.Name)
	}
	return id, nil
}

// nameIn is what people are called by in timelines: an address that the provider has verified, or the name that it gives.
func nameIn(claims map[string]any, subject string) string {
	email, _ := claims["email"].(string)
	verified, _ := claims["email_verified"].(bool)
	name, _ := claims["preferred_username"].(string)
	if verified && email != "" {
		return email
	}
	return cmp.Or(name, subject)
}

func (p *provider) roleIn(claims map[string]any) Role {
	var values []any
	switch v := claims[p.cfg.Claim].(type) {
	case []any:
		values = v
	case string:
		values = []any{v}
	}
	best := p.cfg.Default
	for _, v := range values {
		s, _ := v.(string)
		if role, ok := p.cfg.Roles[s]; ok && !best.Allows(role) {
			best = role
		}
	}
	return best
}

// LocalPath is a path of this server, or "/" when it is none: a login must not lead elsewhere.
func LocalPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
