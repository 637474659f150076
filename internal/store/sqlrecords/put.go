package sqlrecords

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/inquesthq/inquest/internal/store"
)

const (
	chunkRows  = 64      // rows of one statement: few round trips, and few texts of statements to prepare
	chunkBytes = 1 << 20 // bodies of one statement, unless one alone has more
)

// Put writes all the records or none.
//
// Writers never wait for each other in a circle: known records are locked first, in the order of their keys; then new ones are inserted in the
// same order, which waits only for another who is inserting the same key; what is left changes rows that are locked.
func (r *Records) Put(ctx context.Context, records ...store.Record) error {
	if len(records) == 0 {
		return nil
	}
	fresh, known, err := sorted(records)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("write %s %q", records[0].Kind, records[0].ID)
	if n := len(records) - 1; n > 0 {
		what += fmt.Sprintf(" and %d more", n)
	}
	return r.change(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		for part := range chunks(known) {
			if err := r.lock(ctx, tx, part); err != nil {
				return err
			}
		}
		for part := range chunks(fresh) {
			if err := r.add(ctx, tx, part); err != nil {
				return err
			}
		}
		for part := range chunks(known) {
			query, args := r.values(part)
			if _, err := tx.ExecContext(ctx, query+r.supersede, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// key tells records apart.
type key struct{ kind, id string }

func conflict(k key) error { return fmt.Errorf("%s %q: %w", k.kind, k.id, store.ErrConflict) }

// sorted checks the records and parts them into those that must not exist yet and those that must, each in the order of their keys.
func sorted(records []store.Record) (fresh, known []store.Record, err error) {
	seen := make(map[key]bool, len(records))
	for _, rec := range records {
		if err := check(rec); err != nil {
			return nil, nil, fmt.Errorf("write %s %q: %w", rec.Kind, rec.ID, err)
		}
		k := key{rec.Kind, rec.ID}
		if seen[k] {
			return nil, nil, fmt.Errorf("write %s %q: it is twice in one Put", rec.Kind, rec.ID)
		}
		seen[k] = true
		if rec.Version == 0 {
			fresh = append(fresh, rec)
		} else {
			known = append(known, rec)
		}
	}
	order := func(a, b store.Record) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.ID, b.ID))
	}
	slices.SortFunc(fresh, order)
	slices.SortFunc(known, order)
	return fresh, known, nil
}

// chunks cuts records into parts for one statement. Their sizes are powers of two, so that few statements are prepared.
func chunks(records []store.Record) func(yield func([]store.Record) bool) {
	return func(yield func([]store.Record) bool) {
		for rest := records; len(rest) > 0; {
			fits, bytes := 0, 0
			for fits < min(len(rest), chunkRows) && (fits == 0 || bytes+len(rest[fits].Body) <= chunkBytes) {
				bytes += len(rest[fits].Body)
				fits++
			}
			n := 1
			for 2*n <= fits {
				n *= 2
			}
			if !yield(rest[:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

// lock makes sure that the records have the versions that their writer has read, and keeps them so until the transaction ends.
func (r *Records) lock(ctx context.Context, tx *sql.Tx, part []store.Record) error {
	versions := make(map[key]int64, len(part))
	for rest := part; len(rest) > 0; {
		kind := rest[0].Kind
		n := slices.IndexFunc(rest, func(rec store.Record) bool { return rec.Kind != kind })
		if n < 0 {
			n = len(rest)
		}
		args := []any{kind}
		for _, rec := range rest[:n] {
			args = append(args, r.c.Dialect.ID(rec.ID))
		}
		query := "SELECT id, version FROM " + r.records + " WHERE kind = $1 AND id IN (" + parameters(2, n) + ") ORDER BY id" + r.c.Dialect.ForUpdate
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		err = each(rows, func() error {
			k, version := key{kind: kind}, int64(0)
			err := rows.Scan(&k.id, &version)
			versions[k] = version
			return err
		})
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	for _, rec := range part {
		if k := (key{rec.Kind, rec.ID}); versions[k] != rec.Version {
			return conflict(k)
		}
	}
	return nil
}

// add inserts records that must not exist yet.
func (r *Records) add(ctx context.Context, tx *sql.Tx, part []store.Record) error {
	query, args := r.values(part)
	rows, err := tx.QueryContext(ctx, query+r.insert, args...)
	if err != nil {
		return err
	}
	added := make(map[key]bool, len(part))
	err = each(rows, func() error {
		var k key
		err := rows.Scan(&k.kind, &k.id)
		added[k] = true
		return err
	})
	if err != nil {
		return err
	}
	for _, rec := range part {
		if k := (key{rec.Kind, rec.ID}); !added[k] {
			return conflict(k)
		}
	}
	return nil
}

// values writes the INSERT of the records' next versions.
func (r *Records) values(part []store.Record) (string, []any) {
	var b strings.Builder
	b.WriteString("INSERT INTO " + r.records + " (" + columns + ") VALUES ")
	const width = 7
	args := make([]any, 0, width*len(part))
	for i, rec := range part {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("(" + parameters(width*i+1, width) + ")")
		args = append(args, rec.Kind, r.c.Dialect.ID(rec.ID), r.c.Dialect.ID(rec.Parent), rec.State, rec.Time.UnixMicro(), rec.Version+1, r.c.Dialect.Body(rec.Body))
	}
	return b.String(), args
}

// parameters writes n of them, from $first on.
func parameters(first, n int) string {
	b := make([]byte, 0, 5*n)
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, '$'), int64(first+i), 10)
	}
	return string(b)
}

// each calls f for every row and closes rows.
func each(rows *sql.Rows, f func() error) error {
	defer rows.Close()
	for rows.Next() {
		if err := f(); err != nil {
			return err
		}
	}
	return rows.Err()
}
