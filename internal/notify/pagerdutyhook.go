package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// PagerDutyEvent is what PagerDuty tells of one of its incidents.
type PagerDutyEvent struct {
	Acknowledged bool   // by a person; all else is of no interest
	Incident     string // the dedup key, which is the id of our incident
	User         string // PagerDuty's id
	Name         string // as PagerDuty shows it
}

// ReadPagerDutyEvent checks a request of a webhook (v3) of PagerDuty against its secret and reads it
// (https://developer.pagerduty.com/docs/webhooks/webhook-signatures/). body is the raw body. While a secret is being replaced there are several signatures.
func ReadPagerDutyEvent(secret Secret, h http.Header, body []byte) (PagerDutyEvent, error) {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	want, fits := []byte("v1="+hex.EncodeToString(mac.Sum(nil))), false
	for _, sent := range h.Values("X-PagerDuty-Signature") {
		for one := range strings.SplitSeq(sent, ",") {
			fits = hmac.Equal(want, []byte(strings.TrimSpace(one))) || fits
		}
	}
	if secret == "" || !fits {
		return PagerDutyEvent{}, fmt.Errorf("notify: %w", ErrSignature)
	}
	var p struct {
		Event struct {
			Type  string `json:"event_type"`
			Agent struct{ ID, Type, Summary string }
			Data  struct {
				Key string `json:"incident_key"`
			}
		}
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return PagerDutyEvent{}, fmt.Errorf("notify: a request of PagerDuty without a readable event: %w", err)
	}
	e := p.Event
	// The agent is no user when a program did it, for example we ourselves by the Events API.
	person := e.Agent.ID != "" && strings.HasPrefix(e.Agent.Type, "user")
	return PagerDutyEvent{Acknowledged: e.Type == "incident.acknowledged" && person && e.Data.Key != "", Incident: e.Data.Key, User: e.Agent.ID, Name: e.Agent.Summary}, nil
}
