// Package promtest runs Debian's Prometheus and Alertmanager for a test, each with a folder of its own. Nothing but tests imports it.
package promtest

import (
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

// Server is a running Prometheus or Alertmanager.
type Server struct {
	URL     string // "http://127.0.0.1:41123"
	dir     string
	command []string
	process *exec.Cmd
	log     *os.File
}

// Prometheus starts one that takes remote write, with this configuration and an empty store. Close it.
func Prometheus(config string) (*Server, error) {
	return start("prometheus", config, "--storage.tsdb.path=data", "--web.enable-remote-write-receiver")
}

// Alertmanager starts one that belongs to no cluster, with this configuration. Close it.
func Alertmanager(config string) (*Server, error) {
	return start("prometheus-alertmanager", config, "--storage.path=data", "--cluster.listen-address=")
}

func start(program, config string, flags ...string) (_ *Server, err error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("no %s: `make setup` installs it (apt-get install %[1]s): %w", program, err)
	}
	s := &Server{}
	if s.dir, err = os.MkdirTemp("", "inquest-"+program+"-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	if err := os.WriteFile(filepath.Join(s.dir, "config.yml"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	if s.log, err = os.Create(filepath.Join(s.dir, "log")); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	s.URL = "http://" + address
	s.command = append([]string{path, "--config.file=config.yml", "--web.listen-address=" + address}, flags...)
	return s, s.Resume()
}

// Resume starts it again after Stop, on the same port and folder, and waits until it is ready.
func (s *Server) Resume() error {
	s.process = exec.Command(s.command[0], s.command[1:]...)
	s.process.Dir, s.process.Stdout, s.process.Stderr, s.process.SysProcAttr = s.dir, s.log, s.log, &syscall.SysProcAttr{}
	pgtest.DieWithParent(s.process.SysProcAttr)
	if err := s.process.Start(); err != nil {
		s.process = nil
		return err
	}
	for range 1200 {
		if res, err := http.Get(s.URL + "/-/ready"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("%s is not ready after a minute:\n%s", s.command[0], s.Log())
}

// Log is what it has written so far.
func (s *Server) Log() string {
	b, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Stop asks it to end, as an administrator does, and waits until it has: it writes down what it remembers.
func (s *Server) Stop() error { return s.end(syscall.SIGTERM) }

func (s *Server) end(how syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	err := s.process.Process.Signal(how)
	_ = s.process.Wait()
	s.process = nil
	return err
}

// Close kills it and removes its folder.
func (s *Server) Close() error {
	err := s.end(syscall.SIGKILL)
	if s.log != nil {
		err = errors.Join(err, s.log.Close())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
