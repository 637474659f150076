package explain_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/explain"
)

func TestEveryStatusThatMattersIsExplained(t *testing.T) {
	for _, code := range []int{400, 401, 403, 404, 408, 409, 413, 422, 429, 499, 500, 501, 502, 503, 504, 507, 508, 520, 521, 522, 523, 524, 525, 526, 527} {
		e, ok := explain.Status(code)
		if !ok {
			t.Errorf("%d is not explained", code)
			continue
		}
		for name, v := range map[string]string{"phrase": e.Phrase, "meaning": e.Meaning, "source": e.Source, "fault": e.Fault, "up": e.Up, "retry": e.Retry,
			"retry-after": e.RetryAfter, "where": e.Where, "fix": e.Fix, "balancer": e.Balancer, "alert": e.Alert} {
			if v == "" {
				t.Errorf("%d lacks %s", code, name)
			}
		}
		if code >= 499 && (len(e.Causes) == 0 || e.Example == "" || e.Misuse == "" || len(e.Look) == 0) {
			t.Errorf("%d lacks causes, example, misuse or where to look further", code)
		}
	}
	if e, ok := explain.Status(299); ok {
		t.Errorf("299 is explained as %q", e.Phrase)
	}
}

// The phrases are those of the registry; the two that the standard library still has in an older form are named here.
func TestPhrasesAreTheRegisteredOnes(t *testing.T) {
	newer := map[int]string{413: "Content Too Large", 422: "Unprocessable Content"}
	for _, e := range explain.All() {
		want := http.StatusText(e.Code)
		if n, ok := newer[e.Code]; ok {
			want = n
		}
		if got := explain.Phrase(e.Code); got != want {
			t.Errorf("%d: %q, registered is %q", e.Code, got, want)
		}
	}
	if got := explain.Phrase(502); got != "Bad Gateway" {
		t.Errorf("502 is called %q", got)
	}
}

func TestMeaningsAreThoseOfTheRFC(t *testing.T) {
	for code, words := range map[int]string{
		500: "encountered an unexpected condition that prevented it from fulfilling the request",
		501: "does not support the functionality required to fulfill the request",
		502: "received an invalid response from an inbound server",
		503: "currently unable to handle the request due to a temporary overload or scheduled maintenance",
		504: "did not receive a timely response from an upstream server",
		429: "too many requests in a given amount of time",
		408: "did not receive a complete request message within the time that it was prepared to wait",
	} {
		if e, _ := explain.Status(code); !strings.Contains(e.Meaning, words) {
			t.Errorf("%d: %q does not hold %q", code, e.Meaning, words)
		}
	}
}

func TestLookup(t *testing.T) {
	for name, want := range map[string]int{"502": 502, "bad gateway": 502, "Bad_Gateway": 502, "HTTP 502": 502, "error 502": 502, "  internal   server error ": 500, "gateway timeout": 504,
		"gateway time-out": 504, "rate limited": 429, "client closed request": 499, "payload too large": 413, "origin is unreachable": 523, "service unavailable": 503} {
		if e, ok := explain.Lookup(name); !ok || e.Code != want {
			t.Errorf("%q gives %d, want %d", name, e.Code, want)
		}
	}
	for _, name := range []string{"", "banana", "999", "gateway"} {
		if e, ok := explain.Lookup(name); ok {
			t.Errorf("%q gives %d, want nothing", name, e.Code)
		}
	}
}

func TestAdviceThatMustNotBeLost(t *testing.T) {
	for sentence, c := range map[string]struct {
		code  int
		field func(explain.Entry) string
		want  string
	}{
		"500 is not repeated automatically":       {500, func(e explain.Entry) string { return e.Retry }, "Not automatically"},
		"500 rarely has Retry-After":              {500, func(e explain.Entry) string { return e.RetryAfter }, "Rarely"},
		"500 says when it is the wrong code":      {500, func(e explain.Entry) string { return e.Misuse }, "503"},
		"500 stays in rotation":                   {500, func(e explain.Entry) string { return e.Balancer }, "stays in rotation"},
		"503 is repeated with back-off":           {503, func(e explain.Entry) string { return e.Retry }, "exponential back-off"},
		"503 always has Retry-After":              {503, func(e explain.Entry) string { return e.RetryAfter }, "Always"},
		"503 is taken out of rotation":            {503, func(e explain.Entry) string { return e.Balancer }, "out of rotation"},
		"503 of a limiter should be 429":          {503, func(e explain.Entry) string { return e.Misuse }, "429"},
		"502 is repeated only when idempotent":    {502, func(e explain.Entry) string { return e.Retry }, "Idempotent"},
		"504 is repeated only when idempotent":    {504, func(e explain.Entry) string { return e.Retry }, "Idempotent"},
		"429 has Retry-After":                     {429, func(e explain.Entry) string { return e.RetryAfter }, "Always"},
		"404 is the client's":                     {404, func(e explain.Entry) string { return e.Fault }, "client"},
		"502 is not called internal server error": {502, func(e explain.Entry) string { return e.Misuse }, "mixes two codes"},
	} {
		e, _ := explain.Status(c.code)
		if !strings.Contains(c.field(e), c.want) {
			t.Errorf("%s: %q", sentence, c.field(e))
		}
	}
}

func TestMechanismsToLookForExist(t *testing.T) {
	seen := map[int]bool{}
	for _, e := range explain.All() {
		if seen[e.Code] {
			t.Errorf("%d is explained twice", e.Code)
		}
		seen[e.Code] = true
		for _, id := range e.Look {
			if _, ok := mechanism.ByID(id); !ok {
				t.Errorf("%d points at %s, which does not exist", e.Code, id)
			}
		}
	}
}
