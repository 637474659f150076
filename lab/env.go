package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// setupError carries a failure out of a scenario's functions, which have no error results to stay short.
type setupError struct{ err error }

func must(err error, what string, args ...any) {
	if err != nil {
		panic(setupError{fmt.Errorf(what+": %w", append(args, err)...)})
	}
}

// Env is a running recording.
type Env struct {
	S         Scenario
	Work      string // scratch outside: templates, node_modules
	Source    string // the lab's own folder (services/)
	Logs      string // where the parts' logs are gathered
	Began     time.Time
	Injected  time.Time
	TriggerAt time.Time // when the trigger acts at another time than Injected
	Settled   time.Time // failures before it are a restart's and not the fault's
	Ended     time.Time

	mu       sync.Mutex
	parts    map[string]*Part
	order    []string
	changes  []change
	sinks    map[string]*sinkFile
	scraper  *scraper
	results  []result
	gws      map[string]string // config path by gateway name
	gates    map[string]GW
	cgroups  []string
	stopping bool
}

type change struct {
	Time    string `json:"time"`
	Kind    string `json:"kind"`
	Service string `json:"service,omitempty"`
	Version string `json:"version,omitempty"`
	Summary string `json:"summary"`
	at      time.Time
}

func newEnv(s Scenario, work, source string) *Env {
	if s.TZ == "" {
		s.TZ = "UTC"
	}
	return &Env{S: s, Work: work, Source: source, Logs: "/var/log/site", parts: map[string]*Part{}, sinks: map[string]*sinkFile{},
		scraper: newScraper(), gws: map[string]string{}, gates: map[string]GW{}}
}

// Sleep waits; negative durations return at once.
func (e *Env) Sleep(d time.Duration) { time.Sleep(d) }

// Note writes to the run's own log.
func (e *Env) Note(format string, args ...any) {
	fmt.Printf(time.Now().UTC().Format("15:04:05.000 ")+format+"\n", args...)
}

// Change records what somebody did now.
func (e *Env) Change(kind, service, version, summary string) {
	e.addChange(time.Now(), kind, service, version, summary)
}

// Past records what somebody did before the recording began.
func (e *Env) Past(ago time.Duration, kind, service, version, summary string) {
	e.addChange(time.Now().Add(-ago), kind, service, version, summary)
}

func (e *Env) addChange(at time.Time, kind, service, version, summary string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at = at.UTC()
	e.changes = append(e.changes, change{at.Format(time.RFC3339), kind, service, version, summary, at})
	e.Note("change: %s %s %s", kind, service, summary)
}

// Part is a process of the system that the recorder started.
type Part struct {
	Name    string
	Argv    []string
	Env     []string
	Dir     string
	User    string        // default www-data; "root" where the server drops privileges itself
	Log     string        // file under Logs that gets stdout and stderr; "" discards
	Wrap    string        // how the log line is wrapped: "", docker, cri, compose, syslog, journal, kubectl
	Ident   string        // program name in lines of syslog and the journal, pod and container in kubectl's; default Name
	Restart time.Duration // restarted that long after it ended; 0 means never
	CPU     float64       // cores, enforced by a cgroup; 0 means no limit
	MemMB   int           // enforced by a cgroup; the kernel's OOM killer acts
	Pids    int           // enforced by a cgroup
	NoFile  int           // limit of open descriptors

	cmd     *exec.Cmd
	stopped bool
	done    chan struct{}
}

// Start starts a part and, with Restart set, keeps it running.
func (e *Env) Start(p Part) *Part {
	q := &p
	if q.User == "" {
		q.User = "www-data"
	}
	e.mu.Lock()
	e.parts[q.Name] = q
	e.order = append(e.order, q.Name)
	e.mu.Unlock()
	must(e.launch(q), "start %s", q.Name)
	return q
}

func (e *Env) launch(p *Part) error {
	var pre strings.Builder
	for _, cg := range e.groups(p) {
		fmt.Fprintf(&pre, "echo $$ > %s/cgroup.procs; ", cg)
	}
	if p.NoFile > 0 {
		fmt.Fprintf(&pre, "ulimit -n %d; ", p.NoFile)
	}
	argv := p.Argv
	if p.User != "root" {
		argv = append([]string{"setpriv", "--reuid=" + p.User, "--regid=" + p.User, "--clear-groups"}, argv...)
	}
	cmd := exec.Command("/bin/sh", append([]string{"-c", pre.String() + `exec "$@"`, "sh"}, argv...)...)
	cmd.Dir = p.Dir
	cmd.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/var/tmp", "TZ=" + e.S.TZ,
		"LANG=C.UTF-8"}, p.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var streams []*sink
	if p.Log != "" {
		ident := p.Name
		if p.Ident != "" && (p.Wrap == "syslog" || p.Wrap == "journal" || p.Wrap == "kubectl") {
			ident = p.Ident
		}
		streams = []*sink{e.sink(p.Log, p.Wrap, ident, "stdout"), e.sink(p.Log, p.Wrap, ident, "stderr")}
		cmd.Stdout, cmd.Stderr = streams[0], streams[1]
	}
	p.done = make(chan struct{})
	p.cmd = cmd
	if err := cmd.Start(); err != nil {
		return err
	}
	for _, s := range streams {
		s.of(cmd.Process.Pid)
	}
	e.supervise("spawned", p, fmt.Sprintf("pid=%d", cmd.Process.Pid))
	go e.watch(p, cmd, p.done)
	return nil
}

func (e *Env) watch(p *Part, cmd *exec.Cmd, done chan struct{}) {
	err := cmd.Wait()
	close(done)
	state := "exit status 0"
	if err != nil {
		state = err.Error()
	}
	e.mu.Lock()
	stopped := p.stopped || e.stopping
	e.mu.Unlock()
	e.supervise("exited", p, fmt.Sprintf("state=%q expected=%v", state, stopped))
	if stopped || p.Restart == 0 {
		return
	}
	time.Sleep(p.Restart)
	e.mu.Lock()
	stopped = p.stopped || e.stopping
	e.mu.Unlock()
	if !stopped {
		if err := e.launch(p); err != nil {
			e.Note("restart %s: %v", p.Name, err)
		}
	}
}

// supervise keeps the supervisor's own log: the recorder is what starts and restarts the parts. It leaves out
// the parts without a log, which are stand-ins for third parties and exporters.
func (e *Env) supervise(what string, p *Part, rest string) {
	e.Note("%s %s %s", what, p.Name, rest)
	if p.Log == "" {
		return
	}
	if e.S.Supervisord != "" {
		e.supervisord(what, p, rest)
		return
	}
	w := e.sink("supervisor.log", "", "", "stdout")
	fmt.Fprintf(w, "time=%s level=INFO msg=%q unit=%s %s\n", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "process "+what, p.Name, rest)
}

// Stop ends a part for good: with sig, and by force after grace.
func (e *Env) Stop(name string, sig syscall.Signal, grace time.Duration) {
	e.mu.Lock()
	p := e.parts[name]
	if p != nil {
		p.stopped = true
	}
	e.mu.Unlock()
	if p == nil || p.cmd == nil || p.cmd.Process == nil {
		return
	}
	p.cmd.Process.Signal(sig)
	select {
	case <-p.done:
	case <-time.After(grace):
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

// Replace stops a part and starts its successor under the same name.
func (e *Env) Replace(p Part, gap time.Duration) {
	e.Stop(p.Name, syscall.SIGTERM, 3*time.Second)
	e.Sleep(gap)
	e.Start(p)
}

// Signal sends a signal to a part that goes on living.
func (e *Env) Signal(name string, sig syscall.Signal) {
	e.mu.Lock()
	p := e.parts[name]
	e.mu.Unlock()
	must(p.cmd.Process.Signal(sig), "signal %s", name)
}

func (e *Env) stopAll() {
	e.mu.Lock()
	e.stopping = true
	names := append([]string(nil), e.order...)
	e.mu.Unlock()
	for i := len(names) - 1; i >= 0; i-- {
		e.mu.Lock()
		p := e.parts[names[i]]
		e.mu.Unlock()
		if p.cmd != nil && p.cmd.Process != nil {
			syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		}
	}
	time.Sleep(300 * time.Millisecond)
	for _, cg := range e.cgroups {
		os.Remove(cg)
	}
}

// groups makes the cgroups (v1 hierarchy) that a part's limits ask for and returns their folders.
func (e *Env) groups(p *Part) []string {
	var dirs []string
	id := fmt.Sprintf("lab-%s-%s", e.S.Name, strings.ReplaceAll(p.Name, "/", "_"))
	add := func(controller, file, value string) {
		dir := filepath.Join("/sys/fs/cgroup", controller, id)
		if controller == "cpu" {
			dir = filepath.Join(cpuGroup(e.S.Name), p.Name)
		}
		if controller == "memory" { // the kernel prints this path when it kills
			must(mkdir("/sys/fs/cgroup/memory/system.slice"), "cgroup")
			dir = "/sys/fs/cgroup/memory/system.slice/" + p.Name + ".service"
		}
		if _, err := os.Stat(dir); err != nil {
			must(os.Mkdir(dir, 0o755), "cgroup %s", dir)
			e.cgroups = append(e.cgroups, dir)
		}
		must(os.WriteFile(filepath.Join(dir, file), []byte(value), 0o644), "cgroup %s", file)
		dirs = append(dirs, dir)
	}
	if p.CPU > 0 {
		add("cpu", "cpu.cfs_quota_us", fmt.Sprint(int(p.CPU*100000)))
	}
	if p.MemMB > 0 {
		add("memory", "memory.limit_in_bytes", fmt.Sprint(p.MemMB<<20))
	}
	if p.Pids > 0 {
		add("pids", "pids.max", fmt.Sprint(p.Pids))
	}
	return dirs
}

// Host makes a name resolve by /etc/hosts.
func (e *Env) Host(name, ip string) {
	f, err := os.OpenFile("/etc/hosts", os.O_APPEND|os.O_WRONLY, 0)
	must(err, "hosts")
	fmt.Fprintf(f, "%s %s\n", ip, name)
	must(f.Close(), "hosts")
}

// WaitPort waits until something listens.
func (e *Env) WaitPort(addr string, atMost time.Duration) {
	end := time.Now().Add(atMost)
	for {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(end) {
			must(err, "wait for %s", addr)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Run runs a command to its end.
func (e *Env) Run(argv ...string) string {
	cmd := exec.Command(argv[0], argv[1:]...)
	out, err := cmd.CombinedOutput()
	must(err, "%v: %s", argv, out)
	return string(out)
}

// Write writes a file that www-data can read, with its folders.
func (e *Env) Write(path, content string) {
	must(os.MkdirAll(filepath.Dir(path), 0o755), "mkdir")
	must(os.WriteFile(path, []byte(content), 0o644), "write %s", path)
}

func toJSON(v any) []byte {
	b, err := json.MarshalIndent(v, "", " ")
	must(err, "json")
	return b
}

// StartIn starts a part inside the CPU group of another one: a neighbour in the same quota.
func (e *Env) StartIn(p Part, neighbour string) {
	group := filepath.Join(cpuGroup(e.S.Name), neighbour)
	p.Argv = append([]string{"sh", "-c", "echo $$ > " + group + `/cgroup.procs; exec "$@"`, "sh"}, p.Argv...)
	p.User = "root"
	e.Start(p)
}

// KernelLog keeps what the kernel writes from now on (out-of-memory kills), with the header that a syslog daemon adds.
func (e *Env) KernelLog(file string) {
	w := e.sink(file, "syslog", "kernel", "stdout")
	f, err := os.Open("/dev/kmsg")
	must(err, "kernel log")
	_, err = f.Seek(0, 2) // only what comes from now on
	must(err, "kernel log")
	go func() {
		buf := make([]byte, 8192)
		for {
			n, err := f.Read(buf)
			if err != nil {
				return
			}
			head, text, ok := strings.Cut(string(buf[:n]), ";")
			text, _, _ = strings.Cut(text, "\n")
			part := strings.Split(head, ",")
			if !ok || len(part) < 3 || !memoryTalk(text) {
				continue // another tenant's news
			}
			us, _ := strconv.ParseInt(part[2], 10, 64)
			fmt.Fprintf(w, "[%5d.%06d] %s\n", us/1e6, us%1e6, text)
		}
	}()
}

func memoryTalk(text string) bool {
	for _, w := range []string{"oom", "Out of memory", "Memory cgroup", "Tasks state", "memory: usage", "Killed process"} {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// Background does something that may fail or be cut off by the end of the recording without failing it.
func (e *Env) Background(do func()) {
	go func() {
		defer func() {
			if r := recover(); r != nil {
				e.Note("background: %v", r)
			}
		}()
		do()
	}()
}
