package mechanism

import "github.com/inquesthq/inquest"

// tls: no trusted encrypted connection to a dependency.
func tls() Mechanism {
	return Mechanism{
		ID:    "dependency-failure/tls",
		Title: "TLS handshake fails",
		What: "The encrypted connection to a dependency cannot be made: its certificate has expired, is for another name, or is signed by somebody the caller does not " +
			"trust; or the two share no protocol version or cipher. It mostly begins at a certain minute, on all instances at once.",
		Signs: []string{
			"quick 5xx on the routes that need the dependency, all instances, from one minute on (expiry) or one deploy on (trust store)",
			"`certificate has expired`, `unable to verify`, `handshake failure` with the dependency's name",
		},
		Needs:       []string{"a failed handshake or certificate check towards a dependency in the failing requests"},
		Contradicts: []string{"handshakes of single clients failing at our own port: scanners do that all day"},
		Explains: ids(fallout(), these("database/down", "database/pool-exhausted", "dependency-failure/refused", "dependency-failure/bad-response", "dependency-failure/upstream-overload",
			"bad-deploy/startup-crash", "misconfiguration/error-mapping")),
		Above:    failingAbove(),
		Triggers: []inquest.TriggerKind{inquest.TriggerExternal, "deploy", "config", "infra"},
		About:    []string{"cert", "tls", "ssl", "mtls", "pki", "keystore", "truststore", "issuer"},
		Roles:    []Role{RolePeer, RoleSelf, RoleGateway},
		Clues: []Clue{
			says(1, "expired, or not yet valid", "certificate has expired", "certificate is expired", "cert_has_expired", "certificate expired", "certificate has expired or is not yet valid", "certificateexpiredexception", "certificatenotyetvalidexception", "certificate is not yet valid", "certexpired", "remotecertificatechainerrors", "notvalidforname").
				but("client certificate", "while reading client", "will expire"),
			says(1, "not trusted", "certificate signed by unknown authority", "unable to get local issuer certificate", "unable to verify the first certificate", "unable_to_verify_leaf_signature", "self signed certificate", "self-signed certificate", "self_signed_cert_in_chain", "depth_zero_self_signed_cert", "pkix path building failed", "unable to find valid certification path", "certificate verify failed",
				"certificate_verify_failed", "the remote certificate is invalid", "the remote certificate was rejected", "unknownissuer", "ssl certificate problem", "upstream ssl certificate verify error", "invalid peer certificate", "x509: certificate", "tls: failed to verify certificate", "untrusted certificate", "certpathvalidatorexception").but("client certificate"),
			says(1, "made out for another name", "hostname/ip does not match certificate", "err_tls_cert_altname_invalid", "x509: certificate is valid for", "x509: cannot validate certificate", "doesn't match either of", "hostname mismatch, certificate is not valid for", "no name matching * found", "no subject alternative", "certificate common name", "does not match certificate name", "ssl: no alternative certificate subject name matches"),
			says(0.9, "no common protocol version or cipher; the handshake broke off", "handshake_failure", "handshake failure", "ssl routines", "tls: handshake failure", "sslhandshakeexception", "ssl_do_handshake() failed", "no shared cipher", "tlsv1 alert", "sslv3 alert", "unsupported protocol version", "tls_error", "ssl handshake failed", "tls handshake timeout", "tls handshake failed", "could not create ssl/tls secure channel",
				"the ssl connection could not be established", "authentication failed because the remote party has closed the transport stream", "remote error: tls", "tls: bad certificate", "protocol_version", "eproto").but("while ssl handshaking, client", "http: tls handshake error from", "in ssl handshake (", "client:*while ssl handshaking", "wrong version number", "to https port", "from client").
				by(OriginApp, OriginProxy, OriginBroker, OriginSupervisor),
			thrown(0.8, "runtimes' names for it", "SSLHandshakeException", "SSLPeerUnverifiedException", "SSLError", "SSLCertVerificationError", "CertificateException", "OpenSSL::SSL::SSLError").but("wrong version number", "unrecognized ssl message"),
			says(0.9, "Envoy, HAProxy and Traefik towards the upstream", "tls error: 268435581", "transport failure reason: tls error", "layer6 invalid response: ssl handshake failure", "reset reason: remote connection failure, transport failure reason: tls", "peer's certificate issuer is not recognized").by(OriginProxy, OriginApp),
			says(0.8, "databases and brokers over TLS", "the server does not support ssl connections", "server does not support ssl, but ssl was required", "ssl is not enabled on the server", "sslmode*root certificate", "root certificate file * does not exist", "ssl connection has been closed unexpectedly", "ssl syscall error: eof detected", "ssl connection error"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomUpstream, Detail: "tls", Weight: 0.8, Why: "the proxy or client could not shake hands"},
		},
		Confirm: []inquest.Command{
			check("Read the certificate that the dependency shows.", "openssl s_client -connect {host}:{port} -servername {host} </dev/null 2>/dev/null | openssl x509 -noout -subject -issuer -enddate -ext subjectAltName", "expired, another name, or an issuer that the caller does not know"),
			check("Does the caller trust it?", "kubectl exec deployment/{service} -- curl -sS -I --max-time 5 https://{host}:{port}/", "the same error as in the log"),
			check("Is the clock right?", "timedatectl status", "a clock far off makes good certificates bad"),
		},
		Actions: []inquest.Action{
			now("cause", "Renew the certificate and reload its owner (or add the new authority to the caller's trust store); never switch verification off.", "systemctl reload nginx"),
			now("symptom", "Answer 503 with Retry-After on the routes that need it.", ""),
			later("cause", "Automate renewal, and ship trust stores by configuration instead of in images.", ""),
			prevent("Alert 30, 14 and 3 days before expiry of every certificate, also those of third parties.", "openssl s_client -connect {host}:{port} -servername {host} </dev/null 2>/dev/null | openssl x509 -noout -checkend 1209600"),
		},
		Owner:  "dependency",
		Status: 502,
	}
}
