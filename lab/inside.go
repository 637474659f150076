package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// inside runs one recording; it is process 1 of its namespaces.
func inside(args []string) error {
	picked, err := pick(args[:1])
	if err != nil {
		return err
	}
	e := newEnv(picked[0], args[2], args[3])
	if err := e.weigh(); err != nil {
		return err
	}
	if err := e.isolate(); err != nil {
		return err
	}
	if err := e.record(); err != nil {
		e.stopAll()
		return err
	}
	return e.bundle(args[1])
}

// isolate gives the recording private mounts (so that paths in traces look like a server's), an empty network
// in which every address of a few test networks is local, and its own /etc/hosts and resolv.conf.
func (e *Env) isolate() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	for _, dir := range []string{"/srv", "/var/log", "/run", "/var/lib/postgresql", "/var/tmp"} {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=900m,mode=755"); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
	}
	for _, dir := range []string{e.Logs, "/run/pg", "/var/tmp/nginx", "/run/lock", "/var/log/nginx"} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		os.Chmod(dir, 0o777)
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", []byte("0"), 0o644); err != nil {
		return err
	}
	host := e.S.Host
	if host == "" {
		host = "app-1"
	}
	syscall.Sethostname([]byte(host))
	os.WriteFile("/var/tmp/hosts", []byte("127.0.0.1 localhost "+host+"\n"), 0o644)
	os.WriteFile("/var/tmp/resolv.conf", []byte("nameserver 10.255.0.2\noptions timeout:2 attempts:1\n"), 0o644)
	for from, to := range map[string]string{"/var/tmp/hosts": "/etc/hosts", "/var/tmp/resolv.conf": "/etc/resolv.conf"} {
		if err := syscall.Mount(from, to, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("bind %s: %w", to, err)
		}
	}
	for _, c := range [][]string{
		{"ip", "link", "set", "lo", "up"},
		{"ip", "addr", "add", "10.0.0.1/8", "dev", "lo"},
		{"ip", "addr", "add", "203.0.113.1/24", "dev", "lo"},
		{"ip", "addr", "add", "198.51.100.1/24", "dev", "lo"},
		{"ip", "addr", "add", "192.0.2.1/24", "dev", "lo"},
	} {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w: %s", c, err, out)
		}
	}
	return nil
}

// record drives the timeline: parts, baseline, fault, recovery.
func (e *Env) record() (err error) {
	defer func() { // scenarios fail by panicking with a setupError; anything else is a bug and stays a panic
		if r := recover(); r != nil {
			se, ok := r.(setupError)
			if !ok {
				panic(r)
			}
			err = se.err
		}
	}()
	e.S.Setup(e)
	time.Sleep(2 * time.Second)
	e.Began = time.Now()
	e.scraper.start()
	load := newLoad(e)
	load.start()
	e.Sleep(e.S.Baseline)
	e.Injected = time.Now()
	if e.S.Inject != nil {
		e.S.Inject(e)
	}
	e.Sleep(e.S.Fault - time.Since(e.Injected))
	if e.S.Recover != nil && e.S.Recovery > 0 {
		e.S.Recover(e)
		e.Sleep(e.S.Recovery)
	}
	load.stop()
	e.scraper.stop()
	e.Ended = time.Now()
	e.results = load.results()
	err = e.freeze()
	e.stopAll()
	return err
}

// freeze keeps the logs as they are now: how the recorder puts an end to the parts is not part of the story.
func (e *Env) freeze() error {
	frozen := e.Logs + ".frozen"
	if out, err := exec.Command("cp", "-a", e.Logs, frozen).CombinedOutput(); err != nil {
		return fmt.Errorf("freeze logs: %w: %s", err, out)
	}
	e.Logs = frozen
	return nil
}

// prepare makes what recordings share: an initialised PostgreSQL cluster to copy.
func prepare(work string) error {
	tmpl := filepath.Join(work, "pgtemplate")
	if _, err := os.Stat(filepath.Join(tmpl, "PG_VERSION")); err == nil {
		return nil
	}
	os.RemoveAll(tmpl)
	if err := os.MkdirAll(tmpl, 0o700); err != nil {
		return err
	}
	for p := work; p != "/" && p != "."; p = filepath.Dir(p) { // postgres must reach it
		if fi, err := os.Stat(p); err == nil && fi.Mode().Perm()&0o5 != 0o5 {
			os.Chmod(p, fi.Mode().Perm()|0o5)
		}
	}
	if out, err := exec.Command("chown", "-R", "postgres:postgres", tmpl).CombinedOutput(); err != nil {
		return fmt.Errorf("chown: %w: %s", err, out)
	}
	cmd := exec.Command("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
		pgBin+"/initdb", "-D", tmpl, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func cpuGroup(name string) string { return "/sys/fs/cgroup/cpu/lab-" + name }

// weigh puts the recording into a CPU group with some weight, so that other work on the machine does not stretch its
// timing. The quotas of single parts lie beneath it.
func (e *Env) weigh() error {
	dir := cpuGroup(e.S.Name)
	if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
		return fmt.Errorf("make CPU group: %w", err)
	}
	if err := os.WriteFile(dir+"/cpu.shares", []byte("4096"), 0o644); err != nil {
		return err
	}
	return os.WriteFile(dir+"/cgroup.procs", []byte("0"), 0o644)
}
