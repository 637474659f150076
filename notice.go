package inquest

import "time"

// NoticeState is where a message stands.
type NoticeState string

// The states of a message.
const (
	NoticeDue    NoticeState = "due"    // to be sent, or sent again, from Next on
	NoticeSent   NoticeState = "sent"   // the channel took it; whether somebody has read it, an acknowledgement tells
	NoticeFailed NoticeState = "failed" // given up, Error says why
	NoticeDry    NoticeState = "dry"    // would have been sent; the channel is in dry run
)

// Occasion is why people are told.
type Occasion string

// The occasions: one message for each change of state, and one for a verdict that has changed.
const (
	OccasionOpened       Occasion = "opened"
	OccasionDiagnosed    Occasion = "diagnosed" // the verdict came after the first message, or changed
	OccasionEscalated    Occasion = "escalated" // nobody acknowledged in time
	OccasionWorse        Occasion = "worse"     // its severity rose
	OccasionAcknowledged Occasion = "acknowledged"
	OccasionMitigated    Occasion = "mitigated"
	OccasionResolved     Occasion = "resolved"
	OccasionReopened     Occasion = "reopened"
	OccasionAlert        Occasion = "alert"          // one that belongs to no incident fires
	OccasionAlertOver    Occasion = "alert-resolved" // and has resolved
)

// Occasions are all of them.
var Occasions = []Occasion{OccasionOpened, OccasionDiagnosed, OccasionEscalated, OccasionWorse, OccasionAcknowledged, OccasionMitigated, OccasionResolved, OccasionReopened, OccasionAlert, OccasionAlertOver}

// Notice is one message to one channel about one change of an incident. Its ID is made of the three, so that it cannot be sent for two
// reasons at once, whoever writes it.
type Notice struct {
	ID       string      `json:"id"` // "<incident>/<occasion and number>/<channel>", "alert/<alert>/..." for one about an alert
	Incident string      `json:"incident"`
	Alert    string      `json:"alert,omitempty"` // id of the record of an alert that belongs to no incident; Incident is "" then
	Occasion Occasion    `json:"occasion"`
	Channel  string      `json:"channel"`      // name of the channel in the settings
	To       string      `json:"to,omitempty"` // a person, where the channel reaches several
	State    NoticeState `json:"state"`
	Created  time.Time   `json:"created"`
	Next     time.Time   `json:"next,omitzero"` // of a due one: not before
	Attempts int         `json:"attempts"`
	Sent     time.Time   `json:"sent,omitzero"`
	Error    string      `json:"error,omitempty"` // of the last attempt
	Version  int64       `json:"version"`         // of the record
}
