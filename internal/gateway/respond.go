package gateway

import (
	"net/http"
	"strconv"

	"github.com/inquesthq/inquest/guard/policy"
)

// answered looks at an answer of the upstream before it is handed on.
func (c *call) answered(resp *http.Response) error {
	if id := resp.Header["X-Request-Id"]; len(id) > 0 {
		delete(resp.Header, "X-Request-Id") // the client gets ours, once
	}
	switch resp.StatusCode {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		if resp.Header.Get("Retry-After") != "" {
			break
		}
		if c.rt.audit {
			c.would("add Retry-After")
			break
		}
		resp.Header.Set("Retry-After", strconv.Itoa(policy.Seconds(c.rt.RetryAfter)))
	}
	return nil
}
