package explain

import "github.com/inquesthq/inquest"

// cloudflare fills what all of 520 to 527 have in common: the edge is up and reports on the origin.
func cloudflare(code int, phrase, meaning, fault, where, fix, example string, causes []string, look ...inquest.MechanismID) Entry {
	return Entry{Code: code, Phrase: phrase, Source: "Cloudflare (no standard)", Meaning: meaning, Fault: fault, Causes: causes,
		Up:         "The edge is; the origin is not, or cannot be reached by it.",
		Retry:      "Idempotent requests only, with back-off.",
		RetryAfter: "Not set by the edge.",
		Where:      where, Fix: fix,
		Balancer: "Cloudflare's health checks take the origin out if a pool is configured.",
		Alert:    "The edge's 52x ratio per origin.",
		Example:  example,
		Misuse:   "By an origin server: only the edge sends it.",
		Look:     look,
	}
}

func cloudflareErrors() []Entry {
	return []Entry{
		cloudflare(520, "Web Server Returned an Unknown Error", "The origin returned an empty, unknown or unexpected response to Cloudflare.",
			"The origin server.", "The origin's error log at the time of the Ray ID; size of the response headers.", "Repair the crash, the reset or the oversized header at the origin.",
			"recv() failed (104: Connection reset by peer)", []string{"the origin crashed or reset the connection", "headers above the edge's limit (too many cookies)", "an empty answer"},
			"misconfiguration/keepalive-mismatch", "resource-exhaustion/memory", "misconfiguration/limit-too-small"),
		cloudflare(521, "Web Server Is Down", "The origin refused the connection from Cloudflare.",
			"The origin server or its firewall.", "Is the origin's port open? Does its firewall let Cloudflare's addresses in?", "Start the origin; allow Cloudflare's address ranges.",
			"Connection refused", []string{"the origin's server is stopped", "a firewall blocks the edge's addresses", "wrong port"}, "dependency-failure/refused", "bad-deploy/startup-crash"),
		cloudflare(522, "Connection Timed Out", "Cloudflare timed out contacting the origin: the TCP handshake was not completed in time.",
			"The origin's network, or an overloaded origin.", "Packets between edge and origin; the origin's accept queue and load.", "Let the packets through; relieve the origin.",
			"SYN without answer", []string{"a firewall or security group drops packets", "the origin's accept queue is full", "a wrong address in DNS"}, "dependency-failure/timeout", "resource-exhaustion/threads", "misconfiguration/wrong-upstream"),
		cloudflare(523, "Origin Is Unreachable", "Cloudflare could not reach the origin, for instance because the route or the DNS record of the origin is wrong.",
			"Network or DNS of the origin.", "The origin's DNS record at the edge; routes to it.", "Set the record right; repair the route.",
			"No route to host", []string{"the origin's address changed and the record did not", "a route is gone"}, "misconfiguration/wrong-upstream", "dependency-failure/dns"),
		cloudflare(524, "A Timeout Occurred", "Cloudflare connected to the origin, but the origin did not answer in time (100 seconds by default).",
			"A slow origin.", "The origin's slow routes: queries, dependencies, workers.", "Make the route quick, or move long work out of the request and let the client poll.",
			"no response within 100 s", []string{"slow queries or dependencies", "workers used up", "reports made inside a request"}, "database/slow-query", "dependency-failure/timeout", "resource-exhaustion/threads"),
		cloudflare(525, "SSL Handshake Failed", "The TLS handshake between Cloudflare and the origin failed.",
			"The origin's TLS configuration.", "The certificate and ciphers at the origin's port 443.", "Install the certificate; offer a common protocol version and cipher; send SNI.",
			"SSL alert: handshake failure", []string{"no certificate installed at the origin", "no common cipher or version", "port 443 closed for TLS"}, "dependency-failure/tls"),
		cloudflare(526, "Invalid SSL Certificate", "Cloudflare could not validate the certificate of the origin (mode: full, strict).",
			"The origin's certificate.", "Expiry, name and issuer of the origin's certificate.", "Renew the certificate or use Cloudflare's origin certificate; do not switch strict mode off.",
			"certificate has expired", []string{"expired, self-signed or made out for another name"}, "dependency-failure/tls"),
		cloudflare(527, "Railgun Error", "The connection between Cloudflare and the origin's Railgun server was interrupted (a product that has been withdrawn).",
			"The Railgun listener at the origin.", "The listener's log.", "Take Railgun out: it is no longer supported.",
			"Railgun Listener to origin error", []string{"Railgun listener stopped, firewall, or TLS between listener and origin"}, "dependency-failure/refused"),
	}
}
