package postmortem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// Errors of an archive, to be asked for with errors.Is; store.ErrNotFound and store.ErrConflict as well.
var (
	ErrRefused = errors.New("refused")              // a rule forbids it for now; the message says which, and what to do
	ErrInput   = errors.New("cannot be understood") // the message says what is expected
)

// Kinds and states of the records (docs/format/postmortem.md).
const (
	kind        = "postmortem"          // the newest text; its id is the incident's
	kindEarlier = "postmortem-revision" // each text before it: "<incident>/<version>"
	draft       = "draft"
	published   = "published"
)

const mostText = 1 << 20

// Saved is a text that is kept.
type Saved struct {
	Incident    string    `json:"incident"`
	Title       string    `json:"title"`
	Markdown    string    `json:"markdown"`
	By          string    `json:"by"` // who wrote it last
	Time        time.Time `json:"time"`
	Published   time.Time `json:"published,omitzero"`
	PublishedBy string    `json:"publishedBy,omitempty"`
	Version     int64     `json:"-"`
}

// Archive keeps postmortems. Safe for concurrent use.
type Archive struct {
	records store.Records
	now     func() time.Time
}

// NewArchive keeps them in records; now is the clock.
func NewArchive(records store.Records, now func() time.Time) (*Archive, error) {
	if records == nil || now == nil {
		return nil, errors.New("postmortem: an archive needs records and a clock")
	}
	return &Archive{records, now}, nil
}

// Get returns the postmortem of an incident, or store.ErrNotFound.
func (a *Archive) Get(ctx context.Context, incident string) (Saved, error) {
	s, _, err := a.get(ctx, incident)
	return s, err
}

func (a *Archive) get(ctx context.Context, incident string) (Saved, store.Record, error) {
	r, err := a.records.Get(ctx, kind, incident)
	if err != nil {
		return Saved{}, r, fmt.Errorf("postmortem of %s: %w", incident, err)
	}
	var s Saved
	if err := json.Unmarshal(r.Body, &s); err != nil {
		return s, r, fmt.Errorf("postmortem of %s: its record cannot be read: %w", incident, err)
	}
	s.Version = r.Version
	return s, r, nil
}

// Save keeps a text in place of the version that it was made from, 0 for the first; the earlier text is kept too. One that was published must stay
// without faults.
func (a *Archive) Save(ctx context.Context, incident, markdown, by string, version int64) (Saved, error) {
	switch {
	case strings.TrimSpace(markdown) == "" || by == "":
		return Saved{}, fmt.Errorf("postmortem of %s: %w: it needs a text, and somebody who wrote it", incident, ErrInput)
	case len(markdown) > mostText:
		return Saved{}, fmt.Errorf("postmortem of %s: %w: at most %d bytes; link long evidence", incident, ErrInput, mostText)
	}
	old, earlier, err := a.get(ctx, incident)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return Saved{}, err
	}
	if version != old.Version {
		return Saved{}, fmt.Errorf("postmortem of %s is at version %d, not %d: somebody else has saved it since; read it again and put the two together: %w", incident, old.Version, version, store.ErrConflict)
	}
	next := Saved{Incident: incident, Title: Plain(Parse(markdown).Title), Markdown: markdown, By: by, Time: a.now().UTC(), Published: old.Published, PublishedBy: old.PublishedBy, Version: version}
	if !next.Published.IsZero() {
		if err := faultless(incident, markdown, "it is published, and must stay so that it can be"); err != nil {
			return Saved{}, err
		}
	}
	var keep []store.Record
	if version > 0 {
		keep = append(keep, store.Record{Kind: kindEarlier, ID: fmt.Sprintf("%s/%d", incident, version), Parent: incident, Time: earlier.Time, Body: earlier.Body})
	}
	return a.put(ctx, next, keep...)
}

// Publish says that the text is what is to be known. It is refused while the lint finds what must be mended.
func (a *Archive) Publish(ctx context.Context, incident, by string, version int64) (Saved, error) {
	s, err := a.Get(ctx, incident)
	if errors.Is(err, store.ErrNotFound) {
		return s, fmt.Errorf("postmortem of %s: %w: nobody has saved one yet; save the draft first", incident, ErrRefused)
	}
	if err != nil {
		return s, err
	}
	if version != 0 && version != s.Version {
		return s, fmt.Errorf("postmortem of %s is at version %d, not %d: read it again: %w", incident, s.Version, version, store.ErrConflict)
	}
	if err := faultless(incident, s.Markdown, "it cannot be published"); err != nil {
		return s, err
	}
	if !s.Published.IsZero() {
		return s, nil
	}
	s.Published, s.PublishedBy = a.now().UTC(), by
	return a.put(ctx, s)
}

func faultless(incident, markdown, what string) error {
	var faults []string
	for _, f := range Lint(markdown, Options{}) {
		if f.Must {
			faults = append(faults, f.Text)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("postmortem of %s: %w: %s: %d faults, the first: %s", incident, ErrRefused, what, len(faults), faults[0])
}

func (a *Archive) put(ctx context.Context, s Saved, more ...store.Record) (Saved, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return s, fmt.Errorf("postmortem of %s: %w", s.Incident, err)
	}
	state := draft
	if !s.Published.IsZero() {
		state = published
	}
	r := store.Record{Kind: kind, ID: s.Incident, Parent: s.Incident, State: state, Time: s.Time.Truncate(time.Microsecond), Version: s.Version, Body: b}
	if err := a.records.Put(ctx, append(more, r)...); err != nil {
		return s, fmt.Errorf("postmortem of %s: %w", s.Incident, err)
	}
	s.Version++
	return s, nil
}

// OpenItems lists the action items of an incident's postmortem that are not done, one line each; none where there is no postmortem.
func (a *Archive) OpenItems(ctx context.Context, incident string) ([]string, error) {
	s, err := a.Get(ctx, incident)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, x := range Parse(s.Markdown).Items {
		if x.State != inquest.ItemDone && x.State != inquest.ItemDropped && x.Text != "" {
			out = append(out, Plain(ItemLine(&x)))
		}
	}
	return out, nil
}

// All lists the published ones, newest first.
func (a *Archive) All(ctx context.Context) ([]Saved, error) {
	q := store.Query{Kind: kind, State: published, Newest: true, Limit: 500}
	out := []Saved{}
	for {
		records, err := a.records.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("postmortems: %w", err)
		}
		for _, r := range records {
			var s Saved
			if err := json.Unmarshal(r.Body, &s); err != nil {
				return nil, fmt.Errorf("postmortem of %s: its record cannot be read: %w", r.ID, err)
			}
			s.Version = r.Version
			out = append(out, s)
			q.After = store.Cursor{Time: r.Time, ID: r.ID}
		}
		if len(records) < q.Limit {
			return out, nil
		}
	}
}
