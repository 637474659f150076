package parse_test

import (
	"bufio"
	"encoding/json"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/parse"
)

// asJSON returns what `inquest parse` would print of a record.
func asJSON(t testing.TB, r *parse.Record) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(parse.AppendJSON(nil, r), &m); err != nil {
		t.Fatalf("output is not JSON: %v: %s", err, parse.AppendJSON(nil, r))
	}
	return m
}

// TestSamplesOfOtherProjects compares what is read with what those projects' own tests expect, see
// testdata/access/LICENSES.md.
func TestSamplesOfOtherProjects(t *testing.T) {
	logs, err := filepath.Glob("testdata/access/*.log")
	if err != nil || len(logs) < 15 {
		t.Fatalf("%d samples, error %v", len(logs), err)
	}
	for _, name := range logs {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".log"), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			recs, rep := read(t, data, parse.Options{Workers: 1, AllFields: true})
			if rep.Format == "" {
				t.Fatal("not recognised")
			}
			byLine := map[int]map[string]any{}
			for _, r := range recs {
				byLine[r.Line] = asJSON(t, r)
			}
			compareExpected(t, strings.TrimSuffix(name, ".log")+".expected.jsonl", byLine)
		})
	}
}

func compareExpected(t *testing.T, name string, got map[int]map[string]any) {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	events := 0
	for in := bufio.NewScanner(f); in.Scan(); events++ {
		var want map[string]any
		if err := json.Unmarshal(in.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		line := int(want["line"].(float64))
		if got[line] == nil {
			t.Errorf("line %d: no record", line)
			continue
		}
		for k, w := range want {
			if !sameValue(k, w, got[line][k]) {
				t.Errorf("line %d: %s is %v, want %v", line, k, got[line][k], w)
			}
		}
	}
	if events == 0 {
		t.Error("no expected events")
	}
}

// sameValue compares as the sources do not agree on spelling: URL-encoding is kept by some and undone by others, IIS
// writes '+' for a blank, lists of addresses are sets.
func sameValue(name string, want, got any) bool {
	switch name {
	case "time", "time_local":
		a, b := moment(want), moment(got)
		return !a.IsZero() && a.Sub(b).Abs() <= time.Millisecond
	case "path", "query", "user_agent":
		return unescaped(want) == unescaped(got)
	case "remote_addrs":
		return reflect.DeepEqual(set(want), set(got))
	}
	if w, ok := want.(float64); ok {
		g, ok := got.(float64)
		return ok && math.Abs(w-g) <= 1e-6
	}
	if s, ok := want.(string); ok && s == "" {
		return got == nil || got == ""
	}
	return reflect.DeepEqual(want, got)
}

func moment(v any) time.Time {
	s, _ := v.(string)
	t, err := time.Parse(time.RFC3339Nano, strings.TrimSuffix(s, "Z")+"Z")
	if err != nil {
		return time.Time{}
	}
	return t
}

func unescaped(v any) string {
	s, _ := v.(string)
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return strings.ReplaceAll(s, "+", " ")
}

func set(v any) []string {
	var out []string
	l, _ := v.([]any)
	for _, x := range l {
		out = append(out, x.(string))
	}
	sort.Strings(out)
	return out
}

// layouts has one line for each layout that a format's documentation describes. want is a part of the JSON output.
var layouts = map[string]struct {
	format string
	line   string
	want   string
}{
	"Apache common": {"combined",
		`127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326`,
		`{"time":"2000-10-10T20:55:36Z","status":200,"bytes":2326,"method":"GET","url":"/apache_pb.gif","user":"frank","http_version":"1.0","remote_addr":"127.0.0.1"}`},
	"Apache with virtual host and port": {"combined",
		`www.example.com:443 127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/2" 503 - "-" "curl/8"`,
		`{"status":503,"host":"www.example.com","server_port":"443","http_version":"2","user_agent":"curl/8"}`},
	"Apache with %D behind": {"combined",
		strings.Repeat(`127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 45 "-" "curl/8" 2500`+"\n", 6),
		`{"duration_s":0.0025}`},
	"Tomcat with %D behind": {"combined",
		strings.Repeat(`127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 45 7`+"\n"+`127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /x HTTP/1.1" 200 45 81`+"\n", 6),
		`{"duration_s":0.007}`},
	"Apache combinedio": {"combined",
		`127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 45 "-" "curl/8" 512 812`,
		`{"request_bytes":512,"bytes":45,"duration_s":null}`},
	"nginx with named timings in quotes and lists": {"combined",
		`10.0.0.1 - - [20/Nov/2026:16:12:03 +0100] "POST /pay HTTP/2.0" 502 157 "-" "okhttp/4" rt=2.003 uct="0.001, 1.000" urt="1.001, 1.000" ua="10.0.0.7:80, 10.0.0.8:80" us="502, 504" rid=8f3c`,
		`{"time":"2026-11-20T15:12:03Z","duration_s":2.003,"upstream_duration_s":2.001,"upstream":"10.0.0.8:80","upstreams":"10.0.0.7:80, 10.0.0.8:80","upstream_status":504,"upstream_statuses":"502, 504","request_id":"8f3c"}`},
	"nginx with the variables' own names": {"combined",
		`10.0.0.1 - - [20/Nov/2026:16:12:03 +0100] "GET / HTTP/1.1" 200 1 "-" "-" request_time=0.5 upstream_response_time=0.4 upstream_addr=10.0.0.7:80 upstream_status=200 request_id=abc host=shop.example.com`,
		`{"duration_s":0.5,"upstream_duration_s":0.4,"upstream":"10.0.0.7:80","upstream_status":200,"request_id":"abc","host":"shop.example.com"}`},
	"nginx with bare timings": {"combined",
		`10.0.0.1 - - [20/Nov/2026:16:12:03 +0100] "GET / HTTP/1.1" 200 1 "-" "-" 0.123 0.120`,
		`{"duration_s":0.123,"upstream_duration_s":0.12}`},
	"nginx with bare timings, upstream first": {"combined",
		`10.0.0.1 - - [20/Nov/2026:16:12:03 +0100] "GET / HTTP/1.1" 200 1 "-" "-" 0.120 0.123`,
		`{"duration_s":0.123,"upstream_duration_s":0.12}`},
	"nginx with forwarded address, timings and quoted upstream": {"combined",
		`10.0.0.1 - - [20/Nov/2026:16:12:03 +0100] "GET / HTTP/1.1" 200 1 "-" "-" "203.0.113.9" 0.123 "10.0.0.7:8080" "200" "0.120" MISS`,
		`{"forwarded_for":"203.0.113.9","duration_s":0.123,"upstream":"10.0.0.7:8080","upstream_status":200,"upstream_duration_s":0.12,"cache_status":"MISS"}`},
	"nginx with an ISO time": {"combined",
		`10.0.0.1 - - [2026-11-20T16:12:03+01:00] "GET / HTTP/1.1" 200 1`, `{"time":"2026-11-20T15:12:03Z","status":200}`},
	"a request that is none": {"combined",
		`10.0.0.1 - - [20/Nov/2026:16:12:03 +0100] "\x16\x03\x01" 400 157 "-" "-"`, `{"status":400,"request":"\\x16\\x03\\x01","method":null}`},
	"a quote inside the agent": {"combined",
		`10.0.0.1 - - [20/Nov/2026:16:12:03 +0100] "GET /a\"b HTTP/1.1" 200 1 "-" "my \"agent\"" 0.1`, `{"url":"/a\\\"b","user_agent":"my \\\"agent\\\"","duration_s":0.1}`},
	"Kong's proxy log": {"combined",
		`10.0.0.1 - - [20/Nov/2026:16:12:03 +0000] "GET /x HTTP/1.1" 503 91 "-" "curl/8" kong_request_id: "0c5f7a"`, `{"status":503,"request_id":"0c5f7a"}`},
	"API Gateway's common log format": {"combined",
		`203.0.113.9 - - [20/Nov/2026:16:12:03 +0000]"GET /pets HTTP/1.1" 504 41 c6af9ac6-7b61-11e6-9a41-93e8deadbeef`, `{"status":504,"url":"/pets","request_id":"c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}`},
	"ingress-nginx": {"ingress-nginx",
		`10.0.0.1 - - [20/Nov/2026:16:12:03 +0000] "GET /x HTTP/1.1" 503 190 "-" "curl/8" 230 0.000 [shop-cart-80] [] - - - - 5f1c`,
		`{"status":503,"duration_s":0,"upstream_name":"shop-cart-80","upstream":null,"request_id":"5f1c","request_bytes":230}`},
	"Traefik for a client that went away": {"traefik",
		`10.0.0.1 - - [20/Nov/2026:16:12:03 +0000] "GET /x HTTP/1.1" - - "-" "-" 12 "cart@docker" "http://10.0.0.7:80" 4001ms`,
		`{"status":null,"router":"cart@docker","upstream":"http://10.0.0.7:80","duration_s":4.001}`},
	"Envoy's default": {"envoy",
		`[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"`,
		`{"status":204,"request_bytes":154,"bytes":0,"duration_s":0.226,"upstream_duration_s":0.1,"host":"locations","upstream":"tcp://10.0.2.1:80","remote_addr":"10.0.35.28"}`},
	"Istio with a failure of the upstream": {"envoy",
		`[2026-11-20T16:12:03.310Z] "GET /x HTTP/1.1" 503 UF,URX upstream_reset_before_response_started{connection_failure} - "delayed connect error: 111" 0 91 12 - "-" "curl/8" "id-1" "cart:80" "10.0.0.7:80" outbound|80||cart.shop.svc.cluster.local - 10.96.0.9:80 10.0.0.3:4711 - default`,
		`{"status":503,"response_flags":"UF,URX","response_code_details":"upstream_reset_before_response_started{connection_failure}","upstream_failure":"delayed connect error: 111","upstream":"10.0.0.7:80","upstream_name":"outbound|80||cart.shop.svc.cluster.local","remote_addr":"10.0.0.3"}`},
	"HAProxy's manual, HTTP": {"haproxy",
		`Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"`,
		`{"time_local":"2009-02-06T12:14:14.655","status":200,"bytes":2750,"frontend":"http-in","backend":"static","server":"srv1","duration_s":0.109,"upstream_duration_s":0.069,"connect_ms":30,"request_headers":"1wt.eu","pid":14389,"url":"/index.html"}`},
	"HAProxy's manual, a server that died": {"haproxy",
		`haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 0/0/0/-1/8490 -1 0 - - CR-- 2/2/2/0/+3 0/0`,
		`{"status":null,"termination_state":"CR--","retries":3,"duration_s":8.49,"response_ms":-1}`},
	"HAProxy's manual, TCP": {"haproxy",
		`Feb  6 12:12:56 localhost haproxy[14387]: 10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0`,
		`{"duration_s":5.007,"bytes":212,"termination_state":"--","retries":3,"server":"srv1"}`},
	"AWS classic load balancer": {"elb",
		`2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 504 200 0 29 "GET http://www.example.com:80/a?b=1 HTTP/1.1" "curl/7.38.0" - -`,
		`{"status":504,"upstream_status":200,"bytes":29,"url":"/a?b=1","host":"www.example.com","duration_s":0.001178,"upstream":"10.0.0.1:80"}`},
	"CloudFront": {"w3c",
		"#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken\n" +
			"2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/index.html\t502\t-\tMozilla/5.0\t-\t-\tError\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\texample.com\thttps\t23\t0.001",
		`{"time":"2019-12-04T21:02:31Z","status":502,"duration_s":0.001,"bytes":392,"request_bytes":23,"cache_status":"Error","remote_addr":"192.0.2.100"}`},
	"uWSGI in microseconds": {"uwsgi",
		`[pid: 9|app: 0|req: 1/1] 10.0.0.1 (bob) {38 vars in 696 bytes} [Sun Mar 13 22:49:12 2016] GET /a => b => generated 0 bytes in 68 micros (HTTP/1.1 500) 9 headers in 378 bytes (1 switches on core 3)`,
		`{"status":500,"duration_s":0.000068,"url":"/a => b","user":"bob","pid":9}`},
	"Kong as JSON": {"kong",
		`{"latencies":{"request":515,"kong":58,"proxy":457},"service":{"host":"httpbin.org","name":"cart"},"request":{"querystring":{},"size":138,"uri":"/get","url":"http://localhost:8000/get","method":"GET"},"tries":[{"ip":"10.0.0.1","port":80},{"balancer_latency":0,"port":8080,"ip":"10.0.0.2"}],"client_ip":"192.168.144.1","upstream_status":"502","response":{"size":1142,"status":502},"route":{"name":"r1"},"started_at":1614232642349}`,
		`{"time":"2021-02-25T05:57:22.349Z","status":502,"duration_s":0.515,"upstream_duration_s":0.457,"url":"/get","upstream":"10.0.0.2:8080","upstream_name":"cart","router":"r1","remote_addr":"192.168.144.1","bytes":1142}`},
	"API Gateway as JSON": {"api-gateway",
		`{"requestId":"abc","ip":"203.0.113.9","requestTime":"20/Nov/2026:16:12:03 +0000","routeKey":"GET /pets/{id}","status":"504","protocol":"HTTP/1.1","responseLength":"41","integrationLatency":"29001","responseLatency":"29004","integrationErrorMessage":"timeout"}`,
		`{"status":504,"method":"GET","route":"GET /pets/{id}","url":"/pets/{id}","duration_s":29.004,"upstream_duration_s":29.001,"upstream_failure":"timeout"}`},
	"Google's load balancer": {"google-request",
		`{"httpRequest":{"latency":"0.120s","remoteIp":"203.0.113.9","requestMethod":"GET","requestUrl":"https://shop.example.com/cart?x=1","responseSize":"324","serverIp":"10.0.0.7","status":502},"severity":"WARNING","timestamp":"2026-11-20T16:12:03.1Z","jsonPayload":{"statusDetails":"backend_connection_closed"}}`,
		`{"status":502,"url":"/cart?x=1","duration_s":0.12,"upstream":"10.0.0.7","bytes":324,"response_code_details":"backend_connection_closed","level":"WARNING"}`},
	"Azure's application gateway": {"azure-gateway",
		`{"time":"2026-11-20T16:12:03Z","category":"ApplicationGatewayAccessLog","properties":{"instanceId":"appgw_1","clientIP":"203.0.113.9","httpMethod":"GET","requestUri":"/cart","httpStatus":502,"receivedBytes":184,"sentBytes":466,"timeTaken":0.034,"serverRouted":"10.0.0.7:80","serverStatus":"502","serverResponseLatency":"0.028","host":"shop.example.com"}}`,
		`{"status":502,"duration_s":0.034,"upstream_duration_s":0.028,"upstream":"10.0.0.7:80","host":"shop.example.com","bytes":466,"url":"/cart"}`},
	"nginx as JSON": {"nginx-json",
		`{"time_iso8601":"2026-11-20T16:12:03+00:00","remote_addr":"10.0.0.1","request_method":"GET","request_uri":"/cart?x=1","uri":"/cart","status":"504","body_bytes_sent":"167","request_time":"60.001","upstream_addr":"10.0.0.7:80","upstream_status":"504","upstream_response_time":"60.000","http_user_agent":"curl/8","http_referer":"-"}`,
		`{"status":504,"method":"GET","url":"/cart?x=1","path":"/cart","query":"x=1","duration_s":60.001,"upstream_duration_s":60,"upstream_status":504,"bytes":167,"user_agent":"curl/8","referrer":null}`},
}

func TestLayoutsOfTheDocumentation(t *testing.T) {
	for name, tt := range layouts {
		t.Run(name, func(t *testing.T) {
			recs, rep := read(t, []byte(tt.line), parse.Options{Workers: 1, AllFields: true})
			if rep.Format != tt.format || len(recs) == 0 {
				t.Fatalf("%d records of format %q, want %q", len(recs), rep.Format, tt.format)
			}
			var want map[string]any
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			all := asJSON(t, recs[0])
			got := map[string]any{}
			for k := range want {
				got[k] = all[k]
			}
			near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
			if d := cmp.Diff(want, got, near); d != "" {
				t.Errorf("fields (-want +got):\n%s\nall: %v", d, all)
			}
		})
	}
}

func TestRareFieldsAreReadForFailuresOnly(t *testing.T) {
	in := `10.0.0.1 - - [20/Nov/2026:16:12:03 +0000] "GET /ok HTTP/1.1" 200 1 "-" "agent/1"` + "\n" +
		`10.0.0.1 - - [20/Nov/2026:16:12:03 +0000] "GET /bad HTTP/1.1" 500 1 "-" "agent/2"` + "\n"
	recs, _ := read(t, []byte(in), parse.Options{Workers: 1})
	if a, b := recs[0].Get("user_agent"), recs[1].Get("user_agent"); a != "" || b != "agent/2" {
		t.Errorf("agents are %q and %q, want none and agent/2", a, b)
	}
}
