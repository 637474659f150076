package parse

import (
	"bytes"
	"io"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// maxGitLine bounds a line of git log output; a commit message's line is never that long.
const maxGitLine = 64 << 10

// gitLogFormat reads the output of git log: the default, --format=fuller and one-line forms that carry a date. A
// commit is not a deploy, but where no deploy record exists it is the best clue to one, so its kind is deploy and its
// summary the subject line.
func gitLogFormat() format {
	return format{name: "git-log", kind: KindLog, read: readGitLog, score: scoreGitLog}
}

func readGitLog(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (int, error) {
	g := &gitLog{file: file, sink: sink, skip: skip}
	err := eachLine(r, maxGitLine, g.line, skip)
	g.flush()
	return g.n, err
}

type gitLog struct {
	file string
	sink Sink
	skip func(line int, reason string)
	n    int

	open bool // inside a commit
	cur  inquest.Change
}

func (g *gitLog) line(b []byte, no int) {
	s := string(b)
	if sha, ok := commitLine(s); ok {
		g.flush()
		g.open = true
		g.cur = inquest.Change{Kind: inquest.ChangeDeploy, Version: shortSHA(sha), Source: inquest.Source{File: g.file, Line: no}}
		return
	}
	if !g.open {
		if at, sha, subject, ok := gitOneLine(s); ok {
			g.cur = inquest.Change{Time: at, Kind: inquest.ChangeDeploy, Version: shortSHA(sha), Summary: subject,
				Source: inquest.Source{File: g.file, Line: no}}
			g.open = true
			g.flush()
		} else if strings.TrimSpace(s) != "" {
			g.skip(no, "no commit with a date: run git log without --oneline, or with --date=iso")
		}
		return
	}
	switch {
	case strings.HasPrefix(s, "CommitDate:"): // when it came onto the branch, nearer to the deploy than the author's date
		g.date(s[len("CommitDate:"):], no)
	case strings.HasPrefix(s, "Date:"):
		g.date(s[len("Date:"):], no)
	case strings.HasPrefix(s, "AuthorDate:") && g.cur.Time.IsZero():
		g.date(s[len("AuthorDate:"):], no)
	case strings.HasPrefix(s, "    ") && g.cur.Summary == "":
		g.cur.Summary = strings.TrimSpace(s)
	}
}

func (g *gitLog) date(s string, no int) {
	if t, ok := gitDate(strings.TrimSpace(s)); ok {
		g.cur.Time = t
		return
	}
	g.skip(no, "the date of the commit is not absolute: run git log with --date=iso")
}

func (g *gitLog) flush() {
	if !g.open {
		return
	}
	g.open = false
	if g.cur.Time.IsZero() {
		g.skip(g.cur.Source.Line, "a commit without a date")
		return
	}
	c := g.cur
	g.n++
	g.sink.Signal(Signal{Change: &c})
}

// commitLine reads "commit 1a2b3c… (HEAD -> main)".
func commitLine(s string) (string, bool) {
	s, ok := strings.CutPrefix(s, "commit ")
	if !ok {
		return "", false
	}
	sha, _, _ := strings.Cut(s, " ")
	return sha, isSHA(sha)
}

func isSHA(s string) bool {
	if len(s) < 7 || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// shortSHA keeps the 12 digits that stay unique in the largest repositories.
func shortSHA(s string) string { return s[:min(len(s), 12)] }

var gitLayouts = [...]string{"Mon Jan 2 15:04:05 2006 -0700", "2006-01-02 15:04:05 -0700", time.RFC3339, time.RFC1123Z,
	"Mon, 2 Jan 2006 15:04:05 -0700", "Mon Jan 2 15:04:05 2006", "2006-01-02T15:04:05-0700"}

func gitDate(s string) (time.Time, bool) {
	for _, l := range gitLayouts {
		if t, err := time.Parse(l, s); err == nil {
			return t.UTC(), true
		}
	}
	if len(s) >= 10 && digits(s[:10]) { // --date=unix, --date=raw
		num, _, _ := strings.Cut(s, " ")
		if ns, ok := expoTime([]byte(num)); ok {
			return time.Unix(0, ns).UTC(), true
		}
	}
	return time.Time{}, false
}

// gitOneLine reads the forms people give to --pretty: hash, date and subject in any order of the first two, with
// blanks, bars, commas or tabs between.
func gitOneLine(s string) (at time.Time, sha, subject string, ok bool) {
	const seps = " \t|,;-*/\\()[]\""
	s = strings.TrimLeft(s, seps)
	for range 2 {
		word := s
		if i := strings.IndexAny(s, " \t|,;\""); i >= 0 {
			word = s[:i]
		}
		if sha == "" && isSHA(word) && !digits(word) {
			sha = word
			s = strings.TrimLeft(s[len(word):], seps)
			continue
		}
		if at.IsZero() {
			ns, n, clock := parseTime([]byte(s))
			if n == 0 || clock == ClockNone || clock == ClockNoYear {
				return at, "", "", false
			}
			at = time.Unix(0, ns).UTC()
			s = strings.TrimLeft(s[n:], seps)
		}
	}
	return at, sha, strings.TrimSpace(s), sha != "" && !at.IsZero()
}

// scoreGitLog: the first line of the default form is proof; of one-line forms all lines must read.
func scoreGitLog(sample []byte) float64 {
	lines := bytes.Split(bytes.TrimSpace(sample), []byte("\n"))
	if _, ok := commitLine(string(lines[0])); ok {
		return 1
	}
	good := 0
	for i, line := range lines {
		if i == 50 {
			lines = lines[:50]
			break
		}
		if _, _, _, ok := gitOneLine(string(line)); ok {
			good++
		}
	}
	if good*10 < len(lines)*9 {
		return 0
	}
	return float64(good) / float64(len(lines))
}
