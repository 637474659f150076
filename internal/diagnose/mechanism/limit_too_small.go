package mechanism

import "github.com/inquesthq/inquest"

// limitTooSmall: a configured size is smaller than what real traffic needs.
func limitTooSmall() Mechanism {
	return Mechanism{
		ID:    "misconfiguration/limit-too-small",
		Title: "A configured limit is too small",
		What: "A configured size (header buffer, body, message, packet, upload, worker connections) is smaller than what ordinary traffic needs. Requests above it " +
			"fail, all others are fine. Some components answer honestly (413, 431), others with 502 or 500.",
		Signs: []string{
			"failures on requests or answers with one trait: large, many cookies, long names",
			"`too big header`, `too large`, `exceeds maximum`, `max_allowed_packet` in the log",
		},
		Needs:       []string{"a message that names a size or count over a configured limit, in the failing requests"},
		Contradicts: []string{"larger requests passing the same component at the time"},
		// The pool, threads and descriptors are listed for the case that a change lowered their maximum: then the setting is
		// what to repair.
		Explains: ids(fallout(), these("database/too-many-connections", "database/pool-exhausted", "database/query-error", "resource-exhaustion/memory", "resource-exhaustion/file-descriptors", "resource-exhaustion/threads",
			"dependency-failure/bad-response", "dependency-failure/rate-limited", "dependency-failure/upstream-overload", "unhandled-exception/parse-error", "misconfiguration/error-mapping")),
		Above:    failingAbove(),
		Triggers: []inquest.TriggerKind{"config", "deploy", inquest.TriggerData, inquest.TriggerTraffic, inquest.TriggerClient, "infra"},
		About:    []string{"limit", "max", "buffer", "size", "quota", "header"},
		Roles:    []Role{RoleGateway, RoleSelf, RolePeer, RoleDatabase},
		Clues: []Clue{
			says(1, "nginx: the upstream's header does not fit the buffer", "upstream sent too big header while reading response header"),
			says(0.9, "nginx: all worker connections in use", "worker_connections are not enough"),
			says(0.7, "a body or upload over the limit", "client intended to send too large body", "request entity too large", "payload too large", "payloadtoolargeerror", "entity.too.large", "http: request body too large", "body exceeded", "body size limit exceeded", "maximum upload size exceeded", "maxuploadsizeexceededexception",
				"post content-length of * exceeds the limit", "request body too large", "databufferlimitexception", "exceeded limit on max bytes to buffer", "sizelimitexceededexception", "request too large").but("413 0", "scanner"),
			says(0.8, "headers or URLs over the limit", "request header is too large", "request header fields too large", "header overflow", "hpe_header_overflow", "headers too large", "header too large", "headerstoolarge", "got more than * headers", "response header too large", "request-uri too long", "uri too long",
				"toolargeheader", "httpheadersize", "bytes exceeded the limit*header"),
			says(0.9, "messages over a broker's, gRPC's or database's limit", "received message larger than max", "trying to send message larger than max", "messagesizetoolargeexception", "recordtoolargeexception", "message size too large", "message_too_large", "packet for query is too large", "max_allowed_packet",
				"packet bigger than 'max_allowed_packet'", "grpc: received message larger", "document is larger than the maximum size", "bsonobjectoolarge", "object to insert too large", "frame_too_large", "frame size exceeded", "buffer overflow in field").but("max_allowed_packet ="),
			says(0.8, "AWS: an answer or item over the service's limit", "response payload size exceeded maximum allowed payload size", "body size is too long", "item size has exceeded the maximum allowed size", "exceeded maximum allowed payload size"),
			coded(0.9, "MySQL 1153: packet too large; PostgreSQL 54000: a limit of the server", "mysql:1153", "54000", "54001", "54011", "54023"),
			says(0.7, "results or buffers over a limit of the search engine or client", "result window is too large", "too_many_clauses", "maxclausecount is set to", "entity content is too long", "exceeded the maximum allowed depth", "maximum number of expressions"),
		},
		Confirm: []inquest.Command{
			check("Which limits are set?", "nginx -T 2>/dev/null | grep -n -E 'client_max_body_size|proxy_buffer|large_client_header_buffers|worker_connections'", "the one from the message, below what the failing requests need"),
			check("How large are the failing requests and answers?", "curl -sS -o /dev/null -w '%{http_code} header=%{size_header} body=%{size_download}\\n' http://{host}:{port}{path}", "above the limit; asked at the upstream itself it works"),
		},
		Actions: []inquest.Action{
			now("cause", "Set the limit to what real traffic needs, with a margin (or put the last good value back).", "git checkout HEAD~1 -- {path}"),
			now("cause", "Check the configuration, then restart or reload.", "nginx -t && systemctl reload nginx"),
			later("symptom", "Answer 413 or 431 with the limit in the message instead of 500 or 502.", ""),
			prevent("Validate at start: the limits along the call path fit each other; measure the largest real requests and alert at 80%.", ""),
		},
		Owner:  "configuration",
		Status: 502,
	}
}
