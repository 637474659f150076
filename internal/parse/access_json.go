package parse

import (
	"strings"
)

// Access logs that proxies, gateways and content networks write as JSON. Each is a variant of the JSON reader that says
// which keys it has and what they mean where that differs from what loggers usually mean by them.

// accessJSON lists the variants, the most specific first.
func accessJSON() []*jsonVariant {
	return []*jsonVariant{
		caddyJSON(), traefikJSON(), envoyJSON(), cloudflareJSON(), kongJSON(), apiGatewayJSON(), googleJSON(),
		azureJSON(), inquestJSON(), nginxJSON(),
	}
}

// asField keeps a key as an extra field of that name.
func asField(name string) keyRule { return keyRule{as: name} }

// means gives a key a meaning that no other key of the line can take from it.
func means(act uint8) keyRule { return keyRule{act: act, prio: 20} }

// lasting is means for durations.
func lasting(act, unit uint8) keyRule { return keyRule{act: act, prio: 20, unit: unit} }

// Source: Caddy documentation, "log" directive; encoder "json".
func caddyJSON() *jsonVariant {
	return &jsonVariant{name: "caddy", need: []string{"request.uri", "request.method", "status"},
		keys: map[string]keyRule{
			"request.remote_ip": means(actClient), "request.remote_addr": means(actClient), "request.client_ip": asField("client_addr"),
			"request.remote_port": asField("remote_port"), "request.proto": asField("protocol"), "request.host": asField("host"),
			"request.uri": means(actURL), "request.method": means(actMethod), "status": means(actStatus), "size": means(actBytes),
			"duration": lasting(actDuration, unitS), "bytes_read": asField("request_bytes"), "user_id": asField("user"),
			"request.headers.User-Agent": asField("user_agent"), "request.headers.Referer": asField("referrer"),
		},
		rest: func(p *jsonParser, r *Record) {
			if !toldAgain(r) {
				r.Kind = KindAccess // a handler that wrote nothing has status 0
			}
			listToText(r, "user_agent", "referrer")
		}}
}

// Source: Traefik documentation, "Access logs", available fields. Durations are Go's, in nanoseconds.
func traefikJSON() *jsonVariant {
	return &jsonVariant{name: "traefik-json", need: []string{"DownstreamStatus|OriginStatus", "RequestMethod", "RequestPath"},
		keys: map[string]keyRule{
			"ClientHost": means(actClient), "ClientAddr": asField("client_socket"), "RequestMethod": means(actMethod),
			"RequestPath": means(actURL), "RequestProtocol": asField("protocol"), "RequestHost": asField("host"),
			"DownstreamStatus": means(actStatus), "OriginStatus": means(actUpstreamStatus),
			"Duration": lasting(actDuration, unitNs), "OriginDuration": lasting(actUpstreamDuration, unitNs),
			"DownstreamContentSize": means(actBytes), "RequestContentSize": asField("request_bytes"),
			"OriginContentSize": asField("OriginContentSize"), "RouterName": asField("router"),
			"ServiceName": asField("upstream_name"), "ServiceAddr": means(actUpstream), "time": means(actTime),
			"request_User-Agent": asField("user_agent"), "request_Referer": asField("referrer"),
			"ClientUsername": asField("user"), "ClientPort": asField("remote_port"), "RequestScheme": asField("scheme"),
			"entryPointName": asField("entry_point"),
		},
		rest: func(p *jsonParser, r *Record) { dropDashes(r) }}
}

// Source: Envoy "Access logging" operators under the names that Envoy Gateway, Contour and Istio give them.
func envoyJSON() *jsonVariant {
	return &jsonVariant{name: "envoy-json", need: []string{"response_code|status", "response_flags", "start_time|timestamp|@timestamp"},
		keys: map[string]keyRule{
			":authority": asField("host"), "authority": asField("host"), "bytes_sent": means(actBytes),
			"bytes_received": asField("request_bytes"), "downstream_remote_address": means(actClient),
			"downstream_remote_address_without_port": means(actClient), "duration": lasting(actDuration, unitMs),
			"path": {act: actURL, prio: 20}, "x-envoy-origin-path": {act: actURL, prio: 22}, "x_envoy_original_path": {act: actURL, prio: 22},
			"x-envoy-original-path": {act: actURL, prio: 22}, "protocol": asField("protocol"), "response_code": means(actStatus),
			"upstream_cluster": asField("upstream_name"), "upstream_host": means(actUpstream), "route_name": asField("router"),
			"upstream_transport_failure_reason": asField("upstream_failure"), "user-agent": asField("user_agent"),
			"user_agent":                    asField("user_agent"),
			"x-envoy-upstream-service-time": lasting(actUpstreamDuration, unitMs), "upstream_service_time": lasting(actUpstreamDuration, unitMs),
			"x-forwarded-for": asField("forwarded_for"), "x_forwarded_for": asField("forwarded_for"),
			"x-request-id": means(actRequestID), "start_time": means(actTime),
		},
		rest: func(p *jsonParser, r *Record) {
			dropDashes(r)
			r.Broken = lostUpstream(r.Get("response_flags"))
		}}
}

// Source: Cloudflare Logpush, data set "HTTP requests". Time stamps are nanoseconds, seconds or RFC 3339, as configured.
func cloudflareJSON() *jsonVariant {
	return &jsonVariant{name: "cloudflare", need: []string{"EdgeResponseStatus", "ClientRequestMethod", "ClientRequestURI|ClientRequestPath"},
		keys: map[string]keyRule{
			"ClientIP": means(actClient), "ClientRequestHost": asField("host"), "ClientRequestMethod": means(actMethod),
			"ClientRequestURI": {act: actURL, prio: 22}, "ClientRequestPath": {act: actURL, prio: 20},
			"ClientRequestUserAgent": asField("user_agent"), "ClientRequestReferer": asField("referrer"),
			"ClientRequestProtocol": asField("protocol"), "ClientRequestBytes": asField("request_bytes"),
			"EdgeResponseBytes": means(actBytes), "EdgeResponseStatus": means(actStatus), "EdgeStartTimestamp": means(actTime),
			"EdgeEndTimestamp": asField("EdgeEndTimestamp"), "OriginResponseStatus": means(actUpstreamStatus),
			"OriginResponseTime": lasting(actUpstreamDuration, unitNs), "OriginResponseDurationMs": {act: actUpstreamDuration, prio: 22, unit: unitMs},
			"OriginIP": means(actUpstream), "RayID": means(actRequestID), "CacheCacheStatus": asField("cache_status"),
		},
		rest: func(p *jsonParser, r *Record) {
			var end Record
			text := []byte(r.Get("EdgeEndTimestamp"))
			if ns, ok := parseEpoch(text); ok {
				end.Time = ns
			} else if ns, n, _ := parseTime(text); n > 0 {
				end.Time = ns
			}
			if r.Time > 0 && end.Time >= r.Time {
				r.Duration = float64(end.Time-r.Time) / 1e9
			}
		}}
}

// Source: Kong Gateway, "log format" of the http-log, file-log and tcp-log plugins. Latencies are milliseconds.
func kongJSON() *jsonVariant {
	return &jsonVariant{name: "kong", need: []string{"latencies.request", "response.status", "request.method"},
		keys: map[string]keyRule{
			"latencies.request": lasting(actDuration, unitMs), "latencies.proxy": lasting(actUpstreamDuration, unitMs),
			"latencies.kong": asField("kong_ms"), "request.method": means(actMethod), "request.uri": means(actURL),
			"request.url": asField("request_url"), "request.size": asField("request_bytes"), "request.id": means(actRequestID),
			"response.size": means(actBytes), "response.status": means(actStatus), "started_at": means(actTime),
			"client_ip": means(actClient), "service.name": asField("upstream_name"), "service": asField("upstream_name"),
			"route.name": asField("router"), "upstream_status": means(actUpstreamStatus), "service.host": asField("service_host"),
			"request.headers.user-agent": asField("user_agent"), "request.headers.host": asField("host"),
		},
		rest: func(p *jsonParser, r *Record) { lastTry(r) }}
}

// lastTry sets the upstream from Kong's list of balancer tries, [{"ip":"10.0.0.1","port":80,...}, ...].
func lastTry(r *Record) {
	tries := r.Get("tries")
	i := strings.LastIndex(tries, `"ip":"`)
	if i < 0 || r.Upstream != "" {
		return
	}
	open := strings.LastIndexByte(tries[:i], '{')
	shut := strings.IndexByte(tries[i:], '}')
	if open < 0 || shut < 0 {
		return
	}
	try := tries[open : i+shut]
	ip, _, _ := strings.Cut(tries[i+len(`"ip":"`):], `"`)
	if k := strings.Index(try, `"port":`); k >= 0 {
		n := k + len(`"port":`)
		end := n
		for end < len(try) && isDigit(try[end]) {
			end++
		}
		ip += ":" + try[n:end]
	}
	r.Upstream = ip
}

// Source: AWS, "Variables for access logging for API Gateway" (REST and HTTP APIs), under the names of its examples.
// Latencies are milliseconds.
func apiGatewayJSON() *jsonVariant {
	return &jsonVariant{name: "api-gateway", need: []string{"requestId", "status", "httpMethod|routeKey", "requestTime|requestTimeEpoch"},
		keys: map[string]keyRule{
			"requestTime": {act: actTime, prio: 22}, "requestTimeEpoch": means(actTime), "ip": means(actClient),
			"sourceIp": means(actClient), "httpMethod": means(actMethod), "resourcePath": asField("route"), "routeKey": asField("route"),
			"path": means(actURL), "status": means(actStatus), "protocol": asField("protocol"), "responseLength": means(actBytes),
			"domainName": asField("host"), "responseLatency": lasting(actDuration, unitMs), "latency": lasting(actDuration, unitMs),
			"integrationLatency": lasting(actUpstreamDuration, unitMs), "integrationStatus": means(actUpstreamStatus),
			"userAgent": asField("user_agent"), "errorMessage": asField("error"), "error": asField("error"),
			"integrationError": asField("upstream_failure"), "integrationErrorMessage": asField("upstream_failure"),
			"xrayTraceId": means(actTraceID), "caller": asField("caller"), "user": asField("user"),
		},
		rest: func(p *jsonParser, r *Record) {
			dropDashes(r)
			route := r.Get("route")
			// HTTP APIs write "GET /pets/{id}".
			if method, path, ok := strings.Cut(route, " "); ok && requestMethod([]byte(method)) {
				route = path
				if r.Method == "" {
					r.Method = method
				}
			}
			if r.URL == "" {
				r.URL = route
			}
			r.Kind = KindAccess
		}}
}

// Source: Google Cloud, "HttpRequest" of LogEntry as load balancers and Cloud Run write it.
func googleJSON() *jsonVariant {
	return &jsonVariant{name: "google-request", need: []string{"httpRequest.requestMethod", "httpRequest.requestUrl", "httpRequest.status"},
		keys: map[string]keyRule{
			"httpRequest.requestMethod": means(actMethod), "httpRequest.requestUrl": {act: actURL, prio: 20, unit: urlWhole},
			"httpRequest.status": means(actStatus), "httpRequest.latency": lasting(actDuration, unitS),
			"httpRequest.responseSize": means(actBytes), "httpRequest.requestSize": asField("request_bytes"),
			"httpRequest.remoteIp": means(actClient), "httpRequest.serverIp": means(actUpstream),
			"httpRequest.userAgent": asField("user_agent"), "httpRequest.referer": asField("referrer"),
			"httpRequest.protocol": asField("protocol"), "jsonPayload.statusDetails": asField("response_code_details"),
			"timestamp": means(actTime), "trace": means(actTraceID),
		}}
}

// Source: Microsoft, "Application Gateway access log" (timeTaken is seconds) and Front Door.
func azureJSON() *jsonVariant {
	return &jsonVariant{name: "azure-gateway", need: []string{"properties.httpStatus|properties.httpStatusCode", "properties.httpMethod", "properties.requestUri"},
		keys: map[string]keyRule{
			"properties.httpStatus": means(actStatus), "properties.httpStatusCode": means(actStatus),
			"properties.httpMethod": means(actMethod), "properties.requestUri": {act: actURL, prio: 20, unit: urlWhole},
			"properties.clientIP": means(actClient), "properties.clientIp": means(actClient), "properties.sentBytes": means(actBytes),
			"properties.receivedBytes": asField("request_bytes"), "properties.timeTaken": lasting(actDuration, unitS),
			"properties.serverStatus": means(actUpstreamStatus), "properties.serverRouted": means(actUpstream),
			"properties.serverResponseLatency": lasting(actUpstreamDuration, unitS), "properties.host": asField("host"),
			"properties.userAgent": asField("user_agent"), "properties.httpVersion": asField("protocol"),
			"properties.transactionId": means(actRequestID), "properties.error_info": asField("error_reason"),
			"time": means(actTime), "timeStamp": means(actTime),
		}}
}

// ErrorBy is the field that says who the error of a proxy's line is from: "upstream" where the proxy quotes what that answered.
const ErrorBy = "error_by"

// inquestJSON is the access log of `inquest gateway`. Source: docs/format/gateway-log.md.
func inquestJSON() *jsonVariant {
	return &jsonVariant{name: "inquest-gateway", need: []string{"request_uri", "attempts", "duration_s", "bytes_sent"},
		keys: map[string]keyRule{
			"time": means(actTime), "status": means(actStatus), "method": means(actMethod), "host": asField("host"), "request_uri": means(actURL),
			"reason": asField("error_reason"), "upstream_addr": means(actUpstream), "upstream_status": means(actUpstreamStatus),
			"request_id": means(actRequestID), "trace_id": means(actTraceID), "bytes_sent": means(actBytes), "remote_addr": means(actClient),
			"duration_s": lasting(actDuration, unitS), "upstream_duration_s": lasting(actUpstreamDuration, unitS),
			"protocol": asField("protocol"), "route_name": asField("router"), "upstream_name": asField("upstream_name"),
			"user_agent": asField("user_agent"), "referer": asField("referrer"), "attempts": asField("attempts"), "error_id": asField("error_id"), "cause": asField("cause"),
		},
		rest: func(p *jsonParser, r *Record) {
			reason := r.Get("error_reason")
			r.Broken = reason == "cut" || reason == "stall"
			if r.UpstreamStatus != "" && (reason == "" || reason == "body-rule") && r.Get("error") != "" { // there was an answer: the gateway quotes it
				r.Add(ErrorBy, "upstream")
			}
		}}
}

// nginxJSON is a log_format of nginx that spells JSON with the names of its variables. Times are seconds.
func nginxJSON() *jsonVariant {
	return &jsonVariant{name: "nginx-json", need: []string{"status", "request_time|body_bytes_sent|upstream_response_time|bytes_sent", "remote_addr|request_uri|request|uri"},
		keys: map[string]keyRule{
			"request_time": lasting(actDuration, unitS), "upstream_response_time": lasting(actUpstreamDuration, unitS),
			"http_referer": asField("referrer"), "http_referrer": asField("referrer"), "http_user_agent": asField("user_agent"),
			"http_host": asField("host"), "host": asField("host"), "server_name": asField("server_name"), "remote_user": asField("user"),
			"server_protocol": asField("protocol"), "request_length": asField("request_bytes"), "scheme": asField("scheme"),
			"http_x_forwarded_for": asField("forwarded_for"), "x_forwarded_for": asField("forwarded_for"),
			"request_uri": {act: actURL, prio: 22}, "uri": {act: actURL, prio: 18}, "request": means(actRequestLine), "status": means(actStatus),
			"upstream_addr": means(actUpstream), "upstream_status": means(actUpstreamStatus), "request_id": means(actRequestID),
			"body_bytes_sent": {act: actBytes, prio: 22}, "bytes_sent": {act: actBytes, prio: 20}, "msec": {act: actTime, prio: 2},
			"upstream_cache_status": asField("cache_status"), "remote_addr": means(actClient), "remote_port": asField("remote_port"),
		},
		rest: func(p *jsonParser, r *Record) { dropDashes(r) }}
}

// dropDashes removes fields that say "nothing" with a dash.
func dropDashes(r *Record) {
	keep := r.Fields[:0]
	for _, f := range r.Fields {
		if f.Value != "-" && f.Value != "" || f.Name == retryAfter {
			keep = append(keep, f)
		}
	}
	r.Fields = keep
	for _, s := range []*string{&r.Upstream, &r.UpstreamStatus, &r.RequestID, &r.TraceID} {
		if *s == "-" {
			*s = ""
		}
	}
}

// listToText replaces the value ["x"] of the named fields by x: Go's headers are lists.
func listToText(r *Record, names ...string) {
	for i := range r.Fields {
		f := &r.Fields[i]
		for _, name := range names {
			if f.Name != name || len(f.Value) < 4 || f.Value[0] != '[' {
				continue
			}
			v := strings.TrimLeft(f.Value[1:], " ")
			if len(v) < 2 || v[0] != '"' {
				continue
			}
			if end := quotedEnd([]byte(v[1:])); end >= 0 {
				f.Value = v[1 : 1+end]
				if strings.IndexByte(f.Value, '\\') >= 0 {
					f.Value = string(unescape(nil, []byte(f.Value)))
				}
			}
		}
	}
}
