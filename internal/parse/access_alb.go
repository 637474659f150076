package parse

import (
	"bytes"
	"strconv"
)

// alb reads access logs of AWS Application Load Balancers:
//
//	type time elb client:port target:port request_s target_s response_s elb_status target_status rx tx "request" "agent"
//	cipher protocol target_group "trace" "domain" "certificate" rule time "actions" "redirect" "error" "targets" "statuses"
//	"classification" "reason" conn_trace_id ...
//
// and of Classic Load Balancers, which lack the type and end with cipher and protocol. Source: AWS, "Access logs for
// your Application Load Balancer" and "Access logs for your Classic Load Balancer". Times of -1 mean "did not happen".
type alb struct {
	classic bool
	clock   stampCache
	t       [33]token
}

func newALB([]byte) lineParser { return &alb{} }
func newELB([]byte) lineParser { return &alb{classic: true} }

func (p *alb) parse(line []byte, r *Record) bool {
	n, _ := tokens(line, p.t[:])
	t := p.t[:n]
	if !p.classic {
		if n < 14 || !albType(t[0].text) {
			return false
		}
		t = t[1:]
	}
	if len(t) < 12 || t[11].quote != '"' {
		return false
	}
	ns, k, c := p.clock.parse(t[0].text)
	status, ok := code3(t[7].text)
	if k == 0 || k != len(t[0].text) || !ok && !dash(t[7].text) {
		return false
	}
	client, port := hostOf(t[2].text)
	tx, ok := whole(t[10].text)
	if !ok || len(port) == 0 {
		return false
	}
	r.Kind, r.Time, r.Clock, r.Status, r.Bytes = KindAccess, ns, c, status, tx
	r.ClientAddr = str(client)
	if !p.classic {
		r.Add("type", str(p.t[0].text))
	}
	add(r, "load_balancer", t[1].text)
	if !dash(t[3].text) {
		r.Upstream = str(t[3].text)
	}
	p.times(t[4:7], r)
	if !dash(t[8].text) {
		r.UpstreamStatus = str(t[8].text)
	}
	addNumber(r, "request_bytes", t[9].text)
	p.request(t[11].text, r)
	if len(t) > 12 {
		add(r, "user_agent", t[12].text)
	}
	if !p.classic {
		p.rest(t, r)
	}
	return true
}

func albType(p []byte) bool {
	switch string(p) {
	case "http", "https", "h2", "grpcs", "ws", "wss":
		return true
	}
	return false
}

// times adds the three phases; the request took their sum, if all happened.
func (p *alb) times(t []token, r *Record) {
	sum := 0.0
	for i, name := range [...]string{"request_processing_s", "target_processing_s", "response_processing_s"} {
		f, n := decimal(t[i].text)
		if addNumber(r, name, t[i].text); n == 0 {
			sum = -1
		}
		if n > 0 && i == 1 {
			r.UpstreamDuration = f
		}
		if sum >= 0 {
			sum += f
		}
	}
	r.Duration = sum
}

// request reads "GET https://example.com:443/path HTTP/1.1"; the URL of the record begins with the path.
func (p *alb) request(q []byte, r *Record) {
	proto := splitRequest(q, r)
	addProtocol(r, proto)
	url := r.URL
	i := bytes.Index([]byte(url), []byte("://"))
	if i < 0 || i > 6 {
		return
	}
	rest := url[i+3:]
	slash := 0
	for slash < len(rest) && rest[slash] != '/' && rest[slash] != '?' {
		slash++
	}
	host, port := rest[:slash], ""
	for k := len(host) - 1; k > 0; k-- {
		if host[k] == ':' {
			host, port = host[:k], host[k+1:]
			break
		}
	}
	r.URL = rest[slash:]
	if r.URL == "" {
		r.URL = "/"
	}
	if host != "-" {
		r.Add("host", host)
	}
	if port != "-" {
		r.AddNum("server_port", port)
	}
}

// rest reads what Application Load Balancers write after the agent.
func (p *alb) rest(t []token, r *Record) {
	if len(t) > 16 && !dash(t[16].text) {
		r.TraceID = str(t[16].text)
	}
	for _, f := range [...]struct {
		at   int
		name string
	}{{15, "target_group"}, {17, "domain"}, {21, "actions"}, {22, "redirect_url"}, {23, "error_reason"},
		{26, "classification"}, {27, "classification_reason"}, {28, "conn_trace_id"}} {
		if f.at < len(t) {
			add(r, f.name, t[f.at].text)
		}
	}
}

func appendInt(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }
