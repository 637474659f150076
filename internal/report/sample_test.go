package report_test

import (
	"math"
	"time"

	"github.com/inquesthq/inquest"
)

var start = time.Date(2026, 11, 27, 13, 50, 0, 0, time.UTC)

// at is a time in seconds after the start of the recording.
func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

const npe = `2026-11-27 14:02:41,310 ERROR [http-nio-8080-exec-7] c.e.checkout.PaymentProcessor - payment failed user=1842
java.lang.NullPointerException: Cannot invoke "Session.getId()" because "session" is null
	at com.example.checkout.PaymentProcessor.charge(PaymentProcessor.java:112)
	at com.example.checkout.OrderService.place(OrderService.java:58)
Caused by: java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after 30000ms.`

// rich is an established diagnosis that fills every field.
func rich() *inquest.Diagnosis {
	return &inquest.Diagnosis{
		Incident: true, Onset: at(731.204), End: at(1395.9),
		Window: inquest.Window{From: at(720), To: at(1440)}, Baseline: inquest.Window{From: at(0), To: at(690)},
		Impact: inquest.Impact{
			Requests: 11020, Failed: 4812, Ratio: 4812.0 / 11020, Lying: 210, Clients: 1204,
			Services: []string{"checkout", "catalog"}, Spread: inquest.SpreadService,
			Routes: []inquest.RouteImpact{
				{Route: "POST /api/orders", Requests: 4350, Failed: 3912, Status: map[int]int{500: 3302, 504: 400, 200: 210}},
				{Route: "GET /api/products/{id}", Requests: 5120, Failed: 890, Status: map[int]int{500: 800, 503: 90}},
				{Route: "GET /api/products/{id}/recommendations/for/{user}/in/{region}", Requests: 1550, Failed: 10, Status: map[int]int{503: 10}},
			},
		},
		Verdict: verdict(),
		Alternatives: []inquest.Candidate{
			{Mechanism: "unhandled-exception/null-dereference", Culprit: "checkout", Confidence: 0.22,
				For:     []string{"NullPointerException in 69% of the failed requests [E3]"},
				Against: []string{"begins 29 s after the pool was full: it is what a missing session looks like, not what made it go missing [E2]"}},
			{Mechanism: "bad-deploy/regression", Culprit: "catalog", Confidence: 0.06,
				For: []string{"catalog 5.1.0 went out 2 minutes before"}, Against: []string{"nothing of catalog fails on its own [E6]"}},
		},
		Suspects: []inquest.Suspect{
			{Component: "orders-db", Score: 0.91, Why: "all failing calls end here; 31 s a query against 40 ms before"},
			{Component: "checkout", Score: 0.38, Why: "fails itself, and explained by orders-db for the most part"},
		},
		Resources: []inquest.ResourceLevel{
			{Resource: "pool", Component: "checkout", Instance: "checkout-1", Value: 10, Limit: 10, Share: 1, Before: 0.2, Time: at(702)},
			{Resource: "threads", Share: math.NaN(), Before: math.NaN(), Value: math.NaN(), Limit: math.NaN()},
			{Resource: "memory", Component: "checkout-1", Value: 488 << 20, Limit: 512 << 20, Share: 0.953, Before: math.NaN(), Time: at(900)},
			{Resource: "disk", Share: math.NaN(), Before: math.NaN(), Value: math.NaN(), Limit: math.NaN()},
			{Resource: "cpu", Component: "orders-db", Value: math.NaN(), Limit: math.NaN(), Share: 0.31, Before: 0.3, Time: at(740)},
		},
		Evidence: evidence(),
		Timeline: []inquest.Entry{
			{Time: at(610), Kind: "change", Text: "deploy catalog 5.1.0: new badge on product pages", Evidence: []string{"E6"}},
			{Time: at(690), Kind: "change", Text: "migration orders-db 0042: drop index orders_customer_idx", Evidence: []string{"E1"}},
			{Time: at(702), Kind: "metric", Text: "pool of checkout at its limit: 10 of 10 in use, 47 waiting", Evidence: []string{"E2"}},
			{Time: at(731.204), Kind: "onset", Text: "first failing answer of this fault: POST /api/orders 500", Evidence: []string{"E4"}},
			{Time: at(761), Kind: "symptom", Text: "NullPointerException at PaymentProcessor.java:112, 3,302 times", Evidence: []string{"E3"}},
			{Time: at(1380), Kind: "change", Text: "migration orders-db 0043: create index orders_customer_idx"},
			{Time: at(1395.9), Kind: "recovery", Text: "failure ratio back at the baseline"},
		},
		Similar: []inquest.Similar{{Incident: "INC-2026-0311", Score: 0.84, Why: "same mechanism and culprit; closed without an index check"}},
		Coverage: inquest.Coverage{
			Layers: map[inquest.Layer]inquest.LayerCoverage{
				inquest.LayerResponse: {State: "checked", Files: 2, Evidence: 1}, inquest.LayerApplication: {State: "checked", Files: 3, Evidence: 1},
				inquest.LayerInfrastructure: {State: "checked", Files: 2, Evidence: 2}, inquest.LayerChange: {State: "checked", Files: 1, Evidence: 2},
			},
			Files: []inquest.FileCoverage{
				{File: "gateway/access.log", Format: "nginx-combined", Records: 41230, From: at(0), To: at(1800)},
				{File: "checkout/app.log", Format: "logback", Records: 18211, Skipped: 3, From: at(0), To: at(1799), Notes: []string{"3 lines without a time (first: line 911)"}},
				{File: "notes.bin", Records: 0, Skipped: 12},
			},
			Missing: []string{"No traces: which call held the connections is read from the pool and the slow queries, not seen per request."},
		},
		Chart: chart(), Notes: []string{"catalog 5.1.0 was deployed 2 min before and is innocent: no failure begins in it [E6].", "12 answers with 404 from one crawler are no failures."},
	}
}

func verdict() *inquest.Verdict {
	return &inquest.Verdict{
		Level: inquest.Established, Mechanism: "database/pool-exhausted", Culprit: "orders-db", Confidence: 0.94,
		Summary: "Every connection of checkout's pool waits for a query on orders that lost its index; requests that get no connection in 30 s fail.",
		Trigger: &inquest.Trigger{Kind: "migration", Time: at(690), Service: "orders-db", Version: "0042",
			Summary: "drop index orders_customer_idx", Why: "it touched the table whose queries slow down 12 s later; the deploy of catalog touches nothing that fails"},
		Chain: []inquest.Link{
			{Role: inquest.RoleTrigger, Time: at(690), Text: "Migration 0042 drops the index orders_customer_idx.", Evidence: []string{"E1"}},
			{Role: inquest.RoleCause, Time: at(702), Text: "Queries on orders take 31 s and hold all 10 connections; 47 wait.", Evidence: []string{"E2", "E5"}},
			{Role: inquest.RoleEffect, Time: at(731.204), Text: "Requests get no connection and time out after 30 s.", Evidence: []string{"E4"}},
			{Role: inquest.RoleSymptom, Time: at(761), Text: "NullPointerException at PaymentProcessor.java:112: the session could not be loaded.", Evidence: []string{"E3"}},
		},
		Actions: []inquest.Action{
			{Text: "Put the index back, without a lock.", Phase: inquest.PhaseNow, Cures: "cause", Command: `psql "$DATABASE_URL" -c 'CREATE INDEX CONCURRENTLY orders_customer_idx ON orders (customer_id)'`},
			{Text: "End the queries that hold connections for more than 10 s.", Phase: inquest.PhaseNow, Cures: "symptom", Command: `psql "$DATABASE_URL" -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE state = 'active' AND now() - query_start > interval '10 s'"`},
			{Text: "Give the pool an acquire timeout of 5 s and the queries one of 10 s.", Phase: inquest.PhaseLater, Cures: "cause"},
			{Text: "Treat a missing session as a failed login and not as null.", Phase: inquest.PhaseLater, Cures: "symptom"},
			{Text: "Alert on a pool above 80%, and answer 503 on the health check above 95%.", Phase: inquest.PhasePrevent, Cures: "cause"},
		},
		Confirm: []inquest.Command{{Text: "Connections by state", Command: `psql -c "SELECT state, count(*) FROM pg_stat_activity GROUP BY state"`, Expect: "as many active as the pool is large, all on the same query"}},
		Also:    []inquest.Candidate{{Mechanism: "resource-exhaustion/disk", Culprit: "log-shipper", Confidence: 0.61, For: []string{"disk at 97%"}}},
	}
}

func evidence() []inquest.Evidence {
	return []inquest.Evidence{
		{ID: "E1", Layer: inquest.LayerChange, Kind: "change", Time: at(690), Text: `{"time":"2026-11-27T14:01:30Z","kind":"migration","service":"orders-db","version":"0042","summary":"drop index orders_customer_idx"}`, Source: inquest.Source{File: "changes.jsonl", Line: 2}},
		{ID: "E2", Layer: inquest.LayerInfrastructure, Kind: "metric", Time: at(702), Text: "hikaricp_connections_active rises from 2 to 10, its limit; hikaricp_connections_pending from 0 to 47", Source: inquest.Source{Metric: "hikaricp_connections_active", Labels: map[string]string{"pool": "HikariPool-1", "instance": "checkout-1"}}},
		{ID: "E3", Layer: inquest.LayerApplication, Kind: "log", Time: at(761.31), Text: npe, Source: inquest.Source{File: "checkout/app.log", Line: 10233}},
		{ID: "E4", Layer: inquest.LayerResponse, Kind: "request", Time: at(731.204), Text: `10.1.4.7 - - [27/Nov/2026:14:02:11 +0000] "POST /api/orders HTTP/1.1" 500 112 "-" "okhttp/4.12" rt=30.004 urt=30.003`, Source: inquest.Source{File: "gateway/access.log", Line: 22871}},
		{ID: "E5", Layer: inquest.LayerInfrastructure, Kind: "log", Time: at(703), Text: "LOG:  duration: 31022.118 ms  statement: SELECT * FROM orders WHERE customer_id = $1", Source: inquest.Source{File: "orders-db/postgresql.log", Line: 871}},
		{ID: "E6", Layer: inquest.LayerChange, Kind: "change", Time: at(610), Text: "deploy catalog 5.1.0: new badge on product pages", Source: inquest.Source{File: "changes.jsonl", Line: 1}},
	}
}

func chart() inquest.Chart {
	c := inquest.Chart{From: start, Step: 20 * time.Second, Marks: []inquest.Mark{
		{Time: at(610), Kind: "change", Text: "deploy catalog 5.1.0"}, {Time: at(690), Kind: "change", Text: "migration 0042"},
		{Time: at(731.204), Kind: "onset", Text: "first failure"}, {Time: at(1380), Kind: "change", Text: "migration 0043"},
		{Time: at(1395.9), Kind: "end", Text: "over"},
	}}
	for i := range 90 {
		t := float64(i)
		requests := 300 + int(40*math.Sin(t/6)) + i%7*6
		failed, lying := i%11/10, 0
		if i >= 36 && i < 70 {
			failed = min(requests*3/5, (i-35)*38) + i%5*7
			lying = i % 3 * 4
		}
		c.Requests, c.Failed, c.Lying = append(c.Requests, requests), append(c.Failed, failed), append(c.Lying, lying)
	}
	return c
}

// healthy is a noisy stretch without an incident.
func healthy() *inquest.Diagnosis {
	c := chart()
	c.Marks = []inquest.Mark{{Time: at(610), Kind: "change", Text: "deploy catalog 5.1.0"}}
	for i := range c.Failed {
		c.Failed[i], c.Lying[i] = i%11/10, 0
	}
	return &inquest.Diagnosis{
		Window: inquest.Window{From: at(0), To: at(1800)}, Baseline: inquest.Window{From: at(0), To: at(1800)},
		Impact: inquest.Impact{Requests: 27311, Failed: 8, Ratio: 8.0 / 27311},
		Timeline: []inquest.Entry{
			{Time: at(610), Kind: "change", Text: "deploy catalog 5.1.0: new badge on product pages"},
		},
		Coverage: inquest.Coverage{
			Layers: map[inquest.Layer]inquest.LayerCoverage{
				inquest.LayerResponse: {State: "checked", Files: 1}, inquest.LayerApplication: {State: "checked", Files: 2},
				inquest.LayerInfrastructure: {State: "checked", Files: 1}, inquest.LayerChange: {State: "checked", Files: 1},
			},
			Files: []inquest.FileCoverage{{File: "gateway/access.log", Format: "nginx-combined", Records: 27311, From: at(0), To: at(1800)}},
		},
		Chart: c,
		Notes: []string{
			"A burst of 1,204 answers with 404 at 14:07 came from one scanner; 4xx are not failures of the server.",
			"Requests doubled for two minutes at 14:11; latency and failures did not follow.",
			"The deploy of catalog at 14:00:10 changed nothing that can be measured.",
		},
	}
}

// open is an incident whose cause cannot be told.
func open() *inquest.Diagnosis {
	d := rich()
	d.End = time.Time{}
	d.Verdict = &inquest.Verdict{Level: inquest.Open, Summary: "Requests to the orders routes began to fail, but only the gateway's view was given: it says that they failed, not why."}
	d.Evidence = []inquest.Evidence{d.Evidence[3]}
	d.Timeline = []inquest.Entry{{Time: at(731.204), Kind: "onset", Text: "first failing answer: POST /api/orders 500", Evidence: []string{"E4"}}}
	d.Suspects, d.Similar, d.Resources = nil, nil, nil
	d.Notes = nil
	d.Alternatives = []inquest.Candidate{
		{Mechanism: "database/slow-query", Confidence: 0.31, For: []string{"answers pile up at 30 s, a time-out [E4]"}, Against: []string{"no log or metric of a database was given"}},
		{Mechanism: "dependency-failure/timeout", Confidence: 0.29, For: []string{"answers pile up at 30 s, a time-out [E4]"}, Against: []string{"no log of the service names a dependency"}},
	}
	d.Coverage = inquest.Coverage{
		Layers:  map[inquest.Layer]inquest.LayerCoverage{inquest.LayerResponse: {State: "checked", Files: 1, Evidence: 1}},
		Files:   []inquest.FileCoverage{{File: "gateway/access.log", Format: "nginx-combined", Records: 41230, From: at(0), To: at(1800)}},
		Missing: []string{"Without the logs of checkout a time-out cannot be told from a lock or a full pool."},
	}
	d.Chart.Marks = []inquest.Mark{{Time: at(731.204), Kind: "onset", Text: "first failure"}}
	return d
}
