package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/inquesthq/inquest/internal/store/pgtest"
)

// process is a program that runs beside the demo. What it says is appended to a file.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   *os.File
	ended chan struct{}
	err   error // once ended is closed
}

// start runs a program in dir with its output in the file log.
func start(name, dir, log string, env []string, argv ...string) (*process, error) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{name: name, log: f, ended: make(chan struct{})}
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, append([]string{"PATH=" + os.Getenv("PATH")}, env...), f, f
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the demo, which ends the others in order
	pgtest.DieWithParent(p.cmd.SysProcAttr)
	if err := p.cmd.Start(); err != nil {
		f.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop asks the program to end, and insists after ten seconds.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	p.log.Close()
}

// answers waits until a URL answers 200, or the program has ended.
func (p *process) answers(ctx context.Context, url string) error {
	ctx, stop := context.WithTimeoutCause(ctx, time.Minute, errors.New("it does not answer within a minute"))
	defer stop()
	for {
		if status, err := get(ctx, url); err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended (%w): %s", p.name, p.err, lastLines(p.log.Name()))
		case <-ctx.Done():
			return fmt.Errorf("%s: %w: %s", p.name, context.Cause(ctx), lastLines(p.log.Name()))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, url string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// lastLines is the end of a log, for the message of a failure.
func lastLines(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-1000):])
}

// freePort is a port of this machine that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// build compiles a release of the service.
func build(ctx context.Context, folder, out, tags string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, "-tags", tags, ".")
	cmd.Dir = folder
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", filepath.Base(folder), err, said)
	}
	return nil
}
