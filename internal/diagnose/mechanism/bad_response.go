package mechanism

import "github.com/inquesthq/inquest"

// badResponse: a dependency answers, and the answer is of no use.
func badResponse() Mechanism {
	return Mechanism{
		ID:    "dependency-failure/bad-response",
		Title: "Dependency answers with errors or garbage",
		What: "A dependency answers in time, but with an error, a broken or cut-off answer, or a shape that the caller does not understand (an HTML page instead of " +
			"JSON). The caller turns that into 500 or 502.",
		Signs: []string{
			"502 or 500 on the routes that call the dependency, about as fast as its answers",
			"`Request failed with status code 500`, `invalid header`, `prematurely closed` with the dependency's name",
		},
		Needs:       []string{"an error status or unusable answer of one dependency in the failing requests"},
		Contradicts: []string{"the dependency's own log showing success for the same requests", "the caller having changed what it sends"},
		Explains:    ids(fallout(), these("unhandled-exception/parse-error", "misconfiguration/error-mapping")),
		Above:       failingAbove(),
		Triggers:    []inquest.TriggerKind{inquest.TriggerExternal, "deploy", "infra", "config", inquest.TriggerData},
		Roles:       []Role{RolePeer, RoleSelf},
		Clues:       badResponseClues(),
		Supports: []Support{
			{Symptom: inquest.SymptomUpstream, Detail: "status", Weight: 0.6, Why: "the proxy or client saw an error status of the upstream"},
			{Symptom: inquest.SymptomUpstream, Detail: "malformed", Weight: 0.8, Why: "the proxy could not read the upstream's answer"},
			{Symptom: inquest.SymptomUpstream, Detail: "reset", Weight: 0.4, Why: "the upstream broke off"},
			{Symptom: inquest.SymptomUpstream, Detail: "cut-off", Weight: 0.8, Why: "the upstream began its answer and broke off in the middle of it"},
		},
		Confirm: []inquest.Command{
			check("Send the same call to the dependency itself.", "curl -sS -i --max-time 10 http://{host}:{port}{path}", "its status, content type and first bytes: an error, or not what was promised"),
			check("Look at its own log for the same request id.", "kubectl logs deployment/{peer} --since=15m | grep -F -e '{request}'", "its own error: continue the investigation there"),
		},
		Actions: []inquest.Action{
			now("cause", "Investigate the dependency, or contact its owner with a request id and the answer; roll back its last change.", "kubectl rollout undo deployment/{peer}"),
			now("symptom", "Open a breaker for it; serve a fallback (cached, default) or 503 with Retry-After.", ""),
			later("symptom", "Check status, content type and shape before using an answer; answer 502 with an error id.", ""),
			prevent("Contract tests between the two; an alert on the dependency's failure ratio as the caller sees it.", ""),
		},
		Owner:  "dependency",
		Status: 502,
	}
}

func badResponseClues() []Clue {
	return []Clue{
		says(0.95, "a parser that fails inside an HTTP client: the answer was not what it should be", "jsondecodeerror", "expecting value", "unexpected token", "unexpected end of json", "invalid character", "jsonparseexception",
			"malformedjson", "parsererror", "syntaxerror", "xmlsyntaxerror", "unmarshal", "could not convert", "deserializ").and("while reading an http client's answer"),
		says(0.9, "HTTP clients that were answered with a 5xx", "request failed with status code 500", "request failed with status code 502", "response code 500 (internal server error)", "response code 502", "500 server error: internal server error for url", "502 server error: bad gateway for url", "server error: `", "resulted in a `500", "resulted in a `502",
			"status code does not indicate success: 500", "status code does not indicate success: 502", "500 internal server error from", "502 bad gateway from", "server returned http response code: 500", "server returned http response code: 502", "http status server error (500", "http status server error (502"),
		thrown(0.9, "clients' names for it", "InternalServerErrorException", "HttpServerErrorException", "HttpServerErrorException$InternalServerError", "HttpServerErrorException$BadGateway", "FeignException$InternalServerError", "FeignException$BadGateway", "WebClientResponseException$InternalServerError").but("503", "too many requests"),
		says(0.7, "told in the application's own words", "upstream returned 5*", "upstream returned status 5*", "upstream responded with 5*", "unexpected status 5*", "unexpected status code: 5*", "unexpected status code 5*", "unexpected response status 5*", "non-2xx status*5*", "dependency returned 5*", "service returned 5*", "returned http 5*", "responded with status 5*", "bad response from upstream",
			"invalid response from upstream", "unexpected response from", "invalid response from", "malformed response from").but("503", "504", "to client", "gzip"),
		says(0.9, "nginx cannot read the upstream's answer", "upstream sent invalid header", "upstream sent no valid http/1.0 header", "upstream sent invalid status", "upstream sent unexpected", "upstream sent duplicate header", "upstream sent more data than specified", "upstream prematurely closed connection while reading upstream", "upstream sent invalid chunked response").by(OriginProxy),
		says(0.8, "Apache, HAProxy, Envoy, Go, Node, Python cannot read it", "bad gateway: malformed", "malformed http response", "malformed mime header", "malformed http status code", "hpe_invalid", "parse error: expected http/", "parse error: invalid", "badstatusline", "incompleteread", "chunkedencodingerror", "invalidchunklength", "protocol error: the server", "reset reason: protocol error",
			"http/1 protocol error", "remoteprotocolerror", "error: aborted*response", "unexpected eof while reading response", "invalid http response", "transfer-encoding*content-length*upstream", "ah01070", "premature end of script headers", "end of script output before headers", "response_flags\":\"upe\"", "upstream_protocol_error").but("server disconnected", "client request", "from client", "client sent"),
		says(0.8, "not the type or encoding that was promised", "no suitable httpmessageconverter found for response type", "could not extract response: no suitable", "unknowncontenttypeexception", "unsupportedmediatypeexception*text/html", "unexpected content-type", "unexpected mimetype", "attempt to decode json with unexpected mimetype", "incorrect header check", "content decoding failed", "not in gzip format",
			"expected json but got", "expected json, got", "response is not json"),
		says(0.95, "an HTML page where JSON was due: servers answer so to each other, people do not send it", "unexpected token < in json", "unexpected token '<'", "invalid character '<' looking for beginning of value", "'<' is an invalid start of a value",
			"unexpected character ('<' (code 60))", "unexpected token at '<", "unexpected character: '<"),
		says(0.7, "gRPC: the callee failed inside", "code = internal", "statuscode.internal", "status{code=internal", "code = unknown desc", "statuscode.unknown", "code = dataloss", "rst_stream with error code", "stream terminated by rst_stream"),
		says(0.9, "AWS: a function or integration failed or answered with the wrong shape", "malformed lambda proxy response", "lambda was not able to decode", "function_error", "lambda invocation failed with status: 5", "execution failed due to configuration error: malformed", "unhandled*functionerror", "lambda execution failed"),
		says(0.8, "inquest gateway: the circuit is open because the upstream's own answers said so", "open after status*: it answered 500", "open after status*: it answered 502").by(OriginProxy, OriginApp),
		says(0.8, "inquest gateway: it connected and sent the request, and the upstream hung up without an answer", "closed a new connection before it answered").by(OriginProxy, OriginApp),
		says(0.5, "the answer broke off: reset or closed by the dependency", "unexpected eof", "connection reset by peer", "econnreset", "connection was reset", "err_stream_premature_close", "upstream reset", "connectionreseterror", "stream closed with error code", "http2: server sent goaway").
			but("client", "reading from client", "listener", "aborted", "writing response", "while sending to client", "broken pipe"),
		says(0.5, "a third party answered with an error of its own", "payment provider returned", "api error: 5", "apierror: 5", "upstream error: 5", "internalfailure", "internalerror: we encountered an internal error", "an error occurred (internalservererror)", "an error occurred (internalfailure)"),
	}
}
