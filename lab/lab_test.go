package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestEveryScenarioTellsTheWholeTruth(t *testing.T) {
	seen := map[string]bool{}
	halves := map[string]map[string]bool{}
	for _, s := range scenarios() {
		if seen[s.Name] {
			t.Errorf("%s: two scenarios have this name", s.Name)
		}
		seen[s.Name] = true
		if s.Setup == nil || len(s.Routes) == 0 || s.RPS <= 0 || s.Baseline <= 0 || s.Fault <= 0 {
			t.Errorf("%s: setup, routes, load or timeline missing", s.Name)
		}
		for _, r := range s.Routes {
			if !strings.HasPrefix(r.URL, "http://") {
				t.Errorf("%s: route %s has no absolute address: %q", s.Name, r.Name, r.URL)
			}
		}
		if s.Kind != "incident" {
			continue
		}
		w := s.Truth
		if w.Class == "" || w.Mechanism == "" || w.Culprit == "" || w.Trigger == nil || w.Fix == "" || w.Difficulty == "" {
			t.Errorf("%s: class, mechanism, culprit, trigger, fix or difficulty missing", s.Name)
		}
		for _, m := range w.MustMention {
			if _, err := regexp.Compile(m); err != nil {
				t.Errorf("%s: evidence_must_mention: %v", s.Name, err)
			}
		}
		if halves[w.Class] == nil {
			halves[w.Class] = map[string]bool{}
		}
		halves[w.Class][s.split()] = true
	}
	for class, h := range halves {
		if !h["dev"] || !h["held-out"] {
			t.Errorf("class %s is not in both halves: %v", class, h)
		}
	}
}

func TestHolesOfATemplateAreDrawn(t *testing.T) {
	for in, want := range map[string]string{
		"/items/{n:7-7}":               `^/items/7$`,
		"/items/{n:1-500}":             `^/items/[1-9]\d{0,2}$`,
		"{pick:a|b}":                   `^[ab]$`,
		"{hex}":                        `^[0-9a-f]{16}$`,
		`{"from":{n:1-9},"other":"x"}`: `^\{"from":[1-9],"other":"x"\}$`,
	} {
		if got := fill(in); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("fill(%q) = %q, want it to match %s", in, got, want)
		}
	}
}

func TestScrapedSeriesBecomeOneOpenMetricsFile(t *testing.T) {
	s := newScraper()
	s.take(target{job: "shop", instance: "shop-1:80"}, "# TYPE hits_total counter\nhits_total{code=\"200\"} 3\n# TYPE busy gauge\nbusy 1\n", 10)
	s.take(target{job: "shop", instance: "shop-1:80"}, "# TYPE hits_total counter\nhits_total{code=\"200\"} 5\n# TYPE busy gauge\nbusy 0\n", 13)
	path := filepath.Join(t.TempDir(), "m.om")
	if err := s.write(path, ""); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `# TYPE busy gauge
busy{instance="shop-1:80",job="shop"} 1 10.000
busy{instance="shop-1:80",job="shop"} 0 13.000
# TYPE hits counter
hits_total{instance="shop-1:80",job="shop",code="200"} 3 10.000
hits_total{instance="shop-1:80",job="shop",code="200"} 5 13.000
# EOF
`
	if string(b) != want {
		t.Errorf("got\n%swant\n%s", b, want)
	}
}

func TestWrappersWriteWhatTheirRuntimesWrite(t *testing.T) {
	for wrap, want := range map[string]string{
		"":        "^boom \"x\"\n$",
		"docker":  `^\{"log":"boom \\"x\\"\\n","stream":"stderr","time":"\d{4}-[^"]+Z"\}` + "\n$",
		"cri":     `^\d{4}-\d\d-\d\dT[\d:.]+Z stderr F boom "x"` + "\n$",
		"compose": `^app-1 +\| boom "x"` + "\n$",
		"journal": `^\d{4}-\d\d-\d\dT[\d:]{8}[+-]\d{4} vm-1 app-1\[41\]: boom "x"` + "\n$",
		"kubectl": `^\[pod/app-1\] boom "x"` + "\n$",
		"syslog":  `^[A-Z][a-z]{2} [ \d]\d [\d:]{8} vm-1 app-1: boom "x"` + "\n$",
	} {
		e := newEnv(Scenario{Host: "vm-1"}, "", "")
		e.Logs = t.TempDir()
		w := e.sink("app.log", wrap, "app-1", "stderr")
		w.of(41)
		for _, piece := range []string{"boom ", "\"x\"\n"} { // processes write in pieces
			if _, err := w.Write([]byte(piece)); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(filepath.Join(e.Logs, "app.log"))
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(want).Match(b) {
			t.Errorf("wrapper %q wrote %q, want it to match %s", wrap, b, want)
		}
	}
}

func TestNginxNamesTheServerOnlyWhenAsked(t *testing.T) {
	for name, want := range map[string]bool{"api.shop.example": true, "": false} {
		conf := nginxConf(GW{IP: "127.20.0.10", Port: 80, Format: "timed", Server: name}, "/a", "/e")
		if got := strings.Contains(conf, "server_name "); got != want {
			t.Errorf("server %q: server_name in the configuration: %v, want %v", name, got, want)
		}
		if name != "" && !strings.Contains(conf, "server_name "+name+";") {
			t.Errorf("server %q is not named in\n%s", name, conf)
		}
	}
}
