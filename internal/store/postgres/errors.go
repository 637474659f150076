package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/inquesthq/inquest/internal/store"
)

func doubled(s string) string { return strings.ReplaceAll(s, "'", "''") }

// again: the connection was cut or the transaction was picked to be rolled back; none of it is to be expected from the next attempt.
// A server that takes no connections is not asked again: whoever called knows better how long to wait.
func again(err error) bool {
	var refused *pgconn.ConnectError
	if errors.As(err, &refused) {
		return false
	}
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch e.Code {
		case "57P01", "57P02", // admin_shutdown, crash_shutdown
			"25P03",          // idle_in_transaction_session_timeout
			"40001", "40P01": // serialization_failure, deadlock_detected
			return true
		}
		return false
	}
	return pgconn.SafeToRetry(err) || cut(err)
}

func cut(err error) bool {
	for _, of := range []error{driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}

// explain says what to do about an error of PostgreSQL.
func explain(where string, err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch {
		case e.Code == "XX001" || e.Code == "XX002": // data_corrupted, index_corrupted
			return fmt.Errorf("%w: %s: %w; stop writing to it, and restore a backup (PostgreSQL's manual, chapter 26)", store.ErrCorrupt, where, err)
		case e.Code == "53100": // disk_full
			return fmt.Errorf("%s has no room on its disk; nothing was written: make room, inquest goes on by itself: %w", where, err)
		case e.Code == "53300": // too_many_connections
			return fmt.Errorf("%s has no connection left: raise max_connections there, or lower the number of connections here: %w", where, err)
		case e.Code == "25006": // read_only_sql_transaction
			return fmt.Errorf("%s is read-only, perhaps a standby: name the primary, or all hosts with target_session_attrs=read-write: %w", where, err)
		case e.Code == "42501": // insufficient_privilege
			return fmt.Errorf("%s does not let this user do it: GRANT it the rights on the schema, or let it make its own: %w", where, err)
		case strings.HasPrefix(e.Code, "28"): // invalid authorization
			return fmt.Errorf("%s refuses user and password: %w", where, err)
		case e.Code == "3D000": // invalid_catalog_name
			return fmt.Errorf("%s: make the database first (createdb): %w", where, err)
		}
	}
	var refused *pgconn.ConnectError
	if errors.As(err, &refused) || cut(err) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s does not answer: see that it runs, and that this machine may connect; inquest tries anew with every call: %w", where, err)
	}
	return fmt.Errorf("%s: %w", where, err)
}
