package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ParseLine reads a line of the gateway's access log (docs/format/gateway-log.md) and returns it with its request_uri.
func ParseLine(b []byte) (l Line, uri string, err error) {
	var in struct {
		Status    int    `json:"status"`
		Upstream  int    `json:"upstream_status"`
		Attempts  int    `json:"attempts"`
		Reason    string `json:"reason"`
		RequestID string `json:"request_id"`
		TraceID   string `json:"trace_id"`
		ErrorID   string `json:"error_id"`
		Address   string `json:"upstream_addr"`
		URI       string `json:"request_uri"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return Line{}, "", fmt.Errorf("conformance: a line of the access log: %w", err)
	}
	return Line{Status: in.Status, Upstream: in.Upstream, Attempts: in.Attempts, Reason: in.Reason, RequestID: in.RequestID, TraceID: in.TraceID,
		ErrorID: in.ErrorID, Address: in.Address}, in.URI, nil
}

// Table writes the results as a page.
func Table(results []Result) string {
	var b strings.Builder
	passed := 0
	for _, r := range results {
		if r.OK {
			passed++
		}
	}
	fmt.Fprintf(&b, "# Conformance of the gateway\n\nWritten by `make conformance`; do not edit. %d of %d behaviours are as they must be. Each has an upstream that misbehaves on the wire,\nand a client that looks at the bytes; limits: connect 2 s, response and stall 1 s.\n", passed, len(results))
	group := ""
	for _, r := range results {
		if r.Group != group {
			group = r.Group
			fmt.Fprintf(&b, "\n## %s%s\n\n| behaviour | it must be so | expected | observed |\n| --- | --- | --- | --- |\n", strings.ToUpper(group[:1]), group[1:])
		}
		observed := r.Observed
		if !r.OK {
			observed = "**" + observed + "**: " + r.Why
		}
		cell := strings.NewReplacer("|", "\\|", "\n", " ").Replace
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.Name, cell(r.Sentence), cell(r.Expected), cell(observed))
	}
	return b.String()
}
