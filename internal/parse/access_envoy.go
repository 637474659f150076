package parse

import (
	"bytes"
	"strings"
)

// envoy reads the access log of Envoy and of Istio's proxies in their default text formats, old and new:
//
//	[start] "METHOD path protocol" code flags [details termination "failure"] rx tx duration upstream
//	"x-forwarded-for" "agent" "request-id" "authority" "upstream host" [cluster local local remote sni route]
//
// Source: Envoy, "Access logging", default format string; Istio, "Getting Envoy's access logs".
type envoy struct {
	clock stampCache
	t     [28]token
}

func newEnvoy([]byte) lineParser { return &envoy{} }

func (p *envoy) parse(line []byte, r *Record) bool {
	if len(line) < 40 || line[0] != '[' {
		return false
	}
	n, _ := tokens(line, p.t[:])
	t := p.t[:n]
	if n < 13 || t[1].quote != '"' || t[2].quote != 0 {
		return false
	}
	ns, k, c := p.clock.parse(t[0].text)
	if k != len(t[0].text) || k == 0 {
		return false
	}
	status, ok := code3(t[2].text)
	if !ok {
		return false
	}
	i := 4
	for i < n {
		if _, ok := whole(t[i].text); ok && t[i].quote == 0 {
			break
		}
		i++
	}
	details := t[4:i]
	// rx, tx, duration, upstream time; then five quoted values.
	if i+9 > n || t[i+4].quote != '"' || t[i+8].quote != '"' {
		return false
	}
	tx, ok1 := whole(t[i+1].text)
	ms, ok2 := whole(t[i+2].text)
	if !ok1 || !ok2 {
		return false
	}
	r.Kind, r.Time, r.Clock, r.Status, r.Bytes, r.Duration = KindAccess, ns, c, status, tx, float64(ms)/1e3
	p.request(t[1].text, r)
	add(r, "response_flags", t[3].text)
	r.Broken = lostUpstream(r.Get("response_flags"))
	envoyDetails(details, r)
	addNumber(r, "request_bytes", t[i].text)
	if up, ok := whole(t[i+3].text); ok {
		r.UpstreamDuration = float64(up) / 1e3
	}
	p.peers(t[i+4:], r)
	return true
}

// request splits the request; of a request that could not be decoded only the protocol is there.
func (p *envoy) request(q []byte, r *Record) {
	if rest, ok := bytes.CutPrefix(q, []byte("- - ")); ok {
		add(r, "protocol", rest)
		return
	}
	addProtocol(r, splitRequest(q, r))
}

// lostUpstream reports whether Envoy's response flags say that it lost its upstream: UC the connection ended, UR the stream was
// reset, UT no answer in time, UPE a protocol error. Flags of tries that were repeated are not logged. Source: Envoy manual, access
// logging, "%RESPONSE_FLAGS%".
func lostUpstream(flags string) bool {
	for flag := range strings.SplitSeq(flags, ",") {
		switch flag {
		case "UC", "UR", "UT", "UPE":
			return true
		}
	}
	return false
}

// envoyDetails reads Istio's response code details, connection termination details and the transport failure.
func envoyDetails(t []token, r *Record) {
	names := [...]string{"response_code_details", "connection_termination_details"}
	k := 0
	for _, v := range t {
		switch {
		case v.quote == '"':
			add(r, "upstream_failure", v.text)
		case k < len(names):
			add(r, names[k], v.text)
			k++
		}
	}
}

// peers reads everything from x-forwarded-for on.
func (p *envoy) peers(t []token, r *Record) {
	if xff := t[0].text; !dash(xff) {
		r.Add("forwarded_for", str(xff))
		first, _, _ := bytes.Cut(xff, []byte{','})
		r.ClientAddr = str(bytes.Trim(first, "[] "))
	}
	add(r, "user_agent", t[1].text)
	if !dash(t[2].text) {
		r.RequestID = str(t[2].text)
	}
	add(r, "host", t[3].text)
	if !dash(t[4].text) {
		r.Upstream = str(t[4].text)
	}
	if len(t) < 11 {
		return
	}
	add(r, "upstream_name", t[5].text)
	if host, _ := hostOf(t[8].text); r.ClientAddr == "" && !dash(host) {
		r.ClientAddr = str(host)
	}
	add(r, "requested_server_name", t[9].text)
	add(r, "router", t[10].text)
}
