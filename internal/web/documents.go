package web

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/store"
)

func (w *Web) objectives(c *call) (any, error) {
	out := &list[Objective]{Items: []Objective{}}
	if w.cfg.Objectives == nil {
		return out, nil
	}
	all, err := w.cfg.Objectives.Objectives(c.ctx())
	if all != nil {
		out.Items = all
	}
	return out, err
}

// PostmortemView is a postmortem with its incident.
type PostmortemView struct {
	Incident   inquest.Incident `json:"incident"`
	Postmortem *Postmortem      `json:"postmortem"`
	Edit       bool             `json:"-"`
}

var errNoPostmortems = &RefusedError{"this server writes no postmortems"}

func (w *Web) postmortem(c *call) (any, error) {
	inc, err := w.cfg.Desk.Get(c.ctx(), c.path("id"))
	if err != nil {
		return nil, err
	}
	var p *Postmortem
	if c.query("draft") != "" && w.cfg.Postmortems != nil {
		p, err = w.cfg.Postmortems.Draft(c.ctx(), inc.ID)
	} else {
		p, err = w.document(c.ctx(), inc.ID)
	}
	return &PostmortemView{Incident: *inc, Postmortem: p, Edit: c.query("edit") != ""}, err
}

// document is the saved postmortem, or a draft.
func (w *Web) document(ctx context.Context, incident string) (*Postmortem, error) {
	if w.cfg.Postmortems == nil {
		return nil, errNoPostmortems
	}
	p, err := w.cfg.Postmortems.Get(ctx, incident)
	if errors.Is(err, store.ErrNotFound) {
		return w.cfg.Postmortems.Draft(ctx, incident)
	}
	return p, err
}

type postmortemInput struct {
	Markdown string `json:"markdown"`
	Version  int64  `json:"version,omitempty"` // of the text that was edited; 0 for the first
}

func (w *Web) savePostmortem(c *call) (any, error) {
	in := c.input.(*postmortemInput)
	if w.cfg.Postmortems == nil {
		return nil, errNoPostmortems
	}
	if in.Markdown == "" {
		return nil, &InputError{"the text is empty"}
	}
	return w.cfg.Postmortems.Save(c.ctx(), Postmortem{Incident: c.path("id"), Markdown: in.Markdown, Version: in.Version, By: c.who.Name, Time: w.cfg.Now().UTC()})
}

type publishInput struct {
	Version int64 `json:"version,omitempty"` // of the text that was read; 0: whatever it is now
}

func (w *Web) publishPostmortem(c *call) (any, error) {
	if w.cfg.Postmortems == nil {
		return nil, errNoPostmortems
	}
	return w.cfg.Postmortems.Publish(c.ctx(), c.path("id"), c.who.Name, c.input.(*publishInput).Version)
}

// PostmortemLine is one postmortem in the list of all: a record of kind "postmortem" (docs/format/postmortem.md).
type PostmortemLine struct {
	Incident    string    `json:"incident"`
	Title       string    `json:"title"`
	By          string    `json:"by"`
	Time        time.Time `json:"time"`
	Published   time.Time `json:"published,omitzero"`
	PublishedBy string    `json:"publishedBy,omitempty"`
}

func (w *Web) postmortems(c *call) (any, error) {
	words := strings.Fields(strings.ToLower(c.query("q")))
	return listed(c, w.cfg.Records, store.Query{Kind: "postmortem", State: c.query("state"), Newest: true}, func(r store.Record) (PostmortemLine, bool) {
		var p struct {
			PostmortemLine
			Markdown string `json:"markdown"`
		}
		p.Incident, p.Time = r.ID, r.Time
		if err := json.Unmarshal(r.Body, &p); err != nil {
			p.Title = "this record cannot be read: " + err.Error()
		}
		text := strings.ToLower(p.Incident + " " + p.Title + " " + p.Markdown)
		return p.PostmortemLine, !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
	})
}

// SettingsView is how the server is set up.
type SettingsView struct {
	Setup       Setup         `json:"setup"`
	Maintenance []Maintenance `json:"maintenance"`
	Silences    []Silence     `json:"silences"`
	Open        bool          `json:"open"` // nobody has to sign in yet
}

func (w *Web) settings(c *call) (any, error) {
	v := &SettingsView{Open: !w.cfg.Auth.Configured()}
	var err error
	if v.Silences, err = w.cfg.Desk.Silences(c.ctx()); err != nil {
		return nil, err
	}
	if v.Maintenance, err = w.cfg.Desk.Maintenance(c.ctx()); err != nil {
		return nil, err
	}
	if w.cfg.Settings != nil {
		s, err := w.cfg.Settings.Setup(c.ctx())
		if err != nil {
			return nil, err
		}
		v.Setup = *s
	}
	return v, nil
}

func (w *Web) signals(c *call) (any, error) {
	if w.cfg.Signals == nil {
		return &Arrivals{Warnings: []string{}, Signals: []Signal{}, Files: []FilePattern{}, Targets: []ScrapeTarget{}}, nil
	}
	return w.cfg.Signals.Arrivals(c.ctx())
}

func (w *Web) tokens(c *call) (any, error) {
	all, err := w.cfg.Auth.Tokens(c.ctx())
	return &list[auth.Token]{Items: all}, err
}

type tokenInput struct {
	Name   string    `json:"name"`             // who uses it
	Role   auth.Role `json:"role,omitempty"`   // viewer, responder or admin
	Source string    `json:"source,omitempty"` // or the one source that it may send signals for
	Days   int       `json:"days,omitempty"`   // until it expires; 0: never
}

// NewToken is a token with its key, which is not kept.
type NewToken struct {
	Key   string     `json:"key"`
	Token auth.Token `json:"token"`
}

func (w *Web) addToken(c *call) (any, error) {
	in := c.input.(*tokenInput)
	t := auth.Token{Name: in.Name, Role: in.Role, Source: in.Source}
	if in.Days < 0 || in.Days > 3660 {
		return nil, &InputError{"days is 0 (never) to 3660"}
	}
	if in.Days > 0 {
		t.Expires = w.cfg.Now().UTC().AddDate(0, 0, in.Days)
	}
	key, made, err := w.cfg.Auth.NewToken(c.ctx(), c.who.Name, t)
	if errors.Is(err, auth.ErrInput) {
		return nil, &InputError{err.Error()}
	}
	return &NewToken{Key: key, Token: made}, err
}

func (w *Web) revokeToken(c *call) (any, error) {
	return nothing{}, w.cfg.Auth.RevokeToken(c.ctx(), c.who.Name, c.path("token"))
}

func (w *Web) log(c *call) (any, error) {
	all, err := w.cfg.Auth.Log(c.ctx(), 200)
	return &list[auth.Audit]{Items: all}, err
}
