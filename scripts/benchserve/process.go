package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// process is a program under load.
type process struct {
	cmd  *exec.Cmd
	name string
}

// begin starts a program and waits for a line on stderr that contains ready; what it says besides goes to log.
func begin(log *os.File, ready, path string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(path, args...), name: path}
	out, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		fmt.Fprintln(log, lines.Text())
		if strings.Contains(lines.Text(), ready) {
			go func() {
				for lines.Scan() {
					fmt.Fprintln(log, lines.Text())
				}
			}()
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s did not begin: %w; see %s", path, p.cmd.Wait(), log.Name())
}

func (p *process) end() error {
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// cpu is the seconds of processor that it has had, by the scheduler's accounting.
func (p *process) cpu() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the name in front may hold anything
	f := strings.Fields(rest)
	user, err := strconv.ParseFloat(f[11], 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100, err // Linux counts in hundredths for programs, whatever its clock
}

// memory is what of it is resident, mapped files included, in MB.
func (p *process) memory() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS of %s", p.name)
}
