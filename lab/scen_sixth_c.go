package main

import (
	"os"
	"strings"
	"syscall"
	"time"
)

// slowCharts makes plays read charts from a slow store.
func slowCharts(d string) Edit {
	return Edit{"main.go", "	top, err := s.kv.ZRevRange", "	time.Sleep(" + d + ") // charts are read from the cold tier\n	top, err := s.kv.ZRevRange"}
}

func sixtyMillisecondsAreIll() Scenario {
	net := "10.74.6."
	s := sixth("sixty-milliseconds-are-ill", "misconfiguration", "timeout-too-short", "the gateway's new template takes a server out for half a minute when one answer took longer than sixty milliseconds; charts always took a tenth of a second, and so both healthy servers are out most of the time", Truth{
		Acceptable: [][2]string{{"misconfiguration", "limit-too-small"}}, Culprit: "caddy", Aliases: []string{"10.74.6.2", "gateway", "unhealthy_latency", "health check", "passive health"},
		Trigger:   &Trigger{Kind: "config", Summary: "caddy: passive health checks from the platform's template", Recorded: true},
		NotCauses: []string{"plays 3.1.2", "redis", "kv-1", "network", "plays down"}, MustMention: []string{"no upstreams available|unhealthy|health"},
		Fix: "Take unhealthy_latency out of the Caddyfile (or set it to seconds).", Difficulty: "hard"})
	s.Host, s.TZ = "edge-waw", "Europe/Warsaw"
	s.Routes = playRoutes("http://" + net + "2")
	part := func(e *Env, version, n string, more ...Edit) Part {
		return goPart("plays-"+n, e.Release("plays", "go/plays", version, nil, append(more, slowCharts("95*time.Millisecond"))...), net+"1"+n+":8085", "KV_ADDR=kv-1:6379")
	}
	s.Setup = func(e *Env) {
		e.Past(30*time.Hour, "deploy", "plays", "3.1.2", "deploy plays 3.1.2: charts from the cold tier")
		e.redisAt("kv-1", net+"41", "/srv/kv", "--save", "")
		for _, n := range []string{"1", "2"} {
			e.up(part(e, "3.1.2", n), net+"1"+n+":8085")
			e.Scrape("plays", "plays-"+n+":8085", "http://"+net+"1"+n+":8085/metrics")
		}
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: net + "2", Access: "caddy-access.json", Errors: "caddy-runtime.json", Routes: []Upstream{{Name: "all", Prefix: "/", Servers: []string{net + "11:8085", net + "12:8085"}, Opts: "lb_policy round_robin"}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "caddy", "", "caddy: passive health checks from the platform's template")
		e.Regate("caddy", func(g *GW) {
			g.Routes[0].Opts = "lb_policy round_robin\n      fail_duration 30s\n      max_fails 1\n      unhealthy_latency 60ms"
		})
	}
	s.Fault = 65 * time.Second
	return s
}

func twelveConnections() Scenario {
	net := "10.75.7."
	s := sixth("twelve-connections", "misconfiguration", "limit-too-small", "a profile for small machines leaves nginx twelve connections: it has none left for the way to its servers and answers 500 itself", Truth{
		Culprit: "nginx", Aliases: []string{"gateway", "10.75.7.2", "worker_connections"},
		Trigger:   &Trigger{Kind: "config", Summary: "nginx: main block from the profile for small machines", Recorded: true},
		NotCauses: []string{"plays 3.1.4", "redis", "kv-1", "plays down"}, MustMention: []string{"worker_connections"},
		Fix: "Set worker_connections back to 2048.", Difficulty: "easy"})
	s.Host, s.RPS, s.TZ = "gw-7", 20, "America/Denver"
	s.Routes = playRoutes("http://" + net + "2")
	s.Setup = func(e *Env) {
		e.Past(18*time.Hour, "deploy", "plays", "3.1.3", "deploy plays 3.1.3: charts from the cold tier")
		e.redisAt("kv-1", net+"41", "/srv/kv", "--save", "")
		e.up(goPart("plays", e.Release("plays", "go/plays", "3.1.3", nil, slowCharts("420*time.Millisecond")), net+"11:8085", "KV_ADDR=kv-1:6379"), net+"11:8085")
		e.Scrape("plays", "plays:8085", "http://"+net+"11:8085/metrics")
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: net + "2", Format: "combined", Access: "logs/access.log", Errors: "logs/error.log", Routes: []Upstream{{Name: "plays", Prefix: "/", Servers: []string{net + "11:8085"}}}})
	}
	s.Inject = func(e *Env) {
		p := goPart("plays", e.Release("plays", "go/plays", "3.1.4", nil, slowCharts("420*time.Millisecond"), Edit{"main.go", "has not listened to anything", "nothing was played yet"}), net+"11:8085", "KV_ADDR=kv-1:6379")
		e.Change("deploy", "plays", "3.1.4", "deploy plays 3.1.4: wording")
		e.Replace(p, 0)
		e.settle(21 * time.Second)
		e.Change("config", "nginx", "", "nginx: main block from the profile for small machines")
		conf, err := os.ReadFile(e.gws["nginx"])
		must(err, "nginx.conf")
		e.Write(e.gws["nginx"], strings.Replace(string(conf), "worker_connections 2048", "worker_connections 12", 1))
		e.Signal("nginx", syscall.SIGHUP)
	}
	s.Fault = 65 * time.Second
	return s
}
