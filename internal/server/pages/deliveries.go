package pages

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

// Deliveries fills in what each channel took last, and what it has not taken, as the records of messages have it.
func Deliveries(ctx context.Context, records store.Records, channels []web.Channel) error {
	by := map[string]*web.Channel{}
	for i := range channels {
		by[channels[i].Name] = &channels[i]
	}
	silent := len(by)
	err := notices(ctx, records, inquest.NoticeSent, func(n *inquest.Notice) bool {
		if c := by[n.Channel]; c != nil && c.Sent.IsZero() {
			c.Sent, c.Incident = n.Sent, n.Incident
			silent--
		}
		return silent > 0
	})
	if err != nil {
		return err
	}
	troubled := func(n *inquest.Notice) {
		c := by[n.Channel]
		if c.Error == "" { // the newest comes first
			c.Error = n.Error
		}
		if c.Since.IsZero() || n.Created.Before(c.Since) {
			c.Since = n.Created
		}
	}
	err = notices(ctx, records, inquest.NoticeDue, func(n *inquest.Notice) bool {
		if c := by[n.Channel]; c != nil {
			c.Waiting++
			if n.Error != "" {
				troubled(n)
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	// One that was given up is over when a later one got through.
	return notices(ctx, records, inquest.NoticeFailed, func(n *inquest.Notice) bool {
		if c := by[n.Channel]; c != nil && n.Created.After(c.Sent) {
			troubled(n)
		}
		return true
	})
}

// notices shows messages in a state, those made or planned last first, until look has seen enough.
func notices(ctx context.Context, records store.Records, state inquest.NoticeState, look func(*inquest.Notice) bool) error {
	q := store.Query{Kind: "notice", State: string(state), Newest: true, Limit: 500}
	for {
		page, err := records.List(ctx, q)
		if err != nil {
			return fmt.Errorf("messages: %w", err)
		}
		for _, r := range page {
			var n inquest.Notice
			if err := json.Unmarshal(r.Body, &n); err != nil {
				return fmt.Errorf("message %s: %w", r.ID, err)
			}
			if !look(&n) {
				return nil
			}
			q.After = store.Cursor{Time: r.Time, ID: r.ID}
		}
		if len(page) < q.Limit {
			return nil
		}
	}
}
