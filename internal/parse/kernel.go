package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// dmesg reads the kernel's ring buffer as dmesg prints it: `[ 1234.567890] message` (seconds since the machine started,
// so no clock) and `[Fri Nov 20 16:12:03 2026] message` of dmesg -T, each with <6> or `kern  :warn  : ` before it.
type dmesg struct{}

func newDmesg([]byte) lineParser { return dmesg{} }

func (dmesg) parse(line []byte, r *Record) bool {
	b, severity := syslogPriority(line)
	if i := bytes.Index(b[:min(len(b), 20)], []byte(": [")); i > 0 && bytes.HasPrefix(b, []byte("kern")) {
		if k := bytes.IndexByte(b, ':'); k > 0 {
			setLevel(r, bytes.TrimSpace(bytes.Trim(b[k:i], ": ")))
		}
		b = b[i+2:]
	}
	in, msg := bracket(b)
	if len(in) < 8 || len(msg) == 0 {
		return false
	}
	in = bytes.TrimSpace(in)
	if up, ok := plainDecimal(in); ok && up >= 0 {
		if bytes.IndexByte(in, '.') < 0 {
			return false
		}
		addFloat(r, "uptime_s", in)
	} else if ns, n, c := parseTime(in); n == len(in) && c != ClockNone && isAlpha(in[0]) && msg[0] != '[' {
		r.Time, r.Clock = ns, c
	} else {
		return false
	}
	r.Add("program", "kernel")
	setSeverity(severity, r)
	r.Message = str(msg)
	kernelMessage(msg, r)
	return true
}

// kernelMessage reads the messages of the OOM killer and the times within syslog. The kernel's own names are kept:
// mm/oom_kill.c, oom_kill_process and dump_oom_summary.
func kernelMessage(msg []byte, r *Record) {
	if in, rest := bracket(msg); len(in) > 5 && len(rest) > 0 {
		if _, ok := plainDecimal(bytes.TrimSpace(in)); ok {
			addFloat(r, "uptime_s", bytes.TrimSpace(in))
			msg = rest
			r.Message = str(msg)
		}
	}
	switch {
	case bytes.HasPrefix(msg, []byte("oom-kill:")):
		r.Level = inquest.LevelError
		for _, pair := range bytes.Split(msg[9:], []byte{','}) {
			i := bytes.IndexByte(pair, '=')
			if i <= 0 {
				continue
			}
			switch key := string(pair[:i]); key {
			case "constraint", "oom_memcg", "task_memcg", "task":
				r.Add(key, str(pair[i+1:]))
			case "pid":
				addNum(r, "pid", pair[i+1:])
			}
		}
	case bytes.Contains(msg, []byte("ut of memory: Kill")), bytes.Contains(msg, []byte("Killed process ")):
		r.Level = inquest.LevelError
		oomVictim(msg, r)
	case bytes.Contains(msg, []byte("invoked oom-killer")), bytes.Contains(msg, []byte("segfault at ")),
		bytes.Contains(msg, []byte("I/O error")), bytes.Contains(msg, []byte("Memory cgroup out of memory")):
		r.Level = inquest.LevelError
	}
}

// oomVictim reads `Killed process 123 (java) total-vm:1kB, anon-rss:2kB, ...`.
func oomVictim(msg []byte, r *Record) {
	i := bytes.Index(msg, []byte("process "))
	if i < 0 {
		return
	}
	pid, k := digitsAt(msg, i+8)
	rest := msg[i+8+k:]
	addNum(r, "pid", pid)
	if j := bytes.IndexByte(rest, '('); j >= 0 {
		if end := bytes.IndexByte(rest[j:], ')'); end > 0 {
			r.Add("task", str(rest[j+1:j+end]))
		}
	}
	for _, name := range [...]string{"total-vm", "anon-rss", "file-rss", "shmem-rss", "UID", "oom_score_adj"} {
		if j := bytes.Index(rest, []byte(name+":")); j >= 0 {
			if d, n := digitsAt(rest, j+len(name)+1); n > 0 {
				addNum(r, name, d)
			}
		}
	}
}
