package parse

import (
	"bytes"
	"strings"
	"testing"
)

// formatSeeds has a line or two of each format.
var formatSeeds = []string{
	"2026/11/20 16:45:06 [error] 268#7: *94 connect() failed, client: 10.0.0.9, server: s, request: \"GET / HTTP/1.1\"",
	"[Fri Nov 20 16:12:03.123456 2026] [proxy:error] [pid 12:tid 34] [client 10.0.0.1:9] AH00957: x, referer: y",
	"2026-11-20 16:12:35 UTC [123]: [3-1] user=app,db=shop ERROR:  42P01: duration: 1.5 ms  execute a: b",
	"2026-11-20 00:22:01.903 UTC,\"a\",\"b\",59,\"h:1\",5ff.3b,3,\"SELECT\",x,3/0,0,ERROR,42703,\"column \"\"x\"\"\",\"a\nb\",,,,,\"q\"",
	"2026-11-20T16:12:03.335060Z 5 [Warning] [MY-010453] [Server] root", "191015  9:46:45\t 13 Query\tSHOW",
	"# User@Host: app[app] @ db [10.0.0.1]  Id:  5\n# Query_time: 2.5  Lock_time: 0.1\nuse x;\nSET timestamp=1795191123;\nselect 1",
	"1:M 20 Nov 2026 16:12:03.123 # OOM", "1:signal-handler (1714024483) Received",
	"[2026-11-20 16:12:03,048] WARN [Broker id=1] lost (kafka.server.KafkaServer)",
	"[2026-11-20T16:12:03,089][WARN ][o.e.m.j.JvmGcMonitor     ] [node-1] [index] x",
	"2026-02-05T13:44:56.657+0100 I COMMAND  [conn5] command 153ms", "[1] 2026/02/06 07:19:40.624334 [TRC] 1.2.3.4:5 - cid:1 - ->> [PING]",
	"<11>1 2026-11-20T16:12:03.123Z host app 12 ID47 [x@1 a=\"]\"] {\"level\":\"warn\"}",
	"Nov 20 16:12:03 node1 kernel: [1.6] oom-kill:constraint=X,task=java,pid=123", "[ 1234.567890] Killed process 9 (node) UID:1",
	"5m12s       Warning   BackOff     pod/api-1         Back-off", "[WARNING]  (8) : Server web/s1 is DOWN, reason: x",
	"2026-01-01 08:09:10 10.0.0.6 2094 10.0.0.1 80 HTTP/1.1 GET /x 503 1 AppOffline pool",
	"2022-06-08 22:49:20.774649 [NOTICE] [12] [1.2.3.4:45164:HTTP2-41#_v] [STDERR] login failed username:a ip:1.2.3.4",
	"E1120 16:12:03.123456   123 server.go:45] x", "I, [2026-11-20T16:12:03.1 #12]  INFO -- : [8f261fad-d198-000e] Completed 500 X in 38ms",
	"[2026-11-20 16:12:03] app.ERROR: x {\"exception\":\"y\n#0 z", "[20-Nov-2026 16:12:03 UTC] PHP Warning:  x",
	"20-Nov-2026 16:40:38.451 SEVERE [main] org.a.B.c x", "Nov 20, 2026 4:40:38 PM org.example.Main start\nWARNING: x",
	"2026-04-05 14:40:34,644 7 ERROR shop odoo.sql_db: \"GET /x HTTP/1.1\" 500", "fail: Shop.Api[7]\n      Connection refused",
	"2026-11-20T16:12:03.123Z\tERROR\tapi\ta/b.go:1\tx\t{\"status\": 502}", "ts=2026-11-20T16:12:03Z level=error msg=\"a \\\"b\" x=1",
	"2026-11-20T16:12:03.123Z  WARN 12345 --- [a,b,c] [nio-1] c.e.Foo      : GET /x 500 1ms rid=1",
	`{"time":1763655123,"level":30,"req":{"method":"GET","url":"/x"},"res":{"statusCode":500},"duration":0.1,"msg":"\u00e9"}`,
	`{"@t":"2026-11-20T16:12:03Z","@mt":"x","request":"GET /x HTTP/1.1","status":"500","elapsed":"00:00:01.5"`,
	"=ERROR REPORT==== 20-Nov-2026::16:12:03 ===\nx", "\x1b[31mERROR\x1b[", "[", "{", "<", "\"",
}

// FuzzFormats gives every line parser of the table every input: as a line by itself, and as lines after one another with
// the continuation hook. No parser may panic, keep a value that is not there, or report a time without a clock.
func FuzzFormats(f *testing.F) {
	for _, s := range formatSeeds {
		f.Add([]byte(s))
	}
	var parsers []lineParser
	var names []string
	for _, f := range table() {
		if f.new != nil {
			parsers, names = append(parsers, f.new(nil)), append(names, f.name)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Record
		for i, p := range parsers {
			for line := range bytes.SplitSeq(b, newline) {
				r.Reset()
				if p.parse(trimEnd(line), &r) {
					checkRecord(t, names[i], &r)
				}
				if h, ok := p.(headerReader); ok {
					h.header(line)
				}
			}
			first, rest := cutLine(b)
			r.Reset()
			if p.parse(trimEnd(first), &r) {
				if len(rest) > 0 {
					r.Message += "\n" + string(rest)
					r.Lines += 1 + strings.Count(string(rest), "\n")
				}
				if fin, ok := p.(recordFinisher); ok {
					fin.finish(&r)
				}
				checkRecord(t, names[i], &r)
			}
		}
		for _, f := range table() { // and as the head of a file
			if f.new != nil {
				f.new(b)
			}
		}
	})
}

func checkRecord(t *testing.T, name string, r *Record) {
	t.Helper()
	if r.Clock == ClockNone && r.Time != 0 {
		t.Fatalf("%s: a time without a clock", name)
	}
	if r.Status != 0 && (r.Status < 0 || r.Status > 999) {
		t.Fatalf("%s: status %d", name, r.Status)
	}
	if r.Duration < 0 && r.Duration != -1 {
		t.Fatalf("%s: duration %v", name, r.Duration)
	}
	for _, f := range r.Fields {
		if f.Name == "" || f.Name == openQuote && r.Get("level") == "" {
			t.Fatalf("%s: field %q=%q", name, f.Name, f.Value)
		}
	}
	AppendJSON(nil, r)
}
