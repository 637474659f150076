// Package explain says what an HTTP status means to whoever is on call: the words of RFC 9110, whose fault it is, where
// to look, whether a client may repeat the request, what to fix, what the load balancer and the alert should do. It is
// data with look-ups; it does no I/O. Mechanisms (why it happened) are the business of diagnose/mechanism.
package explain

import (
	"sort"
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
)

// Entry explains one status. Every field is set for 5xx; a 4xx entry is brief and may leave the operator's fields empty.
type Entry struct {
	Code       int
	Phrase     string // reason phrase of the registry, e.g. "Bad Gateway"
	Meaning    string // quoted from the document named in Source
	Source     string // "RFC 9110, section 15.6.1"
	Fault      string // who has to act: code or configuration, infrastructure or dependency, client, ...
	Causes     []string
	Up         string // is the service up?
	Retry      string // may the client send it again?
	RetryAfter string // is a Retry-After header due?
	Where      string // where the cause is found
	Fix        string
	Balancer   string // what the load balancer does
	Alert      string // what should alert
	Example    string // a message one finds with it
	Misuse     string // when it is the wrong code
	Look       []inquest.MechanismID
}

// Status returns the entry of a status code.
func Status(code int) (Entry, bool) {
	for _, e := range All() {
		if e.Code == code {
			return e, true
		}
	}
	return Entry{}, false
}

// Lookup finds an entry by what a person types: "502", "bad gateway", "Bad_Gateway", "http 502", "error 502".
func Lookup(name string) (Entry, bool) {
	n := strings.ToLower(strings.TrimSpace(name))
	n = strings.NewReplacer("_", " ", "-", " ").Replace(n)
	for _, prefix := range []string{"http ", "error ", "status "} {
		n = strings.TrimPrefix(n, prefix)
	}
	n = strings.Join(strings.Fields(n), " ")
	if code, err := strconv.Atoi(n); err == nil {
		return Status(code)
	}
	if code, ok := aliases()[n]; ok {
		return Status(code)
	}
	for _, e := range All() {
		if plain(e.Phrase) == n {
			return e, true
		}
	}
	return Entry{}, false
}

func plain(phrase string) string {
	return strings.NewReplacer("-", " ", "'", "").Replace(strings.ToLower(phrase))
}

// aliases are names that people use beside the registered phrase.
func aliases() map[string]int {
	return map[string]int{
		"ise": 500, "internal error": 500, "server error": 500,
		"gateway error": 502, "unavailable": 503, "service temporarily unavailable": 503, "overloaded": 503, "maintenance": 503,
		"gateway time out": 504, "upstream timeout": 504,
		"throttled": 429, "rate limited": 429, "rate limit": 429,
		"client gone": 499, "client disconnected": 499, "disk full": 507, "redirect loop": 508,
		"payload too large": 413, "request entity too large": 413, "unprocessable entity": 422, "not authorized": 401, "denied": 403,
	}
}

// All returns every entry, by code.
func All() []Entry {
	var all []Entry
	all = append(all, clientErrors()...)
	all = append(all, serverErrors()...)
	all = append(all, protocolErrors()...)
	all = append(all, gatewayErrors()...)
	all = append(all, rareErrors()...)
	all = append(all, cloudflareErrors()...)
	sort.Slice(all, func(a, b int) bool { return all[a].Code < all[b].Code })
	return all
}

// Phrase returns the registered reason phrase of a status, or "" when it has none: 502 is "Bad Gateway", whatever a
// runbook calls it.
func Phrase(code int) string {
	if e, ok := Status(code); ok && strings.HasPrefix(e.Source, "RFC") {
		return e.Phrase
	}
	return ""
}
