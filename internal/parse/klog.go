package parse

import (
	"bytes"

	"github.com/inquesthq/inquest"
)

// klog reads klog and glog: `I1120 16:12:03.123456 123 file.go:45] message`, also with klog's structured messages
// (`"Message" key="value"`).
type klog struct{}

func newKlog([]byte) lineParser { return klog{} }

func (klog) parse(line []byte, r *Record) bool {
	if len(line) < 25 || !isDigit(line[1]) {
		return false
	}
	level := inquest.LevelUnknown
	switch line[0] {
	case 'I', 'W', 'E', 'F':
		level = letterLevel(line[0])
	}
	if level == inquest.LevelUnknown {
		return false
	}
	ns, n, c := parseKlog(line[1:])
	if n == 0 || n+2 > len(line) {
		return false
	}
	b := bytes.TrimLeft(line[1+n:], " ")
	tid, k := digitsAt(b, 0)
	end := bytes.IndexByte(b, ']')
	if k == 0 || end < k || end > 200 {
		return false
	}
	caller := bytes.TrimSpace(b[k:end])
	r.Time, r.Clock, r.Level = ns, c, level
	word := level.String()
	if level == inquest.LevelWarn {
		word = "warning"
	}
	r.Add("level", word)
	addNum(r, "tid", tid)
	r.Add("caller", str(caller))
	r.Message = str(bytes.TrimPrefix(b[end+1:], []byte{' '}))
	messageRequest(r)
	return true
}
