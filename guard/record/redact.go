package record

import (
	"net/url"
	"regexp"
	"strings"
)

// Redacted stands where a secret stood.
const Redacted = "[redacted]"

// Redactor takes secrets out of texts. It is safe for concurrent use.
type Redactor struct {
	pairs, values, cards *regexp.Regexp
}

// NewRedactor returns a redactor for what is secret everywhere: passwords, tokens, keys, cookies, credentials in URLs,
// and card numbers.
func NewRedactor() *Redactor {
	return &Redactor{
		pairs:  regexp.MustCompile(`(?i)([\w-]*(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|authorization|cookie|session[_-]?id|signature|credential|cvv|cvc|card[_-]?number)[\w-]*["']?\s*[=:]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|(?:Bearer |Basic )?[^\s"',;&}\])\[][^\s"',;&}\])]*)`),
		values: regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+\.[\w-]*|\bA[KS]IA[0-9A-Z]{16}\b|\b(?:sk|pk|rk|tok)_(?:live_|test_)?\w{3,}|\bgh[pousr]_\w{20,}|\bxox[abprs]-[\w-]{10,}|(?i:\b(?:bearer|basic) [\w.~+/=-]{8,})|-----BEGIN [A-Z ]*PRIVATE KEY[\s\S]*?(?:-----END[^\n]*|$)|://[^\s/:@]*:[^\s/@]+@`),
		cards:  regexp.MustCompile(`\b[2-6]\d{3}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}\b|\b3[47]\d{2}[ -]?\d{6}[ -]?\d{5}\b`),
	}
}

// Text returns s without its secrets.
func (r *Redactor) Text(s string) string {
	s = r.pairs.ReplaceAllString(s, "${1}"+Redacted)
	s = r.values.ReplaceAllStringFunc(s, func(m string) string {
		if strings.HasPrefix(m, "://") {
			return "://" + Redacted + "@"
		}
		return Redacted
	})
	return r.cards.ReplaceAllStringFunc(s, func(m string) string {
		if luhn(m) {
			return Redacted
		}
		return m
	})
}

// URL returns path and query without secrets: the values of parameters with a telling name, and whatever [Redactor.Text] knows.
func (r *Redactor) URL(u *url.URL) string {
	out := r.Text(u.EscapedPath())
	if u.RawQuery == "" {
		return out
	}
	var query []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if value != "" && telling(key) {
			query = append(query, key+"="+Redacted)
			continue
		}
		query = append(query, r.Text(pair))
	}
	return out + "?" + strings.Join(query, "&")
}

// telling reports whether the value of a parameter of that name opens something.
func telling(key string) bool {
	key = strings.ToLower(key)
	switch key {
	case "code", "state", "key", "sig", "auth", "pin", "otp", "pass", "sid", "email":
		return true
	}
	for _, part := range []string{"token", "secret", "password", "passwd", "apikey", "api_key", "session", "signature", "credential", "card"} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}

// luhn checks the digit that every card number ends in.
func luhn(s string) bool {
	sum, n := 0, 0
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] < '0' || s[i] > '9' {
			continue
		}
		d := int(s[i] - '0')
		if n%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		n++
	}
	return n >= 13 && n <= 19 && sum%10 == 0
}
