package auth

import (
	"crypto/subtle"
	"fmt"
	"mime"
	"net"
	"net/http"
)

// Check refuses a request that changes something and may have been sent by a page of another site. Two things must hold: the browser
// says that a page of this server sent it (Sec-Fetch-Site or Origin), and it carries the token of this person's pages. A bearer token is
// proof enough: browsers do not add one by themselves.
func (a *Auth) Check(r *http.Request, id Identity, token string) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions || id.Via == ViaToken {
		return nil
	}
	if err := a.SameSite(r); err != nil {
		return err
	}
	if id.CSRF != "" && subtle.ConstantTimeCompare([]byte(token), []byte(id.CSRF)) == 1 {
		return nil
	}
	if id.Via == ViaLoopback && program(r) {
		return nil
	}
	return ErrForged
}

// SameSite is the first half of Check, for those who have no session yet.
func (a *Auth) SameSite(r *http.Request) error {
	if err := a.cross.Check(r); err != nil {
		return fmt.Errorf("%w (%w)", ErrForged, err)
	}
	return nil
}

// program reports whether a request is not a browser's, which names its origin when it changes something. JSON cannot be sent by a form either.
func program(r *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == "" && kind == "application/json"
}

// Address is where a request comes from, without the port.
func Address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
