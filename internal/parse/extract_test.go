package parse_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

func TestParsePool(t *testing.T) {
	const no = -1
	for text, want := range map[string]*inquest.Pool{
		"pool exhausted (max=10, active=10, pending=47)":                                                                                                         {Max: 10, Active: 10, Idle: no, Pending: 47},
		"HikariPool-1 - Connection is not available, request timed out after 30000ms (total=10, active=10, idle=0, waiting=47)":                                  {Max: 10, Active: 10, Idle: 0, Pending: 47},
		"Pool empty. Unable to fetch a connection in 30 seconds, none available[size:10; busy:10; idle:0; lastwait:30000].":                                      {Max: 10, Active: 10, Idle: 0, Pending: no},
		"QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00 (Background on this error at: https://x/3o7r)":                       {Max: 15, Active: 15, Idle: 0, Pending: no},
		"pool { total: 10, idle: 2, waiting: 0 }":                                                                                                                {Max: 10, Active: 8, Idle: 2, Pending: 0},
		"Task X rejected from java.util.concurrent.ThreadPoolExecutor@1[Running, pool size = 50, active threads = 50, queued tasks = 1000, completed tasks = 9]": {Max: 50, Active: 50, Idle: no, Pending: 1000},
		"db stats DBStats{MaxOpenConnections:10 OpenConnections:10 InUse:9 Idle:1 WaitCount:470 WaitDuration:3s}":                                                {Max: 10, Active: 9, Idle: 1, Pending: no},
		"pgxpool: acquired_conns=10 idle_conns=0 max_conns=10":                                                                                                   {Max: 10, Active: 10, Idle: 0, Pending: no},
		"WARNING: [pool www] server reached pm.max_children setting (5), consider raising it":                                                                    {Max: 5, Active: 5, Idle: 0, Pending: no},
		`*** uWSGI listen queue of socket ":8000" (fd: 3) full !!! (101/100) ***`:                                                                                {Max: 100, Active: no, Idle: no, Pending: 101},
		"Timed out fetching a new connection from the connection pool. (Current connection pool timeout: 10, connection limit: 5)":                               {Max: 5, Active: no, Idle: no, Pending: no},
		"The connection pool has been exhausted, either raise 'Max Pool Size' (currently 100) or 'Timeout' (currently 15 seconds)":                               {Max: 100, Active: 100, Idle: 0, Pending: no},
		"com.mchange.v2.resourcepool.BasicResourcePool [managed: 15, unused: 0, excluded: 0]":                                                                    {Max: 15, Active: 15, Idle: 0, Pending: no},
		"timeout exceeded when trying to connect":                                                                                                                {Max: no, Active: no, Idle: no, Pending: no},
		"Knex: Timeout acquiring a connection. The pool is probably full":                                                                                        {Max: no, Active: no, Idle: no, Pending: no},
		"thread pool started, size: 5":        nil,
		"GET /pool?idle=3&active=2 took 10ms": nil,
		"retry: max=3, active=true":           nil,
		"inactive: 3, users: 12":              nil,
		"":                                    nil,
	} {
		if diff := cmp.Diff(want, parse.ParsePool(text)); diff != "" {
			t.Errorf("%s: -want +got\n%s", text, diff)
		}
	}
}

// A pino log of a service whose queries fail: the exception stands in the fields of err.
func TestExceptionInJSONFields(t *testing.T) {
	k := readText(t, "pino", `{"level":50,"time":1795176000000,"pid":1,"hostname":"a","err":{"type":"DatabaseError","message":"column \"gift\" does not exist","stack":"error: column \"gift\" does not exist\n    at Parser.parse (/app/node_modules/pg-protocol/dist/parser.js:283:98)\n    at async list (/app/src/gifts.js:9:15)","code":"42703"},"msg":"request failed"}`+"\n"+
		`{"level":50,"time":1795176001000,"pid":1,"hostname":"a","err":{"type":"Object","message":"connect ECONNREFUSED 10.0.0.1:4318","stack":"","code":"ECONNREFUSED"},"msg":"flush failed"}`+"\n"+
		`{"level":30,"time":1795176002000,"pid":1,"hostname":"a","msg":"started"}`+"\n")
	e := k.records[0].Exception
	if e == nil {
		t.Fatal("no exception in the first record")
	}
	want := []string{"node", "DatabaseError", `column "gift" does not exist`, "list (/app/src/gifts.js:9)", "42703", "42703"}
	if diff := cmp.Diff(want, []string{e.Language, e.Type, e.Message, e.AppFrame, e.Code, k.records[0].Get("sqlstate")}); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	e = k.records[1].Exception
	if e == nil || e.Message != "connect ECONNREFUSED 10.0.0.1:4318" || e.Code != "ECONNREFUSED" || e.Type == "Object" {
		t.Errorf("the thrown object gave %+v", e)
	}
	if e := k.records[2].Exception; e != nil {
		t.Errorf("an ordinary line gave %+v", *e)
	}
}

func TestTheFirstOfAListOfErrorsIsTheRecords(t *testing.T) {
	line := func(list string) string {
		return `{"level":"ERROR","time":"2026-11-29T22:21:27.101Z","op":"AddPlay","errors":` + list + `,"msg":"operation returned errors"}` + "\n"
	}
	for list, want := range map[string][2]string{
		`[{"message":"POST /plays: upstream said 401","path":["AddPlay"],"extensions":{"code":"UPSTREAM","status":401}},{"message":"later"}]`: {"POST /plays: upstream said 401", "UPSTREAM"},
		`[{"code":"E_FULL","detail":"no \"room\""}]`: {`no "room"`, "E_FULL"},
		`[{"path":["a"]}]`:                           {},
		`["no object"]`:                              {},
	} {
		k := readText(t, "slog", line(`[{"message":"x"}]`)+line(list))
		got := [2]string{}
		if e := k.records[1].Exception; e != nil {
			got = [2]string{e.Message, e.Code}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
	}
}

// The record keeps its whole message; `inquest parse` prints the trace as fields and the rest as the message.
func TestPrintedMessageEndsWhereTheTraceBegins(t *testing.T) {
	for message, want := range map[string]string{
		"cart failed\r\njava.lang.IllegalStateException: no cart\r\n\tat com.acme.A.b(A.java:1)":                 "cart failed",
		"Internal Server Error: /x\nTraceback (most recent call last):\n  File \"a\", line 1, in b\nKeyError: 1": "Internal Server Error: /x",
		"TypeError: x\n    at f (/a.js:1:2)":         "TypeError: x",
		"two lines\nof ordinary text: KeyError: 'a'": "two lines\nof ordinary text: KeyError: 'a'",
	} {
		r := &parse.Record{Line: 1, Message: message, Exception: parse.ParseTrace(message)}
		if r.Exception == nil {
			t.Fatalf("%q: no exception", message)
		}
		var got struct{ Message string }
		if err := json.Unmarshal(parse.AppendJSON(nil, r), &got); err != nil {
			t.Fatal(err)
		}
		if got.Message != want {
			t.Errorf("%q: printed %q, want %q", message, got.Message, want)
		}
	}
}
