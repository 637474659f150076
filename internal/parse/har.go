package parse

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"time"
)

// maxBody is how much of an answer's body is kept: an error page and its stack trace are at the beginning.
const maxBody = 16 << 10

// harFormat reads HTTP archives, which browsers, proxies and API clients export: each entry is a request as its client saw
// it, with headers and body. Source: HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/).
func harFormat() format {
	return format{name: "har", kind: KindAccess, read: readHAR, score: func(sample []byte) float64 {
		s := bytes.TrimLeft(sample, " \t\r\n")
		if len(s) == 0 || s[0] != '{' {
			return 0
		}
		s = bytes.TrimLeft(s[1:], " \t\r\n")
		if !bytes.HasPrefix(s, []byte(`"log"`)) || !bytes.Contains(s, []byte(`"version"`)) {
			return 0
		}
		for _, k := range [...]string{`"entries"`, `"creator"`, `"pages"`} {
			if bytes.Contains(s, []byte(k)) {
				return 1
			}
		}
		return 0
	}}
}

func readHAR(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (int, error) {
	n := 0
	err := jsonValues(r, skip, func(value []byte, line int) error {
		h := &har{p: pull{b: value}, first: line, sink: sink, skip: skip}
		h.p.object(func(key []byte) {
			if string(key) == "log" {
				h.p.object(func(key []byte) {
					if string(key) == "entries" {
						h.p.array(h.entry)
					}
				})
			}
		})
		if h.p.bad {
			skip(h.line(), errJSON.Error())
		}
		n += h.n
		return nil
	})
	return n, err
}

// har reads one archive.
type har struct {
	p     pull
	first int // line on which the document begins
	at    int // bytes whose lines are counted in lines
	lines int
	sink  Sink
	skip  func(line int, reason string)
	n     int

	r       Record
	began   time.Time
	took    float64 // milliseconds
	headers bool    // the answer's headers are in the archive
	encoded bool    // the body is base64
	body    string
}

// line is the number of the line that reading has reached.
func (h *har) line() int {
	i := min(h.p.i, len(h.p.b))
	h.lines += bytes.Count(h.p.b[h.at:i], []byte{'\n'})
	h.at = i
	return h.first + h.lines
}

func (h *har) entry() {
	line := h.line()
	h.r.Reset()
	h.began, h.took, h.headers, h.encoded, h.body = time.Time{}, -1, false, false, ""
	h.p.object(func(key []byte) {
		switch string(key) {
		case "startedDateTime":
			if t, ok := textTime(h.p.str()); ok {
				h.began = t
			}
		case "time":
			if ms, ok := h.p.num(); ok {
				h.took = ms
			}
		case "request":
			h.p.object(h.request)
		case "response":
			h.p.object(h.response)
		case "serverIPAddress":
			h.r.Add("server_address", h.p.str())
		}
	})
	if h.p.bad {
		return // told once, for the document
	}
	if h.r.Status == 0 || h.r.Method == "" || h.began.IsZero() {
		h.skip(line, "no answer: the request was blocked, cancelled, or taken from a cache")
		return
	}
	h.emit(line)
}

// emit hands the entry over. The time of a request is when it was answered, as in an access log.
func (h *har) emit(line int) {
	r := &h.r
	r.Line, r.Kind, r.Clock = line, KindAccess, ClockUTC
	if h.took >= 0 {
		r.Duration = h.took / 1e3
		h.began = h.began.Add(time.Duration(h.took * float64(time.Millisecond)))
	}
	r.Time = h.began.UnixNano()
	if h.encoded {
		if b, err := base64.StdEncoding.DecodeString(h.body); err == nil {
			h.body = string(b)
		}
	}
	r.AnswerBody(h.body, h.headers)
	h.n++
	h.sink.Log(r)
}

// AnswerHeader notes a header of the answer, its name in lower case, if somebody will ask for it.
func (r *Record) AnswerHeader(name, value string) {
	switch name {
	case "retry-after":
		r.Add(retryAfter, value)
	case "content-type":
		r.Add("content_type", value)
	case "x-request-id":
		r.RequestID = value
	case "server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version":
		r.Add("response_"+strings.ReplaceAll(name, "-", "_"), value)
	}
}

// AnswerBody notes the beginning of the answer's body, after its headers: if there were headers, a Retry-After that is not
// among them was not sent.
func (r *Record) AnswerBody(body string, headers bool) {
	if headers && r.Get(retryAfter) == "" {
		r.Add(retryAfter, "-")
	}
	r.Add("response_body", cutText(body, maxBody))
}

// cutText cuts text to n bytes at most, between characters.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

func (h *har) request(key []byte) {
	switch string(key) {
	case "method":
		h.r.Method = h.p.str()
	case "url":
		url := h.p.str()
		if i := strings.Index(url, "://"); i >= 0 {
			host, _, _ := strings.Cut(url[i+3:], "/")
			h.r.Service = host
			h.r.Add("host", host)
			url = pathOf(url)
		}
		h.r.URL, _, _ = strings.Cut(url, "#")
	case "headers":
		h.header(func(name, value string) {
			if name == "x-request-id" && h.r.RequestID == "" {
				h.r.RequestID = value
			}
			if name == "traceparent" && len(value) > 35 {
				h.r.TraceID = value[3:35]
			}
		})
	}
}

func (h *har) response(key []byte) {
	switch string(key) {
	case "status":
		h.r.Status = int(h.p.int64())
	case "headers":
		h.headers = true
		h.header(func(name, value string) {
			h.r.AnswerHeader(name, value)
		})
	case "content":
		h.p.object(func(key []byte) {
			switch string(key) {
			case "text":
				h.body = h.p.str()
			case "mimeType":
				if m := h.p.str(); h.r.Get("content_type") == "" {
					h.r.Add("content_type", m)
				}
			case "encoding":
				h.encoded = h.p.str() == "base64"
			}
		})
	case "bodySize":
		if n := h.p.int64(); n > 0 {
			h.r.Bytes = n
		}
	}
}

// header reads [{"name": ..., "value": ...}, ...]; names come in lower case.
func (h *har) header(each func(name, value string)) {
	h.p.array(func() {
		var name, value string
		h.p.object(func(key []byte) {
			switch string(key) {
			case "name":
				name = strings.ToLower(h.p.str())
			case "value":
				value = h.p.str()
			}
		})
		each(name, value)
	})
}
