package flow_test

import (
	"context"
	"slices"
	"testing"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/flow"
)

// oneFailure is a folder in which one error id leads to a request id, and that to every layer.
func oneFailure(t *testing.T) string {
	return folder(t, map[string]string{
		"gateway-access.json": `{"time":"2026-11-20T10:00:01Z","remote_addr":"198.51.100.1","request_method":"GET","request_uri":"/cart","status":500,"request_time":0.05,"request_id":"req-00000017","upstream_addr":"10.0.0.1:8080","upstream_status":"500"}
{"time":"2026-11-20T10:00:02Z","remote_addr":"198.51.100.2","request_method":"GET","request_uri":"/cart","status":200,"request_time":0.05,"request_id":"req-00000018","upstream_addr":"10.0.0.1:8080","upstream_status":"200"}
`,
		"cart.log": `{"time":"2026-11-20T10:00:00.9Z","level":"ERROR","msg":"answered 500 with ERR-7f3a91","request_id":"req-00000017"}
{"time":"2026-11-20T10:00:00.5Z","level":"WARN","msg":"slow basket","request_id":"req-00000017","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}
{"time":"2026-11-20T10:00:01.5Z","level":"WARN","msg":"slow basket","request_id":"req-00000018"}
`,
		"postgresql.log": "2026-11-20 10:00:00.700 UTC [81] cart@shop ERROR:  canceling statement due to statement timeout\n2026-11-20 10:00:00.700 UTC [81] cart@shop STATEMENT:  /* req-00000017 */ SELECT 1\n",
		"other.log":      "2026-11-20T10:00:00Z INFO nothing to do with it\n",
	})
}

func TestLookupFollowsAnErrorIDThroughTheLayers(t *testing.T) {
	tr, err := flow.Lookup(context.Background(), oneFailure(t), "ERR-7f3a91")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(tr.IDs, "req-00000017") {
		t.Errorf("ids %v", tr.IDs)
	}
	layers := map[inquest.Layer]int{}
	for _, r := range tr.Records {
		layers[r.Layer]++
		if r.Record.RequestID == "req-00000018" || r.File == "other.log" {
			t.Errorf("another request's record: %+v", r.Record)
		}
	}
	if layers[inquest.LayerResponse] != 1 || layers[inquest.LayerApplication] != 2 || layers[inquest.LayerInfrastructure] == 0 {
		t.Errorf("records by layer %v", layers)
	}
	if !slices.IsSortedFunc(tr.Records, func(a, b flow.Found) int { return int(a.Record.Time - b.Record.Time) }) {
		t.Error("records are not in the order of time")
	}
}

func TestLookupOfNothingFindsNothing(t *testing.T) {
	tr, err := flow.Lookup(context.Background(), oneFailure(t), "ERR-unknown")
	if err != nil || len(tr.Records) != 0 || len(tr.Spans) != 0 {
		t.Errorf("%+v, %v", tr, err)
	}
	if _, err := flow.Lookup(context.Background(), oneFailure(t), "17"); err == nil {
		t.Error("two characters are no id: they would be found everywhere")
	}
}
