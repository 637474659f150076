// Package incident keeps the desk that incidents lie on. Alerts come in; one outage becomes one incident; it is investigated by itself and
// again as evidence grows; people are told once for each change of its state, and whatever happens is an entry of its timeline.
//
// Everything is a record (docs/format/incident.md). Each change is one Put of the incident, its entries and its notices, against the version that was
// read: two servers on one store open one incident, and a server that is killed leaves either all of a change or nothing of it. The desk
// sends nothing: internal/notify takes the notices that it writes.
package incident

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// Errors of the desk, to be asked for with errors.Is. ErrNotFound and ErrConflict are those of package store.
var (
	// ErrMove: the incident's state does not allow that.
	ErrMove = errors.New("the incident's state does not allow it")
	// ErrRefused: a rule forbids it for now; the message says which, and what to do.
	ErrRefused = errors.New("refused")
	// ErrInput: what was given cannot be understood; the message says what is expected.
	ErrInput = errors.New("cannot be understood")
)

// Job asks for one investigation.
type Job struct {
	Incident inquest.Incident
	Began    time.Time // the earliest of opened, detected and onset
	Reason   string    // why now: "opened", "30s", "alert joined", "change", "still active"
	At       time.Time // now, by the desk's clock
}

// Config wires a Desk.
type Config struct {
	Records store.Records // required
	Leaders store.Leaders // nil: this is the only server on the store
	Server  string        // this server's name, required with Leaders
	Lease   time.Duration // a leader that died is replaced after it; 0: 15 seconds
	Policy  Policy        // what the operator chooses; zero fields have the defaults that their comments name

	// Investigate looks into an incident; nil: nobody does. It is called by Run, at most two at a time, with a limit of time.
	Investigate func(context.Context, Job) (*inquest.Diagnosis, error)
	// Edges tells who calls whom as far as it was seen, in addition to Policy.Edges; may be nil.
	Edges func(context.Context) ([]inquest.Edge, error)
	// FindError tells which service gave a user this error id, and when; store.ErrNotFound when nobody knows. May be nil.
	FindError func(ctx context.Context, errorID string) (service string, at time.Time, err error)
	// Failing tells which of the services still fail requests, one line each with how many; none when users are served. May be nil.
	Failing func(ctx context.Context, services []string) ([]string, error)
	// OpenItems lists the action items of an incident's postmortem that are not done yet, one line each; may be nil.
	OpenItems func(ctx context.Context, incident string) ([]string, error)

	// Failed is told of errors that Run goes on after; may be nil.
	Failed func(error)

	Now   func() time.Time              // nil: the machine's clock
	NewID func(opened time.Time) string // nil: "INC-20261129-7KQ2"
}

// Desk opens incidents and keeps them. Safe for concurrent use, also by several servers on one store.
type Desk struct {
	cfg    Config
	policy Policy
	jobs   chan struct{} // a place for each investigation that may run at a time
	wake   chan struct{} // something was changed here: Run need not wait for its next second

	mu       sync.Mutex
	watchers map[chan Event]bool
	running  map[string]bool  // incidents that are being investigated here
	seen     map[string]int64 // versions that the watchers were told
	leading  time.Time        // when the lease was last asked for
	leader   bool
}

// New checks the wiring and the policy. It reads and writes nothing.
func New(cfg Config) (*Desk, error) {
	if cfg.Records == nil {
		return nil, errors.New("incident: a desk needs Records to keep incidents in")
	}
	if cfg.Leaders != nil && cfg.Server == "" {
		return nil, errors.New("incident: with Leaders each server needs a name of its own in Server")
	}
	if cfg.Lease == 0 {
		cfg.Lease = 15 * time.Second
	}
	policy, err := cfg.Policy.complete()
	if err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = NewID
	}
	return &Desk{cfg: cfg, policy: policy, jobs: make(chan struct{}, 2), wake: make(chan struct{}, 1), watchers: map[chan Event]bool{}, running: map[string]bool{}, seen: map[string]int64{}}, nil
}

// now is the desk's time as records keep it.
func (d *Desk) now() time.Time { return moment(d.cfg.Now()) }

// moment cuts a time to what the stores keep, in UTC.
func moment(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// NewID makes an incident's id of the day it was opened and four characters that nobody mixes up when they are read out aloud.
func NewID(opened time.Time) string {
	const letters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails, by its documentation
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return "INC-" + opened.UTC().Format("20060102") + "-" + string(b)
}

// mostTries bounds how often a change is decided again after somebody else was quicker. Each round one writer wins, so that as many rounds
// as there are writers suffice; 60 leaves room for a burst of them.
const mostTries = 60

// change lets f decide on what is on the desk now, and writes what it decided, all or nothing. When somebody else was quicker, f decides
// again on what they left.
func (d *Desk) change(ctx context.Context, f func(context.Context, *edit) error) error {
	for try := 1; ; try++ {
		e, err := d.read(ctx)
		if err != nil {
			return err
		}
		if err := f(ctx, e); err != nil {
			return err
		}
		records, err := e.records()
		if err != nil || len(records) == 0 {
			return err
		}
		err = d.cfg.Records.Put(ctx, records...)
		if err == nil {
			d.written(e)
			return nil
		}
		if !errors.Is(err, store.ErrConflict) || try == mostTries {
			return fmt.Errorf("incident: write: %w", err)
		}
		if err := pause(ctx, time.Duration(mathrand.Int64N(int64(min(try, 10))*int64(5*time.Millisecond)))); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
