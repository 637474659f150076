package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/store"
)

// Audit is one line of the log of who changed what: the body of a record of kind "audit".
type Audit struct {
	Time   time.Time `json:"time"`
	By     string    `json:"by"`
	Action string    `json:"action"`           // "login", "token revoked", "incident acknowledged"
	Target string    `json:"target,omitempty"` // what was changed
	Detail string    `json:"detail,omitempty"`
	From   string    `json:"from,omitempty"` // address of the request
}

// longestAudit bounds each text, as strangers choose some of them.
const longestAudit = 500

// Audit writes a line. Its time is now.
func (a *Auth) Audit(ctx context.Context, e Audit) error {
	rec, err := a.auditRecord(e)
	if err != nil {
		return err
	}
	if err := a.cfg.Records.Put(ctx, rec); err != nil {
		return fmt.Errorf("auth: write the audit log: %w", err)
	}
	return nil
}

func (a *Auth) auditRecord(e Audit) (store.Record, error) {
	e.Time = a.cfg.Now().UTC().Truncate(time.Microsecond)
	for _, s := range []*string{&e.By, &e.Action, &e.Target, &e.Detail, &e.From} {
		if len(*s) > longestAudit {
			*s = strings.ToValidUTF8((*s)[:longestAudit], "")
		}
	}
	id, err := a.secret()
	if err != nil {
		return store.Record{}, err
	}
	body, err := json.Marshal(e)
	if err != nil {
		return store.Record{}, fmt.Errorf("auth: audit log: %w", err)
	}
	return store.Record{Kind: "audit", ID: e.Time.Format("20060102T150405.000000") + "-" + id[:8], Parent: e.Target, Time: e.Time, Body: body}, nil
}

// Log lists what was changed, newest first, at most limit lines.
func (a *Auth) Log(ctx context.Context, limit int) ([]Audit, error) {
	recs, err := a.cfg.Records.List(ctx, store.Query{Kind: "audit", Newest: true, Limit: limit})
	if err != nil {
		return nil, fmt.Errorf("auth: read the audit log: %w", err)
	}
	out := make([]Audit, 0, len(recs))
	for _, r := range recs {
		var e Audit
		if err := json.Unmarshal(r.Body, &e); err != nil {
			return nil, fmt.Errorf("auth: audit log: %w", err)
		}
		out = append(out, e)
	}
	return out, nil
}
