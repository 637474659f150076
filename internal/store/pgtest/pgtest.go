// Package pgtest runs a PostgreSQL server of a test's own, as real as it is installed under /usr/lib/postgresql. It keeps commits on the disk,
// and can be stopped, killed and started again. Nothing but tests and the demo import it.
package pgtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Server is a running PostgreSQL.
type Server struct {
	bin, dir string
	port     int
	settings []string // "-c", "name=value", ...
	who      *syscall.SysProcAttr
	process  *exec.Cmd
	log      *os.File
}

// Start makes a database cluster in a folder under /tmp and starts its server. As root the server runs as the user postgres, for it refuses to
// run as root. Close it.
func Start() (*Server, error) { return StartWith() }

// StartWith is Start with settings of the server, each "name=value".
func StartWith(settings ...string) (_ *Server, err error) {
	bin, err := installed()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, who: &syscall.SysProcAttr{Setpgid: true}}
	for _, kv := range settings {
		s.settings = append(s.settings, "-c", kv)
	}
	DieWithParent(s.who)
	if s.dir, err = os.MkdirTemp("/tmp", "inquest-pg-"); err != nil { // a socket's path has at most 107 bytes
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	if err := s.become(); err != nil {
		return nil, err
	}
	if out, err := s.command("initdb", "-D", s.dir+"/data", "-A", "trust", "-U", "inquest", "--no-sync").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if s.log, err = os.Create(s.Log()); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return nil, err
	}
	return s, s.Resume()
}

// installed is the folder of PostgreSQL's programs: Debian's, newest first, else that of the initdb on PATH.
func installed() (string, error) {
	if bins, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); err == nil && len(bins) > 0 {
		return filepath.Dir(bins[len(bins)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("no PostgreSQL under /usr/lib/postgresql or on PATH: `make setup` installs it")
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	return filepath.Dir(path), nil
}

// become lets the server run as the user postgres where the test is root.
func (s *Server) become() error {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	s.who.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.dir, uid, gid)
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, name), args...)
	c.Dir, c.SysProcAttr, c.Env = s.dir, s.who, []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}
	return c
}

// Resume starts the server again after Stop or Kill, on the same port, and waits until it answers.
func (s *Server) Resume() error {
	args := []string{"-D", s.dir + "/data", "-p", strconv.Itoa(s.port), "-k", s.dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60", "-c", "shared_buffers=32MB"}
	s.process = s.command("postgres", append(args, s.settings...)...) // of two the last counts
	s.process.Stdout, s.process.Stderr = s.log, s.log
	if err := s.process.Start(); err != nil {
		s.process = nil
		return err
	}
	for range 600 {
		if s.command("psql", "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", "inquest", "-d", "postgres", "-Atc", "SELECT 1").Run() == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("PostgreSQL does not come up within a minute:\n%s", s.tail())
}

// Log is the file that the server writes its log to.
func (s *Server) Log() string { return filepath.Join(s.dir, "postgres.log") }

func (s *Server) tail() []byte {
	f, err := os.Open(s.Log())
	if err != nil {
		return []byte(err.Error())
	}
	defer f.Close()
	if _, err := f.Seek(-2000, io.SeekEnd); err != nil {
		_, _ = f.Seek(0, io.SeekStart)
	}
	b, _ := io.ReadAll(f)
	return b
}

// Stop ends the server as an administrator does who does not wait for clients ("fast").
func (s *Server) Stop() error {
	if s.process == nil {
		return nil
	}
	err := s.process.Process.Signal(syscall.SIGINT)
	_ = s.process.Wait()
	s.process = nil
	return err
}

// Kill ends the server as the kernel does when memory is short: SIGKILL to it and to all its processes.
func (s *Server) Kill() error {
	pid := s.process.Process.Pid
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil { // or it would start new ones meanwhile
		return err
	}
	// Each of its processes leads a group of its own, so there is no group to kill.
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	if err != nil {
		return err
	}
	err = syscall.Kill(pid, syscall.SIGKILL)
	_ = s.process.Wait()
	s.process = nil
	for child := range strings.FieldsSeq(string(children)) {
		n, err := strconv.Atoi(child)
		if err != nil {
			return err
		}
		if err := syscall.Kill(n, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return err
}

// URL of a database of the server; "postgres" is always there.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://inquest@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// SQL runs statements as the superuser, in the database "postgres" unless \c says otherwise, and returns what psql prints.
func (s *Server) SQL(query string) (string, error) {
	c := s.command("psql", "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", "inquest", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-qAtf", "-")
	c.Stdin = strings.NewReader(query) // with -c all statements would be one transaction
	out, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, out)
	}
	return string(out), nil
}

// Close ends the server and removes its folder.
func (s *Server) Close() error {
	err := s.Stop()
	if s.log != nil {
		err = errors.Join(err, s.log.Close())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
