package sqlrecords

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/inquesthq/inquest/internal/store"
)

const defaultLimit = 1000

// List returns records in order of time, and of id where times are equal.
func (r *Records) List(ctx context.Context, q store.Query) ([]store.Record, error) {
	what := "list " + q.Kind
	if err := checkQuery(q); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	query, args := r.listing(q)
	var out []store.Record
	err := r.do(ctx, what, func(ctx context.Context) error {
		out = nil
		rows, err := r.c.Read.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var rec store.Record
			err := scan(rows.Scan, &rec)
			out = append(out, rec)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func checkQuery(q store.Query) error {
	if err := checkWord("kind", q.Kind); err != nil {
		return err
	}
	if q.State != "" {
		if err := checkWord("state", q.State); err != nil {
			return err
		}
	}
	if q.Limit < 0 {
		return errors.New("the limit is negative")
	}
	return nil
}

func (r *Records) listing(q store.Query) (string, []any) {
	var b strings.Builder
	args := []any{}
	where := func(condition string, values ...any) {
		b.WriteString(" AND ")
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		b.WriteString(condition)
	}
	args = append(args, q.Kind)
	b.WriteString("SELECT " + columns + " FROM " + r.records + " WHERE kind = $1")
	if q.Parent != "" {
		where("parent = ?", r.c.Dialect.ID(q.Parent))
	}
	if q.State != "" {
		where("state = ?", q.State)
	}
	if !q.From.IsZero() {
		where("time >= ?", q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		where("time < ?", q.To.UnixMicro())
	}
	direction, behind := "", "(time, id) > (?, ?)"
	if q.Newest {
		direction, behind = " DESC", "(time, id) < (?, ?)"
	}
	if q.After != (store.Cursor{}) {
		where(behind, q.After.Time.UnixMicro(), r.c.Dialect.ID(q.After.ID))
	}
	limit := q.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	args = append(args, limit)
	fmt.Fprintf(&b, " ORDER BY time%s, id%s LIMIT $%d", direction, direction, len(args))
	return b.String(), args
}
