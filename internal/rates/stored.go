package rates

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/pattern"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/store"
)

// patternBody is the body of a record of kind "pattern"; docs/format/pattern.md.
type patternBody struct {
	ID       string      `json:"id"`
	Service  string      `json:"service"`
	Template string      `json:"template"`
	Level    string      `json:"level"`
	First    time.Time   `json:"first"`
	Last     time.Time   `json:"last"`
	Count    uint64      `json:"count"`
	New      bool        `json:"new,omitempty"`
	Surging  bool        `json:"surging,omitempty"`
	Ratio    float64     `json:"ratio,omitempty"`
	Example  exampleBody `json:"example"`
}

type exampleBody struct {
	Time      time.Time `json:"time"`
	Text      string    `json:"text"`
	RequestID string    `json:"request_id,omitempty"`
	File      string    `json:"file,omitempty"`
	Line      int       `json:"line,omitempty"`
}

// errPattern names the record whose body cannot be read.
var errPattern = errors.New("pattern record cannot be read; delete it from the store")

func patternID(id pattern.ID, service string) string { return id.String() + "/" + service }

// merge adds what is due to what the store has, which another server may have written.
func (b *patternBody) merge(d *Due, isNew bool) {
	if b.ID == "" {
		*b = patternBody{ID: d.ID.String(), Service: d.Service, Template: redact.Text(d.Template), First: d.First, Last: d.Last, New: isNew,
			Example: exampleBody{d.Example.Time, redact.Text(d.Example.Text), d.Example.RequestID, d.Example.File, d.Example.Line}}
	}
	b.Level = cmp.Or(d.Level.String(), b.Level)
	b.Count += d.Delta
	if d.First.Before(b.First) {
		b.First = d.First
	}
	if d.Last.After(b.Last) {
		b.Last = d.Last
	}
	b.Surging, b.Ratio = d.Surging, d.Ratio
}

// savePatterns stores what is due.
func (f *Follower) savePatterns(ctx context.Context, now time.Time) error {
	var records []store.Record
	due := f.patterns.Due(now, duePatterns)
	kept := due[:0]
	for i := range due {
		r, err := f.patternRecord(ctx, &due[i])
		if err != nil {
			return err
		}
		records, kept = append(records, r), append(kept, due[i])
	}
	if len(records) == 0 {
		return nil
	}
	err := f.cfg.Records.Put(ctx, records...)
	if errors.Is(err, store.ErrConflict) { // another server met the same pattern: one at a time, and who loses tries again later
		return f.saveEach(ctx, records, kept)
	}
	if err != nil {
		for _, d := range kept {
			f.patterns.Failed(d)
		}
		return fmt.Errorf("storing patterns: %w", err)
	}
	for _, d := range kept {
		f.patterns.Saved(d)
	}
	return nil
}

func (f *Follower) saveEach(ctx context.Context, records []store.Record, due []Due) error {
	for i, r := range records {
		switch err := f.cfg.Records.Put(ctx, r); {
		case errors.Is(err, store.ErrConflict):
		case err != nil:
			return fmt.Errorf("storing patterns: %w", err)
		default:
			f.patterns.Saved(due[i])
		}
	}
	return nil
}

func (f *Follower) patternRecord(ctx context.Context, d *Due) (store.Record, error) {
	r, err := f.cfg.Records.Get(ctx, "pattern", patternID(d.ID, d.Service))
	known := err == nil
	var b patternBody
	switch {
	case known:
		if err := json.Unmarshal(r.Body, &b); err != nil {
			return r, fmt.Errorf("%s: %w: %w", r.ID, errPattern, err)
		}
	case errors.Is(err, store.ErrNotFound):
		r = store.Record{Kind: "pattern", ID: patternID(d.ID, d.Service), Parent: d.Service}
	default:
		return r, fmt.Errorf("looking up patterns: %w", err)
	}
	isNew := false
	if d.Fresh {
		some := known
		if !some {
			list, err := f.cfg.Records.List(ctx, store.Query{Kind: "pattern", Parent: d.Service, To: f.started, Newest: true, Limit: 1})
			if err != nil {
				return r, fmt.Errorf("looking up patterns: %w", err)
			}
			some = len(list) > 0
		}
		isNew = f.patterns.Settle(*d, known, some)
	}
	b.merge(d, isNew)
	r.Time, r.State = b.Last, stateOf(&b)
	r.Body, err = json.Marshal(b)
	return r, err
}

// stateOf is the word by which patterns are listed.
func stateOf(b *patternBody) string {
	switch {
	case b.Surging:
		return "surging"
	case b.New:
		return "new"
	}
	return "steady"
}

// saveChanges stores what was found; what cannot be stored waits for the next time.
func (f *Follower) saveChanges(ctx context.Context) error {
	f.changed = append(f.changed, f.changes.Found()...)
	for len(f.changed) > 0 {
		if err := f.saveChange(ctx, f.changed[0]); err != nil {
			return fmt.Errorf("storing a change: %w", err)
		}
		f.changed = f.changed[1:]
	}
	f.changed = nil
	return nil
}

// sameChange is how far apart two reports of one deploy may be: the pipeline says that it begins or is done, the log that it runs.
const sameChange = 30 * time.Minute

func (f *Follower) saveChange(ctx context.Context, c inquest.Change) error {
	near, err := f.cfg.Records.List(ctx, store.Query{Kind: "change", Parent: c.Service, From: c.Time.Add(-sameChange), To: c.Time.Add(sameChange)})
	if err != nil {
		return err
	}
	for _, r := range near {
		var o inquest.Change
		if json.Unmarshal(r.Body, &o) == nil && o.Kind == c.Kind && o.Version == c.Version && c.Version != "" {
			return nil // told already
		}
	}
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	c.Source = inquest.Source{} // where it was read makes no other change of it
	key, err := json.Marshal(c)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(key)
	err = f.cfg.Records.Put(ctx, store.Record{Kind: "change", ID: hex.EncodeToString(sum[:12]), Parent: c.Service, Time: c.Time, Body: body})
	if errors.Is(err, store.ErrConflict) {
		return nil // read again after a restart
	}
	if err == nil && f.cfg.Changed != nil {
		f.cfg.Changed(ctx, c)
	}
	return err
}
