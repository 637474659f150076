package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// Webhook posts JSON to any address, signed as Standard Webhooks has it (https://www.standardwebhooks.com): webhook-id is the notice's id, the same in
// each attempt, and webhook-signature is "v1," and the HMAC-SHA256 of "id.timestamp.body", so that the libraries of that specification check it.
type Webhook struct {
	URL           Secret
	Secret        Secret // "whsec_" and base64, as the specification has it, or any text; "" signs nothing
	Authorization Secret // the value of the header Authorization; "" for none
}

// WebhookSchema is the name and version of the body, docs/notify.md.
const WebhookSchema = "inquest/notice/v1"

type webhook struct {
	*httpClient
	url, authorization string
	key                []byte
}

func (w *Webhook) open(h *httpClient) (channel, error) {
	to, err := address(w.URL)
	if err != nil {
		return nil, err
	}
	key, err := signingKey(w.Secret)
	return &webhook{h, to, string(w.Authorization), key}, err
}

func signingKey(s Secret) ([]byte, error) {
	rest, ok := strings.CutPrefix(string(s), "whsec_")
	if !ok {
		return []byte(s), nil
	}
	key, err := base64.StdEncoding.DecodeString(rest)
	if err != nil || len(key) == 0 {
		return nil, errors.New("its secret begins with whsec_, and no base64 follows")
	}
	return key, nil
}

type webhookBody struct {
	Schema   string            `json:"schema"`
	ID       string            `json:"id"`
	Occasion inquest.Occasion  `json:"occasion"`
	Time     time.Time         `json:"time"`
	To       string            `json:"to,omitempty"`
	Title    string            `json:"title"`
	Text     string            `json:"text"`
	Link     string            `json:"link,omitempty"`
	Incident *inquest.Incident `json:"incident,omitempty"`
	Alert    *inquest.Alert    `json:"alert,omitempty"`
}

func (w *webhook) send(ctx context.Context, m *Message) (string, error) {
	now := time.Now().UTC()
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(webhookBody{WebhookSchema, m.ID, m.Occasion, now, m.To, m.Title, m.text(), m.Link, m.Incident, m.Alert}); err != nil {
		return "", permanent(fmt.Errorf("write the message: %w", err))
	}
	text := bytes.TrimRight(body.Bytes(), "\n") // so that a shell that checks it may drop line feeds
	stamp := strconv.FormatInt(now.Unix(), 10)
	header := http.Header{"Webhook-Id": {m.ID}, "Webhook-Timestamp": {stamp}, "Idempotency-Key": {m.ID}}
	if w.authorization != "" {
		header.Set("Authorization", w.authorization)
	}
	if len(w.key) > 0 {
		mac := hmac.New(sha256.New, w.key)
		mac.Write([]byte(m.ID + "." + stamp + "."))
		mac.Write(text)
		header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return "", w.postBytes(ctx, w.url, text, header)
}
