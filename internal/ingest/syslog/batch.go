package syslog

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/spool"
)

// unnamed is the source of messages that name nobody.
const unnamed = "syslog"

// batch is messages on their way to the spool, by source.
type batch struct {
	s     *Server
	peer  string
	lines map[string][]byte
	count map[string]int
	bytes int
}

func newBatch(s *Server, peer string) *batch {
	return &batch{s: s, peer: peer, lines: map[string][]byte{}, count: map[string]int{}}
}

// add takes one message. Line ends in it, which would make two of it, become spaces.
func (b *batch) add(m []byte) {
	m = bytes.TrimRight(m, "\r\n\x00")
	if len(m) == 0 {
		return
	}
	host, app := who(m)
	name := app
	if name == "" {
		name = host
	}
	if name == "" {
		name = b.peer
	}
	source := b.s.cfg.Intake.Source(name, unnamed)
	line := b.lines[source]
	for _, c := range m {
		if c == '\n' || c == '\r' || c == 0 {
			c = ' '
		}
		line = append(line, c)
	}
	b.lines[source] = append(line, '\n')
	b.count[source]++
	b.bytes += len(m) + 1
}

// patience is how long a message is offered to a spool that cannot take it.
const patience = 10 * time.Second

// flush hands everything to the spool, and counts what it does not take.
func (b *batch) flush(ctx context.Context) error {
	if len(b.lines) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var all error
	for source, lines := range b.lines {
		err := b.s.cfg.Spool.Append(ctx, spool.Source{Name: source, Kind: "syslog"}, lines)
		if err != nil {
			b.s.cfg.Intake.NotTaken(source, ingest.Logs, b.count[source], err)
			all = errors.Join(all, err)
			continue
		}
		b.s.cfg.Intake.Received(source, ingest.Logs, b.count[source])
	}
	clear(b.lines)
	clear(b.count)
	b.bytes = 0
	return all
}

// who finds the host and the program that a message names: "<34>1 TIME HOST APP PID MSGID ..." (RFC 5424), or "<34>Oct 11 22:14:15 HOST
// APP[PID]: ..." (RFC 3164). Programs that log to their own machine leave the host out.
func who(m []byte) (host, app string) {
	if len(m) == 0 || m[0] != '<' {
		return "", ""
	}
	end := bytes.IndexByte(m, '>')
	if end < 2 || end > 4 {
		return "", ""
	}
	m = m[end+1:]
	if len(m) > 2 && m[0] == '1' && m[1] == ' ' {
		words := bytes.SplitN(m[2:], []byte{' '}, 4)
		if len(words) < 3 {
			return "", ""
		}
		return nilValue(words[1]), nilValue(words[2])
	}
	m = afterStamp(m)
	word, rest, _ := bytes.Cut(m, []byte{' '})
	if tag, ok := tagOf(word); ok {
		return "", tag
	}
	next, _, _ := bytes.Cut(rest, []byte{' '})
	if tag, ok := tagOf(next); ok {
		return string(word), tag
	}
	return "", ""
}

func nilValue(b []byte) string {
	if string(b) == "-" || len(b) > 255 {
		return ""
	}
	return string(b)
}

// afterStamp cuts "Oct 11 22:14:15 " or an RFC 3339 time off.
func afterStamp(m []byte) []byte {
	const stamp = len("Oct 11 22:14:15 ")
	if len(m) > stamp && m[3] == ' ' && m[9] == ':' && m[12] == ':' && m[15] == ' ' {
		return m[stamp:]
	}
	if word, rest, ok := bytes.Cut(m, []byte{' '}); ok && len(word) >= 19 && word[4] == '-' && word[10] == 'T' {
		return rest
	}
	return m
}

// tagOf reads "app:" and "app[123]:".
func tagOf(word []byte) (string, bool) {
	tag, ok := bytes.CutSuffix(word, []byte{':'})
	if i := bytes.IndexByte(tag, '['); i > 0 {
		tag = tag[:i]
	}
	return string(tag), ok && len(tag) > 0 && len(tag) <= 255
}
