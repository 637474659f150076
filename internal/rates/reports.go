package rates

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

// UserReport is what a user told with the form of the gateway's error page.
type UserReport struct {
	ID      string // made of what the line says: a line that is read twice is one report
	ErrorID string
	Text    string
	Time    time.Time
}

const (
	maxReports = 10_000 // that wait to be told
	// tellFor is how long reports are told at a time: the error id of each is looked for in what is kept, and counting must not wait for a flood of them.
	tellFor = time.Second
)

// report takes the line of a report, among all the others.
func (f *Follower) report(r *parse.Record, now time.Time) {
	if f.cfg.Reported == nil || r.Level != inquest.LevelWarn || r.Get("kind") != "user-report" || len(f.reports) >= maxReports {
		return
	}
	u := UserReport{ErrorID: strings.Clone(r.Get("error_id")), Time: now}
	if u.ErrorID == "" {
		return
	}
	if r.Clock == parse.ClockUTC {
		u.Time = time.Unix(0, r.Time).UTC()
	}
	u.Text = strings.Clone(strings.TrimPrefix(r.Message, "a user reports "+u.ErrorID+": "))
	if u.Text == "(no text)" { // as the gateway writes it
		u.Text = ""
	}
	key, _ := json.Marshal([]any{u.ErrorID, r.Time, r.RequestID, r.Message}) // texts and a number always can be
	sum := sha256.Sum256(key)
	u.ID = "REP-" + hex.EncodeToString(sum[:12])
	f.reports = append(f.reports, u)
}

// tellReports hands reports on; what cannot be taken, or is too much at a time, waits for the next tick.
func (f *Follower) tellReports(ctx context.Context) error {
	began := f.cfg.Now()
	for len(f.reports) > 0 && f.cfg.Now().Sub(began) < tellFor {
		if err := f.cfg.Reported(ctx, f.reports[0]); err != nil {
			return fmt.Errorf("handing on a user's report: %w", err)
		}
		f.reports = f.reports[1:]
	}
	if len(f.reports) == 0 {
		f.reports = nil
	}
	return nil
}
