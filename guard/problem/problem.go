// Package problem writes the answer to a failure: the same facts as plain JSON, as problem details (RFC 9457), or as a
// page, whichever the client prefers, with an id that can be quoted and nothing of the inside.
package problem

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

// Problem is what a client is told.
type Problem struct {
	Status     int            // from 400 to 599
	Code       string         // for programs, such as INVENTORY_CONFLICT
	Message    string         // for people; a sentence of ours, never the text of an error
	ID         string         // of the failure; every 5xx has one
	RetryAfter time.Duration  // 0 if coming back does not help
	Fields     map[string]any // further members, such as the fields that are missing
	Report     string         // where the page's form "report this" is sent to; no form if empty
}

// The media types that a problem can be written as.
const (
	JSON    = "application/json"
	Details = "application/problem+json"
	HTML    = "text/html"
)

// Body returns the problem as one of the media types above; any other counts as [JSON].
func (p *Problem) Body(mediaType string) []byte {
	if mediaType == HTML {
		return p.page()
	}
	out := make(map[string]any, len(p.Fields)+6)
	maps.Copy(out, p.Fields)
	if mediaType == Details {
		out["type"], out["title"], out["status"] = "about:blank", p.title(), p.Status
		out["code"], out["detail"] = p.Code, p.Message
		if p.ID != "" {
			out["instance"] = "urn:error:" + p.ID
		}
	} else {
		out["error"], out["message"] = p.Code, p.Message
	}
	if p.ID != "" {
		out["errorId"] = p.ID
	}
	if p.RetryAfter > 0 {
		out["retryAfterSeconds"] = policy.Seconds(p.RetryAfter)
	}
	b, err := json.Marshal(out)
	if err != nil { // a field that JSON cannot hold must not cost the answer
		q := *p
		q.Fields = nil
		return q.Body(mediaType)
	}
	return append(b, '\n')
}

func (p *Problem) title() string {
	if t := http.StatusText(p.Status); t != "" {
		return t
	}
	return "Status " + strconv.Itoa(p.Status)
}

const pageStyle = "font:1.1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:12vh auto;padding:0 1rem"

func (p *Problem) page() []byte {
	var b strings.Builder
	title := html.EscapeString(p.title())
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>%d %s</title></head>\n", p.Status, title)
	fmt.Fprintf(&b, "<body style=%q><h1>%s</h1>\n<p>%s</p>\n", pageStyle, title, html.EscapeString(p.Message))
	if p.ID != "" {
		id := html.EscapeString(p.ID)
		fmt.Fprintf(&b, "<p>If you ask for help, quote <code>%s</code>.</p>\n", id)
		if p.Report != "" {
			fmt.Fprintf(&b, "<form method=\"post\" action=\"%s\"><input type=\"hidden\" name=\"id\" value=\"%s\"><p><label>What were you doing?<br><textarea name=\"text\" rows=\"4\" maxlength=\"2000\" style=\"width:100%%\"></textarea></label></p><p><button>Report this</button></p></form>\n", html.EscapeString(p.Report), id)
		}
	}
	b.WriteString("</body></html>\n")
	return []byte(b.String())
}

// Write answers r with the problem. Headers that the handler had set for its own answer and that would lie about this
// one are removed.
func (p *Problem) Write(w http.ResponseWriter, r *http.Request) {
	mediaType := Negotiate(r.Header.Values("Accept"))
	body := p.Body(mediaType)
	h := w.Header()
	for _, name := range []string{"Content-Encoding", "Content-Range", "Accept-Ranges", "Etag", "Last-Modified", "Expires", "Content-Disposition", "Trailer", "Content-Language", "Content-Location"} {
		h.Del(name)
	}
	h.Set("Content-Type", mediaType)
	if mediaType == HTML {
		h.Set("Content-Type", HTML+"; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept")
	if p.ID != "" {
		h.Set("X-Error-Id", p.ID)
	}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(policy.Seconds(p.RetryAfter)))
	}
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that is gone by now is told nothing
	}
}

// Negotiate picks [JSON], [Details] or [HTML] for the values of Accept (RFC 9110, 12.5.1): the highest quality, then
// the more specific wish, then the order above. Where nothing fits it is JSON: an error is better read than refused.
func Negotiate(accept []string) string {
	best, bestQ, bestSpecific := JSON, 0.0, -1
	for _, offer := range []string{JSON, Details, HTML} {
		q, specific := quality(accept, offer)
		if q > bestQ || q == bestQ && q > 0 && specific > bestSpecific {
			best, bestQ, bestSpecific = offer, q, specific
		}
	}
	return best
}

// quality returns the quality of the most specific range that covers the offer: 2 is the type itself, 1 type/*, 0 */*.
func quality(accept []string, offer string) (q float64, specific int) {
	specific = -1
	kind, _, _ := strings.Cut(offer, "/")
	for _, value := range accept {
		for item := range strings.SplitSeq(value, ",") {
			name, params, _ := strings.Cut(item, ";")
			s := -1
			switch name = strings.ToLower(strings.TrimSpace(name)); name {
			case offer:
				s = 2
			case kind + "/*":
				s = 1
			case "*/*":
				s = 0
			}
			if s > specific {
				q, specific = weight(params), s
			}
		}
	}
	return q, specific
}

// weight reads q from the parameters of a range; what is no number from 0 to 1 is 1, as if it were not there.
func weight(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			if q, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && q >= 0 && q <= 1 {
				return q
			}
		}
	}
	return 1
}
