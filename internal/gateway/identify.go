package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"net/netip"

	"github.com/inquesthq/inquest/guard/trace"
)

// identify reads who asks and under which ids, and makes the ids that are missing. Ids of strangers are kept when they are
// harmless: they tie the client's story to ours. Addresses are believed of trusted proxies only.
func (c *call) identify() {
	r := c.in
	c.Method, c.Host, c.URI, c.Protocol = r.Method, r.Host, r.RequestURI, r.Proto
	c.UserAgent, c.Referer = first(r.Header["User-Agent"]), first(r.Header["Referer"])
	c.addr, c.Client = clientAddr(r.RemoteAddr)
	if c.trusted() {
		c.addr, c.Client = c.forwardedFor()
	}
	id, parent := first(r.Header["X-Request-Id"]), first(r.Header["Traceparent"])
	known, traced := trace.ValidRequestID(id), validTraceparent(parent)
	if !known {
		id = ""
	}
	if !traced {
		parent = newParent(id)
	}
	c.TraceID = parent[3:35]
	switch {
	case known:
	case traced: // other requests share the trace
		id = newParent("")[3:35]
	default:
		id = c.TraceID
	}
	c.RequestID, c.ids = id, [2]string{id, parent}
	c.w.Header()["X-Request-Id"] = c.requestID()
}

// requestID and traceparent are the values of these headers.
func (c *call) requestID() []string   { return c.ids[0:1:1] }
func (c *call) traceparent() []string { return c.ids[1:2:2] }

// newParent makes a traceparent: of the request's id if that can be a trace id, so that one number finds both.
func newParent(requestID string) string {
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails: see its documentation
	line := make([]byte, 0, 55)
	line = append(line, "00-"...)
	if len(requestID) == 32 && isHex(requestID) && requestID != zeros {
		line = append(line, requestID...)
	} else {
		line = hex.AppendEncode(line, random[:16])
	}
	line = append(line, '-')
	line = hex.AppendEncode(line, random[16:])
	return string(append(line, "-00"...))
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// trusted reports whether the peer is a proxy whose word counts.
func (c *call) trusted() bool {
	if len(c.t.trusted) == 0 {
		return false
	}
	a, _ := clientAddr(c.in.RemoteAddr)
	return within(c.t.trusted, a)
}

// forwardedFor is the nearest address of X-Forwarded-For that is not a trusted proxy's own.
func (c *call) forwardedFor() (netip.Addr, string) {
	list := c.in.Header["X-Forwarded-For"]
	for i := len(list) - 1; i >= 0; i-- {
		parts := splitList(list[i])
		for j := len(parts) - 1; j >= 0; j-- {
			a, err := netip.ParseAddr(parts[j])
			if err != nil {
				return c.addr, c.Client
			}
			if a = a.Unmap(); !within(c.t.trusted, a) {
				return a, a.String()
			}
		}
	}
	return c.addr, c.Client
}

const zeros = "00000000000000000000000000000000"

// validTraceparent checks version 00 of W3C Trace Context: 00-<32 hex>-<16 hex>-<2 hex>, ids not all zero.
func validTraceparent(s string) bool {
	return len(s) == 55 && s[:3] == "00-" && s[35] == '-' && s[52] == '-' && isHex(s[3:35]) && isHex(s[36:52]) && isHex(s[53:]) &&
		s[3:35] != zeros && s[36:52] != zeros[:16]
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
