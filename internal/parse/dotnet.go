package parse

import (
	"bytes"
	"strings"

	"github.com/inquesthq/inquest"
)

// dotnetConsole reads .NET's console logger: `info: Category[0]` and the message on indented lines below it, or all on
// one line, with a time before it if the service asks for one.
// https://learn.microsoft.com/dotnet/core/extensions/console-log-formatter
type dotnetConsole struct {
	stamp stampCache
	plain ansi
}

func newDotnetConsole([]byte) lineParser { return &dotnetConsole{} }

func (p *dotnetConsole) parse(line []byte, r *Record) bool {
	line = p.plain.strip(line)
	b := bytes.TrimPrefix(line, []byte{'['})
	ns, n, c := p.stamp.parse(b)
	if n > 0 {
		b = bytes.TrimLeft(b[n:], "] ")
	} else {
		b = line
	}
	if len(b) < 9 || b[4] != ':' || b[5] != ' ' {
		return false
	}
	level := dotnetLevel(b[:4])
	if level == inquest.LevelUnknown {
		return false
	}
	name, rest := cutToken(b[6:])
	open := bytes.LastIndexByte(name, '[')
	if open <= 0 || name[len(name)-1] != ']' || !allDigits(name[open+1:len(name)-1]) {
		return false
	}
	r.Time, r.Clock, r.Level = ns, c, level
	r.Add("level", str(b[:4]))
	r.Logger = str(name[:open])
	addNum(r, "event_id", name[open+1:len(name)-1])
	r.Message = str(bytes.TrimLeft(rest, " "))
	return true
}

func dotnetLevel(b []byte) inquest.Level {
	switch string(b) {
	case "trce":
		return inquest.LevelTrace
	case "dbug":
		return inquest.LevelDebug
	case "info":
		return inquest.LevelInfo
	case "warn":
		return inquest.LevelWarn
	case "fail":
		return inquest.LevelError
	case "crit":
		return inquest.LevelFatal
	}
	return inquest.LevelUnknown
}

// finish takes the indentation off the message.
func (p *dotnetConsole) finish(r *Record) {
	const indent = "      "
	if strings.HasPrefix(r.Message, "\n"+indent) {
		r.Message = strings.ReplaceAll(r.Message[1+len(indent):], "\n"+indent, "\n")
	}
	messageRequest(r)
}
