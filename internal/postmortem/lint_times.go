package postmortem

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/web/words"
)

// clock is a time that a text names, to the minute of the day where it has no date.
type clock struct {
	full   time.Time
	minute int
	text   string
}

func (c clock) same(o clock) bool {
	if !c.full.IsZero() && !o.full.IsZero() {
		return c.full.Sub(o.full).Abs() <= time.Minute
	}
	return c.minute == o.minute
}

// clocks finds the times in a text, in its order.
func clocks(text string) []clock {
	at := regexp.MustCompile(`(?i)(?:(\d{4}-\d\d-\d\d)[ T])?\b(\d{1,2}):(\d\d)(?::(\d\d))?\s*(am|pm)?\b(?:\s*(utc|z|[+-]\d\d:\d\d))?`)
	var out []clock
	for _, m := range at.FindAllStringSubmatch(text, -1) {
		h, _ := strconv.Atoi(m[2])
		n, _ := strconv.Atoi(m[3])
		switch strings.ToLower(m[5]) {
		case "pm":
			h = h%12 + 12
		case "am":
			h %= 12
		}
		if h > 23 || n > 59 {
			continue
		}
		c := clock{minute: 60*h + n, text: strings.TrimSpace(m[0])}
		if m[1] != "" {
			zone := strings.ToUpper(m[6])
			if zone == "" || zone == "UTC" {
				zone = "Z"
			}
			sec := m[4]
			if sec == "" {
				sec = "00"
			}
			c.full, _ = time.Parse(time.RFC3339, m[1]+"T"+pad(h)+":"+m[3]+":"+sec+zone)
		}
		out = append(out, c)
	}
	return out
}

func pad(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// timeline wants sorted entries, a zone and dates, and the same begin and end as the impact or the summary tells (REQUIREMENTS 271, 277, 280).
func (l *linter) timeline() {
	s := l.section("timeline")
	if s == nil {
		return
	}
	var told []clock
	var lines []located
	dated := false
	for _, p := range numbered(s) {
		if all := clocks(p.text); len(all) > 0 {
			told, lines = append(told, all[0]), append(lines, p)
			dated = dated || !all[0].full.IsZero()
		}
	}
	if len(told) == 0 {
		l.must("timeline-none", s.line, "the timeline has no times: write \"- 2026-11-29 08:30:00 UTC - what happened\"")
		return
	}
	for i := 1; i < len(told); i++ {
		if a, b := told[i-1], told[i]; !a.full.IsZero() && !b.full.IsZero() && b.full.Before(a.full) || a.full.IsZero() && b.full.IsZero() && b.minute < a.minute {
			l.must("timeline-order", lines[i].line, "%s stands behind %s: sort the timeline", b.text, a.text)
		}
	}
	if !dated {
		l.must("date-and-zone", s.line, "the timeline has no date: a reader in a year must know which day it was. Write 2026-11-29 08:30:00 UTC")
	}
	if !regexp.MustCompile(`(?i)\([^)]*(?:utc|gmt|time|/|[A-Z]{3,5})[^)]*\)`).MatchString(s.title) {
		l.must("timeline-zone", s.line, "the timeline does not name its zone: \"## Timeline (UTC)\"")
	}
	l.interval(told)
	l.acknowledged(told, lines)
}

// interval compares what the impact, or else the summary, says of begin and end with the timeline.
func (l *linter) interval(told []clock) {
	var said []clock
	at := l.at("summary")
	if !l.Impact.Start.IsZero() && !l.Impact.End.IsZero() {
		at = l.fields["impact/end"].line
		said = append(clocks(l.fields["impact/start"].text), clocks(l.fields["impact/end"].text)...)
	} else if all := clocks(l.Summary); len(all) >= 2 {
		said = []clock{all[0], all[1]}
	}
	for i, c := range said {
		found := false
		for _, t := range told {
			found = found || c.same(t)
		}
		if !found {
			l.must("contradictory-times", at, "it %s at %s, but the timeline (%s to %s) has nothing at that time: one of the two is wrong", []string{"begins", "ends"}[min(i, 1)], c.text, told[0].text, told[len(told)-1].text)
		}
	}
}

// acknowledged reads the time to acknowledge from the words of a timeline, where no field tells it.
func (l *linter) acknowledged(told []clock, lines []located) {
	if !l.Response.Acknowledged.IsZero() {
		return
	}
	alert := regexp.MustCompile(`(?i)\balert(?:ed)?\b|\bpaged?\b|\bdetected\b`)
	have := regexp.MustCompile(`(?i)\backnowledged\b|\b(?:got|received|saw|took|answered) the (?:alert|page|call)\b`)
	first := -1
	for i, x := range lines {
		switch {
		case first >= 0 && have.MatchString(x.text):
			took := time.Duration(told[i].minute-told[first].minute) * time.Minute
			if took > l.AckTarget {
				l.should("late-acknowledgement", x.line, "it took %s from the alert (%s) until somebody had it (%s), the target is %s: does an action item see to that?", words.Span(took), told[first].text, told[i].text, words.Span(l.AckTarget))
			}
			return
		case first < 0 && alert.MatchString(x.text):
			first = i
		}
	}
}
