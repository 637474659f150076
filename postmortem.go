package inquest

import "time"

// Postmortem is what is to be learnt from one incident, as a value; internal/postmortem writes it as Markdown and reads it back. Texts are inline
// Markdown, on one line; those of Summary and Symptom may have several paragraphs. Times have whole seconds.
type Postmortem struct {
	Incident string
	Title    string
	Severity Severity
	State    IncidentState
	Services []string
	Author   string
	Written  time.Time // the day
	Factors  []Factor
	Repeats  string   // id of the earlier incident of the same cause
	Open     []string // its action items that are still open
	Summary  string   // for managers: at most five sentences, no stack trace
	Impact   PostmortemImpact
	Response PostmortemResponse
	Symptom  string
	Wrong    []WrongTurn
	Causes   []RootCause
	Trigger  string
	Chain    []string // how it came about, first to last
	Fixes    []Fix
	Items    []ActionItem
	Lessons  []Lesson
	Zone     string // IANA name of the zone that times are written in
	Timeline []TimelineLine
	Evidence []Quote
}

// PostmortemImpact says what users had of it.
type PostmortemImpact struct {
	Start, End  time.Time // first failing answer; users were served again
	Failed      string    // what failed
	Status      string    // codes that users got, with counts
	Requests    string    // how many failed, of how many
	Affected    string
	NotAffected string
	Reports     int // users who told
	Cost        string
}

// PostmortemResponse says who did what when.
type PostmortemResponse struct {
	Source                                                            string // what noticed it: a rule, a person
	Detected, Acknowledged, Identified, Mitigated, Verified, Resolved time.Time
}

// WrongTurn is what was believed first, and what that took.
type WrongTurn struct {
	Belief  string
	Minutes int
	Why     string // it was wrong
}

// RootCause is one cause with the ids of what shows it.
type RootCause struct {
	Text     string
	Evidence []string // "E3"
}

// Fix is what was done in the incident.
type Fix struct {
	Text     string
	Cures    string // cause or symptom
	State    string // helped, no-effect, made-worse, done, planned
	Time     time.Time
	Verified string // how it was seen that it works
}

// ItemType says what an action item does against the cause.
type ItemType string

// The types of action items.
const (
	ItemFix        ItemType = "fix"        // takes the cause away
	ItemPrevent    ItemType = "prevent"    // the next one like it cannot happen
	ItemDetect     ItemType = "detect"     // it would be noticed sooner
	ItemMitigate   ItemType = "mitigate"   // it would hurt less
	ItemReview     ItemType = "review"     // look for it elsewhere
	ItemTest       ItemType = "test"       // a test or drill that reproduces it
	ItemInstrument ItemType = "instrument" // the next one would show its cause
)

// ItemTypes lists the types that may be given.
var ItemTypes = []ItemType{ItemFix, ItemPrevent, ItemDetect, ItemMitigate, ItemReview, ItemTest, ItemInstrument}

// ItemState is where an action item stands.
type ItemState string

// The states of an action item.
const (
	ItemOpen    ItemState = "open"
	ItemDone    ItemState = "done"
	ItemDropped ItemState = "dropped" // decided against; say why in its text
)

// ActionItem is one measure with somebody who sees to it.
type ActionItem struct {
	Text  string
	Type  ItemType
	Cause int // number of the root cause, from 1; 0: none
	Cures string
	Owner string
	Due   time.Time // the day
	Check string    // how it will be seen that it is done
	State ItemState
}

// Lesson is what was learnt, and the guard, rule or test that keeps it from being forgotten.
type Lesson struct{ Text, Enforced string }

// TimelineLine is one fact of the timeline.
type TimelineLine struct {
	Time time.Time
	Text string
}

// Quote is one piece of evidence. Text is verbatim.
type Quote struct {
	ID     string
	Layer  Layer
	Time   time.Time
	Source string // "checkout.log:812"
	Text   string
}
