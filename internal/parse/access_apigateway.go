package parse

import "bytes"

// apiGatewayXML and apiGatewayCSV read the access logs of AWS API Gateway in the form of the XML and CSV examples of
// AWS, "Set up CloudWatch logging for REST APIs". The common log format of the same page is read as combined, the JSON
// one by apiGatewayJSON.
type (
	apiGatewayXML struct{}
	apiGatewayCSV struct{}
)

func newAPIGatewayXML([]byte) lineParser { return apiGatewayXML{} }
func newAPIGatewayCSV([]byte) lineParser { return apiGatewayCSV{} }

func (apiGatewayXML) parse(line []byte, r *Record) bool {
	rest, ok := bytes.CutPrefix(line, []byte(`<request id="`))
	if !ok {
		return false
	}
	id, rest, ok := bytes.Cut(rest, []byte(`">`))
	if !ok {
		return false
	}
	r.RequestID = str(id)
	for len(rest) > 0 {
		open := bytes.IndexByte(rest, '<')
		if open < 0 {
			break
		}
		name, after, ok := bytes.Cut(rest[open+1:], []byte(">"))
		if !ok || string(name) == "/request" {
			break
		}
		value, after, ok := bytes.Cut(after, append(append([]byte("</"), name...), '>'))
		if !ok {
			break
		}
		apiGatewayPart(name, value, r)
		rest = after
	}
	return apiGatewayDone(r)
}

// apiGatewayColumns are the columns of the CSV example, of which the last one came later.
var apiGatewayColumns = [...]string{"ip", "caller", "user", "requestTime", "httpMethod", "resourcePath", "protocol", "status",
	"responseLength", "requestId", "extendedRequestId"}

func (apiGatewayCSV) parse(line []byte, r *Record) bool {
	parts := bytes.Split(line, []byte{','})
	if len(parts) < 10 || len(parts) > len(apiGatewayColumns) || !looksLikeIP(parts[0]) {
		return false
	}
	for i, v := range parts {
		apiGatewayPart([]byte(apiGatewayColumns[i]), v, r)
	}
	return apiGatewayDone(r)
}

// apiGatewayPart files the value of one of AWS's context variables.
func apiGatewayPart(name, v []byte, r *Record) {
	if dash(v) {
		return
	}
	switch string(name) {
	case "ip":
		r.ClientAddr = str(v)
	case "requestTime":
		if ns, n, c := parseCLF(v); n == len(v) {
			r.Time, r.Clock = ns, c
		}
	case "httpMethod":
		r.Method = str(v)
	case "resourcePath":
		r.URL = str(v)
	case "status":
		r.Status, _ = code3(v)
	case "responseLength":
		if n, ok := whole(v); ok {
			r.Bytes = n
		}
	case "requestId":
		r.RequestID = str(v)
	default:
		r.Add(str(name), str(v))
	}
}

// apiGatewayDone reports whether what was read is a request.
func apiGatewayDone(r *Record) bool {
	r.Kind = KindAccess
	return r.Clock != ClockNone && r.Status > 0 && requestMethod([]byte(r.Method))
}
