package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// SlackAction is a button that somebody pressed.
type SlackAction struct {
	Incident string
	User     string // Slack's member id
	Name     string // as Slack shows it
}

// ErrSignature says that a request does not come from who it says it comes from, or is too old.
var ErrSignature = errors.New("the signature does not fit")

// ReadSlackAction checks a request of Slack's interactivity against the app's signing secret, and reads which incident is to be acknowledged
// (https://docs.slack.dev/authentication/verifying-requests-from-slack). body is the raw body; requests older than five minutes are refused.
func ReadSlackAction(secret Secret, h http.Header, body []byte, now time.Time) (SlackAction, error) {
	if secret == "" {
		return SlackAction{}, fmt.Errorf("notify: %w: no signing secret is configured", ErrSignature)
	}
	stamp := h.Get("X-Slack-Request-Timestamp")
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(unix, 0)).Abs() > 5*time.Minute {
		return SlackAction{}, fmt.Errorf("notify: %w: its time is missing or more than five minutes off", ErrSignature)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	want := "v0=" + hex.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(want), []byte(h.Get("X-Slack-Signature"))) {
		return SlackAction{}, fmt.Errorf("notify: %w", ErrSignature)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return SlackAction{}, fmt.Errorf("notify: a request of Slack: %w", err)
	}
	var p struct {
		User    struct{ ID, Username, Name string }
		Actions []struct {
			ActionID string `json:"action_id"`
			Value    string
		}
	}
	if err := json.Unmarshal([]byte(form.Get("payload")), &p); err != nil {
		return SlackAction{}, fmt.Errorf("notify: a request of Slack without a readable payload: %w", err)
	}
	for _, a := range p.Actions {
		if a.ActionID == "acknowledge" && a.Value != "" && p.User.ID != "" {
			name := p.User.Username
			if name == "" {
				name = p.User.Name
			}
			return SlackAction{Incident: a.Value, User: p.User.ID, Name: name}, nil
		}
	}
	return SlackAction{}, errors.New("notify: a request of Slack that acknowledges nothing")
}
