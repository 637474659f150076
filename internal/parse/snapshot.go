package parse

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
)

// snapshotFormat reads what people paste from a host: df, free, /proc/meminfo, ulimit -a, /proc/PID/limits, ss -s, vmstat,
// kubectl get pods and kubectl describe pod, one after the other in one file, prompts and blank lines between.
// Each state becomes a record with the line itself as message and the fields resource, name, used, limit, percent
// (bytes, or counts); it has no time, because none of these commands prints one.
func snapshotFormat() format {
	return format{name: "snapshot", kind: KindLog, read: readSnapshot, score: scoreSnapshot}
}

func readSnapshot(r io.Reader, _ string, sink Sink, skip func(line int, reason string)) (int, error) {
	s := &snapshot{emit: sink.Log}
	err := eachLine(r, 64<<10, func(line []byte, no int) {
		if !s.line(string(line), no) && s.pastBlank {
			skip(no, "no output of a command that is known here")
		}
	}, skip)
	s.endContainer()
	return s.n, err
}

// scoreSnapshot: at least one heading or line of its own shape, and most lines understood.
func scoreSnapshot(sample []byte) float64 {
	s := &snapshot{emit: func(*Record) {}}
	known, all := 0, 0
	for i, line := range bytes.Split(sample, []byte("\n")) {
		if i >= 200 {
			break
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		all++
		if s.line(string(bytes.TrimRight(line, "\r")), i+1) {
			known++
		}
	}
	s.endContainer()
	if s.n == 0 || s.headings == 0 || known*2 < all {
		return 0
	}
	return float64(known) / float64(all)
}

// snapshot remembers which table it is in: the heading names the columns of the rows below.
type snapshot struct {
	emit      func(*Record)
	rec       Record
	n         int
	headings  int
	table     string   // "df", "inodes", "free", "vmstat", "pods", "limits", ""
	cols      []string // of the table
	unit      float64  // bytes per number of a df table without suffixes
	carry     string   // df breaks the line after a long file system name
	memTotal  float64
	pod       string
	container containerState
	pastBlank bool // the line that was not understood was not blank
}

// containerState is one container of kubectl describe pod.
type containerState struct {
	line                     int
	text                     string
	name, reason, exit, last string
	restarts                 string
	inLast                   bool
}

// line takes one line and reports whether it was understood.
func (s *snapshot) line(line string, no int) bool {
	f := strings.Fields(line)
	s.pastBlank = len(f) > 0
	if len(f) == 0 {
		if s.table != "describe" {
			s.table = ""
		}
		return false
	}
	if s.heading(line, f) {
		s.headings++
		return true
	}
	if s.single(line, f, no) {
		return true
	}
	switch s.table {
	case "df", "inodes":
		return s.df(line, f, no)
	case "free":
		return s.free(line, f, no)
	case "vmstat":
		return s.vmstat(line, f, no)
	case "pods":
		return s.pods(line, f, no)
	case "limits":
		return strings.HasPrefix(line, "Max ")
	case "describe":
		return s.describe(line, f, no)
	}
	return false
}

// heading recognises the first line of a table.
func (s *snapshot) heading(line string, f []string) bool {
	table := ""
	switch {
	case f[0] == "Filesystem" && strings.HasSuffix(strings.TrimSpace(line), "Mounted on"):
		table, s.unit = "df", 1024
		if strings.Contains(line, "IUse") {
			table, s.unit = "inodes", 1
		} else if strings.Contains(line, "1B-blocks") {
			s.unit = 1
		} else if strings.Contains(line, "1M-blocks") {
			s.unit = 1 << 20
		}
	case f[0] == "total" && len(f) >= 5 && f[1] == "used" && f[2] == "free":
		table = "free"
	case f[0] == "procs" && strings.Contains(line, "-memory-"):
		return true
	case f[0] == "r" && len(f) > 14 && f[1] == "b" && f[2] == "swpd":
		table = "vmstat"
	case len(f) >= 4 && (f[0] == "NAME" && f[1] == "READY" || f[0] == "NAMESPACE" && f[1] == "NAME"):
		table = "pods"
	case strings.HasPrefix(line, "Limit ") && strings.Contains(line, "Soft Limit"):
		table = "limits"
	case f[0] == "Name:" && len(f) == 2 && line[0] == 'N':
		s.endContainer()
		s.table, s.pod = "describe", f[1]
		return false // many things have a name: only what follows makes it a pod
	default:
		return false
	}
	s.table, s.cols, s.carry = table, f, ""
	return true
}

// single reads the lines that need no heading.
func (s *snapshot) single(line string, f []string, no int) bool {
	switch {
	case f[0] == "MemTotal:" && len(f) == 3:
		s.memTotal, _ = strconv.ParseFloat(f[1], 64)
		s.headings++
		return true
	case f[0] == "MemAvailable:" && len(f) == 3 && s.memTotal > 0:
		free, err := strconv.ParseFloat(f[1], 64)
		if err != nil {
			return false
		}
		s.state(line, no, "memory", "", (s.memTotal-free)*1024, s.memTotal*1024)
		return true
	case len(f) == 3 && f[2] == "kB" && strings.HasSuffix(f[0], ":") && s.memTotal > 0:
		return true // the rest of /proc/meminfo
	case strings.HasPrefix(line, "open files ") && strings.Contains(line, "(-n)"):
		s.headings++
		return s.limit(line, no, "file-descriptors", f[len(f)-1])
	case strings.HasPrefix(line, "max user processes ") && strings.Contains(line, "(-u)"):
		s.headings++
		return s.limit(line, no, "threads", f[len(f)-1])
	case strings.Contains(line, ", -") && strings.Contains(line, ") "):
		return true // the rest of ulimit -a: "stack size (kbytes, -s) 8192"
	case strings.HasPrefix(line, "Max open files ") && len(f) >= 5:
		return s.limit(line, no, "file-descriptors", f[3])
	case strings.HasPrefix(line, "Max processes ") && len(f) >= 4:
		return s.limit(line, no, "threads", f[2])
	case f[0] == "TCP:" && strings.Contains(line, "(estab "): // ss -s
		s.headings++
		s.begin(line, no, "ports")
		s.rec.AddNum("used", f[1])
		for _, k := range [...]string{"estab", "closed", "orphaned", "timewait"} {
			if n := numbersAfter(line, k+" "); len(n) == 1 {
				s.rec.AddNum(k, strconv.Itoa(n[0]))
			}
		}
		s.done()
		return true
	}
	return false
}

func (s *snapshot) begin(line string, no int, resource string) {
	s.rec.Reset()
	s.rec.Line, s.rec.Level, s.rec.Message = no, inquest.LevelInfo, strings.TrimSpace(line)
	s.rec.Add("resource", resource)
}

func (s *snapshot) done() {
	s.n++
	s.emit(&s.rec)
}

// state emits a use against its limit.
func (s *snapshot) state(line string, no int, resource, name string, used, limit float64) {
	s.begin(line, no, resource)
	s.rec.Add("name", name)
	s.rec.AddNum("used", strconv.FormatFloat(used, 'f', 0, 64))
	s.rec.AddNum("limit", strconv.FormatFloat(limit, 'f', 0, 64))
	if limit > 0 {
		s.rec.AddNum("percent", strconv.FormatFloat(100*used/limit, 'f', 1, 64))
	}
	s.done()
}

// limit emits a limit alone; "unlimited" is none.
func (s *snapshot) limit(line string, no int, resource, value string) bool {
	if value != "unlimited" && !digits(value) {
		return false
	}
	s.begin(line, no, resource)
	s.rec.Add("limit", value)
	if digits(value) {
		s.rec.Fields[len(s.rec.Fields)-1].Num = true
	}
	s.done()
	return true
}

// df reads "fs size used avail use% mount". Its percentage leaves out what is reserved for root, as df prints it.
func (s *snapshot) df(line string, f []string, no int) bool {
	if len(f) == 1 {
		s.carry = f[0]
		return true
	}
	if s.carry != "" {
		f = append([]string{s.carry}, f...)
		s.carry = ""
	}
	if len(f) < 6 {
		return false
	}
	size, ok1 := humanBytes(f[1], s.unit)
	used, ok2 := humanBytes(f[2], s.unit)
	if !ok1 || !ok2 {
		return false
	}
	resource := "disk"
	if s.table == "inodes" {
		resource = "inodes"
	}
	s.begin(line, no, resource)
	s.rec.Add("name", strings.Join(f[5:], " "))
	s.rec.AddNum("used", strconv.FormatFloat(used, 'f', 0, 64))
	s.rec.AddNum("limit", strconv.FormatFloat(size, 'f', 0, 64))
	if p := strings.TrimSuffix(f[4], "%"); digits(p) {
		s.rec.AddNum("percent", p)
	}
	s.done()
	return true
}

// humanBytes reads "45G", "1.5Mi" or a bare number in units of unit bytes.
func humanBytes(v string, unit float64) (float64, bool) {
	v = strings.TrimSuffix(strings.TrimSuffix(v, "B"), "i")
	if v == "" {
		return 0, false
	}
	if i := strings.IndexByte("KMGTPE", v[len(v)-1]&^0x20); i >= 0 && len(v) > 1 {
		unit = 1024
		for ; i > 0; i-- {
			unit *= 1024
		}
		v = v[:len(v)-1]
	}
	n, err := strconv.ParseFloat(v, 64)
	return n * unit, err == nil && n >= 0
}

// free reads "Mem: total used free shared buff/cache available". What is available counts as free: the page cache
// gives way. Without suffixes nobody can tell kilobytes from megabytes (free -m), so only the share is exact.
func (s *snapshot) free(line string, f []string, no int) bool {
	resource := map[string]string{"Mem:": "memory", "Swap:": "swap"}[f[0]]
	if resource == "" || len(f) < 4 {
		return false
	}
	total, ok := humanBytes(f[1], 1024)
	used, ok2 := humanBytes(f[2], 1024)
	if !ok || !ok2 {
		return false
	}
	if len(f) == 7 && len(s.cols) == 6 && s.cols[5] == "available" {
		if a, ok := humanBytes(f[6], 1024); ok {
			used = total - a
		}
	}
	s.state(line, no, resource, "", used, total)
	return true
}

// vmstat: busy is what is not idle; waiting for the disk is told apart.
func (s *snapshot) vmstat(line string, f []string, no int) bool {
	if len(f) != len(s.cols) {
		return false
	}
	s.begin(line, no, "cpu")
	for i, c := range s.cols {
		if !digits(f[i]) {
			return false
		}
		switch c {
		case "id":
			n, _ := strconv.Atoi(f[i])
			s.rec.AddNum("percent", strconv.Itoa(100-n))
		case "wa":
			s.rec.AddNum("iowait_percent", f[i])
		case "st":
			s.rec.AddNum("steal_percent", f[i])
		case "r":
			s.rec.AddNum("runnable", f[i])
		case "si", "so":
			s.rec.AddNum("swap_"+map[string]string{"si": "in", "so": "out"}[c], f[i])
		}
	}
	s.done()
	return true
}

// pods reads kubectl get pods; "5 (2m ago)" of newer versions makes the row longer than the heading.
func (s *snapshot) pods(line string, f []string, no int) bool {
	if len(f) < len(s.cols) {
		return false
	}
	s.begin(line, no, "pod")
	for i, c := range s.cols {
		switch c {
		case "NAME":
			s.rec.Add("name", f[i])
			s.rec.Instance = f[i]
		case "STATUS":
			s.rec.Add("reason", f[i])
			if f[i] != "Running" && f[i] != "Completed" && f[i] != "Succeeded" {
				s.rec.Level = inquest.LevelError
			}
		case "RESTARTS":
			if digits(f[i]) {
				s.rec.AddNum("restarts", f[i])
			}
		case "READY":
			s.rec.Add("ready", f[i])
		}
	}
	s.done()
	return true
}

// describe reads the containers of kubectl describe pod: why each was last terminated, and how often it restarted.
func (s *snapshot) describe(line string, f []string, no int) bool {
	c := &s.container
	rest := strings.Join(f[1:], " ")
	switch {
	case f[0] == "Last" && len(f) >= 3 && f[1] == "State:":
		c.inLast, c.last, c.line, c.text = true, f[2], no, line
	case f[0] == "State:":
		c.inLast = false
		c.line, c.text = no, line
	case f[0] == "Reason:" && (c.inLast || c.reason == ""):
		c.reason, c.line, c.text = rest, no, line
	case f[0] == "Exit" && len(f) == 3 && f[1] == "Code:":
		c.exit = f[2]
	case f[0] == "Restart" && len(f) == 3 && f[1] == "Count:":
		c.restarts = f[2]
		s.headings++
		s.endContainer()
	case len(f) == 1 && strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") && strings.HasSuffix(f[0], ":"):
		c.name = strings.TrimSuffix(f[0], ":")
	}
	return true
}

// endContainer emits the container that was read, if its state says anything.
func (s *snapshot) endContainer() {
	c := s.container
	s.container = containerState{}
	if c.line == 0 || c.reason == "" && c.restarts == "" {
		return
	}
	s.begin(c.text, c.line, "pod")
	s.rec.Instance = s.pod
	s.rec.Add("name", s.pod)
	s.rec.Add("container", c.name)
	s.rec.Add("reason", c.reason)
	if digits(c.exit) {
		s.rec.AddNum("exit_code", c.exit)
	}
	if digits(c.restarts) {
		s.rec.AddNum("restarts", c.restarts)
	}
	if c.reason == "OOMKilled" || c.reason == "Error" || c.reason == "CrashLoopBackOff" {
		s.rec.Level = inquest.LevelError
	}
	s.done()
}
