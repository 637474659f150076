package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/store"
)

// tokenPrefix makes a token recognisable for whoever looks for leaked secrets.
const tokenPrefix = "inq_"

// Token is what is known of a program's key. The key itself is shown once and not kept.
type Token struct {
	ID      string    `json:"id"` // hash of the key
	Name    string    `json:"name"`
	Role    Role      `json:"role,omitempty"`   // "" for one that may only send signals
	Source  string    `json:"source,omitempty"` // the one source that it may send signals for
	Hint    string    `json:"hint"`             // how it begins, to know it by
	By      string    `json:"by"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
	Used    time.Time `json:"used,omitzero"`    // to the minute
	Revoked bool      `json:"revoked,omitempty"`
}

// Valid reports whether the token opens anything at a time.
func (t *Token) Valid(at time.Time) bool {
	return !t.Revoked && (t.Expires.IsZero() || at.Before(t.Expires))
}

// knownToken is a token that was looked up a moment ago: a source that sends every second must not read the store every time.
type knownToken struct {
	token Token
	until time.Time
}

const (
	rememberToken = 5 * time.Second // so long a token that another server revoked still opens
	mostTokens    = 1000
)

// NewToken makes a token: with a role, or for the signals of one source. It returns the key, which cannot be had again.
func (a *Auth) NewToken(ctx context.Context, by string, t Token) (string, Token, error) {
	t.Name, t.Source = strings.TrimSpace(t.Name), strings.TrimSpace(t.Source)
	switch {
	case t.Name == "" || len(t.Name) > 100:
		return "", Token{}, fmt.Errorf("%w: give the token a name of at most 100 characters that says who uses it", ErrInput)
	case (t.Role == "") == (t.Source == ""):
		return "", Token{}, fmt.Errorf("%w: give the token either a role or the source whose signals it sends", ErrInput)
	case t.Role != "" && !slices.Contains(Roles, t.Role):
		return "", Token{}, fmt.Errorf("%w: role %q is not known: viewer, responder or admin", ErrInput, t.Role)
	case !t.Expires.IsZero() && !t.Expires.After(a.cfg.Now()):
		return "", Token{}, fmt.Errorf("%w: the token would have expired already", ErrInput)
	}
	random, err := a.secret()
	if err != nil {
		return "", Token{}, err
	}
	key := tokenPrefix + random
	t.ID, t.Hint, t.By, t.Created, t.Used, t.Revoked = hashOf(key), key[:len(tokenPrefix)+4], by, a.cfg.Now().UTC(), time.Time{}, false
	rec, err := tokenRecord(t, 0)
	if err != nil {
		return "", Token{}, err
	}
	entry, err := a.auditRecord(Audit{By: by, Action: "token created", Target: t.Name, Detail: t.scope()})
	if err != nil {
		return "", Token{}, err
	}
	if err := a.cfg.Records.Put(ctx, rec, entry); err != nil {
		return "", Token{}, fmt.Errorf("auth: keep the token: %w", err)
	}
	return key, t, nil
}

func (t *Token) scope() string {
	if t.Source != "" {
		return "ingest " + t.Source
	}
	return string(t.Role)
}

func tokenRecord(t Token, version int64) (store.Record, error) {
	body, err := json.Marshal(t)
	if err != nil {
		return store.Record{}, fmt.Errorf("auth: token: %w", err)
	}
	state := "valid"
	if t.Revoked {
		state = "revoked"
	}
	return store.Record{Kind: "token", ID: t.ID, Parent: t.Source, State: state, Time: t.Created, Version: version, Body: body}, nil
}

// Tokens lists all tokens, newest first, the revoked ones too.
func (a *Auth) Tokens(ctx context.Context) ([]Token, error) {
	recs, err := a.cfg.Records.List(ctx, store.Query{Kind: "token", Newest: true})
	if err != nil {
		return nil, fmt.Errorf("auth: list tokens: %w", err)
	}
	out := make([]Token, 0, len(recs))
	for _, r := range recs {
		var t Token
		if err := json.Unmarshal(r.Body, &t); err != nil {
			return nil, fmt.Errorf("auth: token %s: %w", r.ID, err)
		}
		out = append(out, t)
	}
	return out, nil
}

// RevokeToken makes a token open nothing from now on. An unknown one is store.ErrNotFound.
func (a *Auth) RevokeToken(ctx context.Context, by, id string) error {
	rec, err := a.cfg.Records.Get(ctx, "token", id)
	if err != nil {
		return fmt.Errorf("auth: token: %w", err)
	}
	var t Token
	if err := json.Unmarshal(rec.Body, &t); err != nil {
		return fmt.Errorf("auth: token %s: %w", id, err)
	}
	t.Revoked = true
	next, err := tokenRecord(t, rec.Version)
	if err != nil {
		return err
	}
	entry, err := a.auditRecord(Audit{By: by, Action: "token revoked", Target: t.Name, Detail: t.scope()})
	if err != nil {
		return err
	}
	if err := a.cfg.Records.Put(ctx, next, entry); err != nil {
		return fmt.Errorf("auth: revoke token: %w", err)
	}
	a.mu.Lock()
	delete(a.known, id)
	a.mu.Unlock()
	return nil
}

// token says whose a key is.
func (a *Auth) token(ctx context.Context, key string) (Identity, error) {
	if !strings.HasPrefix(key, tokenPrefix) || len(key) > 100 {
		return Identity{}, ErrInvalid
	}
	t, err := a.lookUp(ctx, hashOf(key))
	if err != nil {
		return Identity{}, err
	}
	if !t.Valid(a.cfg.Now()) {
		return Identity{}, ErrInvalid
	}
	return Identity{Name: "token " + t.Name, Role: t.Role, Source: t.Source, Via: ViaToken}, nil
}

func (a *Auth) lookUp(ctx context.Context, hash string) (Token, error) {
	now := a.cfg.Now()
	a.mu.Lock()
	k, ok := a.known[hash]
	a.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.token, nil
	}
	rec, err := a.cfg.Records.Get(ctx, "token", hash)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Token{}, ErrInvalid
	case err != nil:
		return Token{}, fmt.Errorf("auth: look up the token: %w", err)
	}
	var t Token
	if err := json.Unmarshal(rec.Body, &t); err != nil {
		return Token{}, fmt.Errorf("auth: token %s: %w", hash, err)
	}
	if t.Valid(now) && now.Sub(t.Used) >= time.Minute {
		t.Used = now.UTC()
		// When another server writes at the same moment, it writes the same; and not to know when it was used is no reason to refuse.
		if next, err := tokenRecord(t, rec.Version); err == nil {
			_ = a.cfg.Records.Put(ctx, next)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= mostTokens {
		clear(a.known)
	}
	a.known[hash] = knownToken{t, now.Add(rememberToken)}
	return t, nil
}
