package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
	"github.com/inquesthq/inquest/internal/gateway/upstream"
)

// Reasons of the gateway's own answers, beside those of failed exchanges.
const (
	reasonMaintenance = "maintenance"
	reasonNoRoute     = "no-route"
	reasonTooLarge    = "too-large"
	reasonBadRequest  = "bad-request" // a body with wrong framing
	reasonPanic       = "panic"       // of the gateway itself
)

func (c *call) noRoute(known bool) {
	c.Reason = reasonNoRoute
	if known {
		c.Detail = "no route takes the method"
		c.own(problem{status: http.StatusMethodNotAllowed, code: "METHOD_NOT_ALLOWED", message: "This method is not served here."})
		return
	}
	c.Detail = "no route has the host and path"
	c.own(problem{status: http.StatusNotFound, code: "NOT_FOUND", message: "There is nothing at this address."})
}

func (c *call) maintenance(s *closure) {
	c.Reason = reasonMaintenance
	c.own(problem{status: http.StatusServiceUnavailable, code: "MAINTENANCE", message: s.message, retryAfter: s.retryAfter(c.Time), page: s.html()})
}

func (c *call) limited(q policy.Quota) {
	c.Reason = string(policy.Limited)
	c.own(problem{status: http.StatusTooManyRequests, code: "RATE_LIMIT_EXCEEDED", message: "Too many requests. Please slow down.", retryAfter: q.RetryAfter})
}

func (c *call) tooLarge() {
	c.Reason = reasonTooLarge
	c.own(problem{status: http.StatusRequestEntityTooLarge, code: "CONTENT_TOO_LARGE", message: "The request is larger than what is accepted here."})
}

// upstreamFailed answers for an exchange that came to nothing.
func (c *call) upstreamFailed(f *upstream.Failure) {
	c.Reason, c.Detail = string(f.Reason), f.Error()
	p := problem{status: f.Status(), code: "BAD_GATEWAY", message: "The service behind this address gave no usable answer."}
	switch p.status {
	case upstream.StatusClientLeft:
		if c.in.Context().Err() == nil && misframed(f.Err) { // it is there, but what it sends is no body
			c.Reason = reasonBadRequest
			p.status, p.code, p.message = http.StatusBadRequest, "BAD_REQUEST", "The body of the request could not be read."
			break
		}
		if c.in.Context().Err() == nil { // it is there, but its request stopped coming
			p.status, p.code, p.message = http.StatusRequestTimeout, "REQUEST_TIMEOUT", "The request did not arrive in time."
			break
		}
		c.Status = upstream.StatusClientLeft
		panic(http.ErrAbortHandler) // nobody reads an answer
	case http.StatusGatewayTimeout:
		p.code, p.message = "GATEWAY_TIMEOUT", "The service behind this address did not answer in time."
	case http.StatusServiceUnavailable:
		p.code, p.message = "SERVICE_TEMPORARILY_UNAVAILABLE", "The service is temporarily unavailable. Please try again."
		p.retryAfter = max(f.RetryAfter, time.Second)
	}
	c.own(p)
}

// misframed reports whether the request's body is not what its header says, as against one that stopped coming. net/http has no
// types for these errors, only words.
func misframed(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "chunk") || strings.Contains(err.Error(), "trailer"))
}

// broken answers for a fault of the gateway itself.
func (c *call) broken(v any) {
	c.Reason, c.Detail = reasonPanic, fmt.Sprintf("%v\n%s", v, debug.Stack())
	if c.status == 0 {
		c.panicked = nil
		c.own(problem{status: http.StatusInternalServerError, code: "INTERNAL_SERVER_ERROR", message: "Something went wrong on our side."})
	}
}

// problem is an answer of the gateway's own.
type problem struct {
	status     int
	code       string // for programs
	message    string // for people
	retryAfter time.Duration
	page       []byte // HTML, instead of the page made from the rest
}

// own sends an answer of the gateway's own. Each 5xx gets an id under which everything about it is found.
func (c *call) own(p problem) {
	if p.status >= 500 && c.ErrorID == "" {
		c.ErrorID = c.g.ids.Next(c.Time)
	}
	h := c.w.Header()
	h.Set("Cache-Control", "no-store")
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(policy.Seconds(p.retryAfter)))
	}
	if c.Reason != "" {
		h.Set("X-Inquest-Reason", c.Reason)
	}
	if c.ErrorID != "" {
		h.Set("X-Error-Id", c.ErrorID)
	}
	kind, body := c.render(&p)
	h.Add("Vary", "Accept")
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	c.WriteHeader(p.status)
	if c.in.Method == http.MethodHead {
		return
	}
	_, err := c.Write(body)
	if err != nil && !errors.Is(err, http.ErrBodyNotAllowed) && c.Detail == "" {
		c.Detail = err.Error()
	}
}

func splitList(s string) []string {
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}
