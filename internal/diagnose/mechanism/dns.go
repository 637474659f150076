package mechanism

import "github.com/inquesthq/inquest"

// dns: a name does not resolve.
func dns() Mechanism {
	return Mechanism{
		ID:    "dependency-failure/dns",
		Title: "Name does not resolve",
		What: "The name of a dependency does not resolve: the resolver is down or overloaded, the record is gone, or the name is wrong. Connections that exist go on; " +
			"each new one fails before a packet is sent to the dependency.",
		Signs: []string{
			"5xx on the routes that need the dependency, at once (NXDOMAIN) or after 5 s steps (resolver silent)",
			"`ENOTFOUND`, `EAI_AGAIN`, `no such host`, `Name or service not known` with the name",
		},
		Needs:       []string{"a failed look-up of a dependency's name in the failing requests"},
		Contradicts: []string{"the same name resolving on the same host at the time", "descriptors used up: the resolver's socket could not be opened"},
		Explains: ids(fallout(), these("database/down", "database/pool-exhausted", "dependency-failure/refused", "dependency-failure/timeout", "dependency-failure/bad-response", "dependency-failure/upstream-overload",
			"bad-deploy/startup-crash", "misconfiguration/error-mapping")),
		Above:    ids(failingAbove(), slowAbove()),
		Triggers: []inquest.TriggerKind{"infra", "config", inquest.TriggerExternal, "deploy", "scale"},
		About:    []string{"dns", "resolv", "nameserver", "zone", "domain", "hostname"},
		Roles:    []Role{RolePeer, RoleSelf},
		Clues: []Clue{
			says(1, "getaddrinfo in any runtime's words", "enotfound", "eai_again", "getaddrinfo", "name or service not known", "temporary failure in name resolution", "nodename nor servname provided", "no address associated with hostname", "could not resolve host", "name resolution failed", "no such host is known", "could not resolve hostname", "failed to lookup address information",
				"gaierror", "eai_noname", "non-recoverable failure in name resolution", "could not translate host name", "failed to resolve").but("too many open files", "emfile", "undefined", "module", "dependencies", "symbol"),
			says(1, "Go's resolver", "no such host", "server misbehaving", "lookup * on *:53", "lookup *: i/o timeout").but("docker: no such"),
			thrown(1, "runtimes' names for it", "UnknownHostException", "NameResolutionError", "UnresolvedAddressException", "UnknownHostError", "gaierror").but("undefined", "too many open files"),
			says(0.9, "proxies: nginx, Envoy, HAProxy, Kong, Apache", "could not be resolved (", "host not found in upstream", "dns resolution failure", "dns resolution failed", "dns lookup failure for", "no address found for", "server * is going down for maintenance*dns", "failed to resolve hostname", "dns server error", "name server said: no such", "dns_resolution_failure", "dns resolution failed for").by(OriginProxy, OriginApp),
			says(0.9, "resolvers themselves: CoreDNS, systemd-resolved, dnsmasq, unbound", "plugin/errors: 2 ", "plugin/forward: no healthy", "servfail", "maximum number of concurrent dns queries reached", "read udp * i/o timeout", "no upstream host*dns").but("0 servfail"),
			says(0.8, "message queues and databases by name", "no resolvable bootstrap urls given in bootstrap.servers", "couldn't resolve server", "dns resolution failed*bootstrap", "querysrv enotfound", "querysrv eservfail", "querysrv etimeout", "failed to look up srv record"),
			says(0.8, "DNS time-outs", "dns lookup timed out", "dns query timed out", "dnsnameresolvertimeoutexception", "eai_fail", "query timed out*dns", "resolution timed out", "dns timeout", "eservfail", "dnsresolvecontext"),
			coded(0.9, "errno names of the resolver", "enotfound", "eai_again", "eai_fail", "eai_noname", "eai_nodata"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomUpstream, Detail: "dns", Weight: 0.8, Why: "the proxy or client could not resolve the name"},
		},
		Confirm: []inquest.Command{
			check("Resolve the name the way the service does.", "kubectl exec deployment/{service} -- getent hosts {host}", "no answer"),
			check("Ask the resolver itself.", "dig +time=2 +tries=1 {host}", "NXDOMAIN: the record; SERVFAIL or a time-out: the resolver"),
			check("Is the cluster's resolver well?", "kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide", "restarting, or too few"),
		},
		Actions: []inquest.Action{
			now("cause", "NXDOMAIN: put the record or the name in the configuration right. Resolver silent: restart or scale it.", "kubectl -n kube-system rollout restart deployment/coredns"),
			now("symptom", "Answer 503 with Retry-After; keep serving over the connections that exist.", ""),
			later("cause", "Cache on the node, end names with a dot or lower ndots, watch the resolver's errors and latency.", ""),
			prevent("Resolve every configured name at start and before a reload; exit 1 with the name that does not resolve.", ""),
		},
		Owner:  "infrastructure",
		Status: 503,
	}
}
