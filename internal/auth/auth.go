// Package auth says who asks and what they may: sessions of people (password or OpenID Connect), tokens of programs, roles, protection
// from forged and guessed requests, and the log of who changed what.
//
// It is safe by default. As long as no user and no provider is configured, only programs and browsers on the same machine are answered, as
// administrators; the server asks MayListen before it listens anywhere else. Of tokens, sessions and passwords only hashes are kept.
//
// Records of kinds "token", "session" and "audit" are described in docs/format/access.md. It will not encrypt connections: TLS is the
// server's.
package auth

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/inquesthq/inquest/internal/store"
)

// Errors to be asked for with errors.Is.
var (
	// ErrNobody: the request says of nobody whose it is.
	ErrNobody = errors.New("sign in, or send a token in the header Authorization, after the word Bearer")
	// ErrInvalid: it says something that is wrong, or not valid any more.
	ErrInvalid = errors.New("the token or session is not valid, or not any more")
	// ErrForbidden: known, but not allowed.
	ErrForbidden = errors.New("not allowed")
	// ErrForged: a page of another site may have sent it.
	ErrForged = errors.New("this request does not come from a page of this server: reload the page and try again")
	// ErrWrong: name or password are wrong; which one is not told.
	ErrWrong = errors.New("name or password are wrong")
	// ErrInput: what was asked for cannot be meant.
	ErrInput = errors.New("this cannot be meant")
)

// Config is what New needs. Records and Now are required.
type Config struct {
	Records store.Records
	Now     func() time.Time
	Random  io.Reader     // default: crypto/rand
	Users   []User        // people with a password
	OIDC    *OIDC         // nil: none
	URL     string        // how people reach the server, "https://inquest.example.com"; needed for OIDC, and makes cookies secure
	Idle    time.Duration // a session ends after so much time without a request; default 12 h
	Longest time.Duration // and after so much in any case; default 7 days
}

// Auth answers who asks and what they may. Safe for concurrent use.
type Auth struct {
	cfg     Config
	secure  bool
	users   map[string]User
	openKey string // CSRF token while nothing is configured
	hashing chan struct{}
	byName  *limiter
	byPlace *limiter
	cross   *http.CrossOriginProtection
	oidc    *provider

	mu    sync.Mutex
	known map[string]knownToken // tokens seen in the last seconds, by hash
}

// New checks the configuration.
func New(cfg Config) (*Auth, error) {
	if cfg.Records == nil || cfg.Now == nil {
		return nil, errors.New("auth: Records and Now are required")
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	cfg.Idle = cmp.Or(cfg.Idle, 12*time.Hour)
	cfg.Longest = cmp.Or(cfg.Longest, 7*24*time.Hour)
	a := &Auth{
		cfg: cfg, users: map[string]User{}, known: map[string]knownToken{}, cross: http.NewCrossOriginProtection(),
		// Each hash takes 19 MiB: two at a time, so that a flood of guesses cannot take the machine's memory.
		hashing: make(chan struct{}, 2),
		// A name waits for at most a minute, so that a stranger cannot lock its owner out; an address waits longer.
		byName: newLimiter(cfg.Now, time.Minute), byPlace: newLimiter(cfg.Now, 15*time.Minute),
	}
	if cfg.URL != "" {
		u, err := url.Parse(cfg.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("auth: %q is no address of a server: write it as https://inquest.example.com", cfg.URL)
		}
		a.secure = u.Scheme == "https"
	}
	var err error
	if a.openKey, err = a.secret(); err != nil {
		return nil, err
	}
	for _, u := range cfg.Users {
		if err := u.validate(); err != nil {
			return nil, err
		}
		if _, twice := a.users[u.Name]; twice {
			return nil, fmt.Errorf("auth: user %q is there twice: give each a name of its own", u.Name)
		}
		a.users[u.Name] = u
	}
	if cfg.OIDC != nil {
		if a.oidc, err = newProvider(*cfg.OIDC, cfg); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Configured reports whether anybody can sign in. As long as nobody can, only this machine is answered.
func (a *Auth) Configured() bool { return len(a.users) > 0 || a.oidc != nil }

// Methods says how people sign in: with a password, and by the provider of this name, "" for none.
func (a *Auth) Methods() (password bool, provider string) {
	if a.oidc != nil {
		provider = a.oidc.cfg.Name
	}
	return len(a.users) > 0, provider
}

// MayListen returns an error when an address reaches beyond this machine and nobody can sign in. The address is net.Listen's.
func (a *Auth) MayListen(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("auth: %q: %w", address, err)
	}
	if a.Configured() || loopback(host) {
		return nil
	}
	return fmt.Errorf("auth: not listening on %s: others could reach it and nobody has to sign in. Configure users or oidc, or listen on 127.0.0.1", address)
}

// loopback reports whether a host, with or without brackets, is this machine. An empty host is every interface.
func loopback(host string) bool {
	host = strings.Trim(host, "[]")
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// here reports whether a request comes from this machine and asked for it by a name that only this machine has. Without the second
// condition a web page could point its own name at 127.0.0.1 and read everything (DNS rebinding).
func here(r *http.Request) bool {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return loopback(peer) && loopback(host)
}

// secret draws 256 bits and writes them in 43 characters that need no escaping.
func (a *Auth) secret() (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(a.cfg.Random, b); err != nil {
		return "", fmt.Errorf("auth: no random numbers: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// hashOf is what is kept of a secret of 256 random bits; those need no slow hash.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
