package web

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/inquesthq/inquest/internal/auth"
)

// loginView is the page to sign in on.
type loginView struct {
	Password bool
	Provider string
	Next     string
	Name     string
	Error    string
}

func (w *Web) loginView(next string) loginView {
	v := loginView{Next: auth.LocalPath(next)}
	v.Password, v.Provider = w.cfg.Auth.Methods()
	return v
}

func (w *Web) loginPage(rw http.ResponseWriter, r *http.Request) {
	next := auth.LocalPath(r.URL.Query().Get("next"))
	if _, err := w.cfg.Auth.Authenticate(r); err == nil {
		http.Redirect(rw, r, next, http.StatusSeeOther)
		return
	}
	if !w.cfg.Auth.Configured() {
		w.fail(rw, &call{r: r, html: true}, auth.ErrForbidden)
		return
	}
	w.page(rw, &call{r: r, html: true}, http.StatusOK, "login", "", w.loginView(next))
}

func (w *Web) login(rw http.ResponseWriter, r *http.Request) {
	c := &call{r: r, html: true}
	if err := r.ParseForm(); err != nil {
		w.fail(rw, c, tooLarge(err, "the form cannot be read"))
		return
	}
	if err := w.cfg.Auth.SameSite(r); err != nil {
		w.fail(rw, c, err)
		return
	}
	v := w.loginView(r.PostForm.Get("next"))
	v.Name = r.PostForm.Get("name")
	id, err := w.cfg.Auth.Login(r.Context(), auth.Address(r), v.Name, r.PostForm.Get("password"))
	var wait *auth.WaitError
	switch {
	case errors.Is(err, auth.ErrWrong):
		v.Error = err.Error()
		w.page(rw, c, http.StatusUnauthorized, "login", "", v)
	case errors.As(err, &wait):
		v.Error = err.Error()
		rw.Header().Set("Retry-After", strconv.Itoa(int(wait.Wait.Seconds())+1))
		w.page(rw, c, http.StatusTooManyRequests, "login", "", v)
	case err != nil:
		w.fail(rw, c, err)
	default:
		w.enter(rw, c, id, v.Next)
	}
}

// enter starts the session and goes where they wanted to go.
func (w *Web) enter(rw http.ResponseWriter, c *call, id auth.Identity, next string) {
	if err := w.cfg.Auth.StartSession(rw, c.r, id); err != nil {
		w.fail(rw, c, err)
		return
	}
	http.Redirect(rw, c.r, next, http.StatusSeeOther)
}

func (w *Web) loginProvider(rw http.ResponseWriter, r *http.Request) {
	if err := w.cfg.Auth.StartOIDC(rw, r, r.URL.Query().Get("next")); err != nil {
		w.fail(rw, &call{r: r, html: true}, err)
	}
}

func (w *Web) loginCallback(rw http.ResponseWriter, r *http.Request) {
	c := &call{r: r, html: true}
	id, next, err := w.cfg.Auth.FinishOIDC(rw, r)
	if err != nil {
		v := w.loginView("/")
		v.Error = err.Error()
		w.page(rw, c, statusOf(err), "login", "", v)
		return
	}
	w.enter(rw, c, id, next)
}

func (w *Web) logout(rw http.ResponseWriter, r *http.Request) {
	c := &call{r: r, html: true}
	var err error
	if c.who, err = w.cfg.Auth.Authenticate(r); err == nil {
		if err = r.ParseForm(); err == nil {
			err = w.cfg.Auth.Check(r, c.who, r.PostForm.Get("csrf"))
		}
	}
	if err == nil {
		err = w.cfg.Auth.EndSession(rw, r)
	}
	if err != nil {
		w.fail(rw, c, err)
		return
	}
	http.Redirect(rw, r, "/login", http.StatusSeeOther)
}
