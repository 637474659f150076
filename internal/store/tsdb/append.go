package tsdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	prom "github.com/prometheus/prometheus/tsdb"

	"github.com/inquesthq/inquest"
)

// Append stores all samples, but for those that Stats counts as dropped. An error means that none of them can be queried;
// after a restart they may be there nevertheless. They may be given again: equal samples are one.
func (d *DB) Append(ctx context.Context, series []inquest.Series) error {
	db, err := d.follow()
	if err != nil {
		return err
	}
	defer d.mu.RUnlock()
	limit := d.cfg.Now().Add(maxAhead).UnixMilli()
	app := db.Appender(ctx)
	for i := range series {
		s := &series[i]
		set, ok := labelsOf(s)
		if !ok {
			d.invalid.Add(uint64(len(s.Samples)))
			continue
		}
		ref := storage.SeriesRef(0)
		for _, x := range s.Samples {
			at := x.Time.UnixMilli()
			if at > limit {
				d.future.Add(1)
				continue
			}
			r, err := app.Append(ref, set, at, x.Value)
			switch {
			case err == nil:
				ref = r
			case errors.Is(err, storage.ErrDuplicateSampleForTimestamp):
				d.twice.Add(1)
			case errors.Is(err, storage.ErrOutOfOrderSample), errors.Is(err, storage.ErrOutOfBounds), errors.Is(err, storage.ErrTooOldSample):
				// the database counts them
			default:
				return errors.Join(fmt.Errorf("tsdb: append %s: %w", set, err), app.Rollback())
			}
		}
	}
	if err := app.Commit(); err != nil {
		if isFull(err) {
			return fmt.Errorf("tsdb: append: %w: make room on the disk of %s, or set a smaller retention", err, d.cfg.Dir)
		}
		return fmt.Errorf("tsdb: append: %w", err)
	}
	return nil
}

// labelsOf returns the name and the labels as one set. A label without a value is no label (PromQL).
func labelsOf(s *inquest.Series) (labels.Labels, bool) {
	b := labels.NewScratchBuilder(len(s.Labels) + 1)
	name := s.Name
	for k, v := range s.Labels {
		switch {
		case k == model.MetricNameLabel && name == "":
			name = v
		case k == model.MetricNameLabel || v == "":
		case !model.UTF8Validation.IsValidLabelName(k):
			return labels.EmptyLabels(), false
		default:
			b.Add(k, v)
		}
	}
	if !model.UTF8Validation.IsValidMetricName(name) {
		return labels.EmptyLabels(), false
	}
	b.Add(model.MetricNameLabel, name)
	b.Sort()
	return b.Labels(), true
}

func newestFirst(blocks []*prom.Block) []*prom.Block {
	out := slices.Clone(blocks)
	slices.SortFunc(out, func(a, b *prom.Block) int { return cmp.Compare(b.Meta().MaxTime, a.Meta().MaxTime) })
	return out
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

func isLocked(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES)
}
func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
