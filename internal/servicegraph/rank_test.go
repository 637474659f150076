package servicegraph_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/servicegraph"
)

func same(v float64) [2]float64     { return [2]float64{v, v} }
func from(a, b float64) [2]float64  { return [2]float64{a, b} }
func milli(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
func when(c bool, a, b float64) float64 {
	if c {
		return a
	}
	return b
}

func TestRankFindsWhereItBegan(t *testing.T) {
	tests := []struct {
		sentence string
		build    func(w *world)
		want     []string // the first suspects, in any order among them
	}{
		{"a slow callee, not the callers that wait for it", func(w *world) {
			w.edges("shop>basket>stock", "shop>prices")
			w.served("shop", same(20), from(0.20, 0.60), same(0.001))
			w.served("basket", same(10), from(0.05, 0.85), same(0.001))
			w.served("stock", same(10), from(0.02, 0.82), same(0.001))
			w.served("prices", same(40), same(0.01), same(0.001))
		}, []string{"stock"}},
		{"a slow middle, whose callee is as fast as ever", func(w *world) {
			w.edges("shop>basket>stock")
			w.served("shop", same(20), from(0.20, 0.60), same(0.001))
			w.served("basket", same(20), from(0.05, 0.45), same(0.001))
			w.served("stock", same(20), same(0.02), same(0.001))
		}, []string{"basket"}},
		{"failures through three hops begin at the last", func(w *world) {
			w.edges("edge-proxy>orders>billing>ledger")
			for i, name := range []string{"edge-proxy", "orders", "billing", "ledger"} {
				n := 40.0 - 10*float64(i)
				w.served(name, same(n), same(0.03), from(0.001, 3/n))
			}
		}, []string{"ledger"}},
		{"the node behind a load balancer, not the balancer's own entry in the list", func(w *world) {
			w.edges("web>quotes", "web>internal-quotes-1.elb.example.net", "web>news")
			w.served("web", same(50), from(0.1, 0.3), same(0.001))
			w.served("quotes", same(50), from(0.02, 0.20), same(0.001))
			w.served("internal-quotes-1.elb.example.net", same(50), from(0.03, 0.25), same(0.001))
			w.served("news", same(50), same(0.02), same(0.001))
		}, []string{"quotes"}},
		{"the balancer itself when nobody behind it is suspected", func(w *world) {
			w.edges("web>quotes", "web>internal-quotes-1.elb.example.net")
			w.served("web", same(50), from(0.1, 0.3), same(0.001))
			w.served("quotes", same(50), same(0.02), same(0.001))
			w.served("internal-quotes-1.elb.example.net", same(50), from(0.03, 0.25), same(0.001))
		}, []string{"internal-quotes-1.elb.example.net"}},
		{"a node behind one that has no metrics at all", func(w *world) {
			w.edges("web>gateway>users>directory")
			w.served("web", same(30), from(0.1, 0.5), same(0.001))
			w.served("users", same(30), from(0.03, 0.43), same(0.001))
			w.served("directory", same(30), from(0.01, 0.41), same(0.001))
		}, []string{"directory"}},
		{"a slow service that only traces show", func(w *world) {
			w.requests(func(ill bool, _ int) op {
				return op{service: "portal", name: "GET /", own: milli(5), children: []op{
					{service: "portal", name: "call search", children: []op{
						{service: "search", name: "Search", own: milli(when(ill, 300, 12)), network: milli(2)}}},
					{service: "portal", name: "call ads", children: []op{
						{service: "ads", name: "Ads", own: milli(6), network: milli(2)}}}}}
			})
		}, []string{"search"}},
		{"the end at which slow calls meet, when both sides' code is as fast as ever", func(w *world) {
			w.requests(func(ill bool, _ int) op {
				call := func(from, to string, children ...op) op {
					n := 2.0
					if ill && (from == "rates" || to == "rates") {
						n = 150
					}
					return op{service: from, name: "call " + to, children: []op{
						{service: to, name: to, own: milli(8), network: milli(n), children: children}}}
				}
				return op{service: "portal", name: "GET /", own: milli(5), children: []op{
					call("portal", "rates", call("rates", "currencies"), call("rates", "holidays")),
					call("portal", "ads"), call("portal", "news")}}
			})
		}, []string{"rates"}},
		{"a delay that only the callers' view of a mesh contains", func(w *world) {
			for _, from := range []string{"web", "mobile", "batch"} {
				for _, to := range []string{"cart", "mail"} {
					lab := "source_workload=" + from + ",destination_workload=" + to
					extra := when(to == "cart", 25*0.3, 0)
					w.counter("istio_request_duration_milliseconds_sum", lab+",reporter=destination", 25*8, 25*8)
					w.counter("istio_request_duration_milliseconds_count", lab+",reporter=destination", 25, 25)
					w.counter("istio_request_duration_milliseconds_sum", lab+",reporter=source", 25*10, 25*10+1000*extra)
					w.counter("istio_request_duration_milliseconds_count", lab+",reporter=source", 25, 25)
				}
			}
		}, []string{"cart"}},
		{"a database that sends no spans of its own", func(w *world) {
			w.requests(func(ill bool, _ int) op {
				return op{service: "billing", name: "POST /pay", own: milli(5), children: []op{
					{service: "billing", name: "SELECT account", own: milli(when(ill, 400, 3)), peer: "accounts-db:5432"}}}
			})
		}, []string{"accounts-db"}},
		{"a dependency whose every call fails, not those who report it", func(w *world) {
			w.requests(func(ill bool, n int) op {
				bad := ill && n%2 == 0
				return op{service: "api", name: "POST /signup", own: milli(5), failed: bad, children: []op{
					{service: "api", name: "call mailer", failed: bad, children: []op{
						{service: "mailer", name: "Send", own: milli(4), failed: bad, children: []op{
							{service: "mailer", name: "smtp", own: milli(3), failed: bad, peer: "smtp.example.net"}}}}}}}
			})
		}, []string{"smtp.example.net"}},
		{"CPU at its limit, although everybody upstream is slower, too", func(w *world) {
			w.edges("web>render>fonts")
			w.served("web", same(30), from(0.1, 0.6), same(0.001))
			w.served("render", same(30), from(0.05, 0.5), same(0.001))
			w.served("fonts", same(30), from(0.02, 0.03), same(0.001))
			for _, s := range []string{"web", "render", "fonts"} {
				w.gauge("container_cpu_utilization_percent", "container="+s, 20, when(s == "render", 99, 21))
			}
		}, []string{"render"}},
		{"a connection pool at its limit", func(w *world) {
			w.edges("web>accounts")
			w.served("web", same(30), from(0.1, 0.3), same(0.001))
			w.gauge("hikaricp_connections_active", "app=accounts,pool=main", 3, 10)
			w.gauge("hikaricp_connections_max", "app=accounts,pool=main", 10, 10)
		}, []string{"accounts"}},
		{"an instance that is down", func(w *world) {
			w.edges("web>geo", "web>tax")
			w.served("web", same(30), same(0.1), from(0.001, 0.3))
			w.gauge("up", "job=geo", 1, 0).gauge("up", "job=tax", 1, 1).gauge("up", "job=web", 1, 1)
		}, []string{"geo"}},
		{"a component that stops reporting while the others go on", func(w *world) {
			w.edges("web>geo", "web>tax")
			for _, s := range []string{"web", "geo", "tax"} {
				w.gauge("container_cpu_usage_ratio", "pod="+s+"-7d9c5b8f6d-x2x7p", 0.2, 0.2)
			}
			geo := &w.in.Series[1]
			for i, p := range geo.Samples {
				if p.Time.After(onset) {
					geo.Samples = geo.Samples[:i]
					break
				}
			}
		}, []string{"geo"}},
		{"code that no longer gets from one statement to the next, not its callers", func(w *world) {
			n := 0
			w.requests(func(ill bool, i int) op {
				n = i
				return op{service: "shop", name: "POST /order", own: milli(5), children: []op{
					{service: "stamps", name: "Stamp", own: milli(20), network: milli(1)}}}
			})
			for i := 0; i <= n; i++ {
				at := onset.Add(-before + time.Duration(i)*10*time.Second)
				trace, ill := fmt.Sprintf("trace-%d", i), !at.Before(onset)
				if ill {
					w.statements(trace, "stamps", at.Add(milli(6)), "received", "lookup", "refused")
					w.statements(trace, "shop", at, "ordering", "sorry")
				} else {
					w.statements(trace, "stamps", at.Add(milli(6)), "received", "lookup", "stamped", "stored")
					w.statements(trace, "shop", at, "ordering", "ordered")
				}
			}
		}, []string{"stamps"}},
		{"a caller that goes on but no longer calls what it used to", func(w *world) {
			w.edges("web>booking>seats", "booking>payment>bank")
			w.served("web", same(40), same(0.1), from(0.001, 0.2))
			w.gauge("rpc_requests_per_second", "service=booking", 10, 10)
			w.gauge("rpc_requests_per_second", "service=seats", 10, 10)
			w.gauge("rpc_requests_per_second", "service=payment", 10, 0)
			w.gauge("rpc_requests_per_second", "service=bank", 10, 0)
		}, []string{"booking"}},
		{"two faults that have nothing to do with each other, both", func(w *world) {
			w.edges("web>search>index", "web>mail>smtp")
			w.served("web", same(50), from(0.10, 0.50), from(0.001, 0.1))
			w.served("search", same(50), from(0.04, 0.44), same(0.001))
			w.served("index", same(50), from(0.02, 0.42), same(0.001))
			w.served("mail", same(50), same(0.02), from(0.001, 0.1))
			w.served("smtp", same(50), same(0.01), from(0.001, 0.1))
		}, []string{"index", "smtp"}},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			w := newWorld()
			tt.build(w)
			wantFirst(t, w.in, tt.want...)
		})
	}
}

func TestRankIsSilentWhenNothingBegan(t *testing.T) {
	tests := []struct {
		sentence string
		build    func(w *world)
	}{
		{"nothing was given", func(w *world) { w.in = servicegraph.Input{} }},
		{"the hint names no time", func(w *world) {
			w.served("web", same(30), from(0.1, 0.9), same(0.001))
			w.in.Hint = inquest.Hint{Target: "web"}
		}},
		{"everything is as it was", func(w *world) {
			w.edges("web>users>directory")
			for _, s := range []string{"web", "users", "directory"} {
				w.served(s, same(30), same(0.1), same(0.001))
				w.gauge("container_cpu_usage_percent", "service="+s, 40, 40)
			}
		}},
		{"traffic doubled, and CPU with it", func(w *world) {
			w.edges("web>users>directory")
			for _, s := range []string{"web", "users", "directory"} {
				w.served(s, from(30, 60), same(0.1), same(0.001))
				w.gauge("container_cpu_usage_percent", "service="+s, 30, 60)
				w.counter("process_cpu_seconds_total", "job="+s, 0.6, 1.2)
			}
		}},
		{"traffic halved, and so did every callee's", func(w *world) {
			w.edges("web>users>directory")
			for _, s := range []string{"web", "users", "directory"} {
				w.served(s, from(30, 15), same(0.1), same(0.001))
			}
		}},
		{"the level moved long before the incident", func(w *world) {
			w.served("web", same(30), same(0.4), same(0.001))
			for i := range w.in.Series {
				for j := range w.in.Series[i].Samples {
					if p := &w.in.Series[i].Samples[j]; p.Time.Before(onset.Add(-20 * time.Minute)) {
						p.Value *= 0.2
					}
				}
			}
			w.in.Hint.Baseline.To = onset.Add(-20 * time.Minute)
		}},
		{"a tenth of a millisecond more", func(w *world) {
			w.served("web", same(30), from(0.01, 0.0103), same(0.001))
		}},
		{"the callers' spans take a little longer, far too little to be felt", func(w *world) {
			w.requests(func(ill bool, _ int) op {
				return op{service: "portal", name: "GET /", own: milli(400), children: []op{
					{service: "portal", name: "call ads", children: []op{
						{service: "ads", name: "Ads", own: milli(6), network: milli(when(ill, 4, 2))}}}}}
			})
			w.gauge("http_request_duration_seconds", "service=portal,stat=avg", 0.41, 0.41)
		}},
		{"hundreds of a runtime's metrics wander", func(w *world) {
			for _, job := range []string{"nginx", "orders", "postgres", "redis"} {
				for i := range 60 {
					w.gauge(fmt.Sprintf("go_memstats_thing_%d_bytes", i), "job="+job+",instance=10.0.0.1:9100", 100, 160)
				}
				for _, name := range []string{"go_gc_duration_seconds", "go_goroutines", "go_threads",
					"process_start_time_seconds", "scrape_duration_seconds", "scrape_samples_scraped", "pg_stat_database_blks_hit",
					"redis_connected_clients", "node_cpu_usage_percent", "node_memory_usage_percent", "http_response_size_bytes",
					"prometheus_http_requests_in_flight", "kube_pod_container_resource_requests"} {
					w.gauge(name, "job="+job, 10, 40)
				}
			}
		}},
		{"the mix of requests changed", func(w *world) {
			w.requests(func(ill bool, n int) op {
				if n%4 == 0 || ill && n%2 == 0 {
					return op{service: "shop", name: "GET /list", own: milli(5), children: []op{{service: "shop", name: "page", own: milli(9)}}}
				}
				return op{service: "shop", name: "GET /item", own: milli(5), children: []op{{service: "shop", name: "detail", own: milli(2)}}}
			})
		}},
		{"too few healthy samples to know what is normal", func(w *world) {
			w.served("web", same(30), from(0.1, 0.9), same(0.001))
			w.in.Hint.Baseline = inquest.Window{From: onset.Add(-90 * time.Second), To: onset.Add(-30 * time.Second)}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			w := newWorld()
			tt.build(w)
			if got := servicegraph.Rank(w.in); len(got) != 0 {
				t.Errorf("want no suspects, got %s", describe(w.in))
			}
		})
	}
}

// TestRankReadsMetricsByConvention gives the same slow or failing component in the words of different exporters.
func TestRankReadsMetricsByConvention(t *testing.T) {
	slowSum := func(name string, unit float64) func(w *world, lab string) {
		return func(w *world, lab string) {
			w.counter(name+"_sum", lab, 20*0.05*unit, 20*0.5*unit)
			w.counter(name+"_count", lab, 20, 20)
		}
	}
	gauge := func(name, extra string, a, b float64) func(w *world, lab string) {
		return func(w *world, lab string) { w.gauge(name, lab+extra, a, b) }
	}
	failing := func(name, good, bad string) func(w *world, lab string) {
		return func(w *world, lab string) {
			w.counter(name, lab+good, 20, 10)
			w.counter(name, lab+bad, 0.01, 10)
		}
	}
	tests := []struct {
		sentence string
		label    string
		add      func(w *world, lab string)
	}{
		{"a Prometheus client histogram", "job", slowSum("http_request_duration_seconds", 1)},
		{"OpenTelemetry in milliseconds", "service_name", slowSum("http_server_duration_milliseconds", 1000)},
		{"Micrometer", "application", slowSum("http_server_requests_seconds", 1)},
		{"gRPC middleware", "app", slowSum("grpc_server_handling_seconds", 1)},
		{"a summary's quantile", "service", gauge("request_latency_seconds", ",quantile=0.95", 0.1, 0.9)},
		{"a statistic in the name", "component", gauge("responseTimeAvg_ms", "", 100, 900)},
		{"dots instead of underscores", "service", gauge("http.server.request.duration", "", 0.1, 0.9)},
		{"requests by status code", "job", failing("http_requests_total", ",code=200", ",code=503")},
		{"gRPC codes", "job", failing("grpc_server_handled_requests_total", ",grpc_code=OK", ",grpc_code=Unavailable")},
		{"Envoy's clusters", "envoy_cluster_name", gauge("envoy_cluster_upstream_rq_time_avg_ms", "", 20, 300)},
		{"an errors counter beside a requests counter", "service", func(w *world, lab string) {
			w.counter("orders_requests_total", lab, 20, 20)
			w.counter("orders_errors_total", lab, 0.02, 8)
		}},
		{"availability in percent", "node", gauge("probe_availability_percent", "", 99.9, 71)},
		{"a success ratio", "service", gauge("job_success_ratio", "", 0.999, 0.6)},
		{"an error rate in percent", "service", gauge("http_error_percent", "", 0.1, 30)},
		{"CPU of the limit as a ratio", "container", gauge("container_cpu_utilization_ratio", "", 0.2, 0.97)},
		{"CPU in cores", "job", func(w *world, lab string) { w.counter("process_cpu_seconds_total", lab, 0.3, 2.8) }},
		{"heap of its limit", "app", gauge("jvm_heap_usage_percent", "", 40, 97)},
		{"file descriptors next to their limit", "job", func(w *world, lab string) {
			w.gauge("process_open_fds", lab, 200, 1010).gauge("process_max_fds", lab, 1024, 1024)
		}},
		{"throttling", "container", gauge("container_cpu_throttled_ratio", "", 0.02, 0.7)},
		{"memory in bytes", "container", gauge("container_memory_usage_bytes", "", 1e8, 5e8)},
		{"resident memory", "job", gauge("process_resident_memory_bytes", "", 1e8, 5e8)},
		{"disk writes", "container", func(w *world, lab string) { w.counter("container_fs_writes_bytes_total", lab, 1e5, 4e6) }},
		{"restarts", "container", func(w *world, lab string) { w.counter("kube_pod_container_status_restarts_total", lab, 0, 0.01) }},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			w := newWorld()
			tt.add(w, tt.label+"=culprit")
			wantFirst(t, w.in, "culprit")
			if s := servicegraph.Rank(w.in)[0]; len(s.Evidence) == 0 || s.Evidence[0].Metric == "" || s.Evidence[0].Labels[tt.label] != "culprit" {
				t.Errorf("evidence %+v does not point at the metric", s.Evidence)
			}
		})
	}
}

func TestRankTakesAPodForItsWorkload(t *testing.T) {
	for _, pod := range []string{"cart-579f59597d-wc2lz", "cart-0"} {
		w := newWorld().gauge("request_latency_seconds", "pod="+pod, 0.1, 0.9)
		wantFirst(t, w.in, "cart")
	}
}

func TestRankNamesTheLeastUnlikelyOnlyToThoseWhoWereAlerted(t *testing.T) {
	build := func(target string) []servicegraph.Suspect {
		w := newWorld()
		w.gauge("request_latency_seconds", "service=web", 0.1, 0.1)
		// Healthy values walk from 0.10 to 0.12, so that the median is 0.11 and the noise 0.0074. The rise is 2.6 of those.
		for i := range w.in.Series[0].Samples {
			p := &w.in.Series[0].Samples[i]
			p.Value = 0.10 + 0.005*float64(i%5)
			if p.Time.After(onset) {
				p.Value = 0.1295
			}
		}
		w.in.Hint.Target = target
		return servicegraph.Rank(w.in)
	}
	if got := build(""); len(got) != 0 {
		t.Errorf("without a target: got %+v, want none", got)
	}
	got := build("web")
	if len(got) != 1 || got[0].Component != "web" || got[0].Score > 0.5 {
		t.Errorf("with a target: got %+v, want web with at most half a score", got)
	}
}

func TestScoresLieBetweenZeroAndOneAndDescend(t *testing.T) {
	w := newWorld().edges("web>search>index")
	w.served("web", same(50), from(0.10, 5), from(0.001, 0.9))
	w.served("search", same(50), from(0.04, 4), from(0.001, 0.9))
	w.served("index", same(50), from(0.02, 3), from(0.001, 0.9))
	w.gauge("container_cpu_usage_percent", "service=index", 10, 100)
	got := servicegraph.Rank(w.in)
	if len(got) == 0 {
		t.Fatal("no suspects")
	}
	last := 1.0
	for _, s := range got {
		if s.Score <= 0 || s.Score > last {
			t.Errorf("%s has score %v after %v", s.Component, s.Score, last)
		}
		if !strings.HasPrefix(s.Why, s.Component+": ") {
			t.Errorf("why does not begin with the component: %q", s.Why)
		}
		last = s.Score
	}
}

// TestRankDoesNotDependOnTheOrderOfItsInput shuffles everything that has an order.
func TestRankDoesNotDependOnTheOrderOfItsInput(t *testing.T) {
	type statement struct {
		trace, service, key string
		at                  time.Time
	}
	var spans []inquest.Span
	var logs []statement
	for i := range 300 {
		at := onset.Add(-before + time.Duration(i)*14*time.Second)
		trace, ill := fmt.Sprint("t", i), at.After(onset)
		for j, svc := range []string{"a", "b", "c"} {
			d := milli(float64(50 - 10*j))
			if ill && j == 2 {
				d += milli(300)
			}
			s := inquest.Span{TraceID: trace, SpanID: fmt.Sprint(i, "-", j), Service: svc, Name: "op", Start: at.Add(milli(float64(j))), Duration: d}
			if j > 0 {
				s.ParentID = fmt.Sprint(i, "-", j-1)
			}
			spans = append(spans, s)
			logs = append(logs, statement{trace, svc, "one", at.Add(milli(2))})
			if !ill || j != 1 {
				logs = append(logs, statement{trace, svc, "two", at.Add(milli(3))})
			}
		}
	}
	build := func(seed uint64) []servicegraph.Suspect {
		w := newWorld().edges("a>b>c", "a>d")
		w.served("a", same(30), from(0.1, 0.4), same(0.001))
		w.served("b", same(30), from(0.07, 0.37), same(0.001))
		w.served("d", same(30), same(0.01), from(0.001, 0.2))
		for _, pod := range []string{"d-1", "d-2", "d-3"} {
			w.gauge("container_cpu_usage_percent", "service=d,pod="+pod, 20, 73)
		}
		r := rand.New(rand.NewPCG(seed, 1))
		sh := append([]inquest.Span(nil), spans...)
		lg := append([]statement(nil), logs...)
		if seed > 0 {
			r.Shuffle(len(sh), func(i, j int) { sh[i], sh[j] = sh[j], sh[i] })
			r.Shuffle(len(lg), func(i, j int) { lg[i], lg[j] = lg[j], lg[i] })
			s, e := w.in.Series, w.in.Edges
			r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
			r.Shuffle(len(e), func(i, j int) { e[i], e[j] = e[j], e[i] })
		}
		for _, s := range sh {
			w.in.Traces.Add(s)
		}
		for _, l := range lg {
			w.in.Events.Add(l.trace, l.service, "", l.key, l.at)
		}
		return servicegraph.Rank(w.in)
	}
	want := build(0)
	if len(want) < 2 {
		t.Fatalf("the scenario has too few suspects to show anything: %v", want)
	}
	for seed := uint64(1); seed <= 20; seed++ {
		if got := build(seed); !reflect.DeepEqual(got, want) {
			t.Fatalf("shuffle %d:\n got %+v\nwant %+v", seed, got, want)
		}
	}
}
