package parse_test

import (
	"testing"
)

// A proxy that sent the head of an answer on and then lost its upstream has logged a good status: only its own word tells.
func TestAProxysWordThatTheAnswerBrokeOff(t *testing.T) {
	haproxy := func(state string) string {
		return `haproxy[14389]: 10.0.1.2:33317 [20/Nov/2026:16:12:03.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ` + state + ` 1/1/1/1/0 0/0 "GET /a HTTP/1.1"`
	}
	envoy := func(flags string) string {
		return `[2026-11-20T16:12:03.310Z] "GET /cart HTTP/2" 200 ` + flags + ` 0 91 5012 - "203.0.113.9" "curl/8" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "cart.shop:8080" "10.0.0.5:8080"`
	}
	envoyJSON := func(flags string) string {
		return `{"start_time":"2026-11-20T16:12:03.310Z","method":"GET","path":"/cart","protocol":"HTTP/1.1","response_code":200,"response_flags":"` + flags + `","bytes_received":0,"bytes_sent":95,"duration":12,"upstream_host":"10.0.0.5:8080"}`
	}
	own := func(reason string) string {
		return `{"time":"2026-11-20T16:12:03.310Z","status":200,"method":"GET","host":"shop","request_uri":"/a",` + reason + `"upstream_addr":"10.0.0.5:8080","upstream_status":200,"attempts":1,"request_id":"cc21d9b0cc21d9b0","bytes_sent":95,"duration_s":0.012}`
	}
	for _, c := range []struct {
		name, format, line string
		want               bool
	}{
		{"HAProxy, whole", "haproxy", haproxy("----"), false},
		{"HAProxy, the server's connection died in the data", "haproxy", haproxy("SD--"), true},
		{"HAProxy, the server fell silent in the data", "haproxy", haproxy("sD--"), true},
		{"HAProxy, the client left in the data", "haproxy", haproxy("CD--"), false},
		{"HAProxy, the client fell silent in the data", "haproxy", haproxy("cD--"), false},
		{"HAProxy, the server died before it answered", "haproxy", haproxy("SH--"), false},
		{"Envoy, whole", "envoy", envoy("-"), false},
		{"Envoy, the upstream's connection ended", "envoy", envoy("UC"), true},
		{"Envoy, the stream was reset", "envoy", envoy("UR"), true},
		{"Envoy, the client left", "envoy", envoy("DC"), false},
		{"Envoy as JSON, the client left", "envoy-json", envoyJSON("DC"), false},
		{"Envoy as JSON, no more came in time", "envoy-json", envoyJSON("UT"), true},
		{"inquest gateway, whole", "inquest-gateway", own(""), false},
		{"inquest gateway, cut", "inquest-gateway", own(`"reason":"cut",`), true},
		{"inquest gateway, stalled", "inquest-gateway", own(`"reason":"stall",`), true},
		{"inquest gateway, the client left", "inquest-gateway", own(`"reason":"client-left",`), false},
	} {
		k := readText(t, c.format, c.line+"\n")
		if len(k.records) != 1 || k.records[0].Broken != c.want {
			t.Errorf("%s: records %+v, want one with Broken %v", c.name, k.records, c.want)
		}
	}
}
