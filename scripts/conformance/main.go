// Command conformance judges the gateway's behaviour when upstreams misbehave, prints the results as JSON and writes them as a table.
//
//	go run ./scripts/conformance [-gateway bin/inquest-gateway] [-table docs/conformance.md] [-run NAME]
//
// Each behaviour has a gateway process, an upstream and a client of its own. Exit code 1 when one is not as it must be.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/conformance"
)

func main() {
	bin := flag.String("gateway", "bin/inquest-gateway", "the gateway's binary")
	table := flag.String("table", "", "write the results as a table to this file")
	only := flag.String("run", "", "only behaviours whose name has this in it")
	flag.Parse()
	failed, err := run(*bin, *table, *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
	}
	if err != nil || failed {
		os.Exit(1)
	}
}

func run(bin, table, only string) (failed bool, err error) {
	path, err := filepath.Abs(bin)
	if err != nil {
		return false, err
	}
	if _, err := os.Stat(path); err != nil {
		return false, fmt.Errorf("%w; build it with make build", err)
	}
	results := conformance.Run(process{path}, func(name string) bool { return strings.Contains(name, only) })
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	if err := enc.Encode(results); err != nil {
		return false, err
	}
	for _, r := range results {
		if !r.OK {
			failed = true
			fmt.Fprintf(os.Stderr, "%s: expected %s, observed %s: %s\n", r.Name, r.Expected, r.Observed, r.Why)
		}
	}
	if table != "" {
		err = os.WriteFile(table, []byte(conformance.Table(results)), 0o644)
	}
	return failed, err
}

// process is a gateway as users run it: a file, a process, a log.
type process struct{ bin string }

func (g process) Start(ups map[string]conformance.Server, l conformance.Limits) (string, func(string) (conformance.Line, bool), func(), error) {
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		return "", nil, nil, err
	}
	addr, err := free()
	if err != nil {
		return "", nil, nil, err
	}
	file, log := filepath.Join(dir, "gateway.yaml"), filepath.Join(dir, "access.log")
	if err := os.WriteFile(file, []byte(config(addr, log, ups, l)), 0o644); err != nil {
		return "", nil, nil, err
	}
	cmd := exec.Command(g.bin, file)
	talk := &strings.Builder{}
	cmd.Stderr = talk
	if err := cmd.Start(); err != nil {
		return "", nil, nil, err
	}
	stop := func() {
		_ = cmd.Process.Kill() // it is not asked to end: the next behaviour waits
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}
	for range 200 {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close() // it listens
			return addr, func(path string) (conformance.Line, bool) { return last(log, path) }, stop, nil
		}
		time.Sleep(25 * time.Millisecond)
	}
	stop()
	return "", nil, nil, errors.New("the gateway does not listen: " + talk.String())
}

func free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func config(addr, log string, ups map[string]conformance.Server, l conformance.Limits) string {
	var b strings.Builder
	fmt.Fprintf(&b, "listen: [{address: %q}]\naccess_log: {file: %q}\nupstreams:\n", addr, log)
	for name, s := range ups {
		fmt.Fprintf(&b, "  %s: {servers: [%q], timeouts: {connect: %v, response: %v, stall: %v}}\n", name, s.URL, l.Connect, l.Response, l.Stall)
	}
	b.WriteString("routes:\n")
	for name := range ups {
		fmt.Fprintf(&b, "  - {path: /%s, strip_prefix: /%s, upstream: %s}\n", name, name, name)
	}
	return b.String()
}

// last waits for the log, which is written within a second, and returns its last line with the path.
func last(log, path string) (conformance.Line, bool) {
	var found conformance.Line
	ok := false
	for range 30 {
		f, err := os.Open(log)
		if err != nil {
			return found, false
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			if l, uri, err := conformance.ParseLine(s.Bytes()); err == nil && uri == path {
				found, ok = l, true
			}
		}
		_ = f.Close() // only read
		if ok {
			return found, true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return found, ok
}
