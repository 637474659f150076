package symptom_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
)

// The cases here last 20 minutes; requests fail from minute 10 to 15.
var (
	t0    = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	onset = t0.Add(10 * time.Minute)
	end   = t0.Add(15 * time.Minute)
)

func incident(series ...inquest.Series) *inquest.Case {
	return &inquest.Case{Incident: true, Onset: onset, End: end, Observer: "gw", Proxy: true, Span: inquest.Window{From: t0, To: t0.Add(20 * time.Minute)},
		Window: inquest.Window{From: onset, To: end}, Baseline: inquest.Window{From: t0, To: onset}, Series: series,
		Components: []inquest.Component{{Name: "gw", Kind: inquest.KindProxy}, {Name: "api", Kind: inquest.KindApp, Aliases: []string{"api:9090"}}, {Name: "db-1", Kind: inquest.KindDatabase, Aliases: []string{"db-1:9187"}}}}
}

// series is scraped every 15 s; value gets the time since the start of the case.
func series(name string, value func(time.Duration) float64, labels ...string) inquest.Series {
	s := inquest.Series{Name: name, Labels: map[string]string{"instance": "api:9090", "job": "api"}}
	for i := 0; i+1 < len(labels); i += 2 {
		s.Labels[labels[i]] = labels[i+1]
	}
	for d := time.Duration(0); d < 20*time.Minute; d += 15 * time.Second {
		s.Samples = append(s.Samples, inquest.Sample{Time: t0.Add(d), Value: value(d)})
	}
	return s
}

func always(v float64) func(time.Duration) float64 { return func(time.Duration) float64 { return v } }

// in is one value during the incident and another outside.
func in(during, else_ float64) func(time.Duration) float64 {
	return func(d time.Duration) float64 {
		if d >= 10*time.Minute && d < 15*time.Minute {
			return during
		}
		return else_
	}
}

// counts rises by a rate a second in the incident, and stands still outside.
func counts(rate float64) func(time.Duration) float64 {
	return func(d time.Duration) float64 {
		return 100 + rate*min(5*time.Minute, max(0, d-10*time.Minute)).Seconds()
	}
}

func of(c *inquest.Case, kind inquest.SymptomKind) []inquest.Symptom {
	return slices.DeleteFunc(symptom.All(c), func(s inquest.Symptom) bool { return s.Kind != kind })
}

func TestResourcesAtTheirLimitAreFoundByTheNamesOfTheirMetrics(t *testing.T) {
	for _, c := range []struct {
		name     string
		resource string
		series   []inquest.Series
	}{
		{"HikariCP in use at its maximum", "pool", []inquest.Series{series("hikaricp_connections_active", in(10, 2)), series("hikaricp_connections_max", always(10)), series("hikaricp_connections_idle", in(0, 8))}},
		{"HikariCP waiters", "pool", []inquest.Series{series("hikaricp_connections_pending", in(47, 0))}},
		{"pgx pool", "pool", []inquest.Series{series("pgxpool_acquired_conns", in(20, 3)), series("pgxpool_max_conns", always(20)), series("pgxpool_max_idle_destroy_count", always(7))}},
		{"database/sql", "pool", []inquest.Series{series("go_sql_in_use_connections", in(25, 1)), series("go_sql_max_open_connections", always(25))}},
		{"database/sql waits", "pool", []inquest.Series{series("go_sql_wait_count_total", counts(12))}},
		{"node-postgres as people export it", "pool", []inquest.Series{series("pg_pool_total_connections", always(10)), series("pg_pool_idle_connections", in(0, 9)), series("pg_pool_max_connections", always(10))}},
		{"node-postgres waiters", "pool", []inquest.Series{series("pg_pool_waiting_count", in(30, 0))}},
		{"OpenTelemetry db.client.connections", "pool", []inquest.Series{series("db_client_connections_usage", in(10, 2), "state", "used"), series("db_client_connections_usage", in(0, 8), "state", "idle"), series("db_client_connections_max", always(10))}},
		{"file descriptors of a process", "descriptors", []inquest.Series{series("process_open_fds", in(1020, 90)), series("process_max_fds", always(1024))}},
		{"JVM heap", "memory", []inquest.Series{series("jvm_memory_used_bytes", in(510<<20, 200<<20), "area", "heap"), series("jvm_memory_max_bytes", always(512<<20), "area", "heap")}},
		{"container memory", "memory", []inquest.Series{series("container_memory_working_set_bytes", in(255<<20, 90<<20)), series("container_spec_memory_limit_bytes", always(256<<20))}},
		{"host memory", "memory", []inquest.Series{series("node_memory_MemAvailable_bytes", in(1<<28, 6<<30)), series("node_memory_MemTotal_bytes", always(8<<30))}},
		{"disk space", "disk", []inquest.Series{series("node_filesystem_avail_bytes", in(0, 20<<30), "mountpoint", "/var"), series("node_filesystem_size_bytes", always(40<<30), "mountpoint", "/var")}},
		{"inodes", "disk", []inquest.Series{series("node_filesystem_files_free", in(0, 5e5), "mountpoint", "/var"), series("node_filesystem_files", always(1e6), "mountpoint", "/var")}},
		{"executor of Micrometer", "threads", []inquest.Series{series("executor_active_threads", in(50, 4)), series("executor_pool_max_threads", always(50))}},
		{"executor's queue", "threads", []inquest.Series{series("executor_queued_tasks", in(200, 0))}},
		{"Tomcat threads", "threads", []inquest.Series{series("tomcat_threads_busy_threads", in(200, 12)), series("tomcat_threads_config_max_threads", always(200))}},
		{"php-fpm's listen queue", "threads", []inquest.Series{series("phpfpm_listen_queue", in(64, 0))}},
		{"php-fpm's children", "threads", []inquest.Series{series("phpfpm_max_children_reached", counts(0.2))}},
		{"Redis memory", "memory", []inquest.Series{series("redis_memory_used_bytes", in(128<<20, 40<<20)), series("redis_memory_max_bytes", always(128<<20))}},
		{"Redis clients", "connections", []inquest.Series{series("redis_connected_clients", in(1000, 40)), series("redis_config_maxclients", always(1000))}},
		{"MySQL connections", "connections", []inquest.Series{series("mysql_global_status_threads_connected", in(151, 20)), series("mysql_global_variables_max_connections", always(151))}},
		{"PostgreSQL connections by state", "connections", []inquest.Series{series("pg_stat_activity_count", in(30, 5), "state", "active"), series("pg_stat_activity_count", in(68, 5), "state", "idle"), series("pg_settings_max_connections", always(100))}},
		{"one core in use", "cpu", []inquest.Series{series("process_cpu_seconds_total", func(d time.Duration) float64 { return 0.1*d.Seconds() + counts(0.9)(d) })}},
		{"CPU throttled", "cpu", []inquest.Series{series("container_cpu_cfs_throttled_seconds_total", counts(0.8))}},
	} {
		got := of(incident(c.series...), inquest.SymptomSaturation)
		if !slices.ContainsFunc(got, func(s inquest.Symptom) bool { return s.Detail == c.resource && s.Component == "api" }) {
			t.Errorf("%s: no saturation of %s at api in %s", c.name, c.resource, texts(got))
			continue
		}
		if s := got[0]; s.Onset.Before(onset) || s.Onset.After(onset.Add(30*time.Second)) || len(s.Evidence) != 1 || s.Evidence[0].Source.Metric == "" {
			t.Errorf("%s: onset %s, evidence %+v", c.name, s.Onset, s.Evidence)
		}
	}
}

func texts(in []inquest.Symptom) string {
	var out []string
	for _, s := range in {
		out = append(out, fmt.Sprintf("%s/%s %s: %s", s.Kind, s.Detail, s.Component, s.Text))
	}
	return "[" + strings.Join(out, "; ") + "]"
}

func TestWhatIsNotAtALimitIsNoSaturation(t *testing.T) {
	for name, ss := range map[string][]inquest.Series{
		"as full before the incident":                       {series("hikaricp_connections_active", always(10)), series("hikaricp_connections_max", always(10))},
		"no limit known":                                    {series("hikaricp_connections_active", in(10, 2))},
		"high but not full":                                 {series("process_open_fds", in(900, 90)), series("process_max_fds", always(1024))},
		"full only after the incident":                      {series("hikaricp_connections_active", func(d time.Duration) float64 { return map[bool]float64{true: 10, false: 2}[d > 16*time.Minute] }), series("hikaricp_connections_max", always(10))},
		"an unlimited limit":                                {series("process_open_fds", in(900, 90)), series("process_max_fds", always(math.Inf(1)))},
		"a limit of zero stands for none":                   {series("go_sql_in_use_connections", in(90, 1)), series("go_sql_max_open_connections", always(0))},
		"one waiter now and then":                           {series("hikaricp_connections_pending", func(d time.Duration) float64 { return float64(int(d/(15*time.Second)) % 2) })},
		"a counter that always moves":                       {series("go_sql_wait_count_total", func(d time.Duration) float64 { return d.Seconds() })},
		"code cache is not the heap":                        {series("jvm_memory_used_bytes", in(48<<20, 20<<20), "area", "nonheap"), series("jvm_memory_max_bytes", always(48<<20), "area", "nonheap")},
		"disk traffic is not disk space":                    {series("node_disk_written_bytes_total", counts(1e6)), series("node_disk_io_time_seconds_total", counts(1))},
		"another pool's limit":                              {series("hikaricp_connections_active", in(10, 2), "pool", "a"), series("hikaricp_connections_max", always(10), "pool", "b")},
		"another instance's limit":                          {series("process_open_fds", in(1020, 90), "instance", "api:1"), series("process_max_fds", always(1024), "instance", "api:2")},
		"requests in flight have no limit":                  {series("http_requests_in_flight", in(400, 10))},
		"all php-fpm children of the dynamic mode are busy": {series("phpfpm_active_processes", in(5, 1)), series("phpfpm_total_processes", in(5, 2)), series("phpfpm_max_active_processes", always(5))},
		"a peak is no limit":                                {series("mysql_global_status_threads_connected", in(40, 10)), series("mysql_global_status_max_used_connections", always(40)), series("mysql_global_variables_max_connections", always(151))},
		"not a number":                                      {series("hikaricp_connections_active", always(math.NaN())), series("hikaricp_connections_max", always(10))},
		"no samples":                                        {{Name: "hikaricp_connections_active"}, {Name: "hikaricp_connections_max"}},
	} {
		if got := of(incident(ss...), inquest.SymptomSaturation); len(got) > 0 {
			t.Errorf("%s: %s", name, texts(got))
		}
	}
}

func TestALevelIsOnlyFullWhenUseReachesTheLimitOfItsOwnKind(t *testing.T) {
	// 30 of 100 connections active while 68 idle ones are kept: full by their sum, as PostgreSQL counts slots.
	got := of(incident(series("pg_stat_activity_count", in(30, 5), "state", "active"), series("pg_stat_activity_count", in(68, 5), "state", "idle"), series("pg_settings_max_connections", always(100))), inquest.SymptomSaturation)
	if len(got) != 1 || math.Abs(got[0].Value-0.98) > 0.001 || math.Abs(got[0].Baseline-0.1) > 0.001 {
		t.Errorf("got %s, want 98%% now and 10%% before", texts(got))
	}
}

func TestASlowRiseToldFromAJump(t *testing.T) {
	rise := func(d time.Duration) float64 { return 0.2 + 0.8*min(1, max(0, (d-4*time.Minute).Seconds())/300) }
	for _, c := range []struct {
		name  string
		value func(time.Duration) float64
		since time.Time
	}{{"a disk that fills over five minutes", func(d time.Duration) float64 { return 100 * (1 - rise(d)) }, t0.Add(4 * time.Minute)}, {"a jump", in(0, 60), onset}} {
		got := of(incident(series("node_filesystem_avail_bytes", c.value, "mountpoint", "/"), series("node_filesystem_size_bytes", always(100), "mountpoint", "/")), inquest.SymptomSaturation)
		if len(got) != 1 || got[0].Since.Sub(c.since).Abs() > 2*time.Minute {
			t.Errorf("%s: %s since %v, want %s", c.name, texts(got), got, c.since)
		}
	}
}

func TestProcessesThatStartAnew(t *testing.T) {
	starts := func(at ...time.Duration) func(time.Duration) float64 {
		return func(d time.Duration) float64 {
			v := float64(t0.Unix()) - 86400
			for _, a := range at {
				if d >= a {
					v = float64(t0.Add(a).Unix())
				}
			}
			return v
		}
	}
	for _, c := range []struct {
		name   string
		series inquest.Series
		want   string
	}{
		{"once", series("process_start_time_seconds", starts(10*time.Minute)), "restart"},
		{"again and again", series("process_start_time_seconds", starts(10*time.Minute, 11*time.Minute, 12*time.Minute)), "crash-loop"},
		{"a container's count", series("kube_pod_container_status_restarts_total", in(1, 0)), "restart"},
		{"never", series("process_start_time_seconds", starts()), ""},
		{"long before the incident", series("process_start_time_seconds", starts(2*time.Minute)), ""},
		{"after it was over", series("process_start_time_seconds", starts(17*time.Minute)), ""},
		{"clock ticks of less than a second", series("process_start_time_seconds", func(d time.Duration) float64 { return 1e9 + 0.01*float64(d/(15*time.Second)%3) }), ""},
	} {
		got := ""
		for _, s := range of(incident(c.series), inquest.SymptomRestart) {
			if got = s.Detail; s.Component != "api" {
				t.Errorf("%s: restart of %q", c.name, s.Component)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTargetsThatMonitoringLost(t *testing.T) {
	for _, c := range []struct {
		name   string
		series inquest.Series
		want   string
	}{
		{"an application", series("up", in(0, 1)), "api"},
		{"a database, by its exporter", series("pg_up", in(0, 1), "instance", "db-1:9187", "job", "postgres"), "db-1"},
		{"always there", series("up", always(1)), ""},
		{"never there", series("up", always(0)), ""},
		{"one missed scrape in five minutes", series("up", func(d time.Duration) float64 { return map[bool]float64{true: 0, false: 1}[d == 12*time.Minute] }), ""},
		{"gone after the incident", series("up", func(d time.Duration) float64 { return map[bool]float64{true: 0, false: 1}[d > 15*time.Minute] }), ""},
	} {
		got := ""
		for _, s := range of(incident(c.series), inquest.SymptomGap) {
			got = s.Component
		}
		if got != c.want {
			t.Errorf("%s: gap of %q, want %q", c.name, got, c.want)
		}
	}
}

// failed is a failed request i seconds after the onset.
func failed(i, status int, seconds float64) inquest.Request {
	return inquest.Request{Time: onset.Add(time.Duration(i) * time.Second), Observer: "gw", Route: "GET /a", Status: status, Duration: seconds}
}

func TestDurationsThatPileUpAreATimeOut(t *testing.T) {
	for _, c := range []struct {
		name string
		with func(i int) inquest.Request
		want float64
	}{
		{"all of them just above five seconds", func(i int) inquest.Request { return failed(i, 504, 5+0.002*float64(i%7)) }, 5},
		{"half of them", func(i int) inquest.Request {
			return failed(i, 504, map[bool]float64{true: 30.01, false: 0.7 * float64(i)}[i%2 == 0])
		}, 30},
		{"quick failures wait for nothing", func(i int) inquest.Request { return failed(i, 500, 0.01) }, 0},
		{"spread evenly", func(i int) inquest.Request { return failed(i, 500, 1+float64(i)) }, 0},
		{"durations unknown", func(i int) inquest.Request { return failed(i, 500, -1) }, 0},
	} {
		k := incident()
		for i := range 20 {
			k.Failures = append(k.Failures, c.with(i))
		}
		got := 0.0
		for _, s := range of(k, inquest.SymptomPlateau) {
			got = s.Value
		}
		if math.Abs(got-c.want) > 0.1 {
			t.Errorf("%s: plateau at %.2f s, want %.0f", c.name, got, c.want)
		}
	}
	k := incident()
	k.Failures = []inquest.Request{failed(0, 504, 5), failed(1, 504, 5), failed(2, 504, 5), failed(3, 504, 5)}
	if got := of(k, inquest.SymptomPlateau); len(got) > 0 {
		t.Errorf("four failures are too few: %s", texts(got))
	}
}

func TestWhatAProxySawOfItsUpstream(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*inquest.Request)
		want string
	}{
		{"nginx: no status, 502", func(r *inquest.Request) { r.Status, r.UpstreamStatus = 502, "-" }, "no-answer"},
		{"nginx: the last of two attempts", func(r *inquest.Request) {
			r.Status, r.Upstream, r.UpstreamStatus = 504, "10.0.0.1:80, 10.0.0.2:80", "502, 504"
		}, "timeout"},
		{"the application answered 500 itself", func(r *inquest.Request) { r.Status, r.UpstreamStatus = 500, "500" }, "status"},
		{"the application answered 503 itself", func(r *inquest.Request) { r.Status, r.UpstreamStatus = 503, "503" }, "status"},
		{"Envoy: connection failure", func(r *inquest.Request) { r.Status, r.Reason = 503, "UF,URX" }, "refused"},
		{"Envoy: no healthy host", func(r *inquest.Request) { r.Status, r.Reason = 503, "UH" }, "no-live"},
		{"Envoy: time-out", func(r *inquest.Request) { r.Status, r.Reason = 504, "UT" }, "timeout"},
		{"Envoy: overflow", func(r *inquest.Request) { r.Status, r.Reason = 503, "UO" }, "overload"},
		{"Envoy: reset", func(r *inquest.Request) { r.Status, r.Reason = 503, "UC" }, "reset"},
		{"HAProxy: refused", func(r *inquest.Request) { r.Status, r.Reason = 503, "SC--" }, "refused"},
		{"HAProxy: no server left", func(r *inquest.Request) { r.Status, r.Reason, r.Upstream = 503, "SC--", "api/<NOSRV>" }, "no-live"},
		{"HAProxy: waiting for headers", func(r *inquest.Request) { r.Status, r.Reason = 504, "sH--" }, "timeout"},
		{"HAProxy: queue", func(r *inquest.Request) { r.Status, r.Reason = 503, "sQ--" }, "overload"},
		{"HAProxy: server closed", func(r *inquest.Request) { r.Status, r.Reason = 502, "SH--" }, "reset"},
		{"HAProxy: malformed", func(r *inquest.Request) { r.Status, r.Reason = 502, "PH--" }, "malformed"},
		{"inquest gateway: its 504s opened the circuit", func(r *inquest.Request) { r.Status, r.Reason = 503, "status-504" }, "timeout"},
		{"inquest gateway: its 503s opened the circuit", func(r *inquest.Request) { r.Status, r.Reason = 503, "status-503" }, "no-live"},
		{"inquest gateway: its 502s opened the circuit", func(r *inquest.Request) { r.Status, r.Reason = 503, "status-502" }, "status"},
		{"inquest gateway: a circuit of an older version", func(r *inquest.Request) { r.Status, r.Reason = 503, "open" }, "no-live"},
		{"no upstream was asked", func(r *inquest.Request) { r.Status, r.Upstream = 503, "" }, ""},
	} {
		k := incident()
		for i := range 5 {
			r := failed(i, 0, 0.1)
			r.Upstream = "api:9090"
			c.set(&r)
			k.Failures = append(k.Failures, r)
		}
		got, peer := "", "api"
		for _, s := range of(k, inquest.SymptomUpstream) {
			got, peer = s.Detail, s.Peer
		}
		if got != c.want || got != "" && peer != "api" && peer != "10.0.0.2:80" {
			t.Errorf("%s: %q from %q, want %q", c.name, got, peer, c.want)
		}
	}
}

func TestTrafficAndSlowness(t *testing.T) {
	for _, c := range []struct {
		name    string
		traffic inquest.Traffic
		want    []string
	}{
		{"as ever", inquest.Traffic{BaselineRate: 10, IncidentRate: 11, OnsetRate: 10, BaselineMean: 0.1, IncidentMean: 0.15}, nil},
		{"twice the load before the onset", inquest.Traffic{BaselineRate: 10, IncidentRate: 12, OnsetRate: 20, BaselineMean: -1, IncidentMean: -1}, []string{"traffic/surge"}},
		{"hardly any requests left", inquest.Traffic{BaselineRate: 10, IncidentRate: 2, OnsetRate: 10}, []string{"traffic/drop"}},
		{"ten times as slow", inquest.Traffic{BaselineRate: 10, IncidentRate: 10, BaselineMean: 0.1, IncidentMean: 1}, []string{"slow/"}},
		{"slower, but nobody feels it", inquest.Traffic{BaselineRate: 10, IncidentRate: 10, BaselineMean: 0.002, IncidentMean: 0.02}, nil},
		{"one slow route that asks for all workers", inquest.Traffic{BaselineRate: 10, IncidentRate: 10, BaselineMean: 0.1, IncidentMean: 1, Heaviest: &inquest.RouteWork{Observer: "gateway", Route: "GET /export", Mean: 10, During: 20, All: 1}}, []string{"slow/", "traffic/heavy"}},
		{"a slow route that nobody waits for", inquest.Traffic{BaselineRate: 10, IncidentRate: 10, BaselineMean: 0.1, IncidentMean: 0.1, Heaviest: &inquest.RouteWork{Observer: "gateway", Route: "GET /export", Mean: 10, During: 20, All: 1}}, nil},
		{"nothing to compare with", inquest.Traffic{IncidentRate: 100, BaselineMean: -1, IncidentMean: 3}, nil},
	} {
		k := incident()
		k.Traffic = c.traffic
		var got []string
		for _, s := range symptom.All(k) {
			got = append(got, string(s.Kind)+"/"+s.Detail)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestLinesThatTellSomething(t *testing.T) {
	base := inquest.LogPattern{Service: "api", Origin: inquest.KindApp, Level: inquest.LevelError, Template: "boom", During: 10, New: true, Share: -1,
		First: onset, Last: end, Examples: []inquest.LogExample{{Time: onset.Add(-9 * time.Minute), Text: "old"}, {Time: onset, Text: "dial tcp 10.0.0.9:80: refused"}}}
	for _, c := range []struct {
		name string
		set  func(*inquest.LogPattern)
		want string
	}{
		{"a new error", func(*inquest.LogPattern) {}, "new"},
		{"a surging one", func(p *inquest.LogPattern) { p.New, p.Surging, p.Before = false, true, 3 }, "surging"},
		{"an old one in most failed requests", func(p *inquest.LogPattern) { p.New, p.Share = false, 0.8 }, "steady"},
		{"an old one in few", func(p *inquest.LogPattern) { p.New, p.Share = false, 0.2 }, ""},
		{"an application's chatter", func(p *inquest.LogPattern) { p.Level = inquest.LevelInfo }, ""},
		{"a database's chatter", func(p *inquest.LogPattern) { p.Level, p.Origin = inquest.LevelInfo, inquest.KindDatabase }, "new"},
		{"chatter with an exception", func(p *inquest.LogPattern) {
			p.Level = inquest.LevelInfo
			p.Examples = []inquest.LogExample{{Time: onset, Text: "x", Exception: &inquest.Exception{Type: "E"}}}
		}, "new"},
		{"not seen in the incident", func(p *inquest.LogPattern) { p.During = 0 }, ""},
		{"without an example", func(p *inquest.LogPattern) { p.Examples = nil }, ""},
	} {
		p := base
		c.set(&p)
		k := incident()
		k.Patterns = []inquest.LogPattern{p}
		got := ""
		for _, s := range of(k, inquest.SymptomPattern) {
			got = s.Detail
			if !s.Onset.Equal(onset) {
				t.Errorf("%s: quoted from %s, before the incident", c.name, s.Onset)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWithoutAnIncidentThereAreNoSymptoms(t *testing.T) {
	k := incident(series("hikaricp_connections_active", in(10, 2)), series("hikaricp_connections_max", always(10)))
	k.Incident = false
	if got := symptom.All(k); got != nil {
		t.Errorf("got %s", texts(got))
	}
}
