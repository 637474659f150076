package health

import (
	"encoding/json"
	"strings"
)

// Parse reads the health answer of another service: application/health+json, Spring's actuator, and the common
// {"status":"ok"}. The HTTP status decides where the body says nothing; a body that says fail is believed over a 200, but none is over an
// error status: a health check that says 200 while it is sick is worse than none.
func Parse(status int, body []byte) Status {
	if status < 200 || status > 299 {
		return Fail
	}
	var doc struct {
		Status  any `json:"status"`
		Healthy any `json:"healthy"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return Pass // plain text, or nothing: the status is all there is
	}
	if doc.Healthy == false {
		return Fail
	}
	word, _ := doc.Status.(string)
	switch strings.ToLower(word) {
	case "fail", "error", "down", "unhealthy", "out_of_service", "critical", "unavailable", "red":
		return Fail
	case "warn", "warning", "degraded", "yellow":
		return Warn
	}
	return Pass
}
