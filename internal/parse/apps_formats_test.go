package parse_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/internal/parse"
)

// The lines below were written for these tests after the documentation of each format.

type sampleCase struct {
	format string
	text   string
	want   []string // for each record: name=value pairs, set apart by bars, that the output must have
}

func checkSamples(t *testing.T, cases map[string]sampleCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			k := readText(t, c.format, c.text)
			if got := k.rep.Records + k.rep.Joined + k.rep.Skipped; got != k.rep.Lines {
				t.Errorf("%d of %d lines accounted for", got, k.rep.Lines)
			}
			if len(k.records) != len(c.want) {
				t.Fatalf("%d records, want %d", len(k.records), len(c.want))
			}
			for i, r := range k.records {
				var got map[string]any
				out := parse.AppendJSON(nil, r)
				if err := json.Unmarshal(out, &got); err != nil {
					t.Fatalf("%s: %v", out, err)
				}
				for _, pair := range strings.Split(c.want[i], "|") {
					key, want, _ := strings.Cut(pair, "=")
					text := ""
					if v, ok := got[key]; ok {
						text = fmt.Sprint(v)
					}
					if text != want {
						t.Errorf("record %d: %s is %q, want %q\n%s", i+1, key, text, want, out)
					}
				}
			}
		})
	}
}

func TestTextFormats(t *testing.T) {
	checkSamples(t, map[string]sampleCase{
		"logback with thread, logger and a request": {"logger-text",
			"2026-11-20 16:41:55.705 INFO  [http-worker-11] com.shop.Shipping - POST /api/quote 200 25ms requestId=799ce0bc\n",
			[]string{"time_local=2026-11-20T16:41:55.705|level=INFO|thread=http-worker-11|logger=com.shop.Shipping|method=POST|url=/api/quote|status=200|duration_s=0.025|request_id=799ce0bc"}},
		"Spring Boot": {"logger-text",
			"2026-11-20T16:12:03.123Z  WARN 12345 --- [orders] [nio-8080-exec-1] c.e.Foo                  : pool is empty\n",
			[]string{"time=2026-11-20T16:12:03.123Z|level=WARN|pid=12345|service=orders|thread=nio-8080-exec-1|logger=c.e.Foo|message=pool is empty"}},
		"Python's name first": {"logger-text",
			"2026-11-20 16:12:03,245 - myapp.db - ERROR - connection lost\n",
			[]string{"level=ERROR|logger=myapp.db|message=connection lost"}},
		"Python's short form": {"logger-text",
			"2026-11-20 16:12:03,245 ERROR:myapp:connection lost\n", []string{"level=ERROR|logger=myapp|message=connection lost"}},
		"loguru": {"logger-text",
			"2026-11-20 16:12:03.245 | INFO     | app.main:run:12 - started\n", []string{"level=INFO|logger=app.main:run:12|message=started"}},
		"an error type is no logger": {"level-text",
			"2026-11-20 16:12:03 ERROR TypeError: x is not a function\n", []string{"level=ERROR|message=TypeError: x is not a function"}},
		"gunicorn": {"level-text",
			"[2026-11-20 16:12:03 +0000] [123] [CRITICAL] WORKER TIMEOUT (pid:130)\n",
			[]string{"time=2026-11-20T16:12:03Z|pid=123|level=CRITICAL|message=WORKER TIMEOUT (pid:130)"}},
		"Celery": {"level-text",
			"[2026-11-20 16:12:03,245: ERROR/ForkPoolWorker-1] Task failed\n", []string{"level=ERROR|thread=ForkPoolWorker-1|message=Task failed"}},
		"env_logger": {"logger-text",
			"[2026-11-20T16:12:03Z WARN  shop::cart] full\n", []string{"level=WARN|logger=shop::cart|message=full"}},
		"ZooKeeper": {"logger-text",
			"2026-11-20 16:12:03,123 [myid:1] - WARN  [main:QuorumPeer@123] - lost\n",
			[]string{"level=WARN|thread=main|logger=QuorumPeer|message=lost"}},
		"supervisord": {"level-text",
			"2026-11-20 16:45:20,136 WARN stopped: catalog (terminated by SIGTERM)\n",
			[]string{"level=WARN|message=stopped: catalog (terminated by SIGTERM)"}},
		"RabbitMQ": {"rabbitmq",
			"2026-11-20 16:12:03.123456+00:00 [warning] <0.123.0> closing\n", []string{"level=warning|message=closing"}},
		"Go's log with a panic below": {"timed-text",
			"2026/11/20 16:15:08 main.go:12: listening\n2026/11/20 16:15:09 done\n", []string{"caller=main.go:12|message=listening", "message=done"}},
		"colours are taken out": {"level-text",
			"2026-11-20 16:12:03 \x1b[31mERROR\x1b[0m bad\n", []string{"level=ERROR|message=bad"}},
		"a time behind other words": {"level-text",
			"api.log 2026-11-20 16:12:03.008 25746 INFO started\n", []string{"prefix=api.log|pid=25746|level=INFO|message=started"}},
	})
}

func TestTextFormatsOfOneLogger(t *testing.T) {
	checkSamples(t, map[string]sampleCase{
		"klog": {"klog",
			"E1120 16:12:03.123456   123 server.go:45] \"Failed\" err=\"x\"\n", []string{"level=error|tid=123|caller=server.go:45|message=\"Failed\" err=\"x\""}},
		"zap's console": {"zap-console",
			"2026-11-20T16:12:03.123Z\tERROR\tapi\tapi/main.go:12\tno {braces}\t{\"status\": 502, \"request_id\": \"ab\"}\n",
			[]string{"level=ERROR|logger=api|caller=api/main.go:12|message=no {braces}|status=502|request_id=ab"}},
		"Rails": {"ruby-logger",
			"I, [2026-11-20T16:12:03.123456 #12]  INFO -- : [8f261fad-d198-000e] Started GET \"/x?a=1\" for 10.0.0.1 at 2026-11-20\n" +
				"I, [2026-11-20T16:12:03.223456 #12]  INFO -- : [8f261fad-d198-000e] Completed 500 Internal Server Error in 38ms\n",
			[]string{"pid=12|request_id=8f261fad-d198-000e|method=GET|url=/x?a=1|remote_addr=10.0.0.1", "status=500|duration_s=0.038"}},
		"Monolog": {"monolog",
			"[2026-11-20T16:12:03.123456+00:00] app.ERROR: no luck {\"id\":1} []\n", []string{"level=ERROR|channel=app|message=no luck"}},
		"PHP": {"php-error",
			"[20-Nov-2026 16:12:03 Europe/Berlin] PHP Fatal error:  Uncaught Error: x in /a.php:3\n",
			[]string{"level=Fatal error|message=PHP Fatal error:  Uncaught Error: x in /a.php:3"}},
		"Tomcat": {"tomcat",
			"20-Nov-2026 16:40:38.451 SEVERE [main] org.apache.catalina.util.LifecycleBase.handle Failed to start\n",
			[]string{"level=SEVERE|thread=main|logger=org.apache.catalina.util.LifecycleBase|message=Failed to start"}},
		"java.util.logging on two lines": {"tomcat",
			"Nov 20, 2026 4:40:38 PM org.example.Main start\nWARNING: low memory\n",
			[]string{"time_local=2026-11-20T16:40:38|level=WARNING|logger=org.example.Main|message=low memory"}},
		"Odoo": {"odoo",
			"2026-04-05 14:40:34,644 7 ERROR shop odoo.sql_db: bad query\n", []string{"pid=7|level=ERROR|database=shop|logger=odoo.sql_db"}},
		"Django's logger with its line, and the path that failed": {"logger-text",
			"2026-11-20 16:12:03,067 ERROR [django.request:222] log 46 140452532862280 Internal Server Error: /article\n", []string{"level=ERROR|logger=django.request:222|path=/article|url="}},
		"a path behind other words is no failed request": {"logger-text",
			"2026-11-20 16:12:03,067 ERROR [app.storage:22] cannot open: /etc/article\n", []string{"logger=app.storage:22|path="}},
		"an error with Go's stack down to the assembly": {"plain-text",
			"dial error: refused\ncould not get cart\nmain.home\n\t/src/handlers.go:69\nruntime.goexit\n\t/usr/local/go/src/runtime/asm_amd64.s:1594\n",
			[]string{"lines=6|language=go|frames=2|exception_message=dial error: refused"}},
		".NET's console": {"dotnet-console",
			"fail: Shop.Api[7]\n      Connection refused\n      for good\ninfo: Shop.Api[0]\n      up\n",
			[]string{"level=fail|logger=Shop.Api|event_id=7|message=Connection refused\nfor good", "level=info|message=up"}},
		"logfmt": {"logfmt",
			"ts=2026-11-20T16:12:03Z level=error msg=\"a \\\"b\\\"\" method=GET path=/x status=500 duration_ms=7 trace_id=t1 err=boom\n",
			[]string{"time=2026-11-20T16:12:03Z|level=error|message=a \"b\"|method=GET|url=/x|status=500|duration_s=0.007|trace_id=t1|err=boom"}},
		"a private key is one record": {"plain-text",
			"loaded -----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nkeyline2Zz9yXw8v==\n-----END PRIVATE KEY-----\nready\n",
			[]string{"lines=4", "message=ready"}},
		"text without a time": {"plain-text",
			"Starting\nERROR: no config\n", []string{"message=Starting", "level=ERROR|message=ERROR: no config"}},
	})
}

func TestServerFormats(t *testing.T) {
	checkSamples(t, map[string]sampleCase{
		"nginx": {"nginx-error",
			"2026/11/20 16:45:06 [error] 268#7: *94 connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.9, server: s, request: \"GET /a?b=\"c\" HTTP/1.1\", upstream: \"http://10.0.0.41:8081/a\", host: \"h\"\n",
			[]string{"level=error|pid=268|tid=7|connection_id=94|remote_addr=10.0.0.9|method=GET|upstream=http://10.0.0.41:8081/a|host=h"}},
		"nginx's protocol, and the user of auth_basic": {"nginx-error",
			"2026/11/20 16:45:06 [error] 268#7: *94 user \"toto\": password mismatch, client: 10.0.0.9, server: s, request: \"GET /a HTTP/1.1\", host: \"h\"\n" +
				"2026/11/20 16:45:07 [error] 268#7: *94 user \"qsd\" was not found in \"/data/access/1\", client: 10.0.0.9, server: s, request: \"GET /a HTTP/2.0\", host: \"h\"\n",
			[]string{"user=toto|http_version=1.1|url=/a", "user=qsd|http_version=2.0"}},
		"PHP's warnings that nginx logs in one piece stay whole": {"nginx-error",
			"2026/11/20 16:45:06 [error] 268#7: *94 FastCGI sent in stderr: \"PHP message: PHP Warning:  Undefined array key in /a.php on line 3\nPHP message: PHP Warning:  Division by zero in /a.php on line 4\" while reading upstream, client: 10.0.0.9, server: s, request: \"GET /a HTTP/1.1\", host: \"h\"\n",
			[]string{"lines=2|message=FastCGI sent in stderr: \"PHP message: PHP Warning:  Undefined array key in /a.php on line 3\nPHP message: PHP Warning:  Division by zero in /a.php on line 4\" while reading upstream, client: 10.0.0.9, server: s, request: \"GET /a HTTP/1.1\", host: \"h\"|remote_addr=10.0.0.9"}},
		"Apache 2.4": {"apache-error",
			"[Fri Nov 20 16:12:03.123456 2026] [proxy:error] [pid 12:tid 34] (111)Connection refused: AH00957: HTTP: attempt to connect failed\n",
			[]string{"level=error|module=proxy|pid=12|tid=34|code=AH00957"}},
		"PostgreSQL with pgBadger's prefix": {"postgresql",
			"2026-11-20 16:12:35 UTC [123]: [3-1] user=app,db=shop,app=api,client=10.0.0.1 ERROR:  deadlock detected\n",
			[]string{"pid=123|user=app|database=shop|application=api|remote_addr=10.0.0.1|level=ERROR|message=deadlock detected"}},
		"PostgreSQL on Amazon RDS": {"postgresql",
			"2026-11-20 16:12:35 UTC:10.0.0.1(5432):app@shop:[123]:FATAL:  sorry, too many clients already\n",
			[]string{"pid=123|user=app|database=shop|remote_addr=10.0.0.1|level=FATAL"}},
		"PostgreSQL's slow statement on two lines": {"postgresql",
			"2026-11-20 16:12:35.019 UTC [9] LOG:  duration: 37.118 ms  execute s1: SELECT 1,\n\t2\n",
			[]string{"duration_s=0.037118|query_step=execute|query_text=SELECT 1,\n\t2"}},
		"PostgreSQL's CSV with quotes over lines": {"postgresql-csv",
			"2026-11-20 00:22:01.903 UTC,\"app\",\"shop\",59,\"10.0.0.1:42\",5ff.3b,3,\"SELECT\",2026-11-20 00:21:42 UTC,3/0,0,ERROR,42703,\"column \"\"x\"\" does not exist\",\"a\nb\",,,,,\"select x\",,,\"psql\"\n",
			[]string{"user=app|database=shop|pid=59|remote_addr=10.0.0.1|level=ERROR|sqlstate=42703|message=column \"x\" does not exist|detail=a\nb|query_text=select x|application=psql"}},
		"MySQL 8": {"mysql-error",
			"2026-11-20T16:12:03.335060Z 5 [Warning] [MY-010453] [Server] root@localhost\n", []string{"tid=5|level=Warning|code=MY-010453|component=Server"}},
		"MySQL's slow log": {"mysql-slow",
			"# Time: 2026-11-20T16:12:03.000000Z\n# User@Host: app[app] @ db [10.0.0.1]  Id:  5\n# Query_time: 2.5  Lock_time: 0.1 Rows_sent: 1  Rows_examined: 9\nuse shop;\nSET timestamp=1795191123;\nselect 1\nfrom t;\n",
			[]string{"user=app|remote_addr=10.0.0.1|tid=5|duration_s=2.5|lock_s=0.1|rows_examined=9|database=shop|query_text=select 1\nfrom t;"}},
		"Redis": {"redis",
			"1:M 20 Nov 2026 16:12:03.123 # OOM command not allowed\n", []string{"pid=1|role=master|level=warning|message=OOM command not allowed"}},
		"Redis's logo is no part of what it said": {"redis",
			"1:C 20 Nov 2026 16:12:03.123 * Configuration loaded\n                _._                                                  \n           _.-``__ ''-._                                             \n\n1:M 20 Nov 2026 16:12:03.124 * Server initialized\n",
			[]string{"message=Configuration loaded|lines=4", "message=Server initialized"}},
		"Redis's report of a crash is": {"redis",
			"1:M 20 Nov 2026 16:12:03.123 # === REDIS BUG REPORT START: Cut & paste starting from here ===\nRedis 7.2.4 crashed by signal: 11\n",
			[]string{"lines=2|message==== REDIS BUG REPORT START: Cut & paste starting from here ===\nRedis 7.2.4 crashed by signal: 11"}},
		"Kafka": {"kafka",
			"[2026-11-20 16:12:03,048] WARN [Broker id=1] lost (kafka.server.KafkaServer)\n", []string{"level=WARN|component=Broker id=1|logger=kafka.server.KafkaServer|message=lost"}},
		"Kafka without a component": {"kafka",
			"[2026-11-20 16:12:03,048] INFO Replica loaded [delete] now (kafka.cluster.Replica)\n", []string{"component=unknown|logger=kafka.cluster.Replica|message=Replica loaded [delete] now"}},
		"Elasticsearch": {"elasticsearch",
			"[2026-11-20T16:12:03,089][WARN ][o.e.m.j.JvmGcMonitor     ] [node-1] overhead\n", []string{"level=WARN|logger=o.e.m.j.JvmGcMonitor|node=node-1|message=overhead"}},
		"Logstash": {"logstash",
			"[2026-11-20T16:12:03,089][ERROR][logstash.outputs.http][main] down\n", []string{"level=ERROR|logger=logstash.outputs.http|pipeline=main|message=down"}},
		"MongoDB's slow query": {"mongodb",
			"2026-02-05T13:44:56.657+0100 I COMMAND  [conn5] command shop.orders find planSummary: COLLSCAN protocol:op_msg 153ms\n",
			[]string{"component=COMMAND|thread=conn5|duration_s=0.153"}},
		"NATS": {"nats", "[1] 2026/02/06 07:19:40.624334 [ERR] Slow consumer\n", []string{"pid=1|level=error|message=Slow consumer"}},
		"syslog with the OOM killer": {"syslog",
			"Nov 20 16:12:03 node1 kernel: [12345.678] Out of memory: Killed process 123 (java) total-vm:10kB, anon-rss:5kB\n" +
				"Nov 20 16:12:03 node1 kernel: oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/pod1,task=java,pid=123,uid=0\n" +
				"Nov 20 16:12:04 node1 systemd[1]: api.service: Main process exited\n",
			[]string{"program=kernel|hostname=node1|pid=123|task=java|anon-rss=5|level=error", "constraint=CONSTRAINT_MEMCG|task_memcg=/pod1|task=java", "program=systemd|pid=1"}},
		"RFC 5424": {"syslog",
			"<11>1 2026-11-20T16:12:03.123Z host app 12 ID47 [x@1 a=\"]\"] failed\n", []string{"level=err|hostname=host|program=app|pid=12|msgid=ID47|message=failed"}},
		"dmesg": {"dmesg", "[ 1234.567890] Killed process 9 (node)\n", []string{"uptime_s=1234.56789|pid=9|task=node|level=error"}},
		"Kubernetes events": {"kubernetes-events",
			"LAST SEEN   TYPE      REASON      OBJECT            MESSAGE\n5m12s       Warning   BackOff     pod/api-1         Back-off restarting failed container\n",
			[]string{"level=Warning|reason=BackOff|object=pod/api-1|instance=api-1|message=Back-off restarting failed container"}},
		"HAProxy about its servers": {"haproxy-notes",
			"[WARNING]  (8) : Server web/s1 is DOWN, reason: Layer4 connection problem, info: \"Connection refused\"\n",
			[]string{"level=WARNING|backend=web|server=s1|reason=Layer4 connection problem"}},
		"IIS's HTTPERR": {"iis-httperr",
			"#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason s-queuename\n2026-01-01 08:09:10 10.0.0.6 2094 10.0.0.1 80 HTTP/1.1 GET /x 503 1 AppOffline pool\n",
			[]string{"time=2026-01-01T08:09:10Z|status=503|method=GET|url=/x|reason=AppOffline|remote_port=2094|queue=pool"}},
	})
}

func TestJSONFormats(t *testing.T) {
	checkSamples(t, map[string]sampleCase{
		"pino's request": {"pino",
			`{"level":50,"time":1763655123123,"pid":7,"hostname":"h","req":{"id":"r1","method":"POST","url":"/x"},"res":{"statusCode":500},"responseTime":31,"err":{"type":"TypeError","stack":"TypeError: x\n    at f (/a.js:1:2)"},"msg":"failed"}`,
			[]string{"time=2025-11-20T16:12:03.123Z|level=error|pid=7|hostname=h|request_id=r1|method=POST|url=/x|status=500|duration_s=0.031|message=failed|exception_type=TypeError"}},
		"slog's duration in nanoseconds": {"slog",
			`{"time":"2026-11-20T16:12:03Z","level":"INFO","msg":"request","method":"GET","path":"/x","status":200,"duration":1500000}`,
			[]string{"level=INFO|duration_s=0.0015|status=200"}},
		"zap's duration in seconds": {"zap",
			`{"level":"info","ts":1763655123.25,"caller":"a/b.go:1","msg":"request","method":"GET","path":"/x","status":200,"duration":0.25}`,
			[]string{"time=2025-11-20T16:12:03.25Z|duration_s=0.25|caller=a/b.go:1"}},
		"ECS": {"ecs",
			`{"@timestamp":"2026-11-20T16:12:03Z","log.level":"ERROR","message":"m","ecs.version":"1.6.0","service.name":"cart","log.logger":"L","process.thread.name":"main","trace.id":"t","error.type":"E","error.message":"boom","error.stack_trace":"E: boom\n\tat a.b.C.d(C.java:1)"}`,
			[]string{"level=ERROR|service=cart|logger=L|thread=main|trace_id=t|exception_type=E"}},
		"a path without a request is a field": {"zerolog",
			`{"level":"error","time":1763655123,"message":"no file","path":"/etc/x"}`, []string{"level=error|path=/etc/x|method="}},
		"a status that is a word is a field": {"slog",
			`{"time":"2026-11-20T16:12:03Z","level":"WARN","msg":"job","status":"failed"}`, []string{"status=failed"}},
		"a call to somebody else is no request": {"slog",
			`{"time":"2026-11-20T16:12:03Z","level":"WARN","msg":"call","method":"GET","url":"http://pay:80/x","status":503}`, []string{"url=http://pay:80/x"}},
		"Serilog": {"serilog",
			`{"@t":"2026-11-20T16:12:03.1234567Z","@m":"hello","@x":"System.Exception: x","SourceContext":"A.B"}`, []string{"level=Information|message=hello|logger=A.B"}},
		".NET": {"dotnet-json",
			`{"Timestamp":"2026-11-20T16:12:03Z","EventId":1,"LogLevel":"Error","Category":"A.B","Message":"m"}`, []string{"level=Error|logger=A.B|message=m"}},
		"journald": {"journald-json",
			`{"__REALTIME_TIMESTAMP":"1763655123123456","PRIORITY":"3","MESSAGE":"m","SYSLOG_IDENTIFIER":"api","_PID":"9","_HOSTNAME":"n1"}`,
			[]string{"time=2025-11-20T16:12:03.123456Z|priority=3|program=api|pid=9|hostname=n1"}},
		"MongoDB": {"mongodb-json",
			`{"t":{"$date":"2026-11-20T16:12:03.349+00:00"},"s":"W","c":"COMMAND","id":51803,"ctx":"conn1","msg":"Slow query","attr":{"durationMillis":153}}`,
			[]string{"level=W|component=COMMAND|thread=conn1|log_id=51803|duration_s=0.153"}},
		"PostgreSQL": {"postgresql-json",
			`{"timestamp":"2026-11-20 16:12:35.019 UTC","user":"app","dbname":"shop","pid":7,"error_severity":"FATAL","state_code":"53300","message":"too many"}`,
			[]string{"time=2026-11-20T16:12:35.019Z|level=FATAL|database=shop|sqlstate=53300"}},
		"GCP's httpRequest": {"google-request",
			`{"severity":"ERROR","timestamp":"2026-11-20T16:12:03Z","httpRequest":{"requestMethod":"GET","requestUrl":"https://h/x?a=1","status":500,"latency":"0.25s"},"message":"m"}`,
			[]string{"level=ERROR|method=GET|url=/x?a=1|status=500|duration_s=0.25"}},
		"unknown keys": {"json",
			`{"when":1,"date":"2026-11-20T16:12:03Z","acme_loglevel":"warn","text":"m"}`, []string{"level=warn|message=m"}},
		"a cut line": {"slog",
			`{"time":"2026-11-20T16:12:03Z","level":"WARN","msg":"job","x":"y`, []string{"level=WARN|message=job|x=y|parse_note=JSON ends early or is broken"}},
	})
}

func TestRequestsLoggedAsText(t *testing.T) {
	for text, want := range map[string]string{
		"GET /api/users/me 200 1ms rid=ab":                                      "GET /api/users/me 200 0.001 ab",
		"POST /x 500 38ms requestId=r2":                                         "POST /x 500 0.038 r2",
		"500 POST /api/v3/token/ (10.68.13.6) 82.70ms":                          "POST /api/v3/token/ 500 0.0827 ",
		"HTTP GET /x responded 503 in 12.5 ms":                                  "GET /x 503 0.0125 ",
		`10.0.0.7:5432 - "GET /x HTTP/1.1" 200 OK`:                              "GET /x 200 -1 ",
		`method=GET path=/x status=404`:                                         "",
		"upstream GET /quote answered 503 after 30ms":                           "",
		"calling POST http://payment:8080/charge 503 12ms":                      "",
		"failed to read /etc/config: 404":                                       "",
		"Request finished HTTP/1.1 GET http://localhost:5000/x - 500 0 - 2.5ms": "GET /x 500 0.0025 ",
	} {
		k := readText(t, "level-text", "2026-11-20 16:12:03 INFO "+text+"\n")
		r, got := k.records[0], ""
		if r.Kind == parse.KindAccess {
			got = fmt.Sprintf("%s %s %d %v %s", r.Method, r.URL, r.Status, r.Duration, r.RequestID)
		}
		if got != want {
			t.Errorf("%q read as %q, want %q", text, got, want)
		}
	}
}

// Caddy tells of a failed request twice: why (http.log.error), and that it was answered (http.log.access).
func TestCaddysErrorsAreNoRequestsOfTheirOwn(t *testing.T) {
	const request = `"request":{"remote_ip":"10.0.0.9","remote_port":"4711","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/cart","headers":{}}`
	why := `{"level":"error","ts":1795191123.25,"logger":"http.log.error.log0","msg":"no upstreams available",` + request + `,"duration":0.0001,"status":503,"err_id":"x","err_trace":"y"}` + "\n"
	answered := `{"level":"error","ts":1795191123.2501,"logger":"http.log.access.log0","msg":"handled request",` + request + `,"duration":0.0001,"size":0,"status":503}` + "\n"
	k := readText(t, "caddy", why+answered)
	var kinds []parse.Kind
	for _, r := range k.records {
		kinds = append(kinds, r.Kind)
		if r.Status != 503 || r.URL != "/cart" || r.Method != http.MethodGet {
			t.Errorf("%s %s %d: what it is about is read of both", r.Method, r.URL, r.Status)
		}
	}
	if want := []parse.Kind{parse.KindLog, parse.KindAccess}; !slices.Equal(kinds, want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
}

func TestOTLPLogs(t *testing.T) {
	const line = `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"pay"}},{"key":"k8s.pod.name","value":{"stringValue":"pay-1"}}]},` +
		`"scopeLogs":[{"scope":{"name":"com.pay"},"logRecords":[` +
		`{"timeUnixNano":"1763655123123000000","severityNumber":17,"severityText":"ERROR","body":{"stringValue":"no"},"traceId":"t1","spanId":"s1",` +
		`"attributes":[{"key":"exception.type","value":{"stringValue":"E"}},{"key":"retries","value":{"intValue":"3"}}]},` +
		`{"observedTimeUnixNano":1763655124000000000,"severityNumber":9,"body":{"boolValue":true}}]}]}]}`
	k := readText(t, "otlp-logs", line+"\n{broken\n")
	if k.rep.Records != 2 || k.rep.Skipped != 1 || k.rep.Lines != 2 {
		t.Errorf("%d records, %d skipped, %d lines; want 2, 1, 2", k.rep.Records, k.rep.Skipped, k.rep.Lines)
	}
	var out []string
	for _, r := range k.records {
		out = append(out, fmt.Sprintf("%d %d %s %s %s %s %s %s %s", r.Line, r.Time/1e6, r.Level, r.Service, r.Instance, r.Logger, r.Message, r.TraceID, r.Get("retries"))+" of "+r.Get("records"))
	}
	want := "1 1763655123123 error pay pay-1 com.pay no t1 3 of 2; 1 1763655124000 info pay pay-1 com.pay true   of 2"
	if got := strings.Join(out, "; "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
