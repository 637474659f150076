package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

const tick = time.Second

// Run does what is due until ctx ends: investigations, escalations, resolving what has been calm, ending what has expired, and telling the watchers
// of other servers' changes. With several servers one of them does it. An error does not end it: it is told to Config.Failed, and the next second
// tries again. It returns when all that it began has ended.
func (d *Desk) Run(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		if err := d.step(ctx, &work); err != nil && ctx.Err() == nil {
			d.failed(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		case <-d.wake:
		}
	}
}

func (d *Desk) failed(err error) {
	if d.cfg.Failed != nil {
		d.cfg.Failed(err)
	}
}

// step is one second's work.
func (d *Desk) step(ctx context.Context, work *sync.WaitGroup) error {
	errs := []error{d.others(ctx)}
	lead, err := d.lead(ctx)
	errs = append(errs, err)
	if lead {
		errs = append(errs, d.change(ctx, d.duties), d.expire(ctx), d.start(ctx, work))
	}
	return errors.Join(errs...)
}

// lead reports whether this server does what one of them has to do. The lease is renewed well before it ends; what is done without it is
// still safe, only twice the work.
func (d *Desk) lead(ctx context.Context) (bool, error) {
	if d.cfg.Leaders == nil {
		return true, nil
	}
	now := d.cfg.Now()
	if !d.leading.IsZero() && now.Sub(d.leading).Abs() < d.cfg.Lease/3 {
		return d.leader, nil
	}
	ok, err := d.cfg.Leaders.Lead(ctx, "incidents", d.cfg.Server, d.cfg.Lease)
	if err != nil {
		d.leader = false
		return false, fmt.Errorf("incident: ask for the lease: %w", err)
	}
	d.leading, d.leader = now, ok
	return ok, nil
}

// duties does what time alone makes due for each incident on the desk.
func (d *Desk) duties(ctx context.Context, e *edit) error {
	for _, f := range e.active() {
		e.mend(f)
		if err := e.rest(ctx, f); err != nil {
			return err
		}
		if err := e.unmute(ctx, f); err != nil {
			return err
		}
		if err := e.escalate(ctx, f); err != nil {
			return err
		}
		if err := e.notified(ctx, f); err != nil {
			return err
		}
	}
	for _, f := range e.closed() {
		if err := e.notified(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// mend sets times right that lie ahead because the clock was set back: what counts from them would stand still.
func (e *edit) mend(f *draft) {
	for _, t := range []*time.Time{&f.desk.Alarmed, &f.desk.Called, &f.desk.Calm} {
		if t.After(e.now) {
			*t = e.now
			f.changed = true
		}
	}
}

// rest resolves an incident whose alerts have been for long enough. It was over when the last of them resolved.
func (e *edit) rest(ctx context.Context, f *draft) error {
	calm := f.desk.Calm
	if calm.IsZero() || len(f.firing()) > 0 || e.now.Sub(calm) < e.desk.policy.Calm {
		return nil
	}
	open, err := e.openWindow(ctx, f)
	if err != nil || open != nil {
		return err // maintenance goes on; it resolves when that ends
	}
	if calm.Before(f.Opened) {
		calm = f.Opened
	}
	return e.resolve(ctx, f, calm, byDesk, "its alerts have been resolved for "+text(e.desk.policy.Calm))
}

// unmute tells people of an incident, when what kept it quiet has ended, that it was opened or reopened meanwhile and still goes on.
func (e *edit) unmute(ctx context.Context, f *draft) error {
	if f.desk.Muted == "" || !f.State.Active() {
		return nil
	}
	muted, err := e.muted(ctx, f)
	if err != nil || muted != "" {
		return err
	}
	if f.desk.Untold != "" && len(f.firing()) == 0 && !f.desk.Calm.IsZero() {
		return nil // it is about to resolve by itself; if it fires again, people are told then
	}
	f.desk.Muted = ""
	f.changed = true
	if f.desk.Untold == "" {
		return nil
	}
	return e.tell(ctx, f, f.desk.Untold)
}

// notified notes when the first message was delivered.
func (e *edit) notified(ctx context.Context, f *draft) error {
	if !f.Notified.IsZero() || f.desk.Told[inquest.OccasionOpened]+f.desk.Told[inquest.OccasionReopened] == 0 {
		return nil
	}
	sent, err := e.desk.cfg.Records.List(ctx, store.Query{Kind: kindNotice, Parent: f.ID, State: string(inquest.NoticeSent)})
	if err != nil {
		return fmt.Errorf("incident %s: read its notices: %w", f.ID, err)
	}
	for _, r := range sent {
		n, err := decode[inquest.Notice](r)
		if err != nil {
			return err
		}
		if f.Notified.IsZero() || n.Sent.Before(f.Notified) {
			f.Notified = n.Sent
			f.changed = true
		}
	}
	return nil
}

// expire marks silences and maintenance windows whose time is over, so that listings of those that are on stay short.
func (d *Desk) expire(ctx context.Context) error {
	var errs []error
	for _, kind := range []string{kindSilence, kindWindow} {
		over, err := d.cfg.Records.List(ctx, store.Query{Kind: kind, State: stateOn, To: d.now().Add(time.Microsecond)})
		errs = append(errs, err)
		for _, r := range over {
			err := end(ctx, d, kind, r.ID, func(body *map[string]json.RawMessage) { (*body)["endedBy"] = json.RawMessage(`"` + byDesk + `"`) })
			if !errors.Is(err, store.ErrConflict) { // else a person was quicker
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// start begins what is due to be investigated, as far as there is room.
func (d *Desk) start(ctx context.Context, work *sync.WaitGroup) error {
	if d.cfg.Investigate == nil {
		return nil
	}
	due, err := d.dueInvestigations(ctx)
	if err != nil {
		return err
	}
	for id, records := range due {
		if !d.claim(id) {
			continue
		}
		work.Go(func() {
			defer d.release(id)
			if err := d.investigate(ctx, id, records); err != nil && ctx.Err() == nil {
				d.failed(err)
			}
		})
	}
	return nil
}

// claim takes a place for an investigation; false while there is none, or the incident is being investigated.
func (d *Desk) claim(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running[id] {
		return false
	}
	select {
	case d.jobs <- struct{}{}:
		d.running[id] = true
		return true
	default:
		return false
	}
}

func (d *Desk) release(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.running, id)
	<-d.jobs
}

// others tells the watchers what other servers have changed.
func (d *Desk) others(ctx context.Context) error {
	d.mu.Lock()
	idle := len(d.watchers) == 0
	d.mu.Unlock()
	if idle {
		return nil
	}
	e, err := d.read(ctx)
	if err != nil {
		return err
	}
	for _, f := range e.sorted(func(*draft) bool { return true }) {
		d.announce(Event{f.ID, f.Version, f.State})
	}
	return nil
}
