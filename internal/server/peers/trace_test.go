package peers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/server/peers"
	"github.com/inquesthq/inquest/internal/web"
)

// A request is shown by all that is known of it: lines of every layer with the exception that they carry, and spans, in the order of time.
func TestARequestIsShownWithItsExceptionsAndSpans(t *testing.T) {
	at := func(ms int) time.Time {
		return time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC).Add(time.Duration(ms) * time.Millisecond)
	}
	record := func(ms int, change func(*parse.Record)) *parse.Record {
		r := new(parse.Record)
		r.Reset()
		r.Time, r.Line = at(ms).UnixNano(), 7
		change(r)
		return r
	}
	found := &flow.Trace{IDs: []string{"req-1"}, Omitted: 2,
		Records: []flow.Found{
			{File: "nginx.log", Service: "nginx", Layer: inquest.LayerResponse, Record: record(900, func(r *parse.Record) {
				r.Method, r.URL, r.Status, r.Duration, r.Upstream = "POST", "/pay", 502, 0.9, "10.0.0.5:80"
			})},
			{File: "pay.log", Service: "pay", Layer: inquest.LayerApplication, Record: record(500, func(r *parse.Record) {
				r.Message = "cannot pay"
				r.Exception = &inquest.Exception{Type: "PayError", Message: "declined", AppFrame: "Pay.run (pay.py:12)", Chain: []inquest.Cause{{Type: "PayError", Message: "declined"}, {Type: "OSError", Message: "refused"}}}
			})},
			{File: "pay.log", Service: "pay", Layer: inquest.LayerApplication, Record: record(600, func(r *parse.Record) {
				r.Message = "PayError: declined"
				r.Exception = &inquest.Exception{Type: "PayError", Message: "declined", Chain: []inquest.Cause{{Type: "PayError", Message: "declined"}}}
			})},
			{File: "gateway.log", Service: "inquest-gateway", Layer: inquest.LayerResponse, Record: record(950, func(r *parse.Record) { r.Message = "a user reports"; r.Add("kind", "user-report") })},
		},
		Spans: []inquest.Span{{Service: "pay", Kind: "client", Name: "charge", Peer: "bank", Start: at(100), Duration: 300 * time.Millisecond, StatusCode: 503, Error: true, Message: "unavailable"},
			{Service: "pay", Name: "check", Start: at(50), Duration: 2 * time.Millisecond}},
	}
	line := func(ms int, service string, layer inquest.Layer, file, text string) web.Line {
		l := web.Line{Time: at(ms), Service: service, Layer: layer, Text: text}
		if file != "" {
			l.Source = inquest.Source{File: file, Line: 7}
		}
		return l
	}
	want := &web.Trace{IDs: []string{"req-1"}, Omitted: 2, Lines: []web.Line{
		line(50, "pay", inquest.LayerApplication, "", "span check: 2ms"),
		line(100, "pay", inquest.LayerApplication, "", "span client charge to bank: 300ms, 503, failed: unavailable"),
		line(500, "pay", inquest.LayerApplication, "pay.log", "cannot pay\nexception: PayError: declined\ncaused by: OSError: refused\nat Pay.run (pay.py:12)"),
		line(600, "pay", inquest.LayerApplication, "pay.log", "PayError: declined"),
		line(900, "nginx", inquest.LayerResponse, "nginx.log", "POST /pay 502 in 0.900 s via 10.0.0.5:80"),
		line(950, "inquest-gateway", inquest.LayerResponse, "gateway.log", "a user reports"),
	}}
	want.Lines[5].Report = true
	if diff := cmp.Diff(want, peers.Trace(found)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
