package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/inquesthq/inquest/internal/store"
)

// session is the body of a record of kind "session"; its id is the hash of what the cookie holds.
type session struct {
	Name    string    `json:"name"`
	Role    Role      `json:"role"` // as it was at login; a user with a password has the role of the settings
	Via     Via       `json:"via"`
	CSRF    string    `json:"csrf"`
	Created time.Time `json:"created"`
	Used    time.Time `json:"used"` // to a few minutes
}

const sessionUsed = 5 * time.Minute // how exact the time of the last use is

func (a *Auth) cookieName() string {
	if a.secure {
		return "__Host-inquest" // browsers then refuse one that another host or an unencrypted page sets (RFC 6265bis 4.1.3)
	}
	return "inquest"
}

func (a *Auth) cookie(name, value string, age int) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: a.secure, SameSite: http.SameSiteLaxMode}
}

// StartSession signs somebody in. The session that the request had ends: an id that was known before the login never becomes one that opens.
func (a *Auth) StartSession(w http.ResponseWriter, r *http.Request, id Identity) error {
	if err := a.endSession(r); err != nil {
		return err
	}
	value, err := a.secret()
	if err != nil {
		return err
	}
	csrf, err := a.secret()
	if err != nil {
		return err
	}
	now := a.cfg.Now().UTC()
	rec, err := sessionRecord(hashOf(value), session{Name: id.Name, Role: id.Role, Via: id.Via, CSRF: csrf, Created: now, Used: now}, 0)
	if err != nil {
		return err
	}
	entry, err := a.auditRecord(Audit{By: id.Name, Action: "login", Detail: string(id.Via), From: Address(r)})
	if err != nil {
		return err
	}
	if err := a.cfg.Records.Put(r.Context(), rec, entry); err != nil {
		return fmt.Errorf("auth: keep the session: %w", err)
	}
	http.SetCookie(w, a.cookie(a.cookieName(), value, int(a.cfg.Longest.Seconds())))
	return nil
}

// EndSession signs out.
func (a *Auth) EndSession(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, a.cookie(a.cookieName(), "", -1))
	return a.endSession(r)
}

func (a *Auth) endSession(r *http.Request) error {
	c, err := r.Cookie(a.cookieName())
	if errors.Is(err, http.ErrNoCookie) {
		return nil
	}
	if err != nil {
		return err
	}
	rec, err := a.cfg.Records.Get(r.Context(), "session", hashOf(c.Value))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("auth: end the session: %w", err)
	}
	rec.State, rec.Body = "ended", []byte(`{}`)
	if err := a.cfg.Records.Put(r.Context(), rec); err != nil {
		return fmt.Errorf("auth: end the session: %w", err)
	}
	return nil
}

func sessionRecord(hash string, s session, version int64) (store.Record, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return store.Record{}, fmt.Errorf("auth: session: %w", err)
	}
	// Time is the last use, so that a keeper that forgets by age forgets the ones that ended.
	return store.Record{Kind: "session", ID: hash, Parent: s.Name, State: "open", Time: s.Used, Version: version, Body: body}, nil
}

// session says whose the request's cookie is.
func (a *Auth) session(r *http.Request) (Identity, error) {
	c, err := r.Cookie(a.cookieName())
	if err != nil || c.Value == "" {
		return Identity{}, ErrNobody
	}
	rec, err := a.cfg.Records.Get(r.Context(), "session", hashOf(c.Value))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Identity{}, ErrNobody
	case err != nil:
		return Identity{}, fmt.Errorf("auth: look up the session: %w", err)
	case rec.State != "open":
		return Identity{}, ErrNobody
	}
	var s session
	if err := json.Unmarshal(rec.Body, &s); err != nil {
		return Identity{}, fmt.Errorf("auth: session: %w", err)
	}
	now := a.cfg.Now()
	if now.Sub(s.Used) > a.cfg.Idle || now.Sub(s.Created) > a.cfg.Longest {
		return Identity{}, ErrNobody
	}
	role, ok := a.roleNow(s)
	if !ok {
		return Identity{}, ErrNobody
	}
	a.touch(r.Context(), rec, s, now)
	return Identity{Name: s.Name, Role: role, Via: s.Via, CSRF: s.CSRF}, nil
}

// roleNow is the role that the settings give now: who was removed from them is out at once, not when the session ends.
func (a *Auth) roleNow(s session) (Role, bool) {
	switch s.Via {
	case ViaPassword:
		u, ok := a.users[s.Name]
		return u.Role, ok
	case ViaOIDC:
		return s.Role, a.oidc != nil
	}
	return "", false
}

// touch notes that a session is in use. If the note cannot be written the request is answered all the same.
func (a *Auth) touch(ctx context.Context, rec store.Record, s session, now time.Time) {
	if now.Sub(s.Used) < sessionUsed {
		return
	}
	s.Used = now.UTC()
	if next, err := sessionRecord(rec.ID, s, rec.Version); err == nil {
		_ = a.cfg.Records.Put(ctx, next)
	}
}
