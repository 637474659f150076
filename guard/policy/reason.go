package policy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
)

// Reason says in one word why a call came to nothing. The words stand in access logs and metrics (as error.type).
type Reason string

// The reasons, as they are written.
const (
	None           Reason = ""                // it did not fail
	Refused        Reason = "refused"         // no connection: nobody listens, or there is no route
	ConnectTimeout Reason = "connect-timeout" // no connection in time
	HeaderTimeout  Reason = "header-timeout"  // no answer in time
	Stall          Reason = "stall"           // the answer stopped coming
	Cut            Reason = "cut"             // the connection ended before the answer did
	Malformed      Reason = "malformed"       // what came is not HTTP
	TLS            Reason = "tls"             // certificate or handshake
	DNS            Reason = "dns"             // the name does not resolve
	BreakerOpen    Reason = "open"            // refused by a circuit breaker
	Shed           Reason = "shed"            // refused for lack of capacity
	Limited        Reason = "limited"         // refused by a rate limit
	ClientLeft     Reason = "client-left"     // the client did not wait for the answer
	BodyRule       Reason = "body-rule"       // the answer's body told another story than its status
	Other          Reason = "other"           // none of these
)

// Errors that a guard raises itself, for [ErrorReason].
var (
	ErrHeaderTimeout = errors.New("no answer in time")
	ErrStall         = errors.New("the answer stopped coming")
	ErrClientLeft    = errors.New("the client left")
)

// ErrorReason classifies the error of a call over the network.
func ErrorReason(err error) Reason {
	switch {
	case err == nil:
		return None
	case errors.Is(err, ErrOpen):
		return BreakerOpen
	case errors.Is(err, ErrFull):
		return Shed
	case errors.Is(err, ErrLimited):
		return Limited
	case errors.Is(err, ErrClientLeft):
		return ClientLeft
	case errors.Is(err, ErrStall):
		return Stall
	case errors.Is(err, ErrHeaderTimeout):
		return HeaderTimeout
	}
	if r := networkReason(err); r != None {
		return r
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return Cut
	case timedOut(err):
		return HeaderTimeout
	case errors.Is(err, context.Canceled):
		return ClientLeft
	}
	return textReason(err.Error())
}

// networkReason knows the errors of name resolution, handshake and connecting.
func networkReason(err error) Reason {
	var (
		dns         *net.DNSError
		op          *net.OpError
		record      tls.RecordHeaderError
		certificate *tls.CertificateVerificationError
		alert       tls.AlertError
		invalid     x509.CertificateInvalidError
		host        x509.HostnameError
		authority   x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &dns):
		return DNS
	case errors.As(err, &record), errors.As(err, &certificate), errors.As(err, &alert),
		errors.As(err, &invalid), errors.As(err, &host), errors.As(err, &authority):
		return TLS
	case errors.As(err, &op) && op.Op == "dial":
		if timedOut(err) {
			return ConnectTimeout
		}
		return Refused
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return Refused
	}
	return None
}

func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// textReason reads what net/http says in words only: it has no types for these.
func textReason(text string) Reason {
	contains := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch {
	case contains("server closed idle connection", "connection lost", "server sent GOAWAY", "stream error", "body closed by handler"):
		return Cut
	case contains("timeout awaiting response headers"):
		return HeaderTimeout
	case contains("TLS handshake timeout"):
		return ConnectTimeout
	case contains("tls:", "x509:", http.ErrSchemeMismatch.Error()):
		return TLS
	case contains("malformed", "invalid header", "bad Content-Length", "invalid Content-Length", "unsupported transfer encoding",
		"too many transfer encodings", "response headers exceeded", "unexpected 101", "1xx informational", "chunk", "invalid byte", "line too long", "multiple Content-Length"):
		return Malformed
	}
	return Other
}
