package mechanism

import "github.com/inquesthq/inquest"

// ports: no local port, or no slot in the kernel's connection table, for another outgoing connection.
func ports() Mechanism {
	return Mechanism{
		ID:    "resource-exhaustion/ports",
		Title: "Local ports or connection table used up",
		What: "The host or its NAT has no local port left for new outgoing connections to one destination, or the kernel's connection tracking table is full. Mostly " +
			"each call opens a connection of its own and leaves it in TIME_WAIT. Connections that exist go on.",
		Signs: []string{
			"calls to one busy dependency fail at once or time out on connect, while that dependency is idle",
			"`Cannot assign requested address`, `EADDRNOTAVAIL`, `nf_conntrack: table full, dropping packet`",
			"tens of thousands of sockets in TIME_WAIT",
		},
		Needs:       []string{"EADDRNOTAVAIL on connect or a full connection table in the failing time, or local ports at the limit of their range"},
		Contradicts: []string{"few sockets in TIME_WAIT at the time", "the address being foreign to the host (then the bind address is misconfigured)"},
		Explains: ids(fallout(), these("dependency-failure/dns", "dependency-failure/refused", "dependency-failure/timeout", "dependency-failure/bad-response", "dependency-failure/upstream-overload",
			"database/down", "database/pool-exhausted", "misconfiguration/wrong-upstream", "misconfiguration/error-mapping")),
		Above:    ids(failingAbove(), slowAbove()),
		Triggers: []inquest.TriggerKind{inquest.TriggerTraffic, "deploy", "config", "scale", "infra"},
		About:    []string{"port", "keepalive", "keep-alive"},
		Gradual:  true,
		Shared:   true,
		Roles:    []Role{RoleSelf, RoleGateway},
		Clues: []Clue{
			says(0.9, "errno EADDRNOTAVAIL on connect, in any runtime's words", "cannot assign requested address", "can't assign requested address", "eaddrnotavail", "[errno 99]", "os error 99", "(99: cannot assign requested address)").but("bind", "listen", "binding", "unable to start", "could not create server tcp listening"),
			says(0.3, "the same on listen: an address that the host does not have", "cannot assign requested address", "eaddrnotavail").and("listen"),
			says(1, "the kernel's connection tracking table", "nf_conntrack: table full", "ip_conntrack: table full", "nf_conntrack: nf_conntrack: table full"),
			says(0.9, "Windows and .NET: WSAENOBUFS", "an operation on a socket could not be performed because the system lacked sufficient buffer space", "lacked sufficient buffer space or because a queue was full", "wsaenobufs", "tcp/ip failed to establish an outgoing connection because the selected local endpoint was recently used", "error 10055", "(10055)"),
			says(1, "told in words", "ephemeral port exhaustion", "port exhaustion", "ports exhausted", "no free local port", "out of ephemeral ports", "no available source port", "could not allocate a source port", "errorportallocation", "port allocation error", "no free source ports").but("snat ports: ok"),
			says(0.8, "HAProxy and kernel: socket memory and orphans", "no free ports", "tcp: out of memory -- consider tuning tcp_mem", "too many orphaned sockets", "tcp: time wait bucket table overflow", "cannot bind to source address before connect"),
			says(0.7, "errno ENOBUFS", "no buffer space available", "enobufs"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomSaturation, Resource: ResourcePorts, Weight: 0.8, Why: "local ports at the limit of their range are what the mechanism is"},
		},
		Confirm: []inquest.Command{
			check("Count sockets by state.", "ss -tan | awk 'NR > 1 {print $1}' | sort | uniq -c | sort -rn", "tens of thousands in TIME-WAIT"),
			check("Towards whom?", "ss -tan state time-wait | awk 'NR > 1 {print $4}' | sort | uniq -c | sort -rn | head -n 5", "one destination"),
			check("The range of local ports, and the connection table.", "sysctl net.ipv4.ip_local_port_range net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max", "the count near the range or the maximum"),
		},
		Actions: []inquest.Action{
			rollback(),
			now("symptom", "Scale out to more hosts, and widen the range of local ports.", "sysctl -w net.ipv4.ip_local_port_range='1024 65535'"),
			now("symptom", "Reuse ports in TIME_WAIT for outgoing connections.", "sysctl -w net.ipv4.tcp_tw_reuse=1"),
			later("cause", "Fix the leak: one client with keep-alive per dependency, response bodies read and closed, no connection per call.", ""),
			prevent("Alert on TIME_WAIT per destination and on the connection table at 80%.", ""),
		},
		Owner:  "code",
		Status: 503,
	}
}
