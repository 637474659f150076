package incident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/inquesthq/inquest/internal/roster"
	"github.com/inquesthq/inquest/internal/store"
)

// PutRoster stores a roster, in place of the one of that name at the same Version; 0 for a new one.
func (d *Desk) PutRoster(ctx context.Context, r roster.Roster) (roster.Roster, error) {
	if err := r.Check(); err != nil {
		return r, fmt.Errorf("incident: %w: %w", ErrInput, err)
	}
	rec, err := record(kindRoster, r.Name, "", "", d.now(), r)
	if err != nil {
		return r, err
	}
	rec.Version = r.Version
	if err := d.cfg.Records.Put(ctx, rec); err != nil {
		return r, fmt.Errorf("incident: roster %s: %w", r.Name, err)
	}
	r.Version++
	return r, nil
}

// Roster returns a roster by its name, or store.ErrNotFound.
func (d *Desk) Roster(ctx context.Context, name string) (roster.Roster, error) {
	rec, err := d.cfg.Records.Get(ctx, kindRoster, name)
	if err != nil {
		return roster.Roster{}, fmt.Errorf("incident: roster %s: %w", name, err)
	}
	r, err := decode[roster.Roster](rec)
	r.Version = rec.Version
	return r, err
}

// Rosters lists all of them.
func (d *Desk) Rosters(ctx context.Context) ([]roster.Roster, error) {
	records, err := d.cfg.Records.List(ctx, store.Query{Kind: kindRoster})
	if err != nil {
		return nil, fmt.Errorf("incident: list rosters: %w", err)
	}
	out := make([]roster.Roster, 0, len(records))
	for _, rec := range records {
		r, err := decode[roster.Roster](rec)
		if err != nil {
			return nil, err
		}
		r.Version = rec.Version
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b roster.Roster) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// onCall returns whom a message is for. A roster that is not there must not keep it from being sent.
func (e *edit) onCall(ctx context.Context, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	r, err := e.desk.Roster(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return r.OnCall(e.now), nil
}
