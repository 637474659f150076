package incident

import (
	"context"
	"fmt"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// waiver is the body of a waiver's record.
type waiver struct {
	Incident string `json:"incident"`
	By       string `json:"by"`
	Why      string `json:"why"`
}

// Waive records that there will be no postmortem, and why; Text is required.
func (d *Desk) Waive(ctx context.Context, id string, a Act) (*inquest.Incident, error) {
	why := strings.TrimSpace(cut(a.Text, 2000))
	if why == "" {
		return nil, fmt.Errorf("incident %s: %w: say why there will be no postmortem", id, ErrInput)
	}
	return d.act(ctx, id, a, func(_ context.Context, e *edit, f *draft) error {
		if f.State == inquest.IncidentReviewed {
			return fmt.Errorf("incident %s is reviewed: there is nothing left to waive: %w", id, ErrMove)
		}
		f.Waiver = fmt.Sprintf("%s (%s, %s)", why, a.By, e.now.Format("2006-01-02"))
		f.entry(e.now, inquest.EntryNote, a.By, "no postmortem: "+why, map[string]any{"waiver": why})
		return f.add(kindWaiver, f.part("w", 0), "", e.now, waiver{id, a.By, why})
	})
}

// Review closes the file on a resolved incident. A SEV-1 or SEV-2 needs a published postmortem or a waiver (REQUIREMENTS A3), also when somebody has set its severity lower since: that it was
// judged too grave is what a waiver can say.
func (d *Desk) Review(ctx context.Context, id string, a Act) (*inquest.Incident, error) {
	return d.act(ctx, id, a, func(ctx context.Context, e *edit, f *draft) error {
		grave := min(f.Severity, f.desk.Gravest)
		if f.State == inquest.IncidentResolved && grave <= inquest.SEV2 && f.Waiver == "" && f.Merged == "" {
			written, err := d.cfg.Records.List(ctx, store.Query{Kind: kindPostmortem, Parent: id, State: "published", Limit: 1})
			if err != nil {
				return fmt.Errorf("incident %s: look for its postmortem: %w", id, err)
			}
			if len(written) == 0 {
				was := ""
				if grave < f.Severity {
					was = fmt.Sprintf(" it was %s before it became %s, and", grave, f.Severity)
				}
				return fmt.Errorf("incident %s: %w:%s a %s needs a published postmortem before it is closed. Write one on its page or with `inquest postmortem draft %s`, and publish it; or waive it and say why", id, ErrRefused, was, grave, id)
			}
		}
		if err := e.move(f, inquest.IncidentReviewed, e.now, a.By, a.Text); err != nil {
			return err
		}
		f.Reviewed = e.now
		return nil
	})
}
