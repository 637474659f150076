package servicegraph_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/servicegraph"
)

func span(trace, id, parent, service string, at time.Duration) inquest.Span {
	return inquest.Span{TraceID: trace, SpanID: id, ParentID: parent, Service: service, Name: "op",
		Start: onset.Add(at), Duration: 10 * time.Millisecond}
}

func TestBuildGraphJoinsEdgesAndTraces(t *testing.T) {
	tests := []struct {
		sentence string
		edges    []inquest.Edge
		spans    []inquest.Span
		want     []inquest.Edge
	}{
		{"nothing gives nothing", nil, nil, nil},
		{"edges count once, sorted, without self-calls and empty names",
			[]inquest.Edge{{From: "b", To: "c"}, {From: "a", To: "b"}, {From: " a ", To: "b"}, {From: "a", To: "a"}, {From: "", To: "b"}, {From: "b"}},
			nil, []inquest.Edge{{From: "a", To: "b"}, {From: "b", To: "c"}}},
		{"a span below one of another service is a call", nil,
			[]inquest.Span{span("t", "1", "", "web", 0), span("t", "2", "1", "web", 1), span("t", "3", "2", "users", 2)},
			[]inquest.Edge{{From: "web", To: "users"}}},
		{"the child may come first, and start first when clocks differ", nil,
			[]inquest.Span{span("t", "3", "2", "users", -2), span("t", "2", "", "web", 0)},
			[]inquest.Edge{{From: "web", To: "users"}}},
		{"a span id in another trace is another span", nil,
			[]inquest.Span{span("t", "1", "", "web", 0), span("u", "2", "1", "users", 1)}, nil},
		{"spans that are each other's parents are no calls twice over", nil,
			[]inquest.Span{span("t", "1", "2", "a", 0), span("t", "2", "1", "b", 1)},
			[]inquest.Edge{{From: "b", To: "a"}}},
		{"a client span without a server's names its peer, without the port", nil,
			[]inquest.Span{{TraceID: "t", SpanID: "1", Service: "web", Name: "SELECT", Kind: "client", Peer: "db.internal:5432", Start: onset}},
			[]inquest.Edge{{From: "web", To: "db.internal"}}},
		{"a client span with a server's names nobody else", nil,
			[]inquest.Span{{TraceID: "t", SpanID: "1", Service: "web", Name: "GET", Kind: "client", Peer: "10.0.0.7:80", Start: onset}, span("t", "2", "1", "users", 1)},
			[]inquest.Edge{{From: "web", To: "users"}}},
		{"a peer named by a server span is a client and no callee", nil,
			[]inquest.Span{{TraceID: "t", SpanID: "1", Service: "web", Name: "GET", Kind: "server", Peer: "10.0.0.7", Start: onset}}, nil},
		{"both sources together", []inquest.Edge{{From: "edge", To: "web"}},
			[]inquest.Span{span("t", "1", "", "web", 0), span("t", "2", "1", "users", 1)},
			[]inquest.Edge{{From: "edge", To: "web"}, {From: "web", To: "users"}}},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			var traces servicegraph.Traces
			for _, s := range tt.spans {
				traces.Add(s)
			}
			if got := servicegraph.BuildGraph(tt.edges, &traces).Edges(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestGraphAnswersBothWays(t *testing.T) {
	g := servicegraph.BuildGraph([]inquest.Edge{{From: "a", To: "c"}, {From: "a", To: "b"}, {From: "b", To: "c"}, {From: "c", To: "a"}, {From: "x", To: "y"}}, nil)
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	check("callees of a", g.Callees("a"), []string{"b", "c"})
	check("callers of c", g.Callers("c"), []string{"a", "b"})
	check("components", g.Components(), []string{"a", "b", "c", "x", "y"})
	check("reachable from a in a cycle", g.Reachable("a"), map[string]bool{"a": true, "b": true, "c": true})
	check("reachable from y", g.Reachable("y"), map[string]bool{"y": true})
	check("reachable from a stranger", g.Reachable("nobody"), map[string]bool(nil))
}

func TestTracesAndEventsIgnoreWhatCannotBePlaced(t *testing.T) {
	var tr servicegraph.Traces
	tr.Add(inquest.Span{SpanID: "1", Service: "web", Start: onset})
	tr.Add(inquest.Span{TraceID: "t", SpanID: "1", Start: onset})
	tr.Add(inquest.Span{TraceID: "t", SpanID: "1", Service: "web"})
	if tr.Len() != 0 {
		t.Errorf("kept %d spans without trace, service or time", tr.Len())
	}
	var ev servicegraph.Events
	ev.Add("", "web", "", "k", onset)
	ev.Add("t", "", "", "k", onset)
	ev.Add("t", "web", "", "", onset)
	ev.Add("t", "web", "", "k", time.Time{})
	if ev.Len() != 0 {
		t.Errorf("kept %d statements without trace, service, key or time", ev.Len())
	}
	if ev.Add("t", "", "web-0", "k", onset); ev.Len() != 1 {
		t.Error("a statement whose instance is known was not kept")
	}
}

// TestTracesBoundTheirMemory adds more spans than are kept, in two orders, and expects the same graph and whole traces.
func TestTracesBoundTheirMemory(t *testing.T) {
	const traces, bound = 3000, 1000
	fill := func(order int) *servicegraph.Traces {
		tr := &servicegraph.Traces{Limit: bound}
		for i := range traces {
			n := i
			if order < 0 {
				n = traces - 1 - i
			}
			id := fmt.Sprint(n)
			for j := range 6 {
				s := span(id, fmt.Sprint(j), fmt.Sprint(j-1), fmt.Sprint("s", j), time.Duration(j))
				if j == 0 {
					s.ParentID = ""
				}
				tr.Add(s)
			}
		}
		return tr
	}
	up, down := fill(1), fill(-1)
	if up.Len() > bound || up.Len() < bound/8 {
		t.Errorf("kept %d spans, want between an eighth of the bound and the bound", up.Len())
	}
	if up.Len() != down.Len() || up.Len()%6 != 0 {
		t.Errorf("kept %d and %d spans: not the same whole traces", up.Len(), down.Len())
	}
}
