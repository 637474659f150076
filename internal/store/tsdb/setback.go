package tsdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	prom "github.com/prometheus/prometheus/tsdb"

	"github.com/inquesthq/inquest/internal/store"
)

// The database takes no samples of before its newest one (or mixes them with those that are there already, which makes a counter fall and rise between two
// lives of one hour: rates of nothing that ever happened, and an outage of an hour ago that pages again). So what is stored while the clock is behind the newest
// sample goes to a database of its own in the folder set-back, and answers for that time; what was stored there before is kept, and is not read.

const (
	setBackFolder = "set-back"
	spanFile      = "span.json"
	// gap is how long before the moment that the clock was set back to nothing is read: as far as PromQL looks back, and as long as the windows of rules that page.
	gap = 5 * time.Minute
)

// span is the time that is lived again, in milliseconds: after From, up to and including Until.
type span struct {
	From  int64 `json:"from"`
	Until int64 `json:"until"`
}

// again is the database of a time that is lived again.
type again struct {
	span
	db  *prom.DB
	reg *prometheus.Registry
	dir string
}

// openAgain opens the one that is there, if any.
func (d *DB) openAgain() error {
	dir := filepath.Join(d.cfg.Dir, setBackFolder)
	b, err := os.ReadFile(filepath.Join(dir, spanFile))
	if errors.Is(err, os.ErrNotExist) {
		return os.RemoveAll(dir) // its making was broken off
	}
	if err != nil {
		return fmt.Errorf("tsdb: %w", err)
	}
	a := &again{dir: dir, reg: prometheus.NewRegistry()}
	if err := json.Unmarshal(b, &a.span); err != nil {
		return fmt.Errorf("tsdb: %w: %s: %w: move %s away and start again", store.ErrCorrupt, spanFile, err, dir)
	}
	if a.db, err = d.openFolder(dir, a.reg); err != nil {
		return err
	}
	d.again = a
	return nil
}

// follow returns the database that takes samples now, locked for reading. The caller unlocks d.mu.
func (d *DB) follow() (*prom.DB, error) {
	for {
		now := d.cfg.Now().UnixMilli()
		d.mu.RLock()
		if db := d.taking(now); db != nil {
			return db, nil
		}
		d.mu.RUnlock()
		if err := d.setBack(now); err != nil {
			return nil, err
		}
	}
}

// taking is the database that takes samples at a time, nil where there is none yet.
func (d *DB) taking(now int64) *prom.DB {
	db := d.db
	if d.again != nil && now <= d.again.Until {
		db = d.again.db
	}
	if newest(db) > now+maxAhead.Milliseconds() {
		return nil
	}
	return db
}

// setBack begins a time that is lived again. One that was begun before is given up: of three lives of an hour the first and the last are kept.
func (d *DB) setBack(now int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.taking(now) != nil {
		return nil
	}
	dir := filepath.Join(d.cfg.Dir, setBackFolder)
	if d.again != nil {
		err := d.again.db.Close()
		d.again = nil
		if err != nil {
			return fmt.Errorf("tsdb: %w", err)
		}
	}
	a := &again{span: span{now - gap.Milliseconds(), newest(d.db)}, dir: dir, reg: prometheus.NewRegistry()}
	b, err := json.Marshal(a.span)
	if err != nil {
		return fmt.Errorf("tsdb: %w", err)
	}
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, spanFile+".new"), b, 0o600),
		os.Rename(filepath.Join(dir, spanFile+".new"), filepath.Join(dir, spanFile))); err != nil {
		return fmt.Errorf("tsdb: the clock was set back: %w: let the server's user write to %s", err, d.cfg.Dir)
	}
	if a.db, err = d.openFolder(dir, a.reg); err != nil {
		return err
	}
	d.again = a
	return nil
}

// all lists the databases. The caller has locked d.mu.
func (d *DB) all() []*prom.DB {
	if d.again == nil {
		return []*prom.DB{d.db}
	}
	return []*prom.DB{d.db, d.again.db}
}

// view is the databases as PromQL sees them.
type view struct{ d *DB }

// Querier holds d.mu for reading until it is closed.
func (v view) Querier(mint, maxt int64) (storage.Querier, error) {
	d := v.d
	d.mu.RLock()
	q, err := d.querier(mint, maxt)
	if err != nil {
		d.mu.RUnlock()
		return nil, fmt.Errorf("tsdb: %w", err)
	}
	return &locked{q, d.mu.RUnlock}, nil
}

func (d *DB) querier(mint, maxt int64) (storage.Querier, error) {
	if d.again == nil {
		return d.db.Querier(mint, maxt)
	}
	var parts []storage.Querier
	for _, p := range []struct {
		db       *prom.DB
		from, to int64
	}{{d.db, mint, min(maxt, d.again.From)}, {d.again.db, max(mint, d.again.From+1), min(maxt, d.again.Until)}, {d.db, max(mint, d.again.Until+1), maxt}} {
		if p.from > p.to {
			continue
		}
		q, err := p.db.Querier(p.from, p.to)
		if err != nil {
			for _, open := range parts {
				err = errors.Join(err, open.Close())
			}
			return nil, err
		}
		parts = append(parts, &clipped{q, p.from, p.to})
	}
	return storage.NewMergeQuerier(parts, nil, storage.ChainedSeriesMerge), nil
}

// clipped keeps a querier to its time: hints would widen it to the query's.
type clipped struct {
	storage.Querier
	from, to int64
}

// Select implements storage.Querier.
func (c *clipped) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	if hints != nil {
		own := *hints
		own.Start, own.End = max(own.Start, c.from), min(own.End, c.to)
		if own.Start > own.End {
			return storage.EmptySeriesSet()
		}
		hints = &own
	}
	return c.Querier.Select(ctx, sorted, hints, matchers...)
}

// locked releases a lock when it is closed.
type locked struct {
	storage.Querier
	unlock func()
}

// Close implements storage.Querier.
func (l *locked) Close() error {
	defer l.unlock()
	return l.Querier.Close()
}
