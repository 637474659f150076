package parse

import (
	"strings"

	"github.com/inquesthq/inquest"
)

// redis reads the logs of Redis and Valkey: `4961:M 30 May 2026 12:50:13.457 * message`. Before 3.0 the process stood
// in brackets, before 1.3 it was missing. The mark before the message is the level. src/server.c, serverLogRaw.
type redis struct{}

func newRedis([]byte) lineParser { return redis{} }

func (redis) parse(line []byte, r *Record) bool {
	if len(line) < 18 {
		return false
	}
	var pid []byte
	role, i := byte(0), 0
	switch {
	case line[0] == '[':
		in, _ := bracket(line)
		if !allDigits(in) {
			return false
		}
		pid, i = in, len(in)+3
	default:
		d, k := digitsAt(line, 0)
		if k > 0 && k+3 < len(line) && line[k] == ':' {
			if line[k+1] == 's' { // written from a signal handler, without time functions
				return redisSignal(line, d, k, r)
			}
			pid, role, i = d, line[k+1], k+3
		}
	}
	if i+3 >= len(line) || line[i+1] != ' ' && line[i+2] != ' ' { // the day stands alone: 20 Nov
		return false
	}
	ns, n, c := parseTime(line[i:])
	if i += n; n == 0 || c == ClockNone || i+3 > len(line) || line[i] != ' ' || line[i+2] != ' ' {
		return false
	}
	level, word := redisLevel(line[i+1])
	if word == "" {
		return false
	}
	addNum(r, "pid", pid)
	r.Add("role", redisRole(role))
	r.Level = level
	r.Add("level", word)
	r.Time, r.Clock, r.Message = ns, c, str(line[i+3:])
	return true
}

// finish takes the logo off the message: Redis draws it behind its first words without a time stamp. src/asciilogo.h.
func (redis) finish(r *Record) {
	if i := strings.IndexByte(r.Message, '\n'); i >= 0 && strings.HasPrefix(strings.TrimLeft(r.Message[i:], "\n "), "_._") {
		r.Message = r.Message[:i]
	}
}

// redisSignal reads `1:signal-handler (1714024483) Received SIGTERM scheduling shutdown...`.
func redisSignal(line, pid []byte, k int, r *Record) bool {
	const mark = ":signal-handler ("
	if len(line) < k+len(mark)+12 || string(line[k:k+len(mark)]) != mark {
		return false
	}
	d, n := digitsAt(line, k+len(mark))
	ns, ok := parseEpoch(d)
	end := k + len(mark) + n
	if !ok || end+2 > len(line) {
		return false
	}
	addNum(r, "pid", pid)
	r.Level = inquest.LevelWarn
	r.Add("level", "warning")
	r.Time, r.Clock, r.Message = ns, ClockUTC, str(line[end+2:])
	return true
}

func redisLevel(c byte) (inquest.Level, string) {
	switch c {
	case '.':
		return inquest.LevelDebug, "debug"
	case '-':
		return inquest.LevelDebug, "verbose"
	case '*':
		return inquest.LevelInfo, "notice"
	case '#':
		return inquest.LevelWarn, "warning"
	}
	return inquest.LevelUnknown, ""
}

func redisRole(c byte) string {
	switch c {
	case 'M':
		return "master"
	case 'S':
		return "slave"
	case 'C':
		return "child"
	case 'X':
		return "sentinel"
	}
	return ""
}
