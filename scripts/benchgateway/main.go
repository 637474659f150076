// Command benchgateway measures the gateway beside a bare httputil.ReverseProxy, Caddy, nginx and HAProxy: one upstream (nginx, 1 kB
// answers), one load (wrk, 64 kept connections), JSON access logs on, all proxies up at once and one under load at a time, in
// interleaved rounds. What counts is CPU per request of the proxy's own process, from the scheduler's accounting: other work on
// the machine moves latencies, not this.
//
//	go run ./scripts/benchgateway -gateway bin/inquest-gateway [-caddy PATH] [-rounds 6] [-seconds 4]
//
// Needs wrk and nginx; HAProxy and Caddy stand in the table if they are there. Exit code 1 when a bar does not hold: at most 1.20 times
// the bare proxy and 0.65 times Caddy by the median of the ratios within a round, at most 25 MB of resident memory.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

const (
	wantBare  = 1.20 // times the CPU of the bare proxy
	wantCaddy = 0.65 // times the CPU of Caddy
	wantRSS   = 25.0 // MB
)

func main() {
	gw := flag.String("gateway", "bin/inquest-gateway", "the gateway's binary")
	caddy := flag.String("caddy", "caddy", "Caddy's binary; left out if there is none")
	rounds := flag.Int("rounds", 6, "rounds; in each every proxy has its turn")
	seconds := flag.Int("seconds", 4, "of load for each turn")
	conns := flag.Int("connections", 64, "kept connections")
	bare := flag.String("bare", "", "internal: serve the bare proxy on this address")
	flag.Parse()
	if *bare != "" {
		fail(serveBare(*bare, flag.Arg(0), flag.Arg(1)))
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b := &bench{rounds: *rounds, load: time.Duration(*seconds) * time.Second, conns: *conns}
	held, err := b.run(ctx, *gw, *caddy)
	stop()
	fail(err)
	if !held {
		os.Exit(1)
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchgateway:", err)
		os.Exit(1)
	}
}

type bench struct {
	rounds, conns int
	load          time.Duration
	dir           string
	proxies       []*proxy
}

// run starts everything, measures, prints the table and says whether the bars hold.
func (b *bench) run(ctx context.Context, gw, caddy string) (bool, error) {
	for _, tool := range []string{"wrk", "nginx"} {
		if _, err := exec.LookPath(tool); err != nil {
			return false, fmt.Errorf("%w; install it (apt-get install wrk nginx haproxy)", err)
		}
	}
	dir, err := os.MkdirTemp("", "benchgateway")
	if err != nil {
		return false, err
	}
	b.dir = dir
	defer func() { _ = os.RemoveAll(dir) }() // scratch
	upstream, err := b.upstream()
	if err != nil {
		return false, err
	}
	defer upstream.stop()
	gw, err = filepath.Abs(gw)
	if err != nil {
		return false, err
	}
	if err := b.start(upstream.addr, gw, caddy); err != nil {
		return false, err
	}
	defer func() {
		for _, p := range b.proxies {
			p.stop()
		}
	}()
	for round := range b.rounds + 1 { // the first warms up
		for i := range b.proxies {
			p := b.proxies[(i+round)%len(b.proxies)]
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			if err := b.turn(p, round > 0); err != nil {
				return false, fmt.Errorf("%s: %w", p.name, err)
			}
		}
	}
	return b.report(), nil
}

// turn loads one proxy and notes what it cost.
func (b *bench) turn(p *proxy, count bool) error {
	before, err := p.cpu()
	if err != nil {
		return err
	}
	load := b.load
	if !count {
		load = time.Second
	}
	w, err := wrk("http://"+p.addr+"/", b.conns, load)
	if err != nil {
		return err
	}
	after, err := p.cpu()
	if err != nil || !count {
		return err
	}
	w.micros = (after - before).Seconds() * 1e6 / float64(w.requests)
	w.rss = p.rss()
	p.turns = append(p.turns, w)
	return nil
}

func (b *bench) report() bool {
	t := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "proxy\tCPU us/request (median)\tmin\tto bare\tto Caddy\tbest req/s\tp50 ms\tp99 ms\tRSS MB\terrors\t")
	bare, caddy, gw := b.named("bare ReverseProxy"), b.named("Caddy"), b.named("inquest gateway")
	for _, p := range b.proxies {
		toCaddy := "-"
		if caddy != nil {
			toCaddy = fmt.Sprintf("%.2f", ratio(p, caddy))
		}
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%.2f\t%s\t%.0f\t%.2f\t%.2f\t%.1f\t%d\t\n", p.name, median(p.of(micros)), least(p.of(micros)), ratio(p, bare), toCaddy,
			-least(p.of(func(w turn) float64 { return -w.rate })), least(p.of(func(w turn) float64 { return w.p50 })), least(p.of(func(w turn) float64 { return w.p99 })),
			-least(p.of(func(w turn) float64 { return -w.rss })), p.errors())
	}
	_ = t.Flush() // standard output
	held := true
	bar := func(what string, got, most float64) {
		word := "holds"
		if got > most {
			word, held = "DOES NOT HOLD", false
		}
		fmt.Printf("%s: %.2f, at most %.2f: %s\n", what, got, most, word)
	}
	bar("CPU per request to the bare proxy", ratio(gw, bare), wantBare)
	if caddy != nil {
		bar("CPU per request to Caddy", ratio(gw, caddy), wantCaddy)
	} else {
		fmt.Println("Caddy is not there: go install github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.2, then -caddy PATH")
	}
	bar("resident memory, MB", -least(gw.of(func(w turn) float64 { return -w.rss })), wantRSS)
	if n := gw.errors(); n > 0 {
		fmt.Printf("%d answers were not 200\n", n)
		held = false
	}
	return held
}

func (b *bench) named(prefix string) *proxy {
	for _, p := range b.proxies {
		if strings.HasPrefix(p.name, prefix) {
			return p
		}
	}
	return nil
}
