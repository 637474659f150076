// Command benchserve loads `inquest serve`: log records by OTLP, and requests through the gateway, whose access log the server follows. It
// says whether the bars hold, and how many processors each of them took, which tells what a busy machine hides.
//
//	go run ./scripts/benchserve -inquest bin/inquest -gateway bin/inquest-gateway [-for 2m]
//
// Then senders without a pace overload it for a while: what it does not take it must refuse by name (429 or 503), with bounded memory.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"
)

// The bars, for two quiet processors that the senders share.
const (
	wantRecords  = 50_000 // a second
	wantRequests = 5_000
	wantMemory   = 1024.0 // MB
	wantBehind   = 10.0   // seconds that counting may be behind at the end
	wantGrowth   = 1.15   // of the memory from the second quarter of the time to the last
)

func main() {
	serve := flag.String("inquest", "bin/inquest", "the server's binary")
	gateway := flag.String("gateway", "bin/inquest-gateway", "the gateway's binary")
	length := flag.Duration("for", 2*time.Minute, "of the sustained load")
	overload := flag.Duration("overload", 15*time.Second, "of the overload")
	flag.Parse()
	held, err := run(*serve, *gateway, *length, *overload)
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchserve:", err)
		os.Exit(1)
	}
	if !held {
		os.Exit(1)
	}
}

type bench struct {
	server, gateway    *process
	serverAt, frontAt  string
	records, asked     load
	over               load
	memory             []float64 // MB, each second
	behind             float64   // seconds that counting was, when the load ended
	serverCPU, gateCPU float64   // processors
}

func run(serve, gateway string, length, overload time.Duration) (held bool, err error) {
	dir, err := os.MkdirTemp("", "benchserve")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // scratch
	b := &bench{}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1000)) }))
	defer upstream.Close()
	if err := b.begin(dir, serve, gateway, upstream.URL); err != nil {
		return false, err
	}
	defer func() { _ = b.server.end(); _ = b.gateway.end() }() // what they say at their end is in the log
	if err := b.sustain(length); err != nil {
		return false, err
	}
	quiet := b.memory
	if err := b.overload(overload); err != nil {
		return false, err
	}
	return b.report(length, quiet), nil
}

func free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (b *bench) begin(dir, serve, gateway, upstream string) error {
	var err error
	if b.serverAt, err = free(); err != nil {
		return err
	}
	if b.frontAt, err = free(); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(os.TempDir(), "benchserve.log"))
	if err != nil {
		return err
	}
	access := filepath.Join(dir, "gateway.log")
	for name, text := range map[string]string{
		"serve.yaml": fmt.Sprintf("data: %s\nlisten: {address: %q}\nlogs: {max_bytes: 1GiB}\nservices: {gateway: {critical: true}}\nin: {files: [{path: %s, service: gateway}]}\n", filepath.Join(dir, "data"), b.serverAt, access),
		"gw.yaml":    fmt.Sprintf("listen: [{address: %q}]\naccess_log: {file: %s}\nupstreams: {shop: {servers: [%q]}}\nroutes: [{name: shop, path: /, upstream: shop}]\n", b.frontAt, access, upstream),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if b.server, err = begin(log, "serves on", serve, "serve", filepath.Join(dir, "serve.yaml")); err != nil {
		return err
	}
	b.serverAt, b.frontAt = "http://"+b.serverAt, "http://"+b.frontAt
	if b.gateway, err = begin(log, "", gateway, filepath.Join(dir, "gw.yaml")); err != nil {
		return err
	}
	return nil
}

// sustain loads with the figures of the bars.
func (b *bench) sustain(length time.Duration) error {
	ctx, stop := context.WithTimeout(context.Background(), length)
	defer stop()
	cpu := [2]float64{}
	var err error
	for i, p := range []*process{b.server, b.gateway} {
		if cpu[i], err = p.cpu(); err != nil {
			return err
		}
	}
	done := make(chan struct{}, 2)
	go func() { sendRecords(ctx, b.serverAt, 8, wantRecords*1.02, &b.records); done <- struct{}{} }()
	go func() { sendRequests(ctx, b.frontAt, 32, wantRequests*1.02, &b.asked); done <- struct{}{} }()
	if err := b.watch(ctx); err != nil {
		return err
	}
	<-done
	<-done
	for i, p := range []*process{b.server, b.gateway} {
		now, err := p.cpu()
		if err != nil {
			return err
		}
		cpu[i] = (now - cpu[i]) / length.Seconds()
	}
	b.serverCPU, b.gateCPU = cpu[0], cpu[1]
	b.behind, err = behind(b.serverAt)
	return err
}

// behind asks the server's settings page how far counting is behind what has arrived.
func behind(url string) (float64, error) {
	res, err := http.Get(url + "/api/v1/settings")
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var v struct {
		Setup struct {
			Facts []struct{ Name, Value string }
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil {
		return 0, err
	}
	for _, f := range v.Setup.Facts {
		if f.Name == "counting is behind by" {
			d, err := time.ParseDuration(f.Value)
			return d.Seconds(), err
		}
	}
	return 0, errors.New("the server does not say how far counting is behind")
}

// overload sends as much as so many senders can.
func (b *bench) overload(length time.Duration) error {
	ctx, stop := context.WithTimeout(context.Background(), length)
	defer stop()
	b.memory = nil
	done := make(chan struct{})
	go func() { sendRecords(ctx, b.serverAt, 256, 0, &b.over); close(done) }()
	if err := b.watch(ctx); err != nil {
		return err
	}
	<-done
	return nil
}

func (b *bench) watch(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		m, err := b.server.memory()
		if err != nil {
			return fmt.Errorf("the server is gone: %w", err)
		}
		b.memory = append(b.memory, m)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (b *bench) report(length time.Duration, quiet []float64) bool {
	held := true
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	row := func(what string, is, bar float64, unit string, holds bool) {
		word := "holds"
		if !holds {
			word, held = "DOES NOT HOLD", false
		}
		fmt.Fprintf(w, "%s\t%.4g\t%.4g\t%s\t%s\n", what, is, bar, unit, word)
	}
	fmt.Fprintln(w, "\tmeasured\tbar\t\t")
	records, asked := float64(b.records.taken.Load())/length.Seconds(), float64(b.asked.taken.Load())/length.Seconds()
	row("log records by OTLP", records, wantRecords, "a second", records >= wantRecords)
	row("requests through the gateway", asked, wantRequests, "a second", asked >= wantRequests)
	lost := float64(b.records.failed.Load() + b.asked.failed.Load())
	row("neither taken nor shed", lost, 0, "", lost == 0)
	row("memory, most", most(quiet), wantMemory, "MB", most(quiet) <= wantMemory)
	growth := mean(quiet[len(quiet)*3/4:]) / mean(quiet[len(quiet)/4:len(quiet)/2])
	row("memory, growth", growth, wantGrowth, "times", growth <= wantGrowth)
	row("counting is behind by", b.behind, wantBehind, "seconds", b.behind <= wantBehind)
	shed := float64(b.over.shed.Load())
	fmt.Fprintf(w, "overload: taken\t%d\t\trecords\t\n", b.over.taken.Load())
	row("overload: shed and said", shed, 1, "records", shed >= 1)
	row("overload: neither", float64(b.over.failed.Load()), 0, "records", b.over.failed.Load() == 0)
	row("overload: memory, most", most(b.memory), wantMemory, "MB", most(b.memory) <= wantMemory)
	fmt.Fprintf(w, "server\t%.2f\t\tprocessors\t%.1f s per million records, requests included\n", b.serverCPU, b.serverCPU*1e6/max(records, 1))
	fmt.Fprintf(w, "gateway\t%.2f\t\tprocessors\t%.0f µs a request\n", b.gateCPU, b.gateCPU*1e6/max(asked, 1))
	_ = w.Flush()
	return held
}

func most(all []float64) float64 {
	out := 0.0
	for _, v := range all {
		out = max(out, v)
	}
	return out
}

func mean(all []float64) float64 {
	sum := 0.0
	for _, v := range all {
		sum += v
	}
	return sum / float64(max(len(all), 1))
}
