// Package notify tells people. It takes the notices that the desk wrote (internal/incident), makes one message of each, and sends it to its channel until the
// channel takes it. Every channel has a worker of its own: one that hangs or refuses never delays another.
//
// A notice is sent at least once: it is claimed by its version before, and marked after. A server that dies in between leaves it to be sent again under the
// same id, which every channel gets as the key by which it can tell a repetition (docs/notify.md). Within a channel the messages of an incident keep their order.
package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/store"
)

// Config wires a Sender.
type Config struct {
	Records  store.Records // required
	Channels []Channel
	BaseURL  string        // of the server as people reach it, "https://inquest.example.com"; "" leaves links out
	DryRun   bool          // write down what would be sent, and send nothing
	Timeout  time.Duration // of one attempt; 0: 10 seconds
	GiveUp   time.Duration // after the notice was made; 0: 6 hours
	Poll     time.Duration // how often to look for what is due; 0: 1 second
	Backoff  time.Duration // before the second attempt; it doubles up to 5 minutes. 0: 5 seconds
	Lease    time.Duration // a claimed notice is left alone for so long, then its server is taken for dead; 0: 1 minute

	Failed func(error)      // is told of errors that Run goes on after; may be nil
	Now    func() time.Time // nil: the machine's clock
}

// Sender sends notices. Several servers may run one on the same store.
type Sender struct {
	cfg     Config
	workers map[string]*worker
}

// worker is one channel and when it may be asked again.
type worker struct {
	settings Channel
	channel  channel
	dry      bool
	work     chan []inquest.Notice
	notUntil time.Time // the channel said when
}

// channel sends one message. note is what a person should know although it was taken.
type channel interface {
	send(ctx context.Context, m *Message) (note string, err error)
	close()
}

const (
	longest  = 5 * time.Minute
	patience = time.Hour   // the longest Retry-After that is believed
	skew     = time.Minute // by how much another server's clock may be ahead
)

// New checks the settings of every channel. It connects to nothing.
func New(cfg Config) (*Sender, error) {
	if cfg.Records == nil {
		return nil, errors.New("notify: a sender needs Records to take notices from")
	}
	cfg.Timeout, cfg.GiveUp = cmp.Or(cfg.Timeout, 10*time.Second), cmp.Or(cfg.GiveUp, 6*time.Hour)
	cfg.Poll, cfg.Backoff = cmp.Or(cfg.Poll, time.Second), cmp.Or(cfg.Backoff, 5*time.Second)
	cfg.Lease = cmp.Or(cfg.Lease, time.Minute)
	if cfg.Timeout > cfg.Lease/2 {
		return nil, fmt.Errorf("notify: a timeout of %s leaves no time to write down what came of it; at most %s, half of the lease", cfg.Timeout, cfg.Lease/2)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := checkBase(cfg.BaseURL); err != nil {
		return nil, err
	}
	s := &Sender{cfg: cfg, workers: map[string]*worker{}}
	for _, settings := range cfg.Channels {
		c, err := settings.open(cfg.BaseURL)
		if err != nil {
			return nil, err
		}
		if s.workers[settings.Name] != nil {
			return nil, fmt.Errorf("notify: two channels are called %s; give each a name of its own", settings.Name)
		}
		s.workers[settings.Name] = &worker{settings: settings, channel: c, dry: cfg.DryRun || settings.DryRun, work: make(chan []inquest.Notice)}
	}
	return s, nil
}

// Run sends what is due until ctx ends. An attempt that has begun is brought to its end, so that nothing is sent twice because of an orderly stop.
func (s *Sender) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	for _, w := range s.workers {
		all.Go(func() {
			defer w.channel.close()
			for {
				select {
				case <-ctx.Done():
					return
				case due := <-w.work:
					s.deliver(ctx, w, due)
				}
			}
		})
	}
	t := time.NewTicker(s.cfg.Poll)
	defer t.Stop()
	for {
		if err := s.hand(ctx); err != nil && ctx.Err() == nil {
			s.failed(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func (s *Sender) failed(err error) {
	if s.cfg.Failed != nil {
		s.cfg.Failed(err)
	}
}

func (s *Sender) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Microsecond) }

// hand gives each channel that is not busy what is due for it.
func (s *Sender) hand(ctx context.Context) error {
	due, err := s.due(ctx)
	if err != nil {
		return err
	}
	byChannel := map[string][]inquest.Notice{}
	for _, n := range due {
		byChannel[n.Channel] = append(byChannel[n.Channel], n)
	}
	for name, list := range byChannel {
		w := s.workers[name]
		if w == nil {
			for _, n := range list {
				err := s.finish(ctx, n, "", permanent(fmt.Errorf("there is no channel %s in the settings", name)))
				if err != nil && !errors.Is(err, store.ErrConflict) {
					return err
				}
			}
			continue
		}
		select {
		case w.work <- list:
		default: // busy: the next round
		}
	}
	return nil
}

// due lists the notices whose time has come, by when they were made.
func (s *Sender) due(ctx context.Context) ([]inquest.Notice, error) {
	now := s.now()
	q := store.Query{Kind: "notice", State: string(inquest.NoticeDue), Limit: 1000}
	var out []inquest.Notice
	for {
		page, err := s.cfg.Records.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("notify: read what is due: %w", err)
		}
		for _, r := range page {
			n, err := read(r)
			if err != nil {
				return nil, err
			}
			if s.ripe(&n, r.Time, now) {
				out = append(out, n)
			}
		}
		if len(page) < q.Limit {
			break
		}
		q.After = store.Cursor{Time: page[len(page)-1].Time, ID: page[len(page)-1].ID}
	}
	slices.SortFunc(out, earlier)
	return out, nil
}

// ripe reports whether a notice that is planned for at is to be sent now. After the clock was set back that may seem hours away: of a notice that was made at a time that has
// not come, or is planned further ahead than any attempt is.
func (s *Sender) ripe(n *inquest.Notice, at, now time.Time) bool {
	return !at.After(now) || n.Attempts == 0 && n.Created.After(now.Add(skew)) || at.After(now.Add(patience+s.cfg.Lease))
}

func earlier(a, b inquest.Notice) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
}

func read(r store.Record) (inquest.Notice, error) {
	var n inquest.Notice
	if err := json.Unmarshal(r.Body, &n); err != nil {
		return n, fmt.Errorf("notify: notice %s cannot be read: %w", r.ID, err)
	}
	n.Version = r.Version
	return n, nil
}

// deliver sends the notices of one channel, one after another.
func (s *Sender) deliver(ctx context.Context, w *worker, due []inquest.Notice) {
	for _, n := range due {
		if wait := w.notUntil.Sub(s.now()); ctx.Err() != nil || wait > 0 && wait <= patience { // a longer one is of a clock that was set back
			return
		}
		err := s.one(ctx, w, n)
		stopped := ctx.Err() != nil && errors.Is(err, context.Canceled)
		if err != nil && !stopped && !errors.Is(err, store.ErrConflict) {
			s.failed(err)
		}
	}
}

// one claims a notice, sends it, and writes down what came of it.
func (s *Sender) one(ctx context.Context, w *worker, n inquest.Notice) error {
	waits, err := s.waits(ctx, n)
	if err != nil || waits {
		return err
	}
	n.Attempts++
	claimed := n
	claimed.Next = s.now().Add(s.cfg.Lease)
	if err := s.put(ctx, claimed); err != nil {
		return err // ErrConflict: another server has it
	}
	n.Version++
	m, err := s.message(ctx, &n)
	if err != nil {
		return s.finish(ctx, n, "", err)
	}
	if w.dry {
		n.State = inquest.NoticeDry
		return s.finish(ctx, n, "", nil)
	}
	attempt, stop := context.WithTimeoutCause(context.WithoutCancel(ctx), s.cfg.Timeout, fmt.Errorf("no answer within %s", s.cfg.Timeout))
	defer stop()
	note, err := w.channel.send(attempt, m)
	if err != nil && attempt.Err() != nil {
		err = context.Cause(attempt)
	}
	err = w.settings.withoutSecrets(err)
	if after := retryAfter(err); after > 0 {
		w.notUntil = s.now().Add(min(after, patience))
	}
	return s.finish(ctx, n, note, err)
}

// waits reports whether an earlier notice of the same incident is still to be sent to the channel: a trigger that comes after the resolve would ring for ever.
func (s *Sender) waits(ctx context.Context, n inquest.Notice) (bool, error) {
	parent := cmp.Or(n.Incident, n.Alert)
	records, err := s.cfg.Records.List(ctx, store.Query{Kind: "notice", Parent: parent, State: string(inquest.NoticeDue)})
	if err != nil {
		return false, fmt.Errorf("notify: read the notices of %s: %w", parent, err)
	}
	for _, r := range records {
		other, err := read(r)
		if err != nil {
			return false, err
		}
		if other.Channel == n.Channel && earlier(other, n) < 0 {
			return true, nil
		}
	}
	return false, nil
}

// finish writes down what came of an attempt, with an entry in the incident's timeline. It tries for a while: what is not written down is sent again.
func (s *Sender) finish(ctx context.Context, n inquest.Notice, note string, failure error) error {
	now := s.now()
	n.Next, n.Error = time.Time{}, ""
	switch {
	case failure == nil && n.State == inquest.NoticeDue:
		n.State, n.Sent = inquest.NoticeSent, now
	case failure == nil:
	case isPermanent(failure) || now.Sub(n.Created) >= s.cfg.GiveUp:
		n.State, n.Error = inquest.NoticeFailed, redact.Clean(failure.Error(), 500)
	default:
		n.Error = redact.Clean(failure.Error(), 500)
		n.Next = now.Add(s.wait(n.Attempts, retryAfter(failure)))
	}
	records := []store.Record{s.record(n)}
	if n.Incident != "" && (n.State != inquest.NoticeDue || n.Attempts == 1) {
		records = append(records, s.entry(n, note, now))
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Lease/3)
	defer stop()
	for try := time.Duration(1); ; try++ {
		err := s.cfg.Records.Put(ctx, records...)
		if err == nil || errors.Is(err, store.ErrConflict) || try == 6 {
			if err != nil {
				err = fmt.Errorf("notify: write down what came of %s: %w", n.ID, err)
			}
			return err
		}
		time.Sleep(try * 200 * time.Millisecond)
	}
}

// wait is how long to wait before the next attempt: twice as long each time, a little different for each, and at least what the channel asked for.
func (s *Sender) wait(attempts int, asked time.Duration) time.Duration {
	d := min(longest, s.cfg.Backoff<<min(max(0, attempts-1), 10))
	d = d/2 + rand.N(d/2) // not below half: a channel that is ill needs the pause
	return max(d, min(asked, patience))
}

func (s *Sender) put(ctx context.Context, n inquest.Notice) error {
	if err := s.cfg.Records.Put(ctx, s.record(n)); err != nil {
		return fmt.Errorf("notify: notice %s: %w", n.ID, err)
	}
	return nil
}

func (s *Sender) record(n inquest.Notice) store.Record {
	at := n.Next
	if at.IsZero() {
		at = n.Created
	}
	version := n.Version
	n.Version = 0
	b, _ := json.Marshal(n) // strings, numbers and times: it cannot fail
	return store.Record{Kind: "notice", ID: n.ID, Parent: cmp.Or(n.Incident, n.Alert), State: string(n.State), Time: at, Version: version, Body: b}
}

// entry is what the incident's timeline says of an attempt: the first that failed, and the last.
func (s *Sender) entry(n inquest.Notice, note string, at time.Time) store.Record {
	whom := n.Channel
	if n.To != "" {
		whom += " for " + n.To
	}
	text := ""
	switch n.State {
	case inquest.NoticeSent:
		text = fmt.Sprintf("%s: delivered to %s", n.Occasion, whom)
	case inquest.NoticeDry:
		text = fmt.Sprintf("%s: would have told %s, which is in dry run", n.Occasion, whom)
	case inquest.NoticeFailed:
		text = fmt.Sprintf("%s: could not tell %s, given up after %d attempts: %s", n.Occasion, whom, n.Attempts, n.Error)
	default:
		text = fmt.Sprintf("%s: could not tell %s yet: %s", n.Occasion, whom, n.Error)
	}
	if note != "" {
		text += "; " + redact.Clean(note, 500)
	}
	e := inquest.IncidentEntry{
		ID: fmt.Sprintf("%s/n%d", n.ID, n.Attempts), Incident: n.Incident, Time: at, Kind: inquest.EntryNotice, By: "inquest", Text: text,
		Data: map[string]any{"notice": n.ID, "channel": n.Channel, "to": n.To, "occasion": n.Occasion, "state": n.State, "attempts": n.Attempts, "error": n.Error},
	}
	b, _ := json.Marshal(e)
	return store.Record{Kind: "entry", ID: e.ID, Parent: n.Incident, State: string(e.Kind), Time: at, Body: b}
}
