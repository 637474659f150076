package servicegraph

import (
	"strings"
	"unicode"

	"github.com/inquesthq/inquest"
)

// kind is what a metric family measures, as far as its name tells.
type kind uint8

const (
	kindNone       kind = iota
	kindLatency         // seconds a request took, at the component
	kindOutgoing        // seconds requests of the component to others took
	kindRequests        // requests per second
	kindFailures        // failed requests per second
	kindFailRatio       // failed requests of all, 0 to 1
	kindCPU             // CPU used of the limit, 0 to 1
	kindCores           // CPU used in cores, limit unknown
	kindThrottle        // share or rate of throttling
	kindSaturation      // another resource used of its limit, 0 to 1
	kindRestarts        // restarts per second
	kindUp              // 1 when reachable, 0 when not
	kindUsed            // a resource in use, in a unit of its own; means something next to its limit only
	kindLimit           // the limit of such a resource
	kindIO              // disk operations or bytes
)

// reading is a series understood: whom it describes, what it measures, and in which unit.
type reading struct {
	kind       kind
	component  string // the component described; for a call, its callee
	from       string // caller, when the series describes calls
	callerView bool   // measured by the caller, so that it contains the network
	stat       string // "avg", "p50" ...; "" when there is only one
	part       string // "sum" or "count" of a histogram or summary
	stem       string // kindUsed and kindLimit: what both names have in common
	scale      float64
	counter    bool
	perSecond  bool // requests or failures given as a rate
	inverted   bool // the share that went well, of which failures are the rest
	failed     bool // requests, and by their status all of them failed
}

var (
	upstreamLabels  = []string{"envoy_cluster_name", "upstream", "backend"} // a proxy's word on whom it forwards to
	componentLabels = []string{"proxy", "service", "service_name", "app", "application", "component", "workload", "deployment",
		"microservice", "app_kubernetes_io_name", "container", "container_name", "job", "pod", "pod_name", "node", "instance", "host"}
	sourceLabels = []string{"source", "source_service", "source_workload", "source_app", "caller", "client", "from", "src"}
	destLabels   = []string{"destination", "destination_service", "destination_workload", "destination_app", "callee", "server", "to", "dst"}
	viewLabels   = []string{"reporter", "side", "span_kind", "kind"}
)

// read understands a series by its name and labels. ok is false when the conventions say nothing about it, which
// is the fate of most runtime metrics.
func read(s inquest.Series) (r reading, ok bool) {
	words := tokens(s.Name)
	has := wordSet(words)
	r.scale = unitScale(has)
	r.counter = s.Type == "counter" || has["total"]
	if n := len(words); n > 0 && (words[n-1] == "sum" || words[n-1] == "count") {
		r.part = words[n-1]
	}
	if r.kind = family(has, r); r.kind == kindNone {
		r.kind, r.stem = usage(words, has)
	}
	if r.kind == kindNone || has["bucket"] {
		return r, false
	}
	if r.kind == kindCores && idleCPU(s.Labels) {
		return r, false
	}
	r.counter = r.counter || r.part != ""
	r.inverted = r.kind == kindFailRatio && anyOf(has, "availability", "success", "succeeded", "successful")
	r.failed = r.kind == kindRequests && statusFailed(s.Labels)
	r.perSecond = (r.kind == kindRequests || r.kind == kindFailures) && !r.counter && (has["per"] && has["second"] || anyOf(has, "rps", "qps"))
	r.stat = statOf(s.Labels, words)
	r.from, r.component = first(s.Labels, sourceLabels), first(s.Labels, destLabels)
	if r.from == "" || r.component == "" {
		if r.from, r.component = "", first(s.Labels, upstreamLabels); r.component == "" {
			r.component = componentOf(s.Labels)
		} else if r.kind == kindOutgoing {
			r.kind = kindLatency // the proxy's outgoing calls are what its upstream serves
		}
	} else if v := strings.ToLower(first(s.Labels, viewLabels)); v == "source" || v == "client" || v == "caller" || v == "outbound" {
		r.callerView = true
	}
	return r, r.component != ""
}

// family decides what a name measures. Resource words win over request words: "node_cpu_requests" is no traffic.
func family(has map[string]bool, r reading) kind {
	share := has["percent"] || has["ratio"] || has["utilization"] || has["utilisation"] || has["pct"]
	switch {
	case len(has) == 1 && has["up"]:
		return kindUp
	case anyOf(has, "created", "info", "timestamp", "start", "scrape", "gc", "compile", "config", "limit", "limits", "quota", "max", "capacity"):
		return kindNone
	case anyOf(has, "throttled", "throttling", "throttle"):
		return kindThrottle
	case has["cpu"] && anyOf(has, "node", "host", "machine"):
		return kindNone // shared by all that run there: it would accuse the neighbours
	case has["cpu"] && share:
		return kindCPU
	case has["cpu"] && anyOf(has, "seconds", "millicores", "cores", "usage"):
		return kindCores
	case share && anyOf(has, "memory", "mem", "heap", "disk", "filesystem", "fd", "fds", "threads", "pool", "connections"):
		if anyOf(has, "node", "host", "machine", "free", "available") {
			return kindNone
		}
		return kindSaturation
	case anyOf(has, "restarts", "restart") && !has["seconds"]:
		return kindRestarts
	case anyOf(has, "availability") || (share || has["rate"]) && anyOf(has, "success", "succeeded", "successful"):
		return kindFailRatio
	case anyOf(has, "errors", "error", "failed", "failures", "failure", "faults", "5xx", "exceptions"):
		if share {
			return kindFailRatio
		}
		return kindFailures
	}
	return trafficFamily(has, r)
}

var (
	usedWords  = map[string]bool{"open": true, "used": true, "usage": true, "active": true, "acquired": true, "busy": true, "in": true, "use": true, "working": true, "set": true, "resident": true, "rss": true}
	limitWords = map[string]bool{"max": true, "maximum": true, "limit": true, "limits": true, "capacity": true, "spec": true}
)

// usage recognises a resource in use and its limit, which come as two families whose names differ in those words:
// process_open_fds and process_max_fds, container_memory_working_set_bytes and container_spec_memory_limit_bytes.
func usage(words []string, has map[string]bool) (kind, string) {
	if anyOf(has, "fs", "disk", "diskio", "io") && anyOf(has, "read", "write", "reads", "writes", "written", "calls", "operations", "ops") &&
		!anyOf(has, "node", "host", "seconds", "time") {
		return kindIO, ""
	}
	if anyOf(has, "node", "host", "machine", "total", "requests", "free", "available", "cache", "cached") || !anyOf(has, "memory", "heap", "fds", "connections", "threads", "pool", "disk") {
		return kindNone, ""
	}
	k, stem := kindNone, ""
	for _, w := range words {
		switch {
		case w == "memory" && len(words) > 1 && k == kindNone:
			k, stem = kindUsed, stem+w+" " // "container_memory_bytes" says no more than that it is in use
		case limitWords[w]:
			k = kindLimit
		case usedWords[w]:
			if k == kindNone {
				k = kindUsed
			}
		default:
			stem += w + " "
		}
	}
	return k, stem
}

func trafficFamily(has map[string]bool, r reading) kind {
	served := anyOf(has, "latency", "request", "requests", "rq", "http", "grpc", "rpc", "response", "call", "calls", "handler", "query", "server", "client")
	timed := anyOf(has, "latency", "duration", "elapsed", "rtt", "handling", "processing") || has["time"] && anyOf(has, "response", "request", "rq") ||
		r.part != "" && has["seconds"] // http_server_requests_seconds_sum
	switch {
	case timed && served && !anyOf(has, "bytes", "size"):
		if r.part == "count" {
			return kindRequests
		}
		if anyOf(has, "client", "outgoing", "outbound", "egress", "upstream") {
			return kindOutgoing
		}
		return kindLatency
	case anyOf(has, "bytes", "size", "flight", "inflight", "active", "pending", "queue", "queued", "seconds", "io", "success"):
		return kindNone
	case anyOf(has, "requests", "rq", "calls", "rps", "qps", "invocations", "hits") || has["request"] && has["count"]:
		if anyOf(has, "client", "outgoing", "outbound", "egress") {
			return kindNone
		}
		return kindRequests
	}
	return kindNone
}

func unitScale(has map[string]bool) float64 {
	switch {
	case anyOf(has, "percent", "pct", "percentage"):
		return 0.01
	case anyOf(has, "milliseconds", "millis", "ms", "millicores"):
		return 1e-3
	case anyOf(has, "microseconds", "micros", "us"):
		return 1e-6
	case anyOf(has, "nanoseconds", "nanos", "ns", "nanocores"):
		return 1e-9
	}
	return 1
}

// statOf names the statistic of a pre-computed distribution: "avg", "p50", "p99"; "" when there is none.
func statOf(labels map[string]string, words []string) string {
	v := strings.ToLower(first(labels, []string{"quantile", "stat", "statistic", "percentile", "aggregation"}))
	if v == "" && len(words) > 0 {
		for _, w := range words {
			if w == "avg" || w == "mean" || w == "average" || len(w) > 1 && w[0] == 'p' && unicode.IsDigit(rune(w[1])) {
				v = w
			}
		}
	}
	switch v {
	case "avg", "mean", "average":
		return "avg"
	case "0.5", ".5", "50", "median":
		return "p50"
	case "0.9", "90":
		return "p90"
	case "0.95", "95":
		return "p95"
	case "0.99", "99":
		return "p99"
	}
	return v
}

// componentOf names what a series describes. A pod's name is folded to its workload, since the hash behind it
// changes with every rollout.
func componentOf(labels map[string]string) string {
	for _, k := range componentLabels {
		v := labels[k]
		if v == "" {
			continue
		}
		if k == "pod" || k == "pod_name" {
			return workload(v)
		}
		return v
	}
	return ""
}

// workload strips the suffixes Kubernetes appends to a pod's name ("cart-579f59597d-wc2lz" -> "cart").
func workload(pod string) string {
	parts := strings.Split(pod, "-")
	n := len(parts)
	if n >= 3 && len(parts[n-1]) == 5 && len(parts[n-2]) >= 8 && len(parts[n-2]) <= 10 && hasDigit(parts[n-2]) {
		return strings.Join(parts[:n-2], "-")
	}
	if n >= 2 && allDigits(parts[n-1]) {
		return strings.Join(parts[:n-1], "-")
	}
	return pod
}

// statusFailed reports whether the labels name a server's fault: HTTP 5xx, a gRPC code for one, or plainly an error.
func statusFailed(labels map[string]string) bool {
	for _, k := range []string{"status", "code", "status_code", "http_status", "http_response_status_code", "response_code",
		"http_status_code", "grpc_code", "grpc_status", "result", "outcome"} {
		v := strings.ToLower(labels[k])
		if len(v) == 3 && v[0] == '5' {
			return true
		}
		switch v {
		case "error", "failed", "failure", "server_error", "internal", "unavailable", "unknown", "deadlineexceeded", "dataloss":
			return true
		}
	}
	return false
}

func idleCPU(labels map[string]string) bool {
	switch labels["mode"] {
	case "idle", "iowait", "steal":
		return true
	}
	return false
}

// tokens splits a name at everything that is neither letter nor digit and at the humps of camel case.
func tokens(name string) []string {
	var out []string
	var cur []rune
	flush := func() {
		if len(cur) > 0 {
			out = append(out, strings.ToLower(string(cur)))
			cur = cur[:0]
		}
	}
	lower := false
	for _, c := range name {
		switch {
		case !unicode.IsLetter(c) && !unicode.IsDigit(c):
			flush()
		case unicode.IsUpper(c) && lower:
			flush()
			cur = append(cur, c)
		default:
			cur = append(cur, c)
		}
		lower = unicode.IsLower(c) || unicode.IsDigit(c)
	}
	flush()
	return out
}

func wordSet(words []string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}

func anyOf(has map[string]bool, words ...string) bool {
	for _, w := range words {
		if has[w] {
			return true
		}
	}
	return false
}

func first(labels map[string]string, keys []string) string {
	for _, k := range keys {
		if v := labels[k]; v != "" {
			return v
		}
	}
	return ""
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

func allDigits(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
