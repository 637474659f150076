package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/config"
	"github.com/inquesthq/inquest/internal/gateway"
)

const smallGateway = `listen: [{address: ":0"}]
upstreams: {web: {servers: "http://127.0.0.1:1"}}
routes: [{upstream: web}]
`

func parseGateway(t *testing.T, text string) (gateway.Config, error) {
	t.Helper()
	return config.ParseGateway("gw.yaml", []byte(text))
}

func TestAGatewaysFileIsReadAsItIsWritten(t *testing.T) {
	got, err := parseGateway(t, `listen:
  - {address: "127.0.0.1:0", h2c: true}
access_log: {file: a.log, max_size: 10MB, max_age: 24h, keep: 3}
server: {max_header: 32KiB, stall_timeout: 1m}
upstreams:
  web:
    servers: [http://127.0.0.1:1, "http://127.0.0.1:2"]
    timeouts: {connect: 1s, response: 2500ms}
    retries: 1
    retry_budget: {ratio: 0.1}
    breaker: {failures: 3, statuses: [500, 503]}
    adaptive_limit: {max: 50}
routes:
  - name: r
    path: /a
    methods: [GET]
    upstream: web
    sanitise: false
    rate_limit: {requests: 5}
    maintenance: {on: true, until: 2026-03-14T09:00:00Z, allow: 10.0.0.0/8}
    error_mapping: {off: [limit-as-500], rules: [{name: q, statuses: 200, body: quota, status: 429, retry_after: 3s}]}
`)
	if err != nil {
		t.Fatal(err)
	}
	no, one := false, 1
	want := gateway.Config{
		Listen:    []gateway.Listen{{Address: "127.0.0.1:0", H2C: true}},
		AccessLog: gateway.Log{File: "a.log", MaxSize: 10e6, MaxAge: 24 * time.Hour, Keep: 3},
		Server:    gateway.Server{MaxHeader: 32 << 10, StallTimeout: time.Minute},
		Upstreams: map[string]gateway.Upstream{"web": {
			Servers: []string{"http://127.0.0.1:1", "http://127.0.0.1:2"}, Timeouts: gateway.Timeouts{Connect: time.Second, Response: 2500 * time.Millisecond},
			Retries: &one, Budget: gateway.Budget{Ratio: 0.1}, Breaker: gateway.Breaker{Failures: 3, Statuses: []int{500, 503}}, Adaptive: &gateway.Adaptive{Max: 50},
		}},
		Routes: []gateway.Route{{
			Name: "r", Path: "/a", Methods: []string{"GET"}, Upstream: "web", Sanitise: &no, RateLimit: &gateway.RateLimit{Requests: 5},
			Maintenance: &gateway.Maintenance{On: true, Until: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC), Allow: []string{"10.0.0.0/8"}},
			Mapping:     gateway.Mapping{Off: []string{"limit-as-500"}, Own: []gateway.Rule{{Name: "q", Statuses: []int{200}, Body: []string{"quota"}, Status: 429, RetryAfter: 3 * time.Second}}},
		}},
	}
	if d := cmp.Diff(want.WithDefaults(), got); d != "" {
		t.Error(d)
	}
}

func TestMistakesInAGatewaysFileAreToldWithLineAndRemedy(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "gw.yaml:1: the file is empty"},
		{"---\n", "gw.yaml:1: the file is empty"},
		{"a: [", "gw.yaml:1: not YAML"},
		{"- a\n", "gw.yaml:1: the file: a list where keys are expected"},
		{smallGateway + "---\na: 1\n", "a second YAML document begins here"},
		{smallGateway + "listn: 1\n", "gw.yaml:4: listn: unknown key in the file; did you mean listen?"},
		{smallGateway + "listen: []\n", "it is already given in line 1"},
		{strings.Replace(smallGateway, "[{upstream: web}]", "[{upstream: wib}]", 1), `gw.yaml:3: upstream: there is no upstream "wib"; known: web`},
		{smallGateway + "audit: yes\n", "gw.yaml:4: audit: the text \"yes\" is neither true nor false"},
		{smallGateway + "server: {idle_timeout: 5}\n", "idle_timeout: the text \"5\" is no duration; write a number with its unit"},
		{smallGateway + "server: {idle_timeout: -5s}\n", "idle_timeout: -5s is negative"},
		{smallGateway + "access_log: {max_size: lots}\n", `max_size: the text "lots" is no size; write 64KiB`},
		{smallGateway + "access_log: {keep: 1.5}\n", `keep: the text "1.5" is no whole number`},
		{smallGateway + "access_log:\n", "access_log: nothing below it"},
		{strings.Replace(smallGateway, "upstream: web", "upstream: web, maintenance: {until: noon}", 1), "is no time; write it with its zone"},
		{strings.Replace(smallGateway, "1\"", "1\", retry_budget: {ratio: much}", 1), `ratio: the text "much" is no number`},
		{strings.Replace(smallGateway, "{web: {servers: \"http://127.0.0.1:1\"}}", "[]", 1), "upstreams: a list where names are expected"},
		{strings.Replace(smallGateway, "address: \":0\"", "address: \":0\", cert: none.pem, key: none.key", 1), "gw.yaml:1: cert: open none.pem: no such file"},
		{strings.Repeat("#", 1<<20+1), "has more than 1048576 bytes"},
	} {
		if _, err := parseGateway(t, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q: want %q, got %v", c.text, c.want, err)
		}
	}
	if _, err := config.LoadGateway(filepath.Join(t.TempDir(), "none.yaml")); err == nil {
		t.Error("a file that is not there was read")
	}
}

// The manual names every key, section by section, and the example uses what it explains.
func TestTheManualOfTheGatewayNamesEveryKey(t *testing.T) {
	b, err := os.ReadFile("../../docs/gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	var walk func(v reflect.Type, path string)
	walk = func(v reflect.Type, path string) {
		for v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
			v = v.Elem()
		}
		if v.Kind() != reflect.Struct || v == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if key := v.Field(i).Tag.Get("yaml"); key != "" {
				if !strings.Contains(string(b), "`"+key+"`") {
					t.Errorf("docs/gateway.md does not name `%s` (%s)", key, path+"."+key)
				}
				walk(v.Field(i).Type, path+"."+key)
			}
		}
	}
	walk(reflect.TypeFor[gateway.Config](), "")
}

func TestTheExampleOfAGatewayIsRight(t *testing.T) {
	if _, err := config.LoadGateway("../../examples/gateway/gateway.yaml"); err != nil {
		t.Error(err)
	}
}

// Whatever stands in the file: no panic, and a complaint names file and line.
func FuzzGateway(f *testing.F) {
	f.Add(smallGateway)
	f.Add("listen: {a: [1, 2, {b: *c}]}")
	f.Add("routes:\n- maintenance: {on: true, until: 2026-03-14T09:00:00Z}\n  error_mapping: {off: all}\n")
	f.Add("upstreams: {? [a] : b}")
	f.Add("server: {max_header: 1e300GB}\naccess_log: {max_size: -1}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "health") || strings.Contains(text, "cert") || strings.Contains(text, "ca:") || strings.Contains(text, "page") {
			return // they read files, or start what runs
		}
		_, err := config.ParseGateway("gw.yaml", []byte(text))
		if err == nil {
			return
		}
		for _, line := range strings.Split(err.Error(), "\n") {
			if !strings.HasPrefix(line, "gw.yaml:") && !strings.Contains(err.Error(), "more than") {
				t.Fatalf("no file and line: %q in %q", line, err)
			}
		}
	})
}
