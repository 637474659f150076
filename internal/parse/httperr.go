package parse

import "bytes"

// httperr reads the error log of Windows' HTTP.sys: requests that failed before IIS saw them.
// https://learn.microsoft.com/troubleshoot/developer/webapps/aspnet/site-behavior-performance/error-logging-http-apis
type httperr struct {
	stamp stampCache
	cols  []string
}

func newHTTPErr(sample []byte) lineParser {
	p := &httperr{cols: httperrColumns}
	for _, line := range bytes.Split(sample[:min(len(sample), 4096)], newlineSep) {
		p.header(trimCR(line))
	}
	return p
}

func trimCR(b []byte) []byte { return bytes.TrimSuffix(b, []byte{'\r'}) }

// httperrColumns are the columns of a file without a #Fields line.
var httperrColumns = []string{"date", "time", "c-ip", "c-port", "s-ip", "s-port", "cs-version", "cs-method", "cs-uri",
	"sc-status", "s-siteid", "s-reason", "s-queuename"}

// header takes the lines that begin with '#'; #Fields names the columns.
func (p *httperr) header(line []byte) bool {
	if len(line) == 0 || line[0] != '#' {
		return false
	}
	if names, ok := bytes.CutPrefix(line, []byte("#Fields: ")); ok && bytes.Contains(names, []byte("s-reason")) {
		p.cols = nil
		for _, n := range bytes.Fields(names) {
			p.cols = append(p.cols, string(n))
		}
	}
	return true
}

func (p *httperr) parse(line []byte, r *Record) bool {
	if len(line) < 40 || !isDigit(line[0]) || line[10] != ' ' {
		return false
	}
	ns, n, c := p.stamp.parse(line[:19])
	if n != 19 || bytes.Count(line, []byte{' '})+1 < len(p.cols) {
		return false
	}
	b := line
	seen := false
	for _, name := range p.cols {
		var v []byte
		if v, b = cutToken(b); len(v) == 0 {
			r.Reset()
			return false
		}
		if len(v) == 1 && v[0] == '-' {
			continue
		}
		switch {
		case name == "c-port" && !allDigits(v), name == "cs-version" && !bytes.HasPrefix(v, []byte("HTTP/")):
			r.Reset()
			return false
		case name == "cs-version":
			seen = true
		}
		p.column(name, v, r)
	}
	if !seen && r.Get("reason") == "" {
		r.Reset()
		return false
	}
	_ = c
	r.Time, r.Clock = ns, ClockUTC // HTTP.sys always logs UTC
	r.Message = r.Get("reason")
	if r.Status > 0 {
		r.Kind = KindAccess
	}
	return true
}

func (p *httperr) column(name string, v []byte, r *Record) {
	switch name {
	case "c-ip":
		r.ClientAddr = str(v)
	case "c-port":
		addNum(r, "remote_port", v)
	case "s-ip":
		r.Add("server_addr", str(v))
	case "s-port":
		addNum(r, "server_port", v)
	case "cs-version":
		r.Add("http_version", str(bytes.TrimPrefix(v, []byte("HTTP/"))))
	case "cs-method":
		r.Method = str(v)
	case "cs-uri":
		r.URL = str(v)
	case "sc-status":
		r.Status = statusCode(v)
	case "s-siteid":
		r.Add("site", str(v))
	case "s-reason":
		r.Add("reason", str(v))
	case "s-queuename":
		r.Add("queue", str(v))
	}
}
