package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web/wire"
)

// call is one request to a row of the table.
type call struct {
	r     *http.Request
	who   auth.Identity
	input any // pointer to a value of the row's input type
	html  bool
}

func (c *call) ctx() context.Context { return c.r.Context() }

func (c *call) path(name string) string  { return c.r.PathValue(name) }
func (c *call) query(name string) string { return strings.TrimSpace(c.r.URL.Query().Get(name)) }

// serve does for every row what must not be forgotten in one: who asks, may they, is it forged, what did they send, what went wrong.
func (w *Web) serve(row route) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c := &call{r: r, html: !strings.HasPrefix(r.URL.Path, "/api/")}
		out, err := w.answer(row, c)
		switch {
		case err != nil:
			w.fail(rw, c, err)
		case !c.html:
			w.json(rw, http.StatusOK, out)
		case row.then != nil:
			http.Redirect(rw, r, row.then(c, out), http.StatusSeeOther)
		default:
			w.page(rw, c, http.StatusOK, row.page, row.nav, out)
		}
	})
}

func (w *Web) answer(row route, c *call) (any, error) {
	var err error
	open := row.public && w.cfg.PublicReports
	if c.who, err = w.cfg.Auth.Authenticate(c.r); err != nil && !open {
		return nil, err
	}
	if !open && !c.who.Role.Allows(row.role) {
		return nil, fmt.Errorf("%w: this needs the role %s, yours is %q", auth.ErrForbidden, row.role, c.who.Role)
	}
	c.r = c.r.WithContext(auth.With(c.ctx(), c.who))
	if row.input != nil {
		token, err := c.decode(row.input)
		if err != nil {
			return nil, err
		}
		if err := w.forged(c, open, token); err != nil {
			return nil, err
		}
	}
	out, err := row.run(c)
	if err != nil || row.audit == "" {
		return out, err
	}
	return out, w.cfg.Auth.Audit(c.ctx(), auth.Audit{By: c.who.Name, Action: row.audit, Target: target(c, out), From: auth.Address(c.r)})
}

// forged refuses what a page of another site may have sent. Guests have no token; they may only report.
func (w *Web) forged(c *call, open bool, token string) error {
	if open && c.who.Name == "" {
		return w.cfg.Auth.SameSite(c.r)
	}
	return w.cfg.Auth.Check(c.r, c.who, token)
}

// target is what a deed was done to, or what it has made.
func target(c *call, out any) string {
	switch made := out.(type) {
	case *Maintenance:
		return made.ID + " " + strings.Join(made.Services, ", ")
	case *Silence:
		return made.ID + " " + made.Match
	}
	var parts []string
	for _, name := range []string{"id", "step", "silence", "window", "token"} {
		if v := c.path(name); v != "" {
			parts = append(parts, v)
		}
	}
	if made, ok := out.(*inquest.Incident); ok && len(parts) == 0 {
		parts = append(parts, made.ID)
	}
	return strings.Join(parts, " ")
}

// decode reads a form or JSON into a new value of the input's type, and returns the token against forgery.
func (c *call) decode(input any) (token string, err error) {
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	c.input = wire.New(input)
	if c.html {
		if kind != "application/x-www-form-urlencoded" && kind != "multipart/form-data" {
			return "", &statusError{http.StatusUnsupportedMediaType, "send a form, or JSON to /api/v1" + c.r.URL.Path}
		}
		if err := parseForm(c.r, kind); err != nil {
			return "", tooLarge(err, "the form cannot be read")
		}
		if err := wire.FromForm(c.r.PostForm, c.input); err != nil {
			return "", &InputError{err.Error()}
		}
		return c.r.PostForm.Get("csrf"), nil
	}
	if kind != "application/json" {
		return "", &statusError{http.StatusUnsupportedMediaType, "send JSON, with Content-Type: application/json"}
	}
	d := json.NewDecoder(c.r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(c.input); err != nil {
		return "", tooLarge(err, "the JSON cannot be read")
	}
	if d.More() {
		return "", &InputError{"there is something behind the JSON object"}
	}
	return c.r.Header.Get("X-CSRF-Token"), nil
}

func parseForm(r *http.Request, kind string) error {
	if kind == "multipart/form-data" {
		return r.ParseMultipartForm(mostBody)
	}
	return r.ParseForm()
}

func tooLarge(err error, what string) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &statusError{http.StatusRequestEntityTooLarge, fmt.Sprintf("at most %d bytes are taken", large.Limit)}
	}
	return &InputError{fmt.Sprintf("%s: %v", what, err)}
}

// statusError is a refusal with its status.
type statusError struct {
	status int
	reason string
}

func (e *statusError) Error() string { return e.reason }

// statusOf says how an error is answered. What nobody foresaw is the server's fault.
func statusOf(err error) int {
	var input *InputError
	var refused *RefusedError
	var status *statusError
	var wait *auth.WaitError
	switch {
	case errors.As(err, &status):
		return status.status
	case errors.As(err, &wait):
		return http.StatusTooManyRequests
	case errors.As(err, &input):
		return http.StatusBadRequest
	case errors.As(err, &refused), errors.Is(err, store.ErrConflict):
		return http.StatusConflict
	case errors.Is(err, store.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, auth.ErrNobody), errors.Is(err, auth.ErrInvalid):
		return http.StatusUnauthorized
	case errors.Is(err, auth.ErrForbidden), errors.Is(err, auth.ErrForged):
		return http.StatusForbidden
	case errors.Is(err, context.Canceled):
		return 499 // the client has left; nobody reads it
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	case errors.Is(err, store.ErrFull):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// problem is an error as JSON (RFC 9457).
type problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	ErrorID string `json:"errorId,omitempty"` // of a failure of ours: the log has its reason
}

// fail answers an error: a page to sign in where that helps, else an error page or a problem.
func (w *Web) fail(rw http.ResponseWriter, c *call, err error) {
	status := statusOf(err)
	var wait *auth.WaitError
	if errors.As(err, &wait) {
		rw.Header().Set("Retry-After", strconv.Itoa(int(wait.Wait.Seconds())+1))
	}
	if status == http.StatusUnauthorized {
		if c.html && c.r.Method == http.MethodGet {
			http.Redirect(rw, c.r, "/login?next="+url.QueryEscape(c.r.URL.RequestURI()), http.StatusSeeOther)
			return
		}
		rw.Header().Set("WWW-Authenticate", `Bearer realm="inquest"`)
	}
	p := problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: err.Error()}
	switch {
	case errors.Is(err, store.ErrFull):
		rw.Header().Set("Retry-After", "30")
		p.Detail = "The server's disk is full: nothing was written, and nothing is lost. Make room there; it goes on by itself."
	case status >= 500:
		// What broke inside is for the operator, under an id that whoever saw it can tell.
		p.ErrorID = "ERR-" + rand.Text()[:12]
		p.Detail = "Inquest could not answer; its log has the reason under " + p.ErrorID + "."
		if w.cfg.Failed != nil {
			w.cfg.Failed(fmt.Errorf("%s: %s %s: %w", p.ErrorID, c.r.Method, c.r.URL.Path, err))
		}
	}
	if c.html {
		w.page(rw, c, status, "error", "", p)
		return
	}
	rw.Header().Set("Content-Type", "application/problem+json")
	w.json(rw, status, p)
}

func (w *Web) json(rw http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(true) // a browser that guesses HTML finds no tags
	if err := e.Encode(v); err != nil {
		http.Error(rw, "the answer cannot be written as JSON: "+err.Error(), http.StatusInternalServerError)
		return
	}
	if rw.Header().Get("Content-Type") == "" {
		rw.Header().Set("Content-Type", "application/json")
	}
	rw.WriteHeader(status)
	_, _ = rw.Write(b.Bytes()) // the client may have left
}

func (w *Web) notFound(rw http.ResponseWriter, r *http.Request) {
	c := &call{r: r, html: !strings.HasPrefix(r.URL.Path, "/api/")}
	var err error
	if c.who, err = w.cfg.Auth.Authenticate(r); err == nil {
		err = &statusError{http.StatusNotFound, "there is nothing at this address"}
	}
	w.fail(rw, c, err)
}
