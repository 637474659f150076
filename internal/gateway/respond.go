package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest/guard/answer"
	"github.com/inquesthq/inquest/guard/policy"
	told "github.com/inquesthq/inquest/guard/problem"
	"github.com/inquesthq/inquest/internal/redact"
)

// answered looks at an answer of the upstream before it is handed on: whether its status is true, whether its body is fit for
// strangers, whether a 503 says when to come back. An error that it returns is answered by failed.
func (c *call) answered(resp *http.Response) error {
	delete(resp.Header, "X-Request-Id") // the client gets ours, once
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil
	}
	if resp.StatusCode >= 500 {
		if c.ErrorID = resp.Header.Get("X-Error-Id"); !told.ValidID(c.ErrorID) { // a guarded service told one in its body, too
			c.ErrorID = c.g.ids.Next(c.Time)
		}
	}
	if resp.StatusCode >= 500 || c.suspect(resp) {
		if err := c.judge(resp); err != nil {
			return err
		}
	}
	if resp.StatusCode >= 500 {
		resp.Header.Set("X-Error-Id", c.ErrorID)
		if c.rt.sanitise && !c.rt.audit {
			c.rt.judge.StripHeader(resp.Header)
		}
	}
	c.addRetryAfter(resp.StatusCode, resp.Header)
	if len(resp.Trailer) > 0 && c.in.ProtoMajor == 1 && c.in.ProtoMinor > 0 {
		// HTTP/2 has trailers beside a length. HTTP/1.1 has them after chunks only (RFC 9112 7.1.2), and those end a cut visibly, too.
		delete(resp.Header, "Content-Length")
	}
	return nil
}

// addRetryAfter completes a 503 or 429 that does not say when to come back (RFC 9110 10.2.3).
func (c *call) addRetryAfter(status int, h http.Header) {
	if status != http.StatusServiceUnavailable && status != http.StatusTooManyRequests || h.Get("Retry-After") != "" {
		return
	}
	if c.rt.audit {
		c.would("add Retry-After")
		return
	}
	h.Set("Retry-After", strconv.Itoa(policy.Seconds(c.rt.RetryAfter)))
}

// suspect reports whether a successful answer is of a kind in which an error can hide, and short enough.
func (c *call) suspect(resp *http.Response) bool {
	if resp.StatusCode >= 300 || resp.ContentLength > answer.Limit || resp.ContentLength == 0 || c.in.Method == http.MethodHead || c.rt.trusting {
		return false
	}
	kind := first(resp.Header["Content-Type"])
	switch {
	case strings.Contains(kind, "json"):
		return !strings.Contains(kind, "json-seq") && !strings.Contains(kind, "ndjson") && !strings.Contains(kind, "stream")
	case strings.HasPrefix(kind, "text/html"):
		return resp.ContentLength > 0 && resp.ContentLength <= pageLimit
	}
	return false
}

// pageLimit is the length of a server's own error page at most, in bytes: pages of an application are longer.
const pageLimit = 4 << 10

// replaced is the answer that is sent in the place of the upstream's.
type replaced struct {
	problem
	header http.Header // of the upstream's answer
}

func (*replaced) Error() string { return "the answer is replaced" }

// judge reads the body, as far as it is worth judging, and corrects the status, and the body if it must not get out.
func (c *call) judge(resp *http.Response) error {
	body, whole, err := c.peek(resp)
	if err != nil {
		return err
	}
	a := answer.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body, Whole: whole}
	status, rule, retryAfter := c.rt.status(a)
	var leaks []answer.Leak
	if c.rt.sanitise && (status >= 500 || resp.StatusCode >= 500) {
		leaks = c.rt.judge.Leaks(a)
	}
	if rule == "" && len(leaks) == 0 {
		if resp.StatusCode >= 500 {
			c.record(resp, body, "")
		}
		return nil
	}
	what := describe(resp.StatusCode, status, rule, leaks)
	if c.rt.audit {
		c.would(what)
		return nil
	}
	if c.ErrorID == "" {
		c.ErrorID = c.g.ids.Next(c.Time)
	}
	c.Reason, c.Rule = string(policy.BodyRule), rule
	if rule == "" {
		c.Rule = "leak-" + string(leaks[0].Kind)
	}
	c.record(resp, body, what)
	if len(leaks) > 0 {
		return &replaced{problemFor(status, retryAfter), resp.Header}
	}
	return c.correct(resp, status, retryAfter)
}

// correct changes the status and keeps the body: it is clean, and a client may know how to read it.
func (c *call) correct(resp *http.Response, status int, retryAfter time.Duration) error {
	resp.StatusCode, resp.Status = status, ""
	resp.Header.Set("X-Inquest-Reason", c.Reason)
	resp.Header.Set("X-Inquest-Rule", c.Rule)
	resp.Header.Set("X-Error-Id", c.ErrorID)
	resp.Header.Set("Cache-Control", "no-store") // what a cache was told was said of a success
	resp.Header.Del("Etag")
	resp.Header.Del("Expires")
	if retryAfter > 0 && resp.Header.Get("Retry-After") == "" {
		resp.Header.Set("Retry-After", strconv.Itoa(policy.Seconds(retryAfter)))
	}
	return nil
}

func describe(was, status int, rule string, leaks []answer.Leak) string {
	var parts []string
	if rule != "" {
		parts = append(parts, fmt.Sprintf("%d to %d (%s)", was, status, rule))
	}
	if len(leaks) > 0 {
		var kinds []string
		for _, l := range leaks {
			kinds = append(kinds, string(l.Kind))
		}
		parts = append(parts, "body replaced (leaks "+strings.Join(kinds, ", ")+")")
	}
	return strings.Join(parts, "; ")
}

// problemFor is what is said in the place of a body that must not get out.
func problemFor(status int, retryAfter time.Duration) problem {
	p := problem{status: status, code: "INTERNAL_SERVER_ERROR", message: "Something went wrong on our side.", retryAfter: retryAfter}
	switch status {
	case http.StatusTooManyRequests:
		p.code, p.message = "RATE_LIMIT_EXCEEDED", "Too many requests. Please slow down."
	case http.StatusServiceUnavailable:
		p.code, p.message = "SERVICE_TEMPORARILY_UNAVAILABLE", "The service is temporarily unavailable. Please try again."
	case http.StatusGatewayTimeout:
		p.code, p.message = "GATEWAY_TIMEOUT", "The service behind this address did not answer in time."
	case http.StatusBadGateway:
		p.code, p.message = "BAD_GATEWAY", "The service behind this address gave no usable answer."
	default:
		if status < 500 {
			p.code, p.message = strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_")), "The request could not be served."
		}
	}
	return p
}

// keptHeaders are those of a replaced answer that still hold: what browsers need to show it, and what the service said about retrying.
func keptHeaders() []string {
	return []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers", "Vary", "Retry-After", "Set-Cookie", "Www-Authenticate"}
}

// replace answers in the place of the upstream.
func (c *call) replace(r *replaced) {
	for _, name := range keptHeaders() {
		if v := r.header[name]; len(v) > 0 {
			c.w.Header()[name] = slices.Clone(v)
		}
	}
	if seconds, ok := policy.RetryAfter(r.header, c.Time); ok {
		r.retryAfter = seconds
	}
	if r.retryAfter == 0 && (r.status == http.StatusServiceUnavailable || r.status == http.StatusTooManyRequests) {
		r.retryAfter = c.rt.RetryAfter
	}
	c.w.Header().Set("X-Inquest-Rule", c.Rule)
	c.own(r.problem)
}

// maxRecord bounds what is kept of a body in the event log, in bytes: enough for a stack trace.
const maxRecord = 16 << 10

// record keeps what the upstream said of a failure, without secrets, under the ids that the client got.
func (c *call) record(resp *http.Response, body []byte, what string) {
	e := Event{Time: time.Now(), Kind: "failure", Upstream: c.Service, Route: c.Route, Status: c.x.Status, Path: c.in.URL.Path,
		ErrorID: c.ErrorID, RequestID: c.RequestID, TraceID: c.TraceID, Server: c.x.Server, Text: what}
	a := answer.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}
	said := answer.Extract(a)
	if said.Message != "" {
		c.Detail = redact.Text(oneLine(strings.TrimSpace(said.Code+" "+said.Message), 500))
	}
	if coding := resp.Header.Get("Content-Encoding"); coding == "" || coding == "identity" {
		e.Said = redact.Text(strings.ToValidUTF8(string(body[:min(len(body), maxRecord)]), "\ufffd"))
	} else {
		e.Said = c.Detail
	}
	c.g.tell(e)
}
