package parse

import "strings"

// What a JSON key (or the key of a logfmt pair) means. The values index jsonParser.slots.
const (
	actField uint8 = iota
	actTime
	actLevel
	actMessage
	actService
	actInstance
	actVersion
	actLogger
	actMethod
	actURL
	actStatus
	actDuration
	actUpstreamDuration
	actBytes
	actUpstream
	actUpstreamStatus
	actClient
	actRequestID
	actTraceID
	actSpanID
	actRequestLine // "GET /x HTTP/1.1"
	actCount
)

// urlWhole as unit of actURL: the server's own request with scheme and host before the path.
const urlWhole = 1

// retryAfter is the name of the field with the answer's Retry-After header. Other than for all other fields, "-" stands for a
// header that would have been logged but was not sent: that it is missing is worth knowing.
const retryAfter = "retry_after"

// keyRule is the meaning of a key. Of two keys of a record with the same meaning the one with the higher prio is
// taken, the other one stays an extra field.
type keyRule struct {
	act, prio, unit uint8
	as              string // name of the extra field, if not the key's path
}

// keyRules holds the synonyms that loggers use, as lower-case paths without '_', '-' and '@' (an '@' at the very start
// stays: Serilog's @t). prio 9 and above: the name can mean nothing else. 7 to 8: the usual meaning. Below: taken if
// nothing better is there.
var keyRules = map[string]keyRule{
	"time": {actTime, 9, 0, ""}, "timestamp": {actTime, 8, 0, ""}, "@timestamp": {actTime, 10, 0, ""},
	"ts": {actTime, 8, 0, ""}, "t": {actTime, 3, 0, ""}, "@t": {actTime, 9, 0, ""}, "datetime": {actTime, 7, 0, ""},
	"date": {actTime, 4, 0, ""}, "asctime": {actTime, 8, 0, ""}, "timemillis": {actTime, 7, 0, ""},
	"eventtime": {actTime, 6, 0, ""}, "logtime": {actTime, 7, 0, ""}, "timeunixnano": {actTime, 9, 0, ""},
	"instant.epochsecond": {actTime, 7, 0, ""}, "realtimetimestamp": {actTime, 9, 0, ""}, "timelocal": {actTime, 7, 0, ""},
	"timeiso8601": {actTime, 8, 0, ""}, "writtenat": {actTime, 6, 0, ""}, "loggedat": {actTime, 6, 0, ""},
	"starttime": {actTime, 2, 0, ""}, "startedat": {actTime, 2, 0, ""}, "receivetimestamp": {actTime, 1, 0, ""},

	"level": {actLevel, 9, 0, ""}, "log.level": {actLevel, 10, 0, ""}, "severity": {actLevel, 8, 0, ""},
	"lvl": {actLevel, 8, 0, ""}, "loglevel": {actLevel, 8, 0, ""}, "severitytext": {actLevel, 9, 0, ""},
	"levelname": {actLevel, 10, 0, ""}, "@l": {actLevel, 9, 0, ""}, "errorseverity": {actLevel, 9, 0, ""},
	"severitynumber": {actLevel, 1, numbersOTel, ""}, "priority": {actLevel, 2, numbersSyslog, ""},

	"message": {actMessage, 9, 0, ""}, "msg": {actMessage, 9, 0, ""}, "@m": {actMessage, 9, 0, ""},
	"@mt": {actMessage, 5, 0, ""}, "textpayload": {actMessage, 9, 0, ""}, "shortmessage": {actMessage, 8, 0, ""},
	"formattedmessage": {actMessage, 10, 0, ""},
	"fullmessage":      {actMessage, 4, 0, ""}, "renderedmessage": {actMessage, 8, 0, ""}, "body": {actMessage, 4, 0, ""},
	"event": {actMessage, 5, 0, ""}, "text": {actMessage, 3, 0, ""}, "log": {actMessage, 2, 0, ""},

	"service": {actService, 9, 0, ""}, "service.name": {actService, 10, 0, ""}, "servicename": {actService, 9, 0, ""},
	"svc": {actService, 7, 0, ""}, "application": {actService, 6, 0, ""}, "applicationname": {actService, 7, 0, ""},
	"app": {actService, 6, 0, ""}, "appname": {actService, 7, 0, ""}, "app.name": {actService, 8, 0, ""},
	"dd.service": {actService, 8, 0, ""}, "kubernetes.containername": {actService, 3, 0, ""},
	"kubernetes.labels.app": {actService, 4, 0, ""}, "springappname": {actService, 7, 0, ""},

	"instance": {actInstance, 9, 0, ""}, "instanceid": {actInstance, 8, 0, ""}, "pod": {actInstance, 9, 0, ""},
	"podname": {actInstance, 9, 0, ""}, "kubernetes.podname": {actInstance, 9, 0, ""},
	"kubernetes.pod.name": {actInstance, 9, 0, ""}, "service.instance.id": {actInstance, 8, 0, ""},
	"host.name": {actInstance, 7, 0, ""},

	"version": {actVersion, 7, 0, ""}, "service.version": {actVersion, 10, 0, ""}, "appversion": {actVersion, 9, 0, ""},
	"serviceversion": {actVersion, 9, 0, ""}, "release": {actVersion, 5, 0, ""},

	"logger": {actLogger, 9, 0, ""}, "loggername": {actLogger, 9, 0, ""}, "log.logger": {actLogger, 10, 0, ""},
	"target": {actLogger, 5, 0, ""}, "category": {actLogger, 5, 0, ""}, "sourcecontext": {actLogger, 8, 0, ""},
	"name": {actLogger, 3, 0, ""}, "scope.name": {actLogger, 5, 0, ""}, "pythonlogger": {actLogger, 8, 0, ""},
	"log.name": {actLogger, 4, 0, ""}, "source.class": {actLogger, 3, 0, ""},

	"method": {actMethod, 7, 0, ""}, "requestmethod": {actMethod, 9, 0, ""}, "httpmethod": {actMethod, 9, 0, ""},
	"http.method": {actMethod, 10, 0, ""}, "http.request.method": {actMethod, 10, 0, ""},
	"verb": {actMethod, 4, 0, ""},

	"url": {actURL, 7, 0, ""}, "path": {actURL, 4, 0, ""}, "uri": {actURL, 7, 0, ""}, "requesturi": {actURL, 10, 0, ""},
	"requestpath": {actURL, 8, 0, ""}, "requesturl": {actURL, 9, urlWhole, ""}, "httppath": {actURL, 8, 0, ""},
	"httpurl": {actURL, 8, 0, ""}, "httptarget": {actURL, 9, 0, ""}, "http.target": {actURL, 9, 0, ""},
	"http.url": {actURL, 8, 0, ""}, "http.path": {actURL, 8, 0, ""}, "url.path": {actURL, 8, 0, ""},
	"url.original": {actURL, 10, urlWhole, ""}, "url.full": {actURL, 7, urlWhole, ""}, "originalurl": {actURL, 9, 0, ""},
	"httproute": {actURL, 3, 0, ""}, "http.route": {actURL, 3, 0, ""}, "httpuri": {actURL, 8, 0, ""},

	"status": {actStatus, 5, 0, ""}, "statuscode": {actStatus, 9, 0, ""}, "httpstatus": {actStatus, 9, 0, ""},
	"httpstatuscode": {actStatus, 10, 0, ""}, "http.status": {actStatus, 9, 0, ""},
	"http.statuscode": {actStatus, 10, 0, ""}, "http.response.statuscode": {actStatus, 10, 0, ""},
	"responsestatus": {actStatus, 8, 0, ""}, "responsecode": {actStatus, 8, 0, ""},
	"response.status": {actStatus, 8, 0, ""}, "res.status": {actStatus, 8, 0, ""},

	"event.duration": {actDuration, 8, unitNs, ""}, "responsetime": {actDuration, 7, unitMs, ""},
	"requesttime": {actDuration, 6, unitS, ""}, "upstreamresponsetime": {actUpstreamDuration, 9, unitS, ""},
	"timetaken": {actDuration, 5, unitMs, ""},

	"bytes": {actBytes, 5, 0, ""}, "bytessent": {actBytes, 9, 0, ""}, "bodybytessent": {actBytes, 10, 0, ""},
	"responsesize": {actBytes, 8, 0, ""}, "responsebytes": {actBytes, 8, 0, ""}, "contentlength": {actBytes, 4, 0, ""},
	"http.response.body.bytes": {actBytes, 9, 0, ""}, "http.response.bytes": {actBytes, 8, 0, ""},

	"upstream": {actUpstream, 6, 0, ""}, "upstreamaddr": {actUpstream, 9, 0, ""}, "upstreamhost": {actUpstream, 7, 0, ""},
	"upstreamstatus": {actUpstreamStatus, 9, 0, ""}, "upstream.addr": {actUpstream, 9, 0, ""}, "upstream.address": {actUpstream, 9, 0, ""},
	"upstream.host": {actUpstream, 7, 0, ""}, "upstream.status": {actUpstreamStatus, 9, 0, ""}, "upstream.time": {actUpstreamDuration, 8, unitS, ""},
	"upstream.responsetime": {actUpstreamDuration, 9, unitS, ""},

	"remoteaddr": {actClient, 8, 0, ""}, "remoteip": {actClient, 9, 0, ""}, "clientip": {actClient, 9, 0, ""},
	"client.ip": {actClient, 9, 0, ""}, "client.address": {actClient, 9, 0, ""}, "source.ip": {actClient, 8, 0, ""},
	"source.address": {actClient, 7, 0, ""}, "remoteaddress": {actClient, 8, 0, ""}, "remotehost": {actClient, 7, 0, ""},
	"clientaddr": {actClient, 8, 0, ""}, "ip": {actClient, 4, 0, ""}, "meta.remoteip": {actClient, 8, 0, ""},

	"retryafter": {as: retryAfter}, "senthttpretryafter": {as: retryAfter}, "respheaders.retryafter": {as: retryAfter},
	"response.headers.retryafter": {as: retryAfter}, "downstreamretryafter": {as: retryAfter},

	"requestid": {actRequestID, 9, 0, ""}, "reqid": {actRequestID, 9, 0, ""}, "rid": {actRequestID, 7, 0, ""},
	"req.id": {actRequestID, 8, 0, ""}, "request.id": {actRequestID, 8, 0, ""}, "xrequestid": {actRequestID, 10, 0, ""},
	"http.request.id": {actRequestID, 9, 0, ""}, "httprequestid": {actRequestID, 9, 0, ""},
	"correlationid": {actRequestID, 6, 0, ""}, "xcorrelationid": {actRequestID, 6, 0, ""},

	"traceid": {actTraceID, 9, 0, ""}, "trace.id": {actTraceID, 10, 0, ""}, "@tr": {actTraceID, 9, 0, ""},
	"dd.traceid": {actTraceID, 7, 0, ""}, "xb3traceid": {actTraceID, 8, 0, ""}, "otel.traceid": {actTraceID, 8, 0, ""},
	"trace":  {actTraceID, 3, 0, ""},
	"spanid": {actSpanID, 9, 0, ""}, "span.id": {actSpanID, 10, 0, ""}, "@sp": {actSpanID, 9, 0, ""},
	"dd.spanid": {actSpanID, 7, 0, ""}, "xb3spanid": {actSpanID, 8, 0, ""}, "otel.spanid": {actSpanID, 8, 0, ""},

	"request": {actRequestLine, 5, 0, ""}, "requestline": {actRequestLine, 8, 0, ""},

	"threadname": {actField, 0, 0, "thread"}, "process.thread.name": {actField, 0, 0, "thread"},
	"process.pid": {actField, 0, 0, "pid"}, "processid": {actField, 0, 0, "pid"}, "threadid": {actField, 0, 0, "tid"},
	"process.thread.id": {actField, 0, 0, "tid"}, "node.name": {actField, 0, 0, "node"},
	"cluster.name": {actField, 0, 0, "cluster"}, "elasticsearch.node.name": {actField, 0, 0, "node"},
	"elasticsearch.cluster.name": {actField, 0, 0, "cluster"}, "useragent": {actField, 0, 0, "user_agent"},
	"httpuseragent": {actField, 0, 0, "user_agent"}, "user.name": {actField, 0, 0, "user"},
	"username": {actField, 0, 0, "user"}, "referer": {actField, 0, 0, "referrer"}, "hostname": {actField, 0, 0, "hostname"},
}

// envelopes are objects that only group the fields of a record: what is in them means the same as at the top.
var envelopes = map[string]bool{
	"req": true, "request": true, "res": true, "response": true, "http": true, "httprequest": true, "http.request": true,
	"http.response": true, "ctx": true, "context": true, "data": true, "fields": true, "log": true, "logevent": true,
	"jsonpayload": true, "payload": true, "mdc": true, "properties": true, "extra": true, "attributes": true, "attr": true,
	"resource": true, "body": true, "meta": true, "metadata": true, "labels": true, "kubernetes": true, "span": true,
	"logging.googleapis.com/labels": true, "logging.googleapis.com": true, "contextmap": true, "scope": true,
	"details": true, "info": true, "record": true, "state": true, "access": true, "httpaccess": true,
}

// normalKey is a path in the spelling of keyRules.
func normalKey(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '_' || c == '-' || c == '@' && i > 0:
		case c >= 'A' && c <= 'Z':
			b.WriteByte(c | 0x20)
		case c == '/' && strings.HasSuffix(path[:i], "googleapis.com"):
			b.WriteByte('.')
		default:
			b.WriteByte(c)
		}
	}
	return strings.TrimPrefix(b.String(), "logging.googleapis.com.")
}

// ruleFor returns the meaning of a path: of the whole path first, then, if envelopes hold it, of its end.
func ruleFor(path string) keyRule {
	key := normalKey(path)
	for depth := uint8(0); ; depth++ {
		rule, ok := keyRules[key]
		if !ok {
			rule, ok = durationRule(key)
		}
		if !ok && depth == 0 {
			rule, ok = levelRule(key)
		}
		if ok {
			// A time in an envelope is somebody else's (of a token, a lease); a name is anything's.
			if depth > 0 && (rule.act == actTime && rule.prio < 8 || rule.prio <= 3 || rule.act == actVersion) {
				return keyRule{}
			}
			rule.prio -= min(rule.prio-min(rule.prio, 1), 2*depth)
			return rule
		}
		i := envelopeEnd(key)
		if i < 0 {
			return keyRule{}
		}
		key = key[i+1:]
	}
}

// envelopeEnd returns the dot behind an envelope at the start of key, -1 if there is none.
func envelopeEnd(key string) int {
	for i := 0; i < len(key); i++ {
		if key[i] == '.' && envelopes[key[:i]] {
			return i
		}
	}
	return -1
}

// durationNames are the bases of durations; behind them may stand a unit.
var durationNames = [...]string{"duration", "elapsed", "latency", "took", "responsetime", "requesttime", "processingtime",
	"elapsedtime", "executiontime", "runtime", "totaltime", "requestduration", "responseduration", "dur", "httpduration",
	"http.duration", "requestlatency", "handlertime", "servetime", "timeelapsed", "http.elapsed", "request.duration",
	"response.time", "duration.total"}

// durationRule reads names like duration_ms, elapsedMillis, took, latency_us.
func durationRule(key string) (keyRule, bool) {
	act := actDuration
	if rest, ok := strings.CutPrefix(key, "upstream"); ok {
		act, key = actUpstreamDuration, rest
	}
	for _, base := range durationNames {
		rest, ok := strings.CutPrefix(key, base)
		if !ok {
			continue
		}
		unit, prio := unitNone, uint8(5)
		switch strings.TrimPrefix(strings.TrimPrefix(rest, "."), "in") {
		case "":
		case "s", "sec", "secs", "seconds":
			unit, prio = unitS, 9
		case "ms", "msec", "millis", "milliseconds":
			unit, prio = unitMs, 9
		case "us", "usec", "micros", "microseconds":
			unit, prio = unitUs, 8
		case "ns", "nanos", "nanoseconds":
			unit, prio = unitNs, 8
		default:
			continue
		}
		return keyRule{act: act, prio: prio, unit: unit}, true
	}
	return keyRule{}, false
}

// levelRule takes a company's own spelling of the level, as in acmeloglevel, when nothing better is there.
func levelRule(key string) (keyRule, bool) {
	if strings.HasSuffix(key, "loglevel") {
		return keyRule{act: actLevel, prio: 1}, true
	}
	return keyRule{}, false
}
