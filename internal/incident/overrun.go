package incident

import (
	"context"
	"fmt"
	"slices"

	"github.com/inquesthq/inquest"
)

// Overrun notes in the timeline that a phase of the runbook takes longer than its box, once for each phase, whoever of several servers says so first.
func (d *Desk) Overrun(ctx context.Context, id string, box *inquest.TimeBox, then string) error {
	_, err := d.act(ctx, id, Act{By: byDesk}, func(_ context.Context, e *edit, f *draft) error {
		if !f.State.Active() || slices.Contains(f.desk.Overrun, box.Phase) {
			return nil
		}
		f.desk.Overrun = append(f.desk.Overrun, box.Phase)
		line := fmt.Sprintf("%s has taken longer than its %d min", box.Phase, box.Most)
		if then != "" {
			line += ": " + then
		}
		f.entry(e.now, inquest.EntryNote, byDesk, cut(line, mostText), map[string]any{"phase": box.Phase, "overrun": box.Used})
		return nil
	})
	return err
}
