package explain

import "github.com/inquesthq/inquest"

// brief is an entry for a 4xx: the client can change something, the service is up, nobody has to be woken.
func brief(code int, phrase, section, meaning, fix, retry string) Entry {
	return Entry{Code: code, Phrase: phrase, Source: "RFC 9110, section " + section, Meaning: meaning, Fault: "The client.", Up: "Yes.", Retry: retry,
		RetryAfter: "No.", Fix: fix, Where: "The request, and the rule that refused it.", Balancer: "The instance stays in rotation.",
		Alert: "None by itself; a surge right after a release is a regression of ours."}
}

func clientErrors() []Entry {
	const never = "No, not without changing the request."
	return append(limits(),
		brief(400, "Bad Request", "15.5.1", "The 400 (Bad Request) status code indicates that the server cannot or will not process the request due to something that is perceived to be a client error (e.g., malformed request syntax, invalid request message framing, or deceptive request routing).",
			"Say which field is wrong, e.g. {error: MISSING_REQUIRED_FIELDS}.", never),
		brief(401, "Unauthorized", "15.5.2", "The 401 (Unauthorized) status code indicates that the request has not been applied because it lacks valid authentication credentials for the target resource.",
			"Send WWW-Authenticate; the client logs in. From a dependency it means that our own credential is wrong.", "With credentials."),
		brief(403, "Forbidden", "15.5.4", "The 403 (Forbidden) status code indicates that the server understood the request but refuses to fulfill it.",
			"Grant the right, or leave it.", never),
		brief(404, "Not Found", "15.5.5", "The 404 (Not Found) status code indicates that the origin server did not find a current representation for the target resource or is not willing to disclose that one exists.",
			"None when the item is gone; when whole routes answer it after a change, the routing is wrong.", never),
		brief(405, "Method Not Allowed", "15.5.6", "The 405 (Method Not Allowed) status code indicates that the method received in the request-line is known by the origin server but not supported by the target resource.",
			"Send Allow with the methods that are supported.", never),
		brief(409, "Conflict", "15.5.10", "The 409 (Conflict) status code indicates that the request could not be completed due to a conflict with the current state of the target resource.",
			"An intentional refusal: say what conflicts, e.g. {error: INVENTORY_CONFLICT}.", "After reading the current state."),
		brief(413, "Content Too Large", "15.5.14", "The 413 (Content Too Large) status code indicates that the server is refusing to process a request because the request content is larger than the server is willing or able to process.",
			"Say the limit; raise it if real traffic needs more.", never),
		brief(422, "Unprocessable Content", "15.5.21", "The 422 (Unprocessable Content) status code indicates that the server understands the content type of the request content (hence a 415 (Unsupported Media Type) status code is inappropriate), and the syntax of the request content is correct, but it was unable to process the contained instructions.",
			"Say which value breaks which rule.", never),
	)
}

func limits() []Entry {
	return []Entry{
		{
			Code: 408, Phrase: "Request Timeout", Source: "RFC 9110, section 15.5.9",
			Meaning:    "The 408 (Request Timeout) status code indicates that the server did not receive a complete request message within the time that it was prepared to wait.",
			Fault:      "The client or its network: it was too slow to send. Not a slow server, which is 504.",
			Causes:     []string{"a client on a bad network", "an idle keep-alive connection that the server closed", "slow-request attacks"},
			Up:         "Yes.",
			Retry:      "Yes, on a new connection.",
			RetryAfter: "No.",
			Where:      "The access log: bytes received, one network or many clients.",
			Fix:        "None for single ones; if many: the server's read time-out, or a balancer that holds requests back.",
			Balancer:   "The instance stays in rotation.",
			Alert:      "A surge over many clients.",
			Example:    "client timed out (110: Connection timed out) while reading client request headers",
			Misuse:     "For a server that was too slow to answer: 503 or, at a gateway, 504.",
		},
		{
			Code: 429, Phrase: "Too Many Requests", Source: "RFC 6585, section 4",
			Meaning:    "The 429 status code indicates that the user has sent too many requests in a given amount of time (\"rate limiting\").",
			Fault:      "The client that sends too much; or we, when a dependency answers it to us.",
			Causes:     []string{"one client, job or retry loop over its rate", "a limit below legitimate peaks", "a quota shared by several services"},
			Up:         "Yes.",
			Retry:      "Yes, after Retry-After, with back-off and jitter.",
			RetryAfter: "Always.",
			Where:      "The limiter's counters: which key, which limit; for a dependency: its quota page.",
			Fix:        "Slow the sender down; raise the limit if the measured peak is legitimate; cache and batch.",
			Balancer:   "The instance stays in rotation: health checks must not be limited.",
			Alert:      "When many clients are limited at once, or when we are limited by a dependency.",
			Example:    "ThrottlingException: Rate exceeded",
			Misuse:     "For an overload of the server that no single client brought about: that is 503. And a limit must not arrive as 500.",
			Look:       []inquest.MechanismID{"dependency-failure/rate-limited", "misconfiguration/error-mapping"},
		},
		{
			Code: 499, Phrase: "Client Closed Request", Source: "nginx (no standard; only in logs, never sent)",
			Meaning:    "The client closed the connection before the server answered.",
			Fault:      "The client went away; mostly because the answer took too long.",
			Causes:     []string{"a user who left the page", "a client, balancer or CDN with a shorter time-out than ours", "a slow upstream: the same cause as 504, seen earlier"},
			Up:         "Yes; slow, if there are many.",
			Retry:      "The client decides; the work may have been done.",
			RetryAfter: "Nobody is there to read it.",
			Where:      "The durations of the 499s: all at one round figure mean a time-out of whoever is in front; then the slowest hop behind.",
			Fix:        "Make the route quick; order the time-outs along the path; stop working for clients that are gone.",
			Balancer:   "The instance stays in rotation.",
			Alert:      "When its share rises together with p99; single ones are everyday life.",
			Example:    "client prematurely closed connection, so upstream connection is closed too while sending request to upstream",
			Misuse:     "As an answer: it cannot reach anybody.",
			Look:       []inquest.MechanismID{"database/slow-query", "dependency-failure/timeout", "misconfiguration/timeout-too-short"},
		},
	}
}
