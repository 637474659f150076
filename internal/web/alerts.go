package web

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// StandingAlert is an alert that belongs to no incident: for the chat, for working hours, or silenced. It is the body of a record of kind "alert"
// (docs/format/incident.md).
type StandingAlert struct {
	inquest.Alert
	ID      string               `json:"id"`
	Service string               `json:"service"`
	Urgency inquest.AlertUrgency `json:"urgency"`
	First   time.Time            `json:"first"` // when it fired first
	Times   int                  `json:"times"` // how often it has fired
	Silence string               `json:"silence,omitempty"`
}

func standing(r store.Record) StandingAlert {
	a := StandingAlert{ID: r.ID}
	if err := json.Unmarshal(r.Body, &a); err != nil {
		a.Rule, a.Fired = "this record cannot be read: "+err.Error(), r.Time
	}
	a.Service, a.Urgency = a.Alert.Service(), a.Alert.Urgency()
	return a
}

func (w *Web) alerts(c *call) (any, error) {
	urgency := c.query("urgency")
	q := store.Query{Kind: "alert", Parent: c.query("service"), State: c.query("state"), Newest: true}
	return listed(c, w.cfg.Records, q, func(r store.Record) (StandingAlert, bool) {
		a := standing(r)
		return a, urgency == "" || string(a.Urgency) == urgency
	})
}

// AlertCount is how many alerts fire that belong to no incident and are not silenced.
type AlertCount struct {
	Chat   int `json:"chat"`
	Ticket int `json:"ticket"`
}

// mostCounted bounds what the overview looks at: whoever has more has read enough.
const mostCounted = 1000

func (w *Web) countAlerts(ctx context.Context) (AlertCount, error) {
	var out AlertCount
	records, err := w.cfg.Records.List(ctx, store.Query{Kind: "alert", State: string(inquest.AlertFiring), Limit: mostCounted})
	if err != nil {
		return out, fmt.Errorf("count alerts: %w", err)
	}
	for _, r := range records {
		switch a := standing(r); {
		case a.Silence != "":
		case a.Urgency == inquest.UrgencyTicket:
			out.Ticket++
		default:
			out.Chat++
		}
	}
	return out, nil
}
