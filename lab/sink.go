package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// sinkFile is a log file that several processes may share (compose-like).
type sinkFile struct {
	mu sync.Mutex
	f  *os.File
}

// sink is the log wrapper of one stream of one process: what a container runtime or a syslog relay does.
type sink struct {
	file   *sinkFile
	wrap   string
	name   string
	stream string
	zone   *time.Location
	host   string
	pid    int // of the process, for the journal
	rest   []byte
}

func (e *Env) sink(file, wrap, name, stream string) *sink {
	e.mu.Lock()
	defer e.mu.Unlock()
	sf := e.sinks[file]
	if sf == nil {
		path := filepath.Join(e.Logs, file)
		must(os.MkdirAll(filepath.Dir(path), 0o755), "mkdir")
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		must(err, "log")
		sf = &sinkFile{f: f}
		e.sinks[file] = sf
	}
	zone, err := time.LoadLocation(e.S.TZ)
	must(err, "zone")
	return &sink{file: sf, wrap: wrap, name: name, stream: stream, zone: zone, host: e.S.Host}
}

// Write splits into lines and wraps each.
func (s *sink) Write(p []byte) (int, error) {
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	if s.wrap == "" && len(s.rest) == 0 && bytes.HasSuffix(p, []byte("\n")) {
		return s.file.f.Write(p)
	}
	s.rest = append(s.rest, p...)
	for {
		i := bytes.IndexByte(s.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		if _, err := s.file.f.Write(s.line(s.rest[:i])); err != nil {
			return 0, err
		}
		s.rest = s.rest[i+1:]
	}
}

// of tells whose lines these are, once the process runs.
func (s *sink) of(pid int) {
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	s.pid = pid
}

func (s *sink) line(b []byte) []byte {
	now := time.Now()
	switch s.wrap {
	case "docker":
		j, _ := json.Marshal(struct {
			Log    string `json:"log"`
			Stream string `json:"stream"`
			Time   string `json:"time"`
		}{string(b) + "\n", s.stream, now.UTC().Format(time.RFC3339Nano)})
		return append(j, '\n')
	case "cri":
		return fmt.Appendf(nil, "%s %s F %s\n", now.UTC().Format("2006-01-02T15:04:05.000000000Z"), s.stream, b)
	case "compose":
		return fmt.Appendf(nil, "%-14s | %s\n", s.name, b)
	case "journal":
		return fmt.Appendf(nil, "%s %s %s[%d]: %s\n", now.In(s.zone).Format("2006-01-02T15:04:05-0700"), s.host, s.name, s.pid, b)
	case "kubectl":
		return fmt.Appendf(nil, "[pod/%s] %s\n", s.name, b)
	case "syslog":
		return fmt.Appendf(nil, "%s %s %s: %s\n", now.In(s.zone).Format("Jan _2 15:04:05"), s.host, s.name, b)
	}
	return append(append([]byte(nil), b...), '\n')
}
