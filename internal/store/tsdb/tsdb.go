// Package tsdb is the metrics store in process: Prometheus' own time series database and its PromQL engine, in one folder.
//
// What Append has returned for survives the death of the process (kill -9): it is in the kernel's hands by then. The power of the
// machine is another matter: Run forces the log of writes to the disk every SyncEvery, so that a power cut costs at most that much.
// Prometheus itself promises less (it does so for a whole segment of its log at a time).
//
// A log of writes that is damaged is cut off at the damage when the folder is opened, and Stats tells; a damaged block is an error that
// names it. The database's own goroutine (it makes blocks of what is older than two hours, and deletes what retention does not keep)
// lives from Open to Close.
package tsdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	prom "github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/inquesthq/inquest/internal/store"
)

// Config of Open.
type Config struct {
	Dir       string        // made when it is not there; one process at a time
	Retention time.Duration // what is older goes; 0: 30 days
	MaxBytes  int64         // the oldest go when there is more; 0: no limit
	SyncEvery time.Duration // how much a power cut may cost; 0: 5 s
	Timeout   time.Duration // of a query; 0: 1 minute

	Now    func() time.Time // nil: the machine's clock
	Logger *slog.Logger     // what the database says of itself; nil: nothing
}

const (
	// defaultRetention lets the rule "the median of this hour on the last seven days" and a month of an error budget find their data.
	defaultRetention = 30 * 24 * time.Hour
	// maxAhead is how far in the future a sample may lie; Prometheus allows its targets the same. One sample of next year would make
	// every sample of this year too old.
	maxAhead = 10 * time.Minute
	// walSegment is a quarter of a percent of a 5 GB budget; the default, 128 MB, is made for servers with nothing else to do.
	walSegment = 16 << 20
	// querySamples bounds the memory of one query: 16 bytes a sample.
	querySamples = 5_000_000
)

// DB implements store.Appender and store.Querier. Safe for concurrent use.
type DB struct {
	cfg    Config
	db     *prom.DB
	engine *promql.Engine
	parser parser.Parser
	reg    *prometheus.Registry

	future  atomic.Uint64 // samples that were refused because they lie in the future
	invalid atomic.Uint64 // or have no name
	twice   atomic.Uint64 // or another value at a time that has one

	mu    sync.RWMutex // locked for reading by all that uses the databases; for writing while one begins
	again *again       // nil unless the clock was set back
}

// Open opens the folder's database, and mends its log of writes when that is damaged.
func Open(cfg Config) (*DB, error) {
	if cfg.Dir == "" {
		return nil, errors.New("tsdb: no folder: set the data folder")
	}
	if cfg.Retention < 0 || cfg.MaxBytes < 0 {
		return nil, errors.New("tsdb: a retention below zero: give a time such as 720h, and a size, or 0")
	}
	if cfg.Retention == 0 {
		cfg.Retention = defaultRetention
	}
	if cfg.SyncEvery == 0 {
		cfg.SyncEvery = 5 * time.Second
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	d := &DB{cfg: cfg, reg: prometheus.NewRegistry(), parser: parser.NewParser(parser.Options{})}
	var err error
	if d.db, err = d.openFolder(cfg.Dir, d.reg); err != nil {
		return nil, err
	}
	if err := d.openAgain(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.engine = promql.NewEngine(promql.EngineOpts{
		Logger: cfg.Logger, MaxSamples: querySamples, Timeout: cfg.Timeout, LookbackDelta: 5 * time.Minute,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		EnableAtModifier:         true, EnableNegativeOffset: true, Parser: d.parser,
	})
	return d, nil
}

func (d *DB) openFolder(dir string, reg *prometheus.Registry) (*prom.DB, error) {
	opts := prom.DefaultOptions()
	opts.RetentionDuration = d.cfg.Retention.Milliseconds()
	opts.MaxBytes = d.cfg.MaxBytes
	opts.WALSegmentSize = walSegment
	opts.WALCompression = compression.Snappy
	opts.StripeSize = 1 << 10 // locks: a few writers, not the thousand targets of a Prometheus
	// As in Prometheus' own main, where blocks grow up to a tenth of the retention.
	opts.MaxBlockDuration = max(opts.MinBlockDuration, min(opts.RetentionDuration/10, (31*24*time.Hour).Milliseconds()))
	var opened atomic.Pointer[prom.DB] // its own goroutine asks what to delete
	opts.BlocksToDelete = func(blocks []*prom.Block) map[ulid.ULID]struct{} { return d.deletable(opened.Load(), blocks) }
	db, err := prom.Open(dir, d.cfg.Logger, reg, opts, nil)
	if err != nil {
		return nil, d.explain(dir, err)
	}
	opened.Store(db)
	return db, nil
}

// explain says what to do about an error of Open.
func (d *DB) explain(dir string, err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("tsdb: %w: let the server's user write to %s", err, dir)
	case isLocked(err):
		return fmt.Errorf("tsdb: %w: another process has %s open; stop it, or give this one a data folder of its own", err, dir)
	case isReadOnly(err):
		return fmt.Errorf("tsdb: %w: the file system of %s is read-only", err, dir)
	case isFull(err):
		return fmt.Errorf("tsdb: %w: make room on the disk of %s, or set a smaller retention", err, dir)
	}
	return fmt.Errorf("tsdb: %w: %w: move the named block, or all of %s, away and start again; what was in it is lost for queries", store.ErrCorrupt, err, dir)
}

// Close writes what is pending and releases the folder.
func (d *DB) Close() error {
	err := d.sync()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, db := range d.all() {
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		return fmt.Errorf("tsdb: close: %w", err)
	}
	return nil
}

// Run forces what was written to the disk every SyncEvery, until ctx ends. An error is the disk's, and final.
func (d *DB) Run(ctx context.Context) error {
	tick := time.NewTicker(d.cfg.SyncEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := d.sync(); err != nil {
				return err
			}
		}
	}
}

// sync forces the last segment of the log of writes to the disk; the database does so for each earlier one.
func (d *DB) sync() error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var errs []error
	for _, db := range d.all() {
		errs = append(errs, syncLog(filepath.Join(db.Dir(), "wal")))
	}
	return errors.Join(errs...)
}

func syncLog(dir string) error {
	_, last, err := wlog.Segments(dir)
	if err != nil || last < 0 {
		return err
	}
	f, err := os.OpenFile(wlog.SegmentName(dir, last), os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) { // a checkpoint has taken its place
		return nil
	}
	if err != nil {
		return fmt.Errorf("tsdb: sync: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("tsdb: sync: %w", err)
	}
	return nil
}

// newest is the time of the newest sample, in milliseconds; math.MinInt64 when there is none.
func newest(db *prom.DB) int64 {
	newest := int64(math.MinInt64)
	if h := db.Head(); h.NumSeries() > 0 {
		newest = h.MaxTime()
	}
	for _, b := range db.Blocks() {
		newest = max(newest, b.Meta().MaxTime)
	}
	return newest
}

// deletable chooses the blocks that go. It differs from Prometheus' choice in one thing: what is too old is measured from the newest
// block that is not of the future, for a block that a wrong clock made must not cost all the others.
func (d *DB) deletable(db *prom.DB, blocks []*prom.Block) map[ulid.ULID]struct{} {
	now := d.cfg.Now().UnixMilli()
	newest := int64(math.MinInt64)
	for _, b := range blocks {
		if t := b.Meta().MaxTime; t <= now+maxAhead.Milliseconds() {
			newest = max(newest, t)
		}
	}
	gone := map[ulid.ULID]struct{}{}
	for _, b := range blocks {
		if m := b.Meta(); m.Compaction.Deletable || newest != math.MinInt64 && newest-m.MaxTime >= d.cfg.Retention.Milliseconds() {
			gone[m.ULID] = struct{}{}
		}
	}
	if db != nil { // while it opens there is no size to ask for; the next look is a minute later
		for id := range prom.BeyondSizeRetention(db, newestFirst(blocks)) {
			gone[id] = struct{}{}
		}
	}
	return gone
}

// Compact makes blocks of what is older than the last three hours and deletes what retention does not keep, at once instead of within a minute.
func (d *DB) Compact(ctx context.Context) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, db := range d.all() {
		if err := db.Compact(ctx); err != nil {
			return fmt.Errorf("tsdb: %w", err)
		}
	}
	return nil
}
