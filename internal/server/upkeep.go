package server

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server/backup"
	"github.com/inquesthq/inquest/internal/store"
)

// upkeepPace is how often records are checked and backed up. Damage that is found on the day it happens has a backup of the day before.
const upkeepPace = 24 * time.Hour

// upkeep reads the file of records whole, and backs it up if it is sound: a backup of what is damaged would push a good one out.
func (p *process) upkeep(ctx context.Context) error {
	file, ok := p.records.(backup.File)
	if !ok {
		return nil
	}
	return p.every(ctx, upkeepPace, "records", func() error {
		if err := file.Check(ctx); err != nil {
			return err
		}
		return backup.Daily(ctx, file, p.Settings.Backups.Folder, p.Settings.Backups.Keep, p.Now())
	})
}

// lookAfter tells the operator when counting does not work, and when it works again: without counts no rule fires.
func (p *process) lookAfter(ctx context.Context) error {
	was := ""
	return p.every(ctx, 5*time.Second, "counting", func() error {
		now := ""
		if err := p.follower.Status().Err; err != nil {
			now = err.Error()
		}
		switch {
		case now == was:
			return nil
		case now == "":
			p.Log("counting goes on")
		default:
			p.Log("counting: " + now)
		}
		was = now
		return nil
	})
}

// What is told of the clock: a correction by NTP is seconds.
const (
	clockPace = 5 * time.Second
	clockJump = time.Minute
)

// watchClock tells the operator when the clock was set, for times on pages and in messages are not to be trusted around that moment.
func (p *process) watchClock(ctx context.Context) error {
	last := p.Now()
	return p.every(ctx, clockPace, "clock", func() error {
		now := p.Now()
		gone := now.Sub(last)
		last = now
		switch {
		case gone <= -farBack:
			p.Log(fmt.Sprintf("the clock was set back by %s to %s: counts, rules and incidents go on at the new time; keep NTP running", (-gone).Round(time.Second), now.UTC().Format(time.RFC3339)))
		case gone <= -clockJump:
			p.Log(fmt.Sprintf("the clock was set back by %s: rules wait until it has caught up; keep NTP running", (-gone).Round(time.Second)))
		case gone >= clockJump+clockPace:
			p.Log(fmt.Sprintf("%s have passed at once: the clock was set ahead, or this machine stood still; keep NTP running", gone.Round(time.Second)))
		}
		return nil
	})
}

// farBack is from where on a clock that was set back is not waited for; the rooms that count, store and evaluate have the same figure.
const farBack = 10 * time.Minute

// own puts the server's name on what it counts itself, as the label instance, so that several servers that write to one store keep their counters
// apart. The rules sum over it.
type own struct {
	store.Appender
	name string
}

func (o own) Append(ctx context.Context, series []inquest.Series) error {
	named := slices.Clone(series)
	for i, s := range named {
		labels := maps.Clone(s.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		labels["instance"] = o.name
		named[i].Labels = labels
	}
	return o.Appender.Append(ctx, named)
}
