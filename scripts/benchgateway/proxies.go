package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// proxy is one server under test.
type proxy struct {
	name, addr string
	cmd        *exec.Cmd
	turns      []turn
}

// turn is one load of one proxy.
type turn struct {
	requests          int
	bad               int
	micros, rate, rss float64
	p50, p99          float64 // ms
}

func micros(t turn) float64 { return t.micros }

func (p *proxy) of(f func(turn) float64) []float64 {
	var out []float64
	for _, t := range p.turns {
		out = append(out, f(t))
	}
	return out
}

func (p *proxy) errors() int {
	n := 0
	for _, t := range p.turns {
		n += t.bad
	}
	return n
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}

func least(v []float64) float64 { return slices.Min(v) }

// ratio is the median of the ratios within the rounds.
func ratio(p, to *proxy) float64 {
	var out []float64
	for i := range p.turns {
		out = append(out, p.turns[i].micros/to.turns[i].micros)
	}
	return median(out)
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// launch starts a server and waits until it answers.
func (b *bench) launch(name, addr string, args ...string) (*proxy, error) {
	p := &proxy{name: name, addr: addr, cmd: exec.Command(args[0], args[1:]...)}
	p.cmd.Dir = b.dir
	p.cmd.Env = append(os.Environ(), "HOME="+b.dir, "XDG_DATA_HOME="+b.dir, "XDG_CONFIG_HOME="+b.dir)
	talk, err := os.Create(filepath.Join(b.dir, strings.ReplaceAll(name, " ", "-")+".out"))
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout, p.cmd.Stderr = talk, talk
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for range 200 {
		if resp, err := http.Get("http://" + addr + "/"); err == nil {
			_ = resp.Body.Close() // it answers, that is all
			if resp.StatusCode == http.StatusOK {
				return p, nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.stop()
	said, _ := os.ReadFile(talk.Name())
	return nil, fmt.Errorf("%s does not answer: %s", name, said)
}

// stop asks first: the workers of an nginx whose master is killed live on.
func (p *proxy) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	hard := time.AfterFunc(3*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer hard.Stop()
	_ = p.cmd.Wait() // ended by a signal, which is no news
}

// family is the process and its children: nginx and HAProxy work in children.
func (p *proxy) family() []int {
	out := []int{p.cmd.Process.Pid}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", out[0], out[0]))
	if err != nil {
		return out
	}
	for _, f := range strings.Fields(string(b)) {
		if pid, err := strconv.Atoi(f); err == nil {
			out = append(out, pid)
		}
	}
	return out
}

// cpu is what the scheduler has given to all threads so far.
func (p *proxy) cpu() (time.Duration, error) {
	var sum time.Duration
	for _, pid := range p.family() {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil || len(tasks) == 0 {
			return 0, errors.Join(err, errors.New("the process is gone"))
		}
		for _, t := range tasks {
			b, err := os.ReadFile(t)
			if err != nil {
				continue // a thread that ended
			}
			first, _, _ := strings.Cut(string(b), " ")
			n, err := strconv.ParseInt(first, 10, 64)
			if err != nil {
				return 0, err
			}
			sum += time.Duration(n)
		}
	}
	return sum, nil
}

// rss is the resident memory of the process, in MB; of a family, of its largest member.
func (p *proxy) rss() float64 {
	most := 0.0
	for _, pid := range p.family() {
		f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			if v, ok := strings.CutPrefix(s.Text(), "VmRSS:"); ok {
				kb, _ := strconv.ParseFloat(strings.Fields(v)[0], 64)
				most = max(most, kb/1024)
			}
		}
		_ = f.Close() // only read
	}
	return most
}

// wrk loads an address and reads its report.
func wrk(url string, conns int, d time.Duration) (turn, error) {
	out, err := exec.Command("wrk", "-t1", "-c", strconv.Itoa(conns), "-d", strconv.Itoa(int(d.Seconds()))+"s", "--latency", url).CombinedOutput()
	if err != nil {
		return turn{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	var t turn
	for _, line := range strings.Split(string(out), "\n") {
		f := strings.Fields(line)
		switch {
		case len(f) == 2 && f[0] == "50%":
			t.p50 = millis(f[1])
		case len(f) == 2 && f[0] == "99%":
			t.p99 = millis(f[1])
		case len(f) > 2 && f[1] == "requests" && f[2] == "in":
			t.requests, err = strconv.Atoi(f[0])
		case len(f) == 2 && f[0] == "Requests/sec:":
			t.rate, err = strconv.ParseFloat(f[1], 64)
		case strings.HasPrefix(strings.TrimSpace(line), "Non-2xx"):
			t.bad, err = strconv.Atoi(f[len(f)-1])
		}
		if err != nil {
			return t, fmt.Errorf("wrk's report: %w: %s", err, out)
		}
	}
	if t.requests == 0 {
		return t, fmt.Errorf("wrk's report: %s", out)
	}
	return t, nil
}

func millis(s string) float64 {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0
	}
	return d.Seconds() * 1000
}
