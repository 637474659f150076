package web_test

import (
	"math"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

func newRecords() *records { return &records{all: map[string]store.Record{}} }

// newDesk holds three incidents: the example's, a smaller one that is acknowledged, one that was reviewed.
func newDesk(d *inquest.Diagnosis, now func() time.Time) *desk {
	opened := d.Onset.Add(48 * time.Second)
	v := d.Verdict
	before := opened.AddDate(0, 0, -14)
	open := &inquest.Incident{
		ID: openIncident, Title: "checkout answers 5xx to 16% of requests", State: inquest.IncidentOpen, Severity: inquest.SEV1, Services: []string{"checkout"},
		Alerts: []inquest.Alert{{Rule: "HonestErrorRatioCritical", Labels: map[string]string{"service": "checkout", "severity": "page"}, State: inquest.AlertFiring, Since: d.Onset, Fired: opened}},
		Onset:  d.Onset, Detected: opened, Opened: opened, Notified: opened.Add(3 * time.Second), Identified: opened.Add(9 * time.Second), Revision: 2,
		Verdict: inquest.VerdictSummary{Level: v.Level, Mechanism: v.Mechanism, Culprit: v.Culprit, Confidence: v.Confidence, Summary: v.Summary, Action: v.Actions[0].Text},
		Failed:  d.Impact.Failed, Requests: d.Impact.Requests, Reports: 3, Repeats: beforeIncident, Version: 7,
	}
	small := &inquest.Incident{
		ID: "INC-20261121-2F8X", Title: "search is slow: p99 over five times its baseline", State: inquest.IncidentAcknowledged, Severity: inquest.SEV3, Services: []string{"search"},
		Detected: opened.Add(-40 * time.Minute), Opened: opened.Add(-40 * time.Minute), Acknowledged: opened.Add(-31 * time.Minute), Owner: "ann", Version: 3,
	}
	old := &inquest.Incident{
		ID: beforeIncident, Title: "checkout answers 5xx after the order history release", State: inquest.IncidentReviewed, Severity: inquest.SEV2, Services: []string{"checkout", "storefront"},
		Onset: before, Detected: before.Add(time.Minute), Opened: before.Add(time.Minute), Acknowledged: before.Add(3 * time.Minute), Mitigated: before.Add(21 * time.Minute), Resolved: before.Add(48 * time.Minute), Reviewed: before.Add(72 * time.Hour),
		Owner: "root", Revision: 1, Verdict: inquest.VerdictSummary{Level: inquest.Probable, Mechanism: "database/pool-exhausted", Culprit: "db-1", Confidence: 0.7, Summary: "Pool exhausted at db-1 since 04:14: every connection waits for a slow query."},
		Failed: 1204, Requests: 18042, Factors: []inquest.Factor{inquest.FactorBug, inquest.FactorTraffic}, Version: 12,
	}
	early := *d
	early.Verdict = &inquest.Verdict{Level: inquest.Open, Summary: "Requests failed; the database's own log was not read yet."}
	early.Impact.Failed = 212
	entries := []inquest.IncidentEntry{
		{Time: d.Onset.Add(-26 * time.Minute), Kind: inquest.EntryChange, By: "deploys", Text: "deploy storefront 4.18.2: new banner"},
		{Time: d.Onset, Kind: inquest.EntryEvidence, By: "inquest", Text: "first failing answer: POST /api/checkout/complete 500"},
		{Time: opened, Kind: inquest.EntryAlert, By: "rules", Text: "HonestErrorRatioCritical fires for checkout: 14.2% of requests failed"},
		{Time: opened, Kind: inquest.EntryState, By: "inquest", Text: "open, SEV-1"},
		{Time: opened.Add(3 * time.Second), Kind: inquest.EntryNotice, By: "inquest", Text: "told #checkout-oncall (slack): opened"},
		{Time: opened.Add(4 * time.Second), Kind: inquest.EntryDiagnosis, By: "inquest", Text: "revision 1: open"},
		{Time: opened.Add(9 * time.Second), Kind: inquest.EntryDiagnosis, By: "inquest", Text: "revision 2: Slow queries at db-1, established"},
		{Time: opened.Add(2 * time.Minute), Kind: inquest.EntryReport, By: "a user", Text: "I cannot pay, it shows " + knownError},
	}
	return &desk{now: now, incidents: []*inquest.Incident{open, small, old},
		timeline:  map[string][]inquest.IncidentEntry{openIncident: entries},
		diagnoses: map[string][]*inquest.Diagnosis{openIncident: {&early, d}},
		similar:   map[string][]inquest.Similar{openIncident: {{Incident: beforeIncident, Score: 0.83, Why: "same culprit db-1 and same route POST /api/checkout/complete; its action item \"index on orders(customer_email)\" is still open"}}},
		silences:  []web.Silence{{ID: "S1", Match: `{service="batch"}`, From: opened.Add(-time.Hour), Until: opened.Add(3 * time.Hour), By: "ann", Why: "stocktaking night", On: true}}}
}

func newQuerier(d *inquest.Diagnosis) *querier {
	steady := func(r float64) func(time.Time) float64 { return func(time.Time) float64 { return r } }
	return &querier{services: map[string]service{
		"checkout": {rate: 58.4, p99: 4.81, tier: "critical", failed: func(at time.Time) float64 {
			if at.Before(d.Onset) {
				return 0.0004
			}
			return 0.163
		}},
		"storefront":      {rate: 412, p99: 0.214, tier: "critical", failed: steady(0.0007), lying: 0.0002},
		"search":          {rate: 96.2, p99: 2.4, failed: steady(0.012)},
		"payments":        {rate: 12.7, p99: 0.388, tier: "critical", failed: steady(0)},
		"recommendations": {rate: 0, p99: math.NaN(), failed: steady(0)},
	}}
}

func fillRecords(m *records, d *inquest.Diagnosis) {
	at := d.Onset
	m.put("postmortem", beforeIncident, beforeIncident, at.AddDate(0, 0, -10), map[string]any{"incident": beforeIncident, "title": "checkout answers 5xx after the order history release", "markdown": "an index was missing",
		"by": "root", "time": at.AddDate(0, 0, -10), "published": at.AddDate(0, 0, -9), "publishedBy": "root"})
	type pattern struct {
		Template string      `json:"template"`
		Level    string      `json:"level"`
		Count    int         `json:"count"`
		First    time.Time   `json:"first"`
		Last     time.Time   `json:"last"`
		New      bool        `json:"new,omitempty"`
		Example  web.Example `json:"example"`
	}
	m.put("pattern", "a1/checkout", "checkout", at.Add(4*time.Minute), pattern{"Unhandled exception during POST <*> requestId=<*> errorId=<*>", "error", 497, at, at.Add(4 * time.Minute), true,
		web.Example{Text: "Unhandled exception during POST /api/checkout/complete requestId=60a79d87d2f7fcac1b58179764885e1c errorId=" + knownError + "\njava.lang.NullPointerException: Cannot invoke \"Order.total()\" because \"order\" is null\n\tat com.acme.CheckoutService.complete(CheckoutService.java:118)", RequestID: "60a79d87d2f7fcac1b58179764885e1c"}})
	m.put("pattern", "b2/db-1", "db-1", at.Add(4*time.Minute), pattern{"duration: <*> ms execute <*>: select count(*), <*> from orders where customer_email = <*>", "info", 1830, at.AddDate(0, 0, -9), at.Add(4 * time.Minute), false, web.Example{}})
	m.put("pattern", "c3/checkout", "checkout", at.Add(3*time.Minute), pattern{"Connection pool exhausted (max=<*>, active=<*>, pending=<*>)", "warn", 78, at.Add(-30 * time.Second), at.Add(3 * time.Minute), true, web.Example{}})
	m.putAs("firing", "alert", "AL1", "search", at, map[string]any{"rule": "ServiceFailing", "labels": map[string]string{"service": "search", "severity": "chat"}, "state": "firing", "source": "rules", "since": at, "fired": at, "value": 0.061,
		"annotations": map[string]string{"summary": "search fails 6.1% of its requests", "description": "Over 5 minutes, answers 5xx and answers 200 that failed."}, "id": "AL1", "first": at.Add(-time.Hour), "times": 2})
	m.putAs("firing", "alert", "AL2", "checkout", at.Add(-time.Hour), map[string]any{"rule": "DiskFullWithinADay", "labels": map[string]string{"service": "checkout", "severity": "ticket"}, "state": "firing", "source": "rules", "since": at, "fired": at.Add(-time.Hour), "id": "AL2", "first": at, "times": 1})
	m.putAs("firing", "alert", "AL3", "batch", at.Add(-2*time.Hour), map[string]any{"rule": "PoolFull", "labels": map[string]string{"service": "batch", "severity": "page"}, "state": "firing", "source": "rules", "since": at, "fired": at.Add(-2 * time.Hour), "id": "AL3", "first": at, "times": 1, "silence": "S1"})
	for i, c := range []inquest.Change{
		{Kind: inquest.ChangeDeploy, Service: "storefront", Version: "4.18.2", Summary: "new banner"}, {Kind: inquest.ChangeConfig, Service: "checkout", Summary: "payment.timeout 5s -> 8s"},
		{Kind: inquest.ChangeMigration, Service: "db-1", Version: "0114", Summary: "orders: add placed_at"},
	} {
		c.Time = at.Add(-time.Duration(26+i*190) * time.Minute)
		m.put("change", "c"+string(rune('0'+i)), c.Service, c.Time, c)
	}
}

func someTrace(d *inquest.Diagnosis) *web.Trace {
	const request = "60a79d87d2f7fcac1b58179764885e1c"
	return &web.Trace{IDs: []string{knownError, request}, Lines: []web.Line{
		{Time: d.Onset, Service: "gateway", Layer: inquest.LayerResponse, Source: inquest.Source{File: "access.log", Line: 8127}, Text: `203.0.113.77 - - [21/Nov/2026:04:14:05 +0000] "POST /api/checkout/complete HTTP/1.1" 500 187 rt=5.012 rid=` + request},
		{Time: d.Onset.Add(159 * time.Millisecond), Service: "checkout", Layer: inquest.LayerApplication, Source: inquest.Source{File: "checkout.log", Line: 27}, Text: "2026-11-21 04:14:05.159 [pool-1-thread-378] ERROR CheckoutService - Unhandled exception during POST /api/checkout/complete requestId=" + request + " errorId=" + knownError + "\njava.lang.NullPointerException: Cannot invoke \"Order.total()\" because \"order\" is null\n\tat com.acme.CheckoutService.complete(CheckoutService.java:118)"},
		{Time: d.Onset.Add(-300 * time.Millisecond), Service: "db-1", Layer: inquest.LayerInfrastructure, Source: inquest.Source{File: "postgresql.log", Line: 61}, Text: "duration: 1106.534 ms  execute S_5: select count(*), coalesce(sum(cents), 0) from orders where customer_email = $1"},
	}}
}

func someRunbook() *runbooks {
	return &runbooks{for_: openIncident, steps: []web.Step{
		{ID: "look", Phase: "Cause", Text: "See which queries run, and for how long", Command: "psql -h db-1 -c \"select pid, now() - query_start as since, left(query, 80) from pg_stat_activity where state = 'active' order by 2 desc limit 10\"", Expect: "the same statement many times, older than a second", Minutes: 2},
		{ID: "cancel", Phase: "Mitigate", Changes: true, Cures: "symptom", Text: "Cancel the longest of them", Command: "psql -h db-1 -c \"select pg_cancel_backend(pid) from pg_stat_activity where state = 'active' and now() - query_start > interval '10 s'\"", Minutes: 3},
		{ID: "index", Phase: "Mitigate", Changes: true, Cures: "cause", Text: "Add the index that the plan lacks, without locking the table", Command: "psql -h db-1 -c 'create index concurrently on orders (customer_email, placed_at)'", Minutes: 10},
		{ID: "verify", Phase: "Verify", Text: "Watch the honest error ratio of checkout for five minutes", Expect: "below 0.1%", Minutes: 5},
	}}
}

func someObjectives() []web.Objective {
	return []web.Objective{
		{Name: "checkout-availability", Service: "checkout", Target: 0.999, Days: 30, Good: 0.9981, Left: -0.9, Burn: []web.BurnWindow{{Window: "5m", Rate: 163, Limit: 14.4}, {Window: "1h", Rate: 21.4, Limit: 14.4}, {Window: "6h", Rate: 4.1, Limit: 6}}},
		{Name: "storefront-availability", Service: "storefront", Target: 0.995, Days: 30, Good: 0.9991, Left: 0.82, Burn: []web.BurnWindow{{Window: "1h", Rate: 0.14, Limit: 14.4}, {Window: "6h", Rate: 0.2, Limit: 6}}},
		{Name: "search-latency", Service: "search", Target: 0.99, Days: 7, Good: web.Number(math.NaN()), Left: web.Number(math.NaN()), Burn: []web.BurnWindow{{Window: "1h", Rate: web.Number(math.NaN()), Limit: 14.4}}},
	}
}

// someFindings is a day of two servers: a rule broken on several routes, a lie about a health check, a log without ids.
func someFindings(d *inquest.Diagnosis, now time.Time) *web.Findings {
	quote := func(line int, text string) []inquest.AuditExample {
		return []inquest.AuditExample{{Source: inquest.Source{File: "nginx.log/nginx-20261121T041000.log", Line: line}, Time: d.Onset, Text: text}}
	}
	retry := inquest.AuditRule{ID: "status/503-without-retry-after", Title: "503 without Retry-After", Severity: inquest.AuditError, Why: "Clients come back at once, all together.", Source: "RFC 9110 15.6.4", Fix: "Send Retry-After with every 503."}
	lied := inquest.AuditRule{ID: "health/lied", Title: "a health check answered 200 while requests failed", Severity: inquest.AuditError, Why: "A health check that says fine while requests fail is worse than none.", Source: "Kubernetes, readiness probes", Fix: "Let readiness test what requests need."}
	ids := inquest.AuditRule{ID: "log/no-correlation-id", Title: "errors without a request or trace id", Severity: inquest.AuditWarning, Why: "A user's failed request cannot be followed through the services.", Source: "OpenTelemetry, log data model", Fix: "Log the id with every record about a request."}
	w := d.Window
	return &web.Findings{On: true, From: now.Add(-24 * time.Hour), To: now, Looked: now.Add(-2 * time.Minute), Next: now.Add(3 * time.Minute), Arrived: 400 << 20, Read: 300 << 20, Servers: []string{"a", "b"},
		Audit: &inquest.Audit{Window: w, Requests: 48211, Records: 99120, Findings: []inquest.AuditFinding{
			{Rule: lied, Service: "gateway", Route: "GET /healthz", Detail: "health checks answered well while more than 5% of requests were answered 5xx", Count: 14, Of: 28, From: w.From, To: w.To,
				Intervals: []inquest.AuditInterval{{Window: w, Healthy: 14, Requests: 812, Failed: 211}}},
			{Rule: retry, Service: "gateway", Route: "GET /api/cart", Count: 38, Of: 412, From: w.From, To: w.To, Examples: quote(912, "\"GET /api/cart HTTP/1.1\" 503 187")},
			{Rule: retry, Service: "gateway", Route: "POST /api/checkout/{id}/complete-with-a-very-long-name-that-goes-on-and-on-and-on", Count: 3, Of: 90, Estimated: true, From: w.From, To: w.To, Examples: quote(1044, "\"POST /api/checkout/7/complete HTTP/1.1\" 503 187")},
			{Rule: ids, Service: "checkout", Detail: "errors have no request or trace id", Count: 120, Of: 130, From: w.From, To: w.To, Examples: quote(7, "charge failed")}},
			Unchecked: []inquest.AuditGap{{Rule: "health/shallow", Why: "no health checks in what was read"}, {Rule: "leak/sql", Why: "no log holds the bodies of answers"}, {Rule: "leak/stack", Why: "no log holds the bodies of answers"}},
			Files:     []inquest.FileCoverage{{File: "nginx", Format: "nginx-combined", Records: 48211, Skipped: 3}, {File: "checkout", Format: "json", Records: 99120}}, Notes: []string{"one source was read in part"}}}
}

func someSetup(now time.Time) *web.Setup {
	return &web.Setup{
		Channels: []web.Channel{{Name: "checkout-oncall", Kind: "slack", Where: "#checkout-oncall", Sent: now.Add(-7 * time.Minute), Incident: openIncident}, {Name: "pager", Kind: "pagerduty", Where: "Checkout", Error: "403: the key is not valid", Since: now.Add(-70 * time.Minute), Waiting: 3}, {Name: "mail", Kind: "email", Where: "sre@shop.example", DryRun: true}},
		Rosters:  []web.OnCall{{Roster: "primary", Person: "ann", Until: now.Add(50 * time.Hour), Next: "ben"}, {Roster: "database"}},
		Rules:    []web.Rule{{Group: "shipped", Name: "HonestErrorRatioCritical", Expr: "inquest:honest_ratio5m{tier=\"critical\"} > 0.01", Severity: "page", State: "firing", Firing: 2, Pending: 1}, {Group: "shipped", Name: "PoolFull", Expr: "inquest:pool_share > 0.95", For: "1m", Severity: "page", State: "inactive"}},
		Facts:    []web.Fact{{Name: "Data folder", Value: "/var/lib/inquest"}, {Name: "Metrics are kept", Value: "15 days"}},
	}
}

// someArrivals is a server with a pattern that matches nothing, a target that is down, and a source that sends too much.
func someArrivals(now time.Time) *web.Arrivals {
	return &web.Arrivals{Server: "inquest-1", Since: now.Add(-52 * time.Hour),
		Warnings: []string{"No file matches /srv/search/logs/*.log: nothing is read. Is the path right, and may the server's user read the folder?", "The scrape target http://search:8080/metrics (job search) is down: connect: connection refused"},
		Signals: []web.Signal{{Source: "checkout", Signal: "logs", Received: 48211907, Shed: 1200, Last: now.Add(-time.Second), LastShed: now.Add(-9 * time.Minute)}, {Source: "checkout", Signal: "spans", Received: 921, Last: now.Add(-3 * time.Hour)},
			{Source: "cart", Signal: "metrics", Refused: 12, LastRef: now.Add(-20 * time.Hour)}},
		Files: []web.FilePattern{{Pattern: "/var/log/nginx/access.log*", Service: "gateway", Matched: 3, Files: 1, Behind: 5 << 20}, {Pattern: "/srv/search/logs/*.log"}},
		Targets: []web.ScrapeTarget{{URL: "http://checkout:8080/metrics", Job: "checkout", Up: true, Last: now.Add(-4 * time.Second)}, {URL: "http://search:8080/metrics", Job: "search", Last: now.Add(-11 * time.Second), Error: "connect: connection refused"},
			{URL: "http://mail:9090/metrics", Job: "mail"}},
		Counting: web.Counting{Behind: 12, Unread: 3 << 20}}
}
