package parse

import (
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxSkips is how many skipped lines a report shows; the count is always whole.
const maxSkips = 5

func (r *FileReport) addSkip(line int, reason string) {
	if len(r.Skips) < maxSkips {
		r.Skips = append(r.Skips, Skip{Line: line, Reason: reason})
	}
}

// mergeSkips keeps the first few of all workers' skipped lines, so that the report does not depend on who read what.
func (r *FileReport) mergeSkips(s []Skip) {
	sort.Slice(s, func(i, j int) bool { return s[i].Line < s[j].Line })
	r.Skips = append(r.Skips, s[:min(len(s), maxSkips)]...)
}

// weaker returns the clock that says less; UTC is the strongest, then local time, no year, none. The weakest clock is
// what coverage must warn of. A few records without any time (a panic between JSON lines) do not weaken the file.
func weaker(a, b Clock) Clock {
	if a == 255 || a == ClockNone {
		return b
	}
	if b == ClockNone {
		return a
	}
	return max(a, b)
}

func joinInts(n []int) string {
	s := make([]string, len(n))
	for i, v := range n {
		s[i] = strconv.Itoa(v)
	}
	return strings.Join(s, ", ")
}

// binaryText says why the head of a file is not text, "" if it is. Text may hold a few NUL bytes (a crash leaves
// holes of them) and bytes of old encodings, so only a share that no log has counts as binary: more than one byte
// in ten that is a control character, not counting NUL runs, or that breaks UTF-8 together with control characters.
func binaryText(head []byte) string {
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return "is a tar archive: unpack it into the folder"
	}
	if len(head) >= 4 && (string(head[:4]) == "\x7fELF" || string(head[:4]) == "%PDF" || string(head[:4]) == "\x89PNG") {
		return "is a binary file, not a log"
	}
	control, nul, bad := 0, 0, 0
	for i := 0; i < len(head); {
		c := head[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(head[i:])
			if r == utf8.RuneError && n == 1 {
				bad++
			}
			i += n
			continue
		}
		switch {
		case c == 0:
			nul++
		case c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != 0x1b && c != '\f':
			control++
		}
		i++
	}
	text := len(head) - nul
	switch {
	case text == 0:
		return "holds nothing but NUL bytes: the disk was full or the machine crashed while it was written"
	case control*10 > text, (control+bad)*4 > text && control > 0 && nul > 0:
		return "is a binary file, not a log: export it as text (journalctl -o json, wevtutil, mysqlbinlog) and read that"
	}
	return ""
}
