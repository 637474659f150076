package parse

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/inquesthq/inquest"
)

// wrapper is a form in which a container runtime or its tools store the lines of the program inside. Wrappers nest:
// `docker compose logs --timestamps` is compose around timestamps.
type wrapper struct {
	name string
	// open splits line into what was wrapped and what the wrapper says about it; u is reset.
	open func(line []byte, u *unwrapped) bool
	// name prefixes are split into service and instance by this; nil when the wrapper names nobody.
	who func(prefix string) (service, instance string)

	inner *wrapper
}

// unwrapped is one line without its wrapper.
type unwrapped struct {
	text    []byte
	prefix  []byte // who wrote it: the key of its stream
	stream  []byte // stdout or stderr
	time    int64  // when the runtime took it, Unix nanoseconds, 0 when not said
	partial bool   // the line goes on in the next one of the same stream
	escaped bool   // text is still JSON-escaped
}

// wrappers lists the forms in the order in which they are tried.
func wrappers() []*wrapper {
	return []*wrapper{
		{name: "docker", open: openDocker},
		{name: "cri", open: openCRI},
		{name: "kubectl", open: openKubectl, who: whoPod},
		{name: "compose", open: openCompose, who: whoCompose},
	}
}

// findWrapper returns the wrapper that nine of ten lines have: the tools' own messages may stand between them.
func findWrapper(lines [][]byte, formats []format) *wrapper {
	for _, w := range wrappers() {
		if n := w.count(lines); n > 0 && n*10 >= len(lines)*9 {
			in, _ := w.unwrapSample(lines)
			w.inner = findStamps(in, formats)
			return w
		}
	}
	return findStamps(lines, formats)
}

func (w *wrapper) count(lines [][]byte) int {
	n := 0
	var u unwrapped
	for _, l := range lines {
		u = unwrapped{}
		if w.open(l, &u) {
			n++
		}
	}
	return n
}

// findStamps recognises `kubectl logs --timestamps` and its like. Many programs begin their lines with such a time stamp
// themselves, so it is a wrapper only if something shows that the program did not write it: what follows is a format
// with its own clock, or an indented line has one too.
func findStamps(lines [][]byte, formats []format) *wrapper {
	w := &wrapper{name: "timestamps", open: openStamp}
	if n := w.count(lines); n == 0 || n != len(lines) {
		return nil
	}
	inner, sample := w.unwrapSample(lines)
	own, indented := 0, 0
	var rec Record
	for i := range formats {
		f := &formats[i]
		if f.new == nil || f.sequential {
			continue
		}
		p, n := f.new(sample), 0
		for _, l := range inner {
			rec.Reset()
			if len(l) > 0 && p.parse(l, &rec) && rec.Clock != ClockNone {
				n++
			}
		}
		own = max(own, n)
	}
	for _, l := range inner {
		// A level padded to five letters (Spring Boot) looks indented and is not.
		if word, _ := cutToken(l); len(l) > 0 && (l[0] == ' ' || l[0] == '\t') && levelOf(word) == inquest.LevelUnknown {
			indented++
		}
	}
	if own*2 >= len(inner) || indented > 0 {
		return w
	}
	return nil
}

// unwrapSample returns the sample's lines without the wrapper, and them as one text.
func (w *wrapper) unwrapSample(lines [][]byte) ([][]byte, []byte) {
	var out [][]byte
	var text []byte
	for _, l := range lines {
		var u unwrapped
		if !w.unwrap(l, &u) || u.partial {
			continue
		}
		t := u.text
		if u.escaped {
			t = unescape(make([]byte, 0, len(t)), t)
		}
		if len(bytes.TrimSpace(t)) == 0 {
			continue
		}
		out = append(out, t)
		text = append(append(text, t...), '\n')
	}
	return out, text
}

// unwrap opens the wrapper and the one inside it.
func (w *wrapper) unwrap(line []byte, u *unwrapped) bool {
	*u = unwrapped{}
	if !w.open(line, u) {
		return false
	}
	if w.inner != nil && !u.escaped {
		var in unwrapped
		if w.inner.open(u.text, &in) {
			u.text, u.time = in.text, in.time
		}
	}
	return true
}

// wrappedLine takes one physical line of a wrapped file.
func (w *worker) wrappedLine(line int, l []byte) {
	if len(bytes.TrimSpace(l)) == 0 {
		w.joined++
		return
	}
	var u unwrapped
	if !w.wrap.unwrap(l, &u) {
		s := w.stream(nil)
		s.named(nil)
		w.line(s, line, 1, l)
		return
	}
	s := w.stream(u.prefix)
	part := &s.partial[0]
	if string(u.stream) == "stderr" {
		part = &s.partial[1]
	}
	text := u.text
	if u.escaped && bytes.IndexByte(text, '\\') >= 0 {
		text = w.unescape(text)
	}
	if u.partial || part.lines > 0 {
		if part.lines == 0 {
			part.line, part.stream = line, string(u.stream)
		}
		part.lines++
		if len(part.text)+len(text) <= maxLine {
			part.text = append(part.text, text...)
		}
		if !u.partial {
			w.endPartial(s, part, u.time)
		}
		return
	}
	s.time = u.time
	s.named(u.stream)
	w.line(s, line, 1, text)
}

// endPartial takes the line that is whole now. Its record may stay open, so the buffer is given away with it.
func (w *worker) endPartial(s *stream, part *partialLine, time int64) {
	p := *part
	*part = partialLine{}
	s.time = time
	s.named([]byte(p.stream))
	w.line(s, p.line, p.lines, p.text)
}

// named notes whether the line being parsed came by stdout or stderr.
func (s *stream) named(name []byte) {
	if string(name) != s.name {
		s.name = string(name)
	}
}

// unescape unescapes into the arena of the block, which is large enough for all of its lines.
func (w *worker) unescape(text []byte) []byte {
	if cap(w.arena)-len(w.arena) < len(text) {
		w.arena = make([]byte, 0, max(len(text), blockSize))
	}
	from := len(w.arena)
	w.arena = unescape(w.arena, text)
	return w.arena[from:len(w.arena):len(w.arena)]
}

// stream finds the stream of a prefix. Standard output and error of one container are one stream: a trace and the
// message before it may come by different ways, and runtimes keep their order.
func (w *worker) stream(prefix []byte) *stream {
	s := w.streams[string(prefix)]
	if s == nil {
		n := newStream()
		s = &n
		if w.wrap.who != nil && len(prefix) > 0 {
			s.service, s.instance = w.wrap.who(string(prefix))
		}
		w.streams[string(prefix)] = s
	}
	return s
}

// stamp completes a record that was just parsed from what the wrapper says.
func (s *stream) stamp(r *Record) {
	if s.time != 0 && (r.Clock == ClockNone || r.Clock == ClockNoYear || r.Clock == ClockLocal) {
		r.Time, r.Clock = s.time, ClockUTC
	}
	if r.Service == "" {
		r.Service = s.service
	}
	if r.Instance == "" {
		r.Instance = s.instance
	}
	r.Add("stream", s.name)
}

// openCRI reads `2026-11-20T16:12:03.204Z stdout F message`, P for a part of a longer line.
func openCRI(l []byte, u *unwrapped) bool {
	n, ok := stampLen(l)
	if !ok || len(l) < n+8 || l[n] != ' ' {
		return false
	}
	rest := l[n+1:]
	if !bytes.HasPrefix(rest, []byte("stdout ")) && !bytes.HasPrefix(rest, []byte("stderr ")) {
		return false
	}
	u.stream, rest = rest[:6], rest[7:]
	tag, msg, _ := bytes.Cut(rest, []byte{' '})
	if len(tag) == 0 || tag[0] != 'P' && tag[0] != 'F' || len(tag) > 1 && tag[1] != ':' {
		return false
	}
	u.partial = tag[0] == 'P'
	u.text = msg
	u.time = stampTime(l[:n])
	return true
}

// openDocker reads the json-file driver's {"log":"...\n","stream":"stdout","time":"..."}, also where a script wrote it anew with blanks.
func openDocker(l []byte, u *unwrapped) bool {
	if !bytes.HasPrefix(l, []byte(`{"log":`)) || l[len(l)-1] != '}' {
		return false
	}
	text, ok := stringAfter(l, `"log":`)
	if !ok {
		return false
	}
	end := quotedEnd(text)
	if end < 0 {
		return false
	}
	rest := text[end:]
	text = text[:end]
	stamp, ok := stringAfter(rest, `"time":`)
	if !ok {
		return false
	}
	stamp, _, _ = bytes.Cut(stamp, []byte{'"'})
	u.time = stampTime(stamp)
	if stream, ok := stringAfter(rest, `"stream":`); ok {
		u.stream, _, _ = bytes.Cut(stream, []byte{'"'})
	}
	u.partial = !bytes.HasSuffix(text, []byte(`\n`))
	u.text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte(`\n`)), []byte(`\r`))
	u.escaped = true
	return true
}

// stringAfter is what follows the quote that opens the string value of a key.
func stringAfter(l []byte, key string) ([]byte, bool) {
	i := bytes.Index(l, []byte(key))
	if i < 0 {
		return nil, false
	}
	return bytes.CutPrefix(l[i+len(key)+skipSpace(l[i+len(key):], 0):], []byte{'"'})
}

// quotedEnd returns the index of the quote that ends a JSON string whose first quote was taken off, -1 if none.
func quotedEnd(p []byte) int {
	for i := 0; i < len(p); {
		k := bytes.IndexByte(p[i:], '"')
		if k < 0 {
			return -1
		}
		i += k
		esc := 0
		for j := i - 1; j >= 0 && p[j] == '\\'; j-- {
			esc++
		}
		if esc%2 == 0 {
			return i
		}
		i++
	}
	return -1
}

// openKubectl reads `[pod/name/container] message` of kubectl logs --prefix.
func openKubectl(l []byte, u *unwrapped) bool {
	if !bytes.HasPrefix(l, []byte("[pod/")) {
		return false
	}
	i := bytes.Index(l, []byte("]"))
	if i < 0 || bytes.Count(l[:i], []byte{'/'}) != 2 {
		return false
	}
	u.prefix, u.text = l[1:i], bytes.TrimPrefix(l[i+1:], []byte{' '})
	return true
}

// openCompose reads `name-1  | message` of docker compose logs, colours included.
func openCompose(l []byte, u *unwrapped) bool {
	i := bytes.IndexByte(l, '|')
	if i < 2 || i > 90 {
		return false
	}
	name := bytes.TrimSpace(dropColours(l[:i]))
	if len(name) == 0 || i > 0 && l[i-1] != ' ' {
		return false
	}
	for _, c := range name {
		if c != '-' && c != '_' && c != '.' && !alnum(c) {
			return false
		}
	}
	rest := l[i+1:]
	if bytes.HasPrefix(rest, []byte("\x1b[0m")) {
		rest = rest[4:]
	}
	if len(rest) > 0 && rest[0] != ' ' {
		return false
	}
	u.prefix, u.text = name, bytes.TrimPrefix(rest, []byte{' '})
	return true
}

// openStamp reads `2026-11-20T16:12:03.204Z message`.
func openStamp(l []byte, u *unwrapped) bool {
	n, ok := stampLen(l)
	if !ok || len(l) > n && l[n] != ' ' {
		return false
	}
	u.time = stampTime(l[:n])
	u.text = l[min(n+1, len(l)):]
	return true
}

// whoPod names pod and service of "pod/checkout-7d9f8b6c5d-x2x9z/app": the pod without the parts that the ReplicaSet
// and the pod template add.
func whoPod(prefix string) (service, instance string) {
	parts := strings.Split(prefix, "/")
	pod := parts[1]
	return podService(pod), pod
}

// podService takes the generated endings off a pod's name: the ReplicaSet's hash (8 to 10 of the letters that
// Kubernetes generates names from) and the pod's five, or a StatefulSet's ordinal.
func podService(pod string) string {
	i := strings.LastIndexByte(pod, '-')
	if i < 0 {
		return pod
	}
	last, rest := pod[i+1:], pod[:i]
	if allIn(last, "0123456789") {
		return rest
	}
	if len(last) != 5 || !allIn(last, kubeLetters) {
		return pod
	}
	if k := strings.LastIndexByte(rest, '-'); k > 0 {
		if h := rest[k+1:]; len(h) >= 6 && len(h) <= 10 && allIn(h, kubeLetters) {
			return rest[:k]
		}
	}
	return rest
}

// kubeLetters is the alphabet of generated names: no vowels, so that no words arise.
const kubeLetters = "bcdfghjklmnpqrstvwxz2456789"

func allIn(s, set string) bool {
	return s != "" && strings.Trim(s, set) == ""
}

// whoCompose names service and container of "web-1" (version 2) or "shop_web_1" (version 1, project first).
func whoCompose(prefix string) (service, instance string) {
	service = prefix
	for _, sep := range []string{"-", "_"} {
		if i := strings.LastIndex(prefix, sep); i > 0 && allIn(prefix[i+1:], "0123456789") {
			service = prefix[:i]
			if k := strings.IndexByte(service, '_'); sep == "_" && k > 0 {
				service = service[k+1:]
			}
			break
		}
	}
	return service, prefix
}

func dropColours(p []byte) []byte {
	for {
		i := bytes.Index(p, []byte("\x1b["))
		if i < 0 {
			return p
		}
		k := bytes.IndexByte(p[i:], 'm')
		if k < 0 {
			return p
		}
		p = append(append([]byte(nil), p[:i]...), p[i+k+1:]...)
	}
}

func alnum(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' }

// unescape appends JSON string content without its escapes; a broken escape stays as it is.
func unescape(dst, p []byte) []byte {
	for {
		i := bytes.IndexByte(p, '\\')
		if i < 0 || i+1 == len(p) {
			return append(dst, p...)
		}
		dst = append(dst, p[:i]...)
		c := p[i+1]
		p = p[i+2:]
		switch c {
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case '"', '\\', '/':
			dst = append(dst, c)
		case 'u':
			r, n := escapedRune(p)
			if n == 0 {
				dst = append(dst, '\\', 'u')
				continue
			}
			dst = utf8.AppendRune(dst, r)
			p = p[n:]
		default:
			dst = append(dst, '\\', c)
		}
	}
}

// escapedRune reads the four hexadecimal digits after \u, and a second \u of a surrogate pair. n is 0 if broken.
func escapedRune(p []byte) (r rune, n int) {
	r, ok := fourHex(p)
	if !ok {
		return 0, 0
	}
	if utf16.IsSurrogate(r) && len(p) >= 10 && p[4] == '\\' && p[5] == 'u' {
		if r2, ok := fourHex(p[6:]); ok {
			if d := utf16.DecodeRune(r, r2); d != utf8.RuneError {
				return d, 10
			}
		}
	}
	return r, 4
}

func fourHex(p []byte) (rune, bool) {
	if len(p) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range p[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
