package parse_test

import "testing"

// The lines of this file follow the manuals: for each format what it can look like besides its default.

const agent = `"Mozilla/5.0 (X11; Linux x86_64)"`

func TestNginxLogFormats(t *testing.T) {
	head := `203.0.113.9 - - [20/Nov/2026:16:12:03 +0000] "GET /cart?id=7 HTTP/1.1" `
	checkSamples(t, map[string]sampleCase{
		"combined": {"combined", head + `502 157 "-" ` + agent + "\n",
			[]string{"time=2026-11-20T16:12:03Z|remote_addr=203.0.113.9|method=GET|url=/cart?id=7|path=/cart|query=id=7|http_version=1.1|status=502|bytes=157|user_agent=Mozilla/5.0 (X11; Linux x86_64)|duration_s="}},
		"common": {"combined", head + "504 0\n", []string{"status=504|bytes=0|http_version=1.1"}},
		"the main format of the package, with X-Forwarded-For": {"combined", head + `200 12 "https://shop.example/" ` + agent + ` "198.51.100.7, 10.0.0.1"` + "\n",
			[]string{"referrer=https://shop.example/|forwarded_for=198.51.100.7, 10.0.0.1|status=200"}},
		"key=value tail": {"combined", head + `502 157 "-" ` + agent + ` rt=1.204 uct="0.001" uht="1.203" urt="1.203" us="502" ua="10.0.0.5:8080" rid=8f2ac0de11aa22bb33cc44dd55ee66ff` + "\n",
			[]string{"duration_s=1.204|upstream_duration_s=1.203|upstream=10.0.0.5:8080|upstream_status=502|request_id=8f2ac0de11aa22bb33cc44dd55ee66ff"}},
		"key: value tail with the variables' names": {"combined", head + `502 157 "-" ` + agent + ` request_time=1.204 upstream_addr=10.0.0.5:8080 upstream_status=502 upstream_response_time=1.203 request_id=8f2ac0de11aa22bb` + "\n",
			[]string{"duration_s=1.204|upstream_duration_s=1.203|upstream=10.0.0.5:8080|upstream_status=502|request_id=8f2ac0de11aa22bb"}},
		"several upstreams were tried": {"combined", head + `502 157 "-" ` + agent + ` rt=3.004 urt="3.000, 0.002" us="504, 502" ua="10.0.0.5:8080, 10.0.0.6:8080"` + "\n",
			[]string{"duration_s=3.004|upstream_duration_s=3.002|upstream=10.0.0.6:8080|upstream_status=502|upstreams=10.0.0.5:8080, 10.0.0.6:8080|upstream_statuses=504, 502"}},
		"a request that went from one group of upstreams to another": {"combined", head + `500 157 "-" ` + agent + ` rt=0.120 urt="0.100 : 0.020" us="404 : 500" ua="10.0.0.5:8080 : 10.0.0.9:80"` + "\n",
			[]string{"upstream=10.0.0.9:80|upstream_status=500|duration_s=0.12"}},
		"no upstream was reached": {"combined", head + `499 0 "-" ` + agent + ` rt=5.000 urt="-" us="-" ua="-"` + "\n",
			[]string{"status=499|duration_s=5|upstream=|upstream_status=|upstream_duration_s="}},
		"virtual host first": {"combined", "shop.example:443 " + head + `502 157 "-" ` + agent + "\n", []string{"host=shop.example|status=502|remote_addr=203.0.113.9"}},
		"IPv6 and a user": {"combined", `2001:db8::7 - alice [20/Nov/2026:17:12:03 +0100] "POST /pay HTTP/2.0" 500 0 "-" "-"` + "\n",
			[]string{"remote_addr=2001:db8::7|user=alice|time=2026-11-20T16:12:03Z|http_version=2.0|status=500"}},
		"what is no request": {"combined", `203.0.113.9 - - [20/Nov/2026:16:12:03 +0000] "\x16\x03\x01\x02\x00\x01" 400 157 "-" "-"` + "\n" + `203.0.113.9 - - [20/Nov/2026:16:12:04 +0000] "" 400 0 "-" "-"` + "\n",
			[]string{`status=400|request=\x16\x03\x01\x02\x00\x01|method=`, "status=400|method="}},
		"quotes in the request and in the agent": {"combined", `203.0.113.9 - - [20/Nov/2026:16:12:03 +0000] "GET /a\x22b HTTP/1.1" 404 9 "-" "a \x22b\x22 c"` + "\n", []string{`status=404|url=/a\x22b`}},
		"JSON with the variables' names": {"nginx-json",
			`{"time_iso8601":"2026-11-20T16:12:03+00:00","remote_addr":"203.0.113.9","request_method":"GET","request_uri":"/cart?id=7","status":"502","body_bytes_sent":"157","request_time":"1.204","upstream_addr":"10.0.0.5:8080","upstream_status":"502","upstream_response_time":"1.203","http_user_agent":"curl/8","request_id":"8f2ac0de11aa22bb"}` + "\n",
			[]string{"time=2026-11-20T16:12:03Z|status=502|method=GET|url=/cart?id=7|duration_s=1.204|upstream_duration_s=1.203|upstream=10.0.0.5:8080|upstream_status=502|bytes=157|user_agent=curl/8|request_id=8f2ac0de11aa22bb"}},
		"JSON with msec and numbers bare": {"nginx-json",
			`{"msec":1795191123.250,"remote_addr":"203.0.113.9","request":"GET /cart HTTP/1.1","status":502,"body_bytes_sent":157,"request_time":1.204,"upstream_addr":"10.0.0.5:8080, 10.0.0.6:8080","upstream_status":"504, 502","upstream_response_time":"1.000, 0.203"}` + "\n",
			[]string{"time=2026-11-20T16:12:03.25Z|status=502|method=GET|url=/cart|duration_s=1.204|upstream_duration_s=1.203|upstream=10.0.0.6:8080|upstream_status=502"}},
		"ingress-nginx": {"ingress-nginx", head + `502 157 "-" "curl/8" 420 1.204 [shop-cart-80] [] 10.0.0.5:8080, 10.0.0.6:8080 0, 157 1.000, 0.203 504, 502 8f2ac0de11aa22bb33cc44dd55ee66ff` + "\n",
			[]string{"status=502|request_bytes=420|duration_s=1.204|upstream_name=shop-cart-80|upstream=10.0.0.6:8080|upstream_status=502|upstream_duration_s=1.203|request_id=8f2ac0de11aa22bb33cc44dd55ee66ff"}},
		"ingress-nginx without an upstream": {"ingress-nginx", head + `503 592 "-" "curl/8" 420 0.000 [shop-cart-80] [] - - - - 8f2ac0de11aa22bb33cc44dd55ee66ff` + "\n",
			[]string{"status=503|upstream=|upstream_status=|upstream_name=shop-cart-80|request_id=8f2ac0de11aa22bb33cc44dd55ee66ff"}},
	})
}

func TestProxiesOfManyKinds(t *testing.T) {
	checkSamples(t, map[string]sampleCase{
		"Envoy's default": {"envoy",
			`[2026-11-20T16:12:03.310Z] "GET /cart HTTP/2" 503 UF 0 91 5012 - "203.0.113.9" "curl/8" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "cart.shop:8080" "10.0.0.5:8080"` + "\n",
			[]string{"time=2026-11-20T16:12:03.31Z|status=503|response_flags=UF|duration_s=5.012|request_bytes=0|bytes=91|host=cart.shop:8080|upstream=10.0.0.5:8080|request_id=cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2"}},
		"Istio's default": {"envoy",
			`[2026-11-20T16:12:03.310Z] "POST /pay?x=1 HTTP/1.1" 503 URX,UF upstream_reset_before_response_started{connection_failure} - "delayed_connect_error:_111" 0 145 8 - "-" "curl/8" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "pay:8000" "10.0.0.5:8000" outbound|8000||pay.shop.svc.cluster.local - 10.1.0.7:8000 10.0.0.9:46520 - default` + "\n",
			[]string{"status=503|response_flags=URX,UF|response_code_details=upstream_reset_before_response_started{connection_failure}|upstream_failure=delayed_connect_error:_111|duration_s=0.008|upstream=10.0.0.5:8000|router=default|method=POST|path=/pay"}},
		"Istio, no healthy upstream": {"envoy",
			`[2026-11-20T16:12:03.310Z] "GET /status HTTP/1.1" 503 UH no_healthy_upstream - "-" 0 19 0 - "-" "curl/8" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "pay:8000" "-" outbound|8000||pay.shop.svc.cluster.local - 10.1.0.7:8000 10.0.0.9:46520 - default` + "\n",
			[]string{"status=503|response_flags=UH|response_code_details=no_healthy_upstream|upstream="}},
		"Istio, TCP": {"envoy",
			`[2026-11-20T16:12:03.310Z] "- - -" 0 UF,URX - - "-" 0 0 10000 - "-" "-" "-" "-" "10.0.0.5:5432" outbound|5432||db.shop.svc.cluster.local - 10.1.0.7:5432 10.0.0.9:46520 - -` + "\n",
			[]string{"response_flags=UF,URX|duration_s=10|upstream=10.0.0.5:5432|method="}},
		"Envoy as JSON": {"envoy-json",
			`{"start_time":"2026-11-20T16:12:03.310Z","method":"GET","path":"/cart","protocol":"HTTP/1.1","response_code":503,"response_flags":"UC","response_code_details":"upstream_reset_before_response_started{connection_termination}","bytes_received":0,"bytes_sent":95,"duration":12,"upstream_host":"10.0.0.5:8080","upstream_cluster":"outbound|8080||cart.shop.svc.cluster.local","request_id":"cc21d9b0","x_forwarded_for":"203.0.113.9","authority":"cart:8080","upstream_service_time":"11"}` + "\n",
			[]string{"status=503|response_flags=UC|duration_s=0.012|upstream=10.0.0.5:8080|request_id=cc21d9b0|method=GET|url=/cart|bytes=95"}},
		"HAProxy, HTTP": {"haproxy",
			`haproxy[14389]: 10.0.1.2:33317 [20/Nov/2026:16:12:03.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"` + "\n",
			[]string{"status=200|backend=static|server=srv1|frontend=http-in|duration_s=0.109|termination_state=----|remote_addr=10.0.1.2|remote_port=33317|method=GET|url=/index.html|pid=14389"}},
		"HAProxy, a server away": {"haproxy",
			`<134>Nov 20 16:12:03 lb1 haproxy[14389]: 10.0.1.2:33317 [20/Nov/2026:16:12:03.655] http-in~ app/<NOSRV> 0/-1/-1/-1/0 503 217 - - SC-- 1/1/0/0/0 0/0 "GET /cart HTTP/1.1"` + "\n",
			[]string{"status=503|backend=app|termination_state=SC--|server=<NOSRV>|frontend=http-in~|duration_s=0"}},
		"HAProxy, syslog of RFC 5424": {"haproxy",
			`<134>1 2026-11-20T16:12:03.655123+00:00 lb1 haproxy 14389 - - 10.0.1.2:33317 [20/Nov/2026:16:12:03.655] http-in app/s1 0/0/1/3001/3002 504 217 - - sH-- 1/1/0/0/3 0/0 "POST /pay HTTP/1.1"` + "\n",
			[]string{"status=504|termination_state=sH--|retries=3|server=s1|duration_s=3.002"}},
		"HAProxy, TCP": {"haproxy",
			`Nov 20 16:12:03 localhost haproxy[14387]: 10.0.1.2:33313 [20/Nov/2026:16:12:03.655] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0` + "\n",
			[]string{"frontend=fnt|backend=bck|server=srv1|duration_s=5.007|bytes=212|termination_state=--|retries=3"}},
		"HAProxy, HTTPS": {"haproxy",
			`10.0.1.2:33317 [20/Nov/2026:16:12:03.655] https~ app/s1 0/0/1/5/6 502 212 - - SH-- 1/1/0/0/0 0/0 "GET /x HTTP/2.0" 0/0000000000000000/0/0/0 shop.example/TLSv1.3/TLS_AES_256_GCM_SHA384` + "\n",
			[]string{"status=502|termination_state=SH--|frontend=https~|url=/x"}},
		"Traefik, common": {"traefik",
			`10.0.0.9 - - [20/Nov/2026:16:12:03 +0000] "GET /cart HTTP/1.1" 502 11 "-" "curl/8" 57 "cart@docker" "http://10.0.0.5:8080" 3ms` + "\n",
			[]string{"status=502|router=cart@docker|upstream=http://10.0.0.5:8080|duration_s=0.003"}},
		"Traefik, JSON": {"traefik-json",
			`{"ClientAddr":"10.0.0.9:4711","ClientHost":"10.0.0.9","DownstreamContentSize":11,"DownstreamStatus":502,"Duration":3100000,"OriginDuration":3000000,"OriginStatus":502,"RequestHost":"shop.example","RequestMethod":"GET","RequestPath":"/cart","RequestProtocol":"HTTP/1.1","RouterName":"cart@docker","ServiceAddr":"10.0.0.5:8080","ServiceName":"cart@docker","ServiceURL":"http://10.0.0.5:8080","StartUTC":"2026-11-20T16:12:03.5Z","level":"info","msg":"","time":"2026-11-20T16:12:03Z"}` + "\n",
			[]string{"status=502|method=GET|url=/cart|router=cart@docker|duration_s=0.0031|upstream_status=502|upstream_duration_s=0.003|host=shop.example"}},
		"Caddy 2": {"caddy",
			`{"level":"error","ts":1795191123.25,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"10.0.0.9","remote_port":"4711","client_ip":"10.0.0.9","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/cart?x=1","headers":{"User-Agent":["curl/8"]}},"bytes_read":0,"user_id":"","duration":0.0031,"size":0,"status":502,"resp_headers":{}}` + "\n",
			[]string{"time=2026-11-20T16:12:03.25Z|status=502|method=GET|url=/cart?x=1|remote_addr=10.0.0.9|duration_s=0.0031|host=shop.example"}},
		"Caddy before 2.5": {"caddy",
			`{"level":"error","ts":1795191123.25,"logger":"http.log.access","msg":"handled request","request":{"remote_addr":"10.0.0.9:4711","proto":"HTTP/1.1","method":"GET","host":"shop.example","uri":"/cart","headers":{}},"common_log":"10.0.0.9 - - [20/Nov/2026:16:12:03 +0000] \"GET /cart HTTP/1.1\" 502 0","duration":0.0031,"size":0,"status":502,"resp_headers":{}}` + "\n",
			[]string{"status=502|method=GET|url=/cart|remote_addr=10.0.0.9|duration_s=0.0031"}},
		"Kong": {"kong",
			`{"latencies":{"request":515,"kong":58,"proxy":457},"service":{"host":"httpbin.org","name":"cart","port":80},"request":{"method":"GET","uri":"/cart","url":"http://localhost:8000/cart","size":77,"headers":{"host":"localhost:8000"}},"tries":[{"balancer_latency":0,"port":80,"balancer_start":1795191123309,"ip":"10.0.0.5"}],"client_ip":"10.0.0.9","response":{"status":502,"size":1022,"headers":{}},"upstream_status":"502","route":{"name":"r1"},"started_at":1795191123309}` + "\n",
			[]string{"time=2026-11-20T16:12:03.309Z|status=502|method=GET|url=/cart|duration_s=0.515|upstream_duration_s=0.457|remote_addr=10.0.0.9|upstream_name=cart|router=r1|upstream_status=502"}},
	})
}

func TestCloudsAccessLogs(t *testing.T) {
	checkSamples(t, map[string]sampleCase{
		"IIS whose columns change": {"w3c",
			"#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-11-20 16:12:03\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n" +
				"2026-11-20 16:12:03 10.0.0.1 GET /cart id=7 443 - 203.0.113.9 curl/8 - 500 0 64 5012\n" +
				"#Fields: date time cs-method cs-uri-stem c-ip sc-status time-taken\n2026-11-20 16:13:03 POST /pay 203.0.113.9 503 12\n",
			[]string{"status=500|url=/cart|query=id=7|duration_s=5.012|win32_status=64", "status=503|method=POST|url=/pay|remote_addr=203.0.113.9|duration_s=0.012"}},
		"an address that a ticket made a link": {"w3c",
			"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken\n" +
				"2026-11-20 16:12:03 [10.0.0.1](http://10.0.0.1) GET / - 80 - [203.0.113.9](http://203.0.113.9) curl/8 404 0 2 12\n",
			[]string{"remote_addr=203.0.113.9|status=404"}},
		"CloudFront": {"w3c",
			"#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken\n" +
				"2026-11-20\t16:12:03\tFRA50-C1\t1045\t203.0.113.9\tGET\td1.cloudfront.net\t/index.html\t502\t-\tcurl/8\t-\t-\tError\tabc==\tshop.example\thttps\t23\t10.001\n",
			[]string{"time=2026-11-20T16:12:03Z|status=502|duration_s=10.001|cache_status=Error|request_id=abc==|bytes=1045"}},
		"ALB": {"alb",
			`https 2026-11-20T16:12:03.364180Z app/shop/50dc6c495c0c9188 203.0.113.9:2817 10.0.0.5:80 0.001 10.002 0.000 504 - 34 366 "GET https://shop.example:443/cart?x=1 HTTP/1.1" "curl/8" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/t/73e2d6bc24d8a067 "Root=1-58337262-36d228ad5d99923122bbe354" "shop.example" "arn:aws:acm:x" 0 2026-11-20T16:11:53.364000Z "forward" "-" "-" "10.0.0.5:80" "-" "-" "-"` + "\n",
			[]string{"time=2026-11-20T16:12:03.36418Z|status=504|remote_addr=203.0.113.9|upstream=10.0.0.5:80|target_processing_s=10.002|request_processing_s=0.001|method=GET|bytes=366|request_bytes=34"}},
		"ALB, no target": {"alb",
			`http 2026-11-20T16:12:03.364180Z app/shop/50dc6c495c0c9188 203.0.113.9:2817 - -1 -1 -1 503 - 34 366 "GET http://shop.example:80/ HTTP/1.1" "curl/8" - - arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/t/73e2d6bc24d8a067 "Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2026-11-20T16:12:03.364000Z "forward" "-" "-" "-" "-" "-" "-"` + "\n",
			[]string{"status=503|upstream=|target_processing_s=-1"}},
		"ELB classic": {"elb",
			`2026-11-20T16:12:03.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -` + "\n" +
				`2026-11-20T16:12:04.945958Z my-loadbalancer 192.168.131.39:2817 - -1 -1 -1 503 0 0 0 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -` + "\n",
			[]string{"status=200|upstream=10.0.0.1:80|upstream_status=200|bytes=29", "status=503|upstream="}},
		"API Gateway, JSON": {"api-gateway",
			`{"requestId":"c6af9ac6-7b61-11e6-9a41-93e8deadbeef","ip":"203.0.113.9","caller":"-","user":"-","requestTime":"20/Nov/2026:16:12:03 +0000","httpMethod":"GET","resourcePath":"/cart/{id}","status":"502","protocol":"HTTP/1.1","responseLength":"36","integrationErrorMessage":"Internal server error","integrationLatency":"29000","responseLatency":"29004"}` + "\n",
			[]string{"time=2026-11-20T16:12:03Z|status=502|method=GET|remote_addr=203.0.113.9|request_id=c6af9ac6-7b61-11e6-9a41-93e8deadbeef|duration_s=29.004"}},
		"API Gateway, CLF": {"combined",
			`203.0.113.9 - - [20/Nov/2026:16:12:03 +0000] "GET /cart/{id} HTTP/1.1" 502 36 c6af9ac6-7b61-11e6-9a41-93e8deadbeef` + "\n",
			[]string{"status=502|url=/cart/{id}|bytes=36|request_id=c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}},
		"API Gateway, XML": {"api-gateway-xml",
			`<request id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef"> <ip>203.0.113.9</ip> <caller>-</caller> <user>-</user> <requestTime>20/Nov/2026:16:12:03 +0000</requestTime> <httpMethod>GET</httpMethod> <resourcePath>/cart/{id}</resourcePath> <status>502</status> <protocol>HTTP/1.1</protocol> <responseLength>36</responseLength> </request>` + "\n",
			[]string{"time=2026-11-20T16:12:03Z|status=502|method=GET|url=/cart/{id}|bytes=36|remote_addr=203.0.113.9|request_id=c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}},
		"API Gateway, CSV": {"api-gateway-csv",
			`203.0.113.9,-,-,20/Nov/2026:16:12:03 +0000,GET,/cart/{id},HTTP/1.1,502,36,c6af9ac6-7b61-11e6-9a41-93e8deadbeef` + "\n",
			[]string{"status=502|method=GET|url=/cart/{id}|bytes=36|request_id=c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}},
	})
}
