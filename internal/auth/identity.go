package auth

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Role says what somebody may. Each may all that the ones before it may.
type Role string

// The roles.
const (
	Viewer    Role = "viewer"    // read
	Responder Role = "responder" // act on incidents: acknowledge, resolve, note, silence
	Admin     Role = "admin"     // tokens, and the log of who did what
)

// Roles lists the roles, least first.
var Roles = []Role{Viewer, Responder, Admin}

// Allows reports whether the role suffices where need is asked for. The empty role suffices for nothing.
func (r Role) Allows(need Role) bool {
	have, want := slices.Index(Roles, r), slices.Index(Roles, need)
	return have >= 0 && want >= 0 && have >= want
}

func (r Role) validate() error {
	if !slices.Contains(Roles, r) {
		return fmt.Errorf("auth: role %q is not known: viewer, responder or admin", r)
	}
	return nil
}

// Via says how somebody showed who they are.
type Via string

// The ways.
const (
	ViaLoopback Via = "loopback" // nothing is configured, and the request came from this machine
	ViaPassword Via = "password"
	ViaOIDC     Via = "oidc"
	ViaToken    Via = "token"
)

// Identity is who asks.
type Identity struct {
	Name   string // of the person or the token
	Role   Role   // "" for a token that may only send signals
	Via    Via
	Source string // of a token that may only send signals: the one source that it may send for
	CSRF   string // what the forms of a page for this person must carry
}

// Authenticate says whose a request is: ErrNobody when it does not tell, ErrInvalid when what it tells does not hold.
func (a *Auth) Authenticate(r *http.Request) (Identity, error) {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, token, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Identity{}, fmt.Errorf("%w: Authorization must be a bearer token", ErrInvalid)
		}
		return a.token(r.Context(), strings.TrimSpace(token))
	}
	if !a.Configured() {
		if !here(r) {
			return Identity{}, fmt.Errorf("%w: users are not configured yet, and until then only http://localhost or http://127.0.0.1 on this machine is answered", ErrForbidden)
		}
		return Identity{Name: "local", Role: Admin, Via: ViaLoopback, CSRF: a.openKey}, nil
	}
	return a.session(r)
}

// Ingest checks that a request may send signals for a source: with a token for it, or while nothing is configured from this machine.
func (a *Auth) Ingest(r *http.Request, source string) error {
	id, err := a.Authenticate(r)
	switch {
	case err != nil:
		return err
	case id.Via == ViaLoopback:
		return a.cross.Check(r) // a page of another site may not send signals either
	case id.Via != ViaToken || id.Source == "" && id.Role != Admin:
		return fmt.Errorf("%w: sending signals needs a token for their source", ErrForbidden)
	case id.Source != "" && id.Source != source:
		return fmt.Errorf("%w: this token sends for %q, not for %q", ErrForbidden, id.Source, source)
	}
	return nil
}

type contextKey struct{}

// With puts an identity into a context.
func With(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// From is the identity of a context; the zero Identity is nobody.
func From(ctx context.Context) Identity {
	id, _ := ctx.Value(contextKey{}).(Identity)
	return id
}
