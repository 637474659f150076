package sqlrecords

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const deleteRows = 1000 // of one transaction, so that others get their turn

// Delete removes the records of a kind that are older, and returns how many there were, also beside an error. A record that somebody changes
// at the same moment stays for the next time.
func (r *Records) Delete(ctx context.Context, kind string, before time.Time) (int, error) {
	what := "delete old " + kind
	if err := checkWord("kind", kind); err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	query := fmt.Sprintf("DELETE FROM %[1]s WHERE kind = $1 AND id IN (SELECT id FROM %[1]s WHERE kind = $1 AND time < $2 ORDER BY time, id LIMIT %[2]d%[3]s)",
		r.records, deleteRows, r.c.Dialect.Skip)
	for all := 0; ; {
		n, err := r.affect(ctx, what, query, kind, before.UnixMicro())
		all += n
		if err != nil || n < deleteRows {
			return all, err
		}
	}
}

// affect runs one statement in a transaction of its own and returns how many rows it changed.
func (r *Records) affect(ctx context.Context, what, query string, args ...any) (int, error) {
	var n int64
	err := r.change(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(n), nil
}

// Lead takes or renews a lease. Times are the database's, so that servers whose clocks differ agree; a lease that was taken in a future further
// away than ttl, by a clock that went back since, counts as over.
func (r *Records) Lead(ctx context.Context, task, holder string, ttl time.Duration) (bool, error) {
	what := "lead " + task
	if err := errors.Join(checkWord("task", task), checkHolder(holder)); err != nil {
		return false, fmt.Errorf("%s: %w", what, err)
	}
	if ttl < time.Millisecond {
		return false, fmt.Errorf("%s: a lease of %s is too short", what, ttl)
	}
	// Now is read again behind WHERE: a statement that has waited for another's lease is younger than it, though its values are not.
	query := fmt.Sprintf(`INSERT INTO %[1]s AS held (task, holder, taken, until) VALUES ($1, $2, %[2]s, %[2]s + $3)
		ON CONFLICT (task) DO UPDATE SET holder = excluded.holder, taken = %[2]s, until = %[2]s + $3
		WHERE held.holder = excluded.holder OR held.until <= %[2]s OR held.taken > %[2]s + $3`, r.leases, r.c.Dialect.Now)
	n, err := r.affect(ctx, what, query, task, r.c.Dialect.ID(holder), ttl.Microseconds())
	return n == 1, err
}

func checkHolder(holder string) error {
	if holder == "" || len(holder) > MaxID {
		return fmt.Errorf("the holder %q must have 1 to %d bytes", holder, MaxID)
	}
	return nil
}
