package gateway

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
	told "github.com/inquesthq/inquest/guard/problem"
)

// newErrorID returns ERR-<epoch milliseconds>-<6 upper alphanumerics>: it sorts by time, and cannot be guessed.
func newErrorID(now time.Time) string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var random [6]byte
	_, _ = rand.Read(random[:])
	for i, b := range random {
		random[i] = letters[int(b)%len(letters)]
	}
	return "ERR-" + strconv.FormatInt(now.UnixMilli(), 10) + "-" + string(random[:])
}

// render writes a problem as the client asks for it: HTML for a browser, RFC 9457 for who accepts it, else JSON.
func (c *call) render(p *problem) (kind string, body []byte) {
	switch kind := told.Negotiate(c.in.Header["Accept"]); kind {
	case told.Details:
		return kind, c.problemJSON(p)
	case told.HTML:
		if p.page != nil {
			return "text/html; charset=utf-8", p.page
		}
		return "text/html; charset=utf-8", c.page(p)
	}
	return "application/json", c.plainJSON(p)
}

func (c *call) plainJSON(p *problem) []byte {
	out := map[string]any{"error": p.code, "message": p.message}
	if c.ErrorID != "" {
		out["errorId"] = c.ErrorID
	}
	if p.retryAfter > 0 {
		out["retryAfterSeconds"] = policy.Seconds(p.retryAfter)
	}
	b, _ := json.Marshal(out) // texts and numbers only
	return append(b, '\n')
}

func (c *call) problemJSON(p *problem) []byte {
	out := map[string]any{"type": "about:blank", "title": http.StatusText(p.status), "status": p.status, "detail": p.message, "code": p.code}
	if c.ErrorID != "" {
		out["instance"] = "urn:inquest:" + c.ErrorID
		out["errorId"] = c.ErrorID
	}
	b, _ := json.Marshal(out)
	return append(b, '\n')
}

func (c *call) page(p *problem) []byte {
	var b strings.Builder
	title := http.StatusText(p.status)
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>%d %s</title></head>\n<body style=\"font:1.1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:12vh auto;padding:0 1rem\"><h1>%s</h1><p>%s</p>",
		p.status, title, title, html.EscapeString(p.message))
	if c.ErrorID != "" {
		fmt.Fprintf(&b, "\n<p>If you ask for help, name <code>%s</code>.</p>", c.ErrorID)
		if c.reports() {
			fmt.Fprintf(&b, "\n<form method=\"post\" action=\"%s\"><input type=\"hidden\" name=\"id\" value=\"%s\"><p><label>What were you doing?<br><textarea name=\"text\" rows=\"4\" maxlength=\"2000\" style=\"width:100%%\"></textarea></label></p><p><button>Report this</button></p></form>", reportPath, c.ErrorID)
		}
	}
	if c.rt != nil && c.rt.ErrorPage != "" {
		fmt.Fprintf(&b, "\n<p>%s</p>", html.EscapeString(c.rt.ErrorPage))
	}
	b.WriteString("\n</body></html>\n")
	return []byte(b.String())
}
