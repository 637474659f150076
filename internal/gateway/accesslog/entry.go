package accesslog

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// Entry is one request. Empty texts and zero numbers are left out, but for status, bytes, attempts and duration.
type Entry struct {
	Time       time.Time // when the request came
	RequestID  string
	TraceID    string
	ErrorID    string // of an answer that the gateway made or changed
	Client     string // address without port
	Method     string
	Host       string
	URI        string // as in the request line
	Protocol   string
	Route      string // by its name in the configuration
	Service    string // the upstream's name
	Status     int    // sent; 499 for a client that left before
	Reason     string // why it failed, or why the answer is not the upstream's
	Cause      string // of an open circuit: why the attempt failed that opened it
	Detail     string // the whole story
	Upstream   string // the server asked last
	Answered   int    // its status, 0 if it gave none
	Attempts   int
	Rule       string // of error mapping
	Would      string // audit mode: what would have been changed
	Sent, Read int64  // bytes of the bodies of answer and request
	Duration   time.Duration
	Waited     time.Duration // of it, for the upstream; negative: it was not asked
	UserAgent  string
	Referer    string
}

// Append appends the entry as one line.
func (e *Entry) Append(b []byte) []byte {
	b = append(b, `{"time":"`...)
	b = e.Time.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z07:00")
	b = append(b, `","status":`...)
	b = strconv.AppendInt(b, int64(e.Status), 10)
	b = text(b, "method", e.Method)
	b = text(b, "host", e.Host)
	b = text(b, "request_uri", e.URI)
	b = text(b, "reason", e.Reason)
	b = text(b, "cause", e.Cause)
	b = text(b, "upstream_addr", e.Upstream)
	b = number(b, "upstream_status", int64(e.Answered))
	b = append(b, `,"attempts":`...)
	b = strconv.AppendInt(b, int64(e.Attempts), 10)
	b = text(b, "request_id", e.RequestID)
	b = text(b, "trace_id", e.TraceID)
	b = text(b, "error_id", e.ErrorID)
	b = append(b, `,"bytes_sent":`...)
	b = strconv.AppendInt(b, e.Sent, 10)
	b = number(b, "request_bytes", e.Read)
	b = append(b, `,"duration_s":`...)
	b = seconds(b, e.Duration)
	if e.Waited >= 0 {
		b = append(b, `,"upstream_duration_s":`...)
		b = seconds(b, e.Waited)
	}
	b = text(b, "remote_addr", e.Client)
	b = text(b, "protocol", e.Protocol)
	b = text(b, "route_name", e.Route)
	b = text(b, "upstream_name", e.Service)
	b = text(b, "rule", e.Rule)
	b = text(b, "would", e.Would)
	b = text(b, "error", e.Detail)
	b = text(b, "user_agent", e.UserAgent)
	b = text(b, "referer", e.Referer)
	return append(b, '}', '\n')
}

func seconds(b []byte, d time.Duration) []byte {
	return strconv.AppendFloat(b, math.Round(d.Seconds()*1e6)/1e6, 'f', -1, 64)
}

func number(b []byte, name string, n int64) []byte {
	if n == 0 {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return strconv.AppendInt(b, n, 10)
}

// maxText bounds one text of a line, in bytes: a client writes what it likes into its headers.
const maxText = 2000

func text(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':', '"')
	return append(escape(b, s[:min(len(s), maxText)]), '"')
}

// escape writes s as the inside of a JSON text. Bytes that are no UTF-8 become U+FFFD, control characters \u escapes.
func escape(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	plain := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[plain:i]...)
		size := 1
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < utf8.RuneSelf:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && size == 1 {
				b = append(b, "\ufffd"...)
			} else {
				b = append(b, s[i:i+size]...)
			}
		}
		i += size
		plain = i
	}
	return append(b, s[plain:]...)
}
