// Package store holds the contracts of what the server remembers: records (incidents, entries, messages, changes, patterns) and metrics.
// Two implementations of each are tested by one suite, internal/store/storetest. Logs are not here: they stay as they came, in
// internal/spool, and are read when an incident asks for them.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/inquesthq/inquest"
)

// Errors of every implementation, to be asked for with errors.Is.
var (
	ErrNotFound = errors.New("no such record")
	// ErrConflict: somebody else changed the record after it was read. Read it again, and decide again.
	ErrConflict = errors.New("the record was changed in between")
	// ErrCorrupt: the store's file cannot be read. The message says what to do.
	ErrCorrupt = errors.New("the store is damaged")
	// ErrFull: the disk has no room. Nothing was written; it goes on by itself once there is.
	ErrFull = errors.New("the disk is full")
	// ErrQuery: the query cannot be answered by any store: it does not parse, or asks for too much. The asker must change it.
	ErrQuery = errors.New("bad query")
)

// Record is one document. It is not edited in place: a new version replaces the one that its writer has read.
type Record struct {
	Kind    string    // what it is: "incident", "entry", ...; the room that owns the kind documents Body
	ID      string    // unique within the kind
	Parent  string    // what it belongs to, "" for nothing: an entry's incident
	State   string    // one indexed word, "" for none: an incident's state, "due" for a message
	Time    time.Time // indexed, microseconds, UTC; the order of List
	Version int64     // 1 and up; 0 in Put: it must not exist yet
	Body    []byte    // JSON
}

// Query says which records List returns. Zero fields do not restrict.
type Query struct {
	Kind   string // required
	Parent string
	State  string
	From   time.Time // inclusive
	To     time.Time // exclusive
	Newest bool      // newest first; else oldest first. Equal times are ordered by ID, in the same direction
	Limit  int       // 0: 1000
	After  Cursor    // go on behind this one
}

// Cursor is the place of a record in a listing; the zero Cursor is the beginning.
type Cursor struct {
	Time time.Time
	ID   string
}

// Records remembers documents. Safe for concurrent use, also by several servers where the implementation allows several.
type Records interface {
	// Get returns one record, or ErrNotFound.
	Get(ctx context.Context, kind, id string) (Record, error)
	// Put writes all the records or none. Version must be what the writer has read, 0 for a new one; else ErrConflict. What is written has
	// Version+1. When it returns nil, the records outlive the process and the machine's power. After another error than ErrConflict all of
	// them may be there all the same, when the context or the connection ended while it was committed: read again, or put again and expect ErrConflict.
	Put(ctx context.Context, records ...Record) error
	// List returns records in order of time.
	List(ctx context.Context, q Query) ([]Record, error)
}

// Keeper forgets: what no rule keeps any more.
type Keeper interface {
	// Delete removes the records of a kind that are older, and returns how many there were.
	Delete(ctx context.Context, kind string, before time.Time) (int, error)
}

// Leaders lets one of several servers do what must be done once.
type Leaders interface {
	// Lead tries to become, or to stay, the leader for a task. It is to be called again well within ttl; a leader that died is replaced
	// within ttl. holder names the server.
	Lead(ctx context.Context, task, holder string, ttl time.Duration) (bool, error)
}

// Appender takes samples. Samples of a series must not go back in time; those that do are counted and dropped, as Prometheus does.
type Appender interface {
	Append(ctx context.Context, series []inquest.Series) error
}

// Querier answers PromQL.
type Querier interface {
	// Instant evaluates at one time; every result has one sample.
	Instant(ctx context.Context, query string, at time.Time) ([]inquest.Series, error)
	// Range evaluates at from, from+step, ... up to and including to.
	Range(ctx context.Context, query string, from, to time.Time, step time.Duration) ([]inquest.Series, error)
	// Raw returns the samples as they were stored, of the series that match a selector such as {service="checkout"}, [from, to).
	Raw(ctx context.Context, selector string, from, to time.Time) ([]inquest.Series, error)
}
