package spool

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"path"
	"strings"
	"time"
)

// Source says whose lines they are. Lines of one source are of one format, as those of one log file are.
type Source struct {
	// Name is whose log it is, as a file of a case folder would be called: "checkout", "nginx/access.log". A service is named
	// after it where the lines name none.
	Name string
	// Kind tells the formats of one name apart: "log", "access", "otlp-logs", "otlp-spans", "syslog". At most 32 letters, digits
	// and dashes; "" is "log".
	Kind string
}

// maxName bounds the name of a source's folder and the names of files in it, which file systems limit to 255 bytes.
const maxName = 160

var errKind = errors.New("a kind has 1 to 32 lower-case letters, digits and dashes")

func (s Source) check() (Source, error) {
	if s.Kind == "" {
		s.Kind = "log"
	}
	if s.Name == "" {
		return s, errors.New("a source needs a name: give the name of the service or of the file that the lines are from")
	}
	if len(s.Kind) > 32 || strings.Trim(s.Kind, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return s, fmt.Errorf("kind %q of source %q: %w", s.Kind, s.Name, errKind)
	}
	return s, nil
}

// folder is the name of the source's folder: its name, with everything but letters, digits, dot, dash and underscore as in
// URLs, and its kind. It can be read back, unless the name is so long that a hash has to stand for its end.
func (s Source) folder() string {
	var b strings.Builder
	for i := range len(s.Name) {
		c := s.Name[i]
		if plainByte(c) && (c != '.' || i > 0) { // no hidden folders, and no "." and ".."
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return shorten(b.String(), s.Name) + "." + s.Kind
}

func plainByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_'
}

// shorten cuts a text that is too long for a file's name; the hash of the whole keeps two of them apart.
func shorten(text, whole string) string {
	if len(text) <= maxName {
		return text
	}
	h := fnv.New64a()
	h.Write([]byte(whole))
	head := text[:maxName-17]
	if i := strings.LastIndexByte(head, '%'); i > len(head)-3 { // not half an escape
		head = head[:i]
	}
	return fmt.Sprintf("%s~%016x", head, h.Sum64())
}

// sourceOf reads a folder's name back.
func sourceOf(folder string) (Source, bool) {
	i := strings.LastIndexByte(folder, '.')
	if i <= 0 {
		return Source{}, false
	}
	name, err := url.PathUnescape(folder[:i])
	if err != nil {
		return Source{}, false
	}
	s, err := Source{Name: name, Kind: folder[i+1:]}.check()
	return s, err == nil && (s.folder() == folder || strings.Contains(name, "~"))
}

// stem is the first part of the names of the source's files. It is for people and for the rules that tell a service by the
// name of a log, which look at a file's name and at that of its folder: "/var/log/nginx/access.log" becomes "nginx_access.log".
func (s Source) stem() string {
	name := strings.Trim(s.Name, "./")
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[strings.LastIndexByte(name[:i], '/')+1:]
	}
	text := strings.Map(func(r rune) rune {
		if r < 0x80 && plainByte(byte(r)) {
			return r
		}
		return '_'
	}, name)
	if text == "" {
		text = "_"
	}
	return text[:min(len(text), maxName)]
}

// stamp is how a segment's name says when it was begun. Names of one source ascend in the order of writing.
const stamp = "20060102T150405"

func (l *log) file(start time.Time) string {
	return path.Join(l.folder, l.src.stem()+"-"+start.UTC().Format(stamp)+".log")
}

// startOf reads when a segment was begun from the name of its file.
func startOf(name string) (time.Time, bool) {
	name, ok := strings.CutSuffix(path.Base(name), ".log")
	if !ok || len(name) < len(stamp)+2 || name[len(name)-len(stamp)-1] != '-' {
		return time.Time{}, false
	}
	t, err := time.Parse(stamp, name[len(name)-len(stamp):])
	return t, err == nil
}
