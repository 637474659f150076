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
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails: see its documentation
	if id := first(r.Header["X-Request-Id"]); trace.ValidRequestID(id) {
		c.RequestID = id
	} else {
		c.RequestID = hex.EncodeToString(random[:16])
	}
	if tp := first(r.Header["Traceparent"]); validTraceparent(tp) {
		c.parent, c.TraceID = tp, tp[3:35]
	} else {
		id := c.RequestID
		if len(id) != 32 || !isHex(id) || id == zeros[:32] {
			id = hex.EncodeToString(random[:16])
		}
		c.TraceID = id
		c.parent = "00-" + id + "-" + hex.EncodeToString(random[16:24]) + "-00"
	}
	c.w.Header()["X-Request-Id"] = []string{c.RequestID}
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
