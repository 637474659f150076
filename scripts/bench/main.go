// Command bench measures `inquest investigate` on large logs beside `wc -l` on the same file, in one run, so that the
// figures hold on any machine: CPU seconds (user and system) as a multiple of what counting the lines costs, the gain
// of the second core, and the peak of resident memory for a file and for a longer one.
//
//	go run ./scripts/bench -bin bin/inquest -runs 2 NAME=FILE=CPU_LIMIT[=LONGER_FILE]...
//
// CPU_LIMIT is the multiple of wc's CPU seconds that may not be passed. Exit code 1 when a limit is not held; the wall
// clock is only judged with -wall, because a machine that does other work at the same time makes it meaningless.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

const (
	wantWall = 0.65 // wall clock of two cores as a share of one core's
	wantPeak = 100  // MB of resident memory
	wantFlat = 1.3  // peak of the longer file as a multiple; "flat" leaves room for the collector's rhythm
)

type usage struct {
	cpu, wall time.Duration
	peakMB    float64
}

func main() {
	bin := flag.String("bin", "bin/inquest", "the command to measure")
	runs := flag.Int("runs", 2, "runs of each measurement; the best counts, because noise only adds")
	wall := flag.Bool("wall", false, "judge the wall clock as well")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: bench [-bin FILE] [-runs N] [-wall] NAME=FILE=CPU_LIMIT[=LONGER_FILE]...")
		os.Exit(2)
	}
	ok := true
	for _, arg := range flag.Args() {
		held, err := (&bench{bin: *bin, runs: *runs, wall: *wall}).measure(arg)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(2)
		}
		ok = ok && held
	}
	if !ok {
		os.Exit(1)
	}
}

type bench struct {
	bin  string
	runs int
	wall bool
	held bool
	t    *tabwriter.Writer
}

func (b *bench) measure(arg string) (bool, error) {
	part := strings.Split(arg, "=")
	if len(part) < 3 {
		return false, fmt.Errorf("%q: say NAME=FILE=CPU_LIMIT", arg)
	}
	limit, err := strconv.ParseFloat(part[2], 64)
	if err != nil {
		return false, fmt.Errorf("%q: the limit: %w", arg, err)
	}
	st, err := os.Stat(part[1])
	if err != nil {
		return false, err
	}
	b.held, b.t = true, tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	defer b.t.Flush()
	mb := float64(st.Size()) / 1e6
	fmt.Fprintf(b.t, "\n%s, %.0f MB\tCPU s\twall s\tx wc -l\tMB/s of CPU\tpeak MB\n", part[0], mb)

	wc, err := b.best(0, "wc", "-l", part[1])
	if err != nil {
		return false, err
	}
	b.row("wc -l", wc, wc, mb)
	one, err := b.best(1, b.bin, "investigate", "--format", "json", part[1])
	if err != nil {
		return false, err
	}
	b.row("inquest, 1 core", one, wc, mb)
	two, err := b.best(2, b.bin, "investigate", "--format", "json", part[1])
	if err != nil {
		return false, err
	}
	b.row("inquest, 2 cores", two, wc, mb)
	peak := max(one.peakMB, two.peakMB)
	b.judge("CPU / wc -l, 1 core", ratio(one.cpu, wc.cpu), limit, true)
	b.judge("wall 2 cores / 1 core", ratio(two.wall, one.wall), wantWall, b.wall)
	b.judge("peak MB", peak, wantPeak, true)
	if len(part) > 3 {
		long, err := once(2, b.bin, "investigate", "--format", "json", part[3])
		if err != nil {
			return false, err
		}
		ls, err := os.Stat(part[3])
		if err != nil {
			return false, err
		}
		b.row(fmt.Sprintf("inquest, 2 cores, %.0f MB", float64(ls.Size())/1e6), long, usage{}, float64(ls.Size())/1e6)
		b.judge("peak longer / peak", long.peakMB/two.peakMB, wantFlat, true)
	}
	return b.held, nil
}

func (b *bench) row(name string, u, wc usage, mb float64) {
	times := "-"
	if wc.cpu > 0 {
		times = fmt.Sprintf("%.1f", ratio(u.cpu, wc.cpu))
	}
	fmt.Fprintf(b.t, "%s\t%.2f\t%.2f\t%s\t%.0f\t%.0f\n", name, u.cpu.Seconds(), u.wall.Seconds(), times, mb/u.cpu.Seconds(), u.peakMB)
}

func (b *bench) judge(what string, got, limit float64, counts bool) {
	word := "ok"
	switch {
	case got > limit && counts:
		word, b.held = "MISSED", false
	case got > limit:
		word = "above (not judged: see -wall)"
	}
	fmt.Fprintf(b.t, "  %s\t%.2f\tat most %.2f\t%s\t\t\n", what, got, limit, word)
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

// best is the run with the least CPU and, separately, the least wall clock.
func (b *bench) best(cores int, name string, args ...string) (usage, error) {
	var out usage
	for i := range b.runs {
		u, err := once(cores, name, args...)
		if err != nil {
			return out, err
		}
		if i == 0 {
			out = u
			continue
		}
		out = usage{cpu: min(out.cpu, u.cpu), wall: min(out.wall, u.wall), peakMB: max(out.peakMB, u.peakMB)}
	}
	return out, nil
}

func once(cores int, name string, args ...string) (usage, error) {
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = io.Discard, os.Stderr
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if cores > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("GOMAXPROCS=%d", cores))
	}
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return usage{}, fmt.Errorf("%s: %w", cmd, err)
	}
	u := usage{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.peakMB = float64(r.Maxrss) / 1e3 // Linux counts in kilobytes
	}
	return u, nil
}
