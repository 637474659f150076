// Package trace keeps requests findable: the request id and the W3C trace context, taken from the client where they are
// harmless and made where they are not there. What strangers send ends in logs, headers and pages, so anything but a
// short plain word is refused.
package trace

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
)

// Header names, in canonical form.
const (
	RequestIDHeader   = "X-Request-Id"
	TraceparentHeader = "Traceparent"
)

// ValidRequestID reports whether id may be kept: 1 to 128 letters, digits and -_.:+/= as in UUIDs, base64 and the ids of
// Amazon's load balancers, but no way up a tree of files. Anything else, a log, a terminal or a page could take for something else.
func ValidRequestID(id string) bool {
	const longest = 128
	if id == "" || len(id) > longest || strings.Contains(id, "..") {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("-_.:+/=", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// RequestID returns the request id of h if there is exactly one and it is valid, else "".
func RequestID(h http.Header) string {
	if v := h[RequestIDHeader]; len(v) == 1 && ValidRequestID(v[0]) {
		return v[0]
	}
	return ""
}

// Parent is a parsed traceparent (W3C Trace Context, 3.2): version-traceid-parentid-flags.
type Parent struct {
	TraceID string // 32 lower-case hex digits, not all zero
	SpanID  string // 16 lower-case hex digits, not all zero
	Sampled bool
}

// ParseParent reads a traceparent. A version above 00 is read as far as 00 goes, as the standard asks.
func ParseParent(s string) (Parent, bool) {
	if len(s) < 55 || s[2] != '-' || s[35] != '-' || s[52] != '-' || !hexDigits(s[:2]) || s[:2] == "ff" {
		return Parent{}, false
	}
	if len(s) > 55 && (s[:2] == "00" || s[55] != '-') {
		return Parent{}, false
	}
	p := Parent{TraceID: s[3:35], SpanID: s[36:52]}
	flags := s[53:55]
	if !hexDigits(p.TraceID) || !hexDigits(p.SpanID) || !hexDigits(flags) || zero(p.TraceID) || zero(p.SpanID) {
		return Parent{}, false
	}
	bits, _ := hex.DecodeString(flags) // they are hex digits
	p.Sampled = bits[0]&1 == 1
	return p, true
}

// FromHeader returns the trace context of h, if there is exactly one and it is valid.
func FromHeader(h http.Header) (Parent, bool) {
	if v := h[TraceparentHeader]; len(v) == 1 {
		return ParseParent(v[0])
	}
	return Parent{}, false
}

// String writes the traceparent of version 00.
func (p Parent) String() string {
	flags := "-00"
	if p.Sampled {
		flags = "-01"
	}
	return "00-" + p.TraceID + "-" + p.SpanID + flags
}

func hexDigits(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

func zero(s string) bool {
	for i := range len(s) {
		if s[i] != '0' {
			return false
		}
	}
	return true
}

// idLength is that of a request id made here: 128 random bits in hex, so that it can serve as a trace id too.
const idLength = 32

// IDs makes request ids. It draws many at a time, so that one costs neither a system call nor, mostly, an allocation. The zero
// value is ready.
type IDs struct {
	mu    sync.Mutex
	block string
}

// Next returns a new request id of 32 hex digits.
func (g *IDs) Next() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.block) < idLength {
		var random [64 * idLength / 2]byte
		_, _ = rand.Read(random[:]) // never fails: see crypto/rand
		g.block = hex.EncodeToString(random[:])
	}
	id := g.block[:idLength]
	g.block = g.block[idLength:]
	return id
}
