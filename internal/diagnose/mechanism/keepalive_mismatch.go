package mechanism

import "github.com/inquesthq/inquest"

// keepaliveMismatch: the callee closes idle connections before the caller stops using them.
func keepaliveMismatch() Mechanism {
	return Mechanism{
		ID:    "misconfiguration/keepalive-mismatch",
		Title: "Idle connections closed by the callee first",
		What: "The callee closes an idle keep-alive connection (Node: after 5 s) at the moment when the caller sends the next request over it. The request meets a " +
			"closed connection and becomes a 502, though both sides are healthy. A pooled database connection cut by a firewall or server shows the same.",
		Signs: []string{
			"rare 502, spread over all routes and instances, more of them when traffic is thin",
			"`upstream prematurely closed connection while reading response header`, `connection reset by peer`, `socket hang up`, within milliseconds",
			"nothing in the callee's log for these requests",
		},
		Needs:       []string{"connections closed or reset before any answer, quickly, with no restart or crash of the callee"},
		Contradicts: []string{"a restart, crash or memory kill of the callee at these times", "resets in the middle of an answer or after a long wait"},
		Explains:    ids(fallout(), these("database/down", "dependency-failure/bad-response", "misconfiguration/error-mapping")),
		Above:       failingAbove(),
		Triggers:    []inquest.TriggerKind{"config", "deploy", "infra", inquest.TriggerTraffic},
		About:       []string{"keepalive", "keep-alive", "idle"},
		Roles:       []Role{RoleSelf, RoleGateway, RolePeer},
		Silent:      true,
		Clues: []Clue{
			says(0.6, "nginx: the upstream closed the connection before it answered", "upstream prematurely closed connection while reading response header", "recv() failed (104: connection reset by peer) while reading response header", "upstream closed prematurely").by(OriginProxy),
			says(0.5, "Envoy, Apache, HAProxy, Caddy, Go's reverse proxy", "reset reason: connection termination", "upstream_reset_before_response_started{connection_termination}", "ah01102: error reading status line", "error reading from remote server", "proxy error: eof", "transport connection broken",
				"server closed idle connection", "response_flags\":\"uc\"", "response_flags=uc", "ah00898").by(OriginProxy, OriginApp).but("malformed"),
			says(0.6, "inquest gateway: a connection that had served before was closed under a request", "closed a kept connection before it answered").by(OriginProxy, OriginApp),
			says(0.5, "HTTP clients that met a closed connection", "socket hang up", "remotedisconnected", "remote end closed connection without response", "the server failed to respond", "nohttpresponseexception", "unexpected end of stream on", "server disconnected without sending a response",
				"other side closed", "connection was closed before the response", "an existing connection was forcibly closed by the remote host", "connection closed before message completed", "the response ended prematurely", "premature eof", "http: server closed idle connection",
				"connection prematurely closed before response", "client network socket disconnected before").but("client prematurely", "tls"),
			says(0.3, "reset: one of several meanings", "connection reset by peer", "econnreset").but("client", "aborted by"),
			says(0.6, "a pooled database connection that the server or a firewall cut while idle", "the client was disconnected by the server because of inactivity", "the last packet successfully received from the server was", "marking * connection * as broken*idle",
				"terminating connection due to idle-session timeout", "terminating connection due to idle-in-transaction timeout", "possibly consider using a shorter maxlifetime value"),
			says(0.7, "MySQL's and MariaDB's own word for a client that was idle longer than wait_timeout allows", "got timeout reading communication packets").by(OriginDatabase),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomUpstream, Detail: "reset", Weight: 0.4, Why: "the proxy's connection was reset before an answer"},
		},
		Confirm: []inquest.Command{
			check("How long does the caller keep idle connections?", "nginx -T 2>/dev/null | grep -n -E 'keepalive'", "longer than the callee's idle time-out"),
			check("When does the callee close an idle connection?", "bash -c 'exec 3<>/dev/tcp/{host}/{port}; time cat <&3'", "closed by the callee after fewer seconds than the caller keeps it"),
		},
		Actions: []inquest.Action{
			now("cause", "Set the callee's idle time-out longer than the caller's (Node: server.keepAliveTimeout = 65000, headersTimeout = 66000 behind a balancer with 60 s).", ""),
			now("cause", "Restart the callee, one instance at a time.", "kubectl rollout restart deployment/{service}"),
			now("symptom", "Let the caller repeat idempotent requests once on a fresh connection.", ""),
			later("cause", "Drain before stopping: close the listener, answer with Connection: close, then exit.", ""),
			prevent("Validate at start: refuse an idle time-out shorter than the balancer's.", ""),
		},
		Owner:  "configuration",
		Status: 502,
	}
}
