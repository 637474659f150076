package symptom

import (
	"fmt"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
)

// upstreams groups the failed requests by what the proxy saw of its upstream.
func upstreams(c *inquest.Case, r *Resolver) []inquest.Symptom {
	type key struct{ detail, peer string }
	groups := map[key][]inquest.Request{}
	for _, f := range c.Failures {
		if d := upstreamFailure(f); d != "" {
			k := key{d, r.Name(lastAddr(f.Upstream))}
			groups[k] = append(groups[k], f)
		}
	}
	var out []inquest.Symptom
	for k, fs := range groups {
		if len(fs) < 3 {
			continue
		}
		share := float64(len(fs)) / float64(len(c.Failures))
		out = append(out, inquest.Symptom{
			Kind: inquest.SymptomUpstream, Detail: k.detail, Component: c.Observer, Peer: k.peer, Onset: fs[0].Time, Last: fs[len(fs)-1].Time,
			Count: len(fs), Share: share, Value: none, Baseline: none, Limit: none,
			Text:     fmt.Sprintf("%s: %s from %s in %.0f%% of the failed requests", c.Observer, upstreamWords[k.detail], orUnknown(k.peer), 100*share),
			Evidence: []inquest.Evidence{requestEvidence(fs[0])},
		})
	}
	slices.SortFunc(out, func(a, b inquest.Symptom) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Detail+a.Peer, b.Detail+b.Peer)
	})
	return out
}

var upstreamWords = map[string]string{
	"no-answer": "no answer", "refused": "connection refused", "timeout": "time-out", "reset": "connection cut", "cut-off": "answer cut off in the middle", "no-live": "no live upstream",
	"malformed": "malformed answer", "status": "an error status", "overload": "overflow",
	"tls": "no TLS connection", "dns": "name not found",
}

func orUnknown(s string) string {
	if s == "" {
		return "an upstream without a name"
	}
	return s
}

func lastAddr(list string) string {
	fs := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	if len(fs) == 0 {
		return ""
	}
	return fs[len(fs)-1]
}

func lastCode(list string) string {
	fs := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == ':' })
	if len(fs) == 0 {
		return ""
	}
	return fs[len(fs)-1]
}

// upstreamFailure names what went wrong between the proxy and its upstream, from the upstream's status, Envoy's response
// flags (Envoy manual, access logging), HAProxy's termination state (HAProxy manual 8.5) or the reason of inquest gateway.
func upstreamFailure(f inquest.Request) string {
	switch d := byReason(f.Reason); {
	case d == "reset" && f.Status < 400: // the head of the answer had come
		return "cut-off"
	case d == "refused" && strings.HasSuffix(f.Upstream, "/<NOSRV>"): // HAProxy had no server to ask
		return "no-live"
	case d != "":
		return d
	}
	code := lastCode(f.UpstreamStatus)
	switch {
	case code == "" && f.Upstream == "" && f.UpstreamStatus == "":
		return ""
	case len(code) == 3 && code[0] == '5' && code != "502" && code != "504" && code == fmt.Sprint(f.Status):
		return "status"
	case f.Status == 504, code == "504":
		return "timeout"
	case f.Status == 502 || f.Status == 503:
		return "no-answer"
	}
	return ""
}

func byReason(reason string) string {
	first, _, _ := strings.Cut(reason, ",")
	switch first {
	case "UF", "URX":
		return "refused"
	case "UH", "NC", "NR":
		return "no-live"
	case "UO":
		return "overload"
	case "UT", "SI", "DT":
		return "timeout"
	case "UC", "UPE":
		return "reset"
	case "refused", "malformed", "tls", "dns": // inquest gateway's own words, docs/format/gateway-log.md
		return first
	case "connect-timeout", "header-timeout", "stall", "status-504":
		return "timeout"
	case "status-502", "status-500": // its own answers opened the circuit
		return "status"
	case "cut":
		return "reset"
	case "open", "status", "status-503":
		return "no-live"
	case "shed":
		return "overload"
	}
	if len(reason) >= 2 && len(reason) <= 4 { // HAProxy: first letter why, second letter when
		switch reason[:2] {
		case "SC":
			return "refused"
		case "sC":
			return "timeout"
		case "sH", "sD":
			return "timeout"
		case "SH", "SD":
			return "reset"
		case "PH":
			return "malformed"
		case "sQ":
			return "overload"
		}
	}
	return ""
}
