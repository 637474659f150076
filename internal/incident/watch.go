package incident

import (
	"context"

	"github.com/inquesthq/inquest"
)

// Event says that an incident has changed: read it again. Incident "" says that some have, and that the watcher was too slow to be told which.
type Event struct {
	Incident string                `json:"incident"`
	Version  int64                 `json:"version"`
	State    inquest.IncidentState `json:"state"`
}

// Subscribe tells what changes from now on until ctx ends, when the channel is closed: at once what this server changes, within a second or two (while Run
// runs) what another does. A watcher that does not keep up misses single events, never that there were some.
func (d *Desk) Subscribe(ctx context.Context) <-chan Event {
	c := make(chan Event, 16)
	d.mu.Lock()
	d.watchers[c] = true
	d.mu.Unlock()
	context.AfterFunc(ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watchers, c)
		close(c)
	})
	return c
}

// written tells the watchers what a change has changed, and Run that there may be something to do.
func (d *Desk) written(e *edit) {
	select {
	case d.wake <- struct{}{}:
	default:
	}
	for _, f := range e.sorted(func(f *draft) bool { return f.changed }) {
		d.announce(Event{f.ID, f.read.Version + 1, f.State})
	}
}

// announce tells the watchers once of each version.
func (d *Desk) announce(ev Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen[ev.Incident] >= ev.Version {
		return
	}
	d.seen[ev.Incident] = ev.Version
	for c := range d.watchers {
		select {
		case c <- ev:
			continue
		default:
		}
		for len(c) > 0 { // full: one event stands for all that is taken out
			<-c
		}
		c <- Event{}
	}
}
