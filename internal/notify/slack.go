package notify

import (
	"context"
	"strings"

	"github.com/inquesthq/inquest"
)

// Slack posts blocks to an incoming webhook. The button opens the incident's page, where it can be acknowledged; with Interactive it acknowledges by
// itself, which needs a Slack app whose requests come to the server and are checked with its signing secret (ReadSlackAction).
type Slack struct {
	URL         Secret // of the incoming webhook
	Interactive bool
}

type slack struct {
	*httpClient
	url         string
	interactive bool
	people      map[string]string
}

func (s *Slack) open(h *httpClient, people map[string]string) (channel, error) {
	to, err := address(s.URL)
	return &slack{h, to, s.Interactive, people}, err
}

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type slackBlock struct {
	Type     string        `json:"type"`
	Text     *slackText    `json:"text,omitempty"`
	Fields   []slackText   `json:"fields,omitempty"`
	Elements []slackButton `json:"elements,omitempty"`
}

type slackButton struct {
	Type     string    `json:"type"`
	Text     slackText `json:"text"`
	ActionID string    `json:"action_id"`
	Value    string    `json:"value,omitempty"`
	URL      string    `json:"url,omitempty"`
	Style    string    `json:"style,omitempty"`
}

type slackMessage struct {
	Text   string       `json:"text"` // of the notification, and where blocks are not shown
	Blocks []slackBlock `json:"blocks"`
}

func (s *slack) send(ctx context.Context, m *Message) (string, error) {
	return "", s.post(ctx, s.url, s.render(m), nil)
}

func (s *slack) render(m *Message) slackMessage {
	title := m.Title
	out := slackMessage{Text: escapeSlack(title)}
	if id := s.people[m.To]; id != "" {
		out.Text = "<@" + id + "> " + out.Text
	}
	out.Blocks = append(out.Blocks, slackBlock{Type: "section", Text: &slackText{"mrkdwn", "*" + strings.ReplaceAll(out.Text, "*", "∗") + "*"}})
	var facts strings.Builder
	for _, f := range m.Facts {
		facts.WriteString("*" + f.Name + ":* " + escapeSlack(f.Text) + "\n")
	}
	if facts.Len() > 0 {
		out.Blocks = append(out.Blocks, slackBlock{Type: "section", Text: &slackText{"mrkdwn", cutRunes(facts.String(), 2900)}}) // Slack takes 3000
	}
	var buttons []slackButton
	if m.State == inquest.IncidentOpen && m.Incident != nil {
		ack := slackText{"plain_text", "Acknowledge"}
		switch {
		case s.interactive:
			buttons = append(buttons, slackButton{Type: "button", Text: ack, ActionID: "acknowledge", Value: m.Key, Style: "primary"})
		case m.Link != "":
			buttons = append(buttons, slackButton{Type: "button", Text: ack, ActionID: "open-to-acknowledge", URL: m.Link + "#acknowledge", Style: "primary"})
		}
	}
	if m.Link != "" {
		buttons = append(buttons, slackButton{Type: "button", Text: slackText{"plain_text", "Open incident"}, ActionID: "open", URL: m.Link})
	}
	if len(buttons) > 0 {
		out.Blocks = append(out.Blocks, slackBlock{Type: "actions", Elements: buttons})
	}
	return out
}

// escapeSlack keeps a text from becoming a link, a mention or a call to the channel.
func escapeSlack(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func cutRunes(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}
