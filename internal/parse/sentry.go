package parse

import (
	"bytes"
	"io"
	"strings"

	"github.com/inquesthq/inquest"
)

// sentryFormat reads error events in Sentry's JSON (Sentry, GlitchTip, Bugsink): a document, one event a line, or the
// lines of an envelope.
func sentryFormat() format {
	return format{name: "sentry", kind: KindLog, read: readSentry, score: func(sample []byte) float64 {
		s := bytes.TrimLeft(sample, " \t\r\n")
		if len(s) == 0 || s[0] != '{' || !bytes.Contains(s, []byte(`"event_id"`)) {
			return 0
		}
		n := 0
		for _, k := range [...]string{`"exception"`, `"platform"`, `"culprit"`, `"logentry"`, `"sdk"`, `"breadcrumbs"`, `"stacktrace"`,
			`"server_name"`, `"modules"`, `"contexts"`} {
			if bytes.Contains(s, []byte(k)) {
				n++
			}
		}
		if n < 2 {
			return 0
		}
		return 1
	}}
}

func readSentry(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (int, error) {
	n := 0
	var rec Record
	err := jsonValues(r, skip, func(value []byte, line int) error {
		rec.Reset()
		rec.Line, rec.Lines, rec.Level = line, bytes.Count(value, []byte("\n"))+1, inquest.LevelError
		e := &sentryEvent{p: pull{b: value}, r: &rec}
		e.read()
		switch {
		case e.p.bad:
			skip(line, errJSON.Error())
		case rec.Exception == nil && rec.Message == "":
			skip(line, "no error event: an envelope's header, or an item of another kind")
		default:
			n++
			sink.Log(&rec)
		}
		return nil
	})
	return n, err
}

type sentryEvent struct {
	p     pull
	r     *Record
	links []inquest.Cause // in the event's order: cause first
	lang  string
}

func (e *sentryEvent) read() {
	r := e.r
	e.p.object(func(key []byte) {
		switch k := string(key); k {
		case "exception":
			e.exceptions()
		case "timestamp":
			e.time()
		case "level":
			r.Level = sentryLevel(e.p.str())
		case "platform":
			e.lang = e.p.str()
		case "logger":
			r.Logger = e.p.str()
		case "release":
			r.Version = e.p.str()
		case "server_name":
			r.Instance = e.p.str()
		case "message":
			e.message()
		case "logentry", "sentry.interfaces.Message":
			e.message()
		case "request":
			e.request()
		case "environment", "culprit", "transaction", "event_id":
			r.Add(k, e.p.str())
		}
	})
	if e.p.bad {
		return
	}
	if len(e.links) > 0 {
		r.Exception = e.exception()
		if r.Message == "" {
			r.Message = strings.TrimSuffix(r.Exception.Type+": "+r.Exception.Message, ": ")
		}
	}
}

func sentryLevel(s string) inquest.Level {
	switch s {
	case "fatal":
		return inquest.LevelFatal
	case "warning":
		return inquest.LevelWarn
	case "info":
		return inquest.LevelInfo
	case "debug":
		return inquest.LevelDebug
	}
	return inquest.LevelError
}

func (e *sentryEvent) time() {
	num := e.p.peek() != '"'
	s := e.p.str()
	if num || digits(s) {
		if ns, ok := expoTime([]byte(s)); ok {
			e.r.Time, e.r.Clock = ns, ClockUTC
		}
		return
	}
	if t, ok := textTime(s); ok {
		e.r.Time, e.r.Clock = t.UnixNano(), ClockUTC
	}
}

// message reads a string or {formatted, message}.
func (e *sentryEvent) message() {
	if e.p.peek() == '"' {
		e.r.Message = e.p.str()
		return
	}
	e.p.object(func(key []byte) {
		switch string(key) {
		case "formatted":
			if s := e.p.str(); s != "" {
				e.r.Message = s
			}
		case "message":
			if s := e.p.str(); e.r.Message == "" {
				e.r.Message = s
			}
		}
	})
}

func (e *sentryEvent) request() {
	e.p.object(func(key []byte) {
		switch string(key) {
		case "url":
			e.r.URL = e.p.str()
		case "method":
			e.r.Method = e.p.str()
		}
	})
}

// exceptions reads {"values": [...]} or the bare list.
func (e *sentryEvent) exceptions() {
	if e.p.peek() == '[' {
		e.p.array(e.value)
		return
	}
	e.p.object(func(key []byte) {
		if string(key) == "values" {
			e.p.array(e.value)
		}
	})
}

func (e *sentryEvent) value() {
	var c inquest.Cause
	e.p.object(func(key []byte) {
		switch string(key) {
		case "type":
			c.Type = e.p.str()
		case "value":
			c.Message = e.p.str()
		case "stacktrace":
			e.p.object(func(key []byte) {
				if string(key) == "frames" {
					e.p.array(func() { e.frame(&c) })
				}
			})
		}
	})
	if len(e.links) < 4*maxChain {
		e.links = append(e.links, c)
	}
}

// frame reads one frame; Sentry's SDKs send the place of the throw last.
func (e *sentryEvent) frame(c *inquest.Cause) {
	var f inquest.Frame
	own := false
	e.p.object(func(key []byte) {
		switch string(key) {
		case "function":
			f.Function = e.p.str()
		case "filename":
			f.File = e.p.str()
		case "module":
			f.Module = e.p.str()
		case "lineno":
			f.Line = int(e.p.int64())
		case "in_app":
			own = e.p.str() == "true"
		}
	})
	c.Frames++
	c.Top = f
	if own {
		c.App = f
	}
}

func (e *sentryEvent) exception() *inquest.Exception {
	ex := &inquest.Exception{Language: e.lang, Event: true}
	for i := len(e.links) - 1; i >= 0; i-- {
		ex.Chain = append(ex.Chain, e.links[i])
	}
	first := ex.Chain[0]
	ex.Type, ex.Message, ex.Top, ex.App = first.Type, first.Message, first.Top, first.App
	for _, c := range e.links { // root first
		if ex.TopFrame == "" {
			ex.TopFrame = c.Top.String()
		}
		if ex.AppFrame == "" {
			ex.AppFrame = c.App.String()
		}
		if ex.Code == "" {
			ex.Code = errorCode(c.Type, c.Message)
		}
	}
	return ex
}
