package audit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/inquesthq/inquest/guard/answer"
	"github.com/inquesthq/inquest/internal/parse"
)

// exchange is one answered request as a rule sees it.
type exchange struct {
	*parse.Record
	tries  []attempt // upstreams asked in turn, as far as the log tells
	others int       // further attempts of which the log tells nothing but their number

	said    string // the answer's body, "" when the record has none
	headers bool   // the record has headers of the answer
	flags   string // Envoy's response flags

	judge    *answer.Judge
	asked    bool // answer and verdict are set
	answer   answer.Answer
	verdict  answer.Verdict
	searched bool // found is set
	found    []answer.Leak
	quote    string // of the body, for the example that is made next
}

// attempt is one try at an upstream.
type attempt struct {
	addr   string
	status int  // 0: no answer
	told   bool // the log tells the status, if only that there was none
	sent   bool // the request, or a part of it, was certainly sent
}

// look reads a record into x.
func (x *exchange) look(r *parse.Record) {
	*x = exchange{Record: r, tries: x.tries[:0], judge: x.judge}
	if r.Upstream != "" || r.UpstreamStatus != "" {
		x.upstreams()
	}
	for i := range r.Fields {
		switch r.Fields[i].Name {
		case "attempts", "x-envoy-attempt-count", "upstream_request_attempt_count": // all attempts, the first included
			x.others = max(x.others, number(r.Fields[i].Value)-1)
		case "RetryAttempts": // Traefik: those after the first
			x.others = max(x.others, number(r.Fields[i].Value))
		case "response_flags":
			x.flags = r.Fields[i].Value
		case "response_body", "resp_body", "responseBody", "response.body", "upstream_response_body":
			x.said = r.Fields[i].Value
		default:
			x.headers = x.headers || strings.HasPrefix(r.Fields[i].Name, "resp") // response_server, resp_headers.Server, response.headers.server
		}
	}
}

// upstreams reads nginx's lists: "10.0.0.1:80, 10.0.0.2:80" with "502, 200"; " : " stands between servers of an internal
// redirect. Source: ngx_http_upstream_module, $upstream_addr, $upstream_status, $upstream_connect_time.
func (x *exchange) upstreams() {
	if !strings.ContainsAny(x.Upstream, ", ") && !strings.ContainsAny(x.UpstreamStatus, ", ") { // nearly all
		status := number(x.UpstreamStatus)
		x.tries = append(x.tries, attempt{addr: x.Upstream, status: status, told: x.UpstreamStatus != "", sent: status != 0 && status != 502 && status != 504})
		return
	}
	addrs, codes := list(x.Upstream), list(x.UpstreamStatus)
	connects := list(x.first("upstream_connect_time", "uct", "upstream_connect"))
	for i := range max(len(addrs), len(codes)) {
		var a attempt
		if i < len(addrs) {
			a.addr = addrs[i]
		}
		if i < len(codes) {
			a.status, a.told = number(codes[i]), true
		}
		// A status other than 502 and 504, which nginx writes itself when no answer came, was the upstream's: it had the request.
		a.sent = a.status != 0 && a.status != 502 && a.status != 504 || i < len(connects) && connects[i] != "-" && connects[i] != ""
		x.tries = append(x.tries, a)
	}
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	s = strings.ReplaceAll(s, " : ", ", ")
	if !strings.Contains(s, ",") {
		return []string{s}
	}
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// number reads a decimal number of up to six digits, 0 when it is none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 999_999 {
		return 0
	}
	return n
}

// first returns the first of the named fields that the record has.
func (x *exchange) first(names ...string) string {
	for _, n := range names {
		if v := x.Get(n); v != "" {
			return v
		}
	}
	return ""
}

// reason is the word by which inquest gateway says why an answer is not the upstream's own.
func (x *exchange) reason() string { return x.first("error_reason", "reason") }

// upstream returns the status that the upstream answered last, 0 for none, and whether the record tells.
func (x *exchange) upstream() (status int, told bool) {
	if len(x.tries) == 0 {
		return 0, false
	}
	last := x.tries[len(x.tries)-1]
	return last.status, last.told
}

// idempotent reports whether a request may be sent twice by itself (RFC 9110, 9.2.2).
func idempotent(method string) bool {
	switch method {
	case "POST", "PATCH", "CONNECT", "LOCK":
		return false
	}
	return true
}

// text describes the exchange in one line.
func (x *exchange) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s answered %d", x.Method, cut(x.URL, 200), x.Status)
	if x.Duration >= 0 {
		fmt.Fprintf(&b, " after %s s", strconv.FormatFloat(x.Duration, 'f', -1, 64))
	}
	for i, t := range x.tries {
		word := ", then "
		if i == 0 {
			word = "; upstream "
		}
		b.WriteString(word + t.addr)
		if t.told {
			b.WriteString(" " + statusWord(t.status))
		}
	}
	if x.RequestID != "" {
		b.WriteString("; request id " + cut(x.RequestID, 64))
	}
	if x.quote != "" {
		b.WriteString("; in the body: " + strings.Join(strings.Fields(x.quote), " "))
	}
	return b.String()
}

func statusWord(status int) string {
	if status == 0 {
		return "did not answer"
	}
	return "answered " + strconv.Itoa(status)
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
