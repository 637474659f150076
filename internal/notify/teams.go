package notify

import (
	"context"

	"github.com/inquesthq/inquest"
)

// Teams posts an Adaptive Card to a webhook of Workflows ("Post to a channel when a webhook request is received").
type Teams struct {
	URL Secret
}

type teams struct {
	*httpClient
	url string
}

func (t *Teams) open(h *httpClient) (channel, error) {
	to, err := address(t.URL)
	return &teams{h, to}, err
}

// card is an object of Adaptive Cards, whose elements share no shape.
type card = map[string]any

func (t *teams) send(ctx context.Context, m *Message) (string, error) {
	color := "Attention"
	switch {
	case m.Over:
		color = "Good"
	case m.Severity >= inquest.SEV3:
		color = "Warning"
	}
	facts := make([]card, 0, len(m.Facts))
	for _, f := range m.Facts {
		facts = append(facts, card{"title": f.Name, "value": f.Text})
	}
	content := card{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "msteams": card{"width": "Full"},
		"body": []card{
			{"type": "TextBlock", "text": m.Title, "wrap": true, "weight": "Bolder", "size": "Medium", "color": color},
			{"type": "FactSet", "facts": facts},
		},
	}
	if m.Link != "" {
		content["actions"] = []card{{"type": "Action.OpenUrl", "title": "Open incident", "url": m.Link}}
	}
	return "", t.post(ctx, t.url, card{
		"type": "message", "attachments": []card{{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": content}},
	}, nil)
}
