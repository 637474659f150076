package gateway

import (
	"fmt"
	"html"
	"net/http"
	"strings"

	told "github.com/inquesthq/inquest/guard/problem"
)

// render writes a problem in the shape that the client would rather have: JSON, RFC 9457's, or a page.
func (c *call) render(p *problem) (kind string, body []byte) {
	kind = told.Negotiate(c.in.Header["Accept"])
	if kind == told.HTML {
		if kind += "; charset=utf-8"; p.page != nil {
			return kind, p.page
		}
		return kind, c.page(p)
	}
	t := told.Problem{Status: p.status, Code: p.code, Message: p.message, ID: c.ErrorID, RetryAfter: p.retryAfter}
	return kind, t.Body(kind)
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
