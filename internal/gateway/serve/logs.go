package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest/internal/gateway"
	"github.com/inquesthq/inquest/internal/gateway/accesslog"
)

func openLogs(cfg *gateway.Config) (*logs, error) {
	l := &logs{}
	if err := l.replace(cfg); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// replace opens what is configured differently from now, and closes what it replaces.
func (l *logs) replace(cfg *gateway.Config) error {
	want := [3]gateway.Log{cfg.AccessLog, cfg.EventLog, cfg.Reports}
	at := l.all()
	for i, c := range want {
		if at[i].Load() != nil && l.cfg[i] == c {
			continue
		}
		var w *accesslog.Writer
		if i != 2 || c.File != "" { // without a file there are no reports
			var err error
			if w, err = accesslog.Open(l.config(i, c)); err != nil {
				return err
			}
		}
		l.cfg[i] = c
		if old := at[i].Swap(w); old != nil {
			_ = old.Close() // its last lines; what it could not write it has told
		}
	}
	return nil
}

func (l *logs) all() [3]*atomic.Pointer[accesslog.Writer] {
	return [3]*atomic.Pointer[accesslog.Writer]{&l.access, &l.events, &l.reports}
}

func (l *logs) config(i int, c gateway.Log) accesslog.Config {
	out := accesslog.Config{File: c.File, MaxSize: c.MaxSize, MaxAge: c.MaxAge, Keep: c.Keep, Standard: os.Stdout}
	if i == 1 {
		out.Standard = os.Stderr
		return out
	}
	out.OnError = func(err error, lost int64) {
		text := "writing works again"
		if err != nil {
			text = err.Error()
		}
		l.event(gateway.Event{Time: time.Now(), Kind: "log", Text: fmt.Sprintf("%s (%d lines lost so far)", text, lost)})
	}
	return out
}

// Write takes a line of the access log. A writer that was replaced meanwhile does not take it; the next one does.
func (l *logs) Write(e *accesslog.Entry) {
	for w := l.access.Load(); w != nil && !w.Write(e); w = l.access.Load() {
		runtime.Gosched()
	}
}

// event writes one as a log record: with a level, and a message that reads by itself.
func (l *logs) event(e gateway.Event) {
	w := l.events.Load()
	if w == nil {
		return
	}
	service := "inquest-gateway"
	if e.Kind == "failure" { // the upstream speaks
		service = e.Upstream
	}
	b, _ := json.Marshal(struct { // texts and a time only
		Time    string `json:"time"`
		Level   string `json:"level"`
		Service string `json:"service"`
		Message string `json:"msg"`
		gateway.Event
	}{e.Time.UTC().Format(time.RFC3339Nano), e.Level(), service, e.Message(), e})
	w.WriteLine(b)
	if e.Kind != "failure" {
		_ = w.Sync() // an operator waits for it; what could not be written is told there
	}
}

func (l *logs) report(r gateway.Report) error {
	w := l.reports.Load()
	if w == nil {
		return errors.New("reports are not taken")
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	w.WriteLine(b)
	return w.Sync()
}

func (l *logs) reopen() error {
	var err error
	for _, p := range l.all() {
		if w := p.Load(); w != nil {
			err = errors.Join(err, w.Reopen())
		}
	}
	return err
}

func (l *logs) close() error {
	var err error
	for _, p := range l.all() {
		if w := p.Swap(nil); w != nil {
			err = errors.Join(err, w.Close())
		}
	}
	return err
}
