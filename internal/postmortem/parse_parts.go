package postmortem

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

func (d *document) readWrong(s *section) {
	all, _ := rows(s)
	for _, r := range all {
		n, _ := strconv.Atoi(cell(r, 1))
		d.Wrong = append(d.Wrong, inquest.WrongTurn{Belief: cell(r, 0), Minutes: n, Why: cell(r, 2)})
	}
}

// readCauses takes numbered points; a text without points is one cause, told in prose.
func (d *document) readCauses(s *section) {
	points := numbered(s)
	if len(points) == 0 {
		if text := prose(s); text != "" && text != todo {
			points = []located{{strings.Join(strings.Fields(text), " "), s.line}}
		}
	}
	for _, p := range points {
		c := inquest.RootCause{Text: p.text}
		if at := strings.LastIndex(p.text, " ("); at > 0 && strings.HasSuffix(p.text, ")") && strings.HasPrefix(p.text[at:], " ([") && strings.Contains(p.text[at:], "](#evidence)") {
			c.Text = p.text[:at]
			for part := range strings.SplitSeq(p.text[at+2:len(p.text)-1], ",") {
				id, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(part), "["), "]")
				c.Evidence = append(c.Evidence, id)
			}
		}
		d.Causes, d.causes = append(d.Causes, c), append(d.causes, p.line)
	}
}

func (d *document) readFixes(s *section) {
	all, lines := rows(s)
	for i, r := range all {
		d.Fixes = append(d.Fixes, inquest.Fix{Text: cell(r, 1), Cures: cell(r, 2), State: cell(r, 3), Time: moment(cell(r, 4)), Verified: cell(r, 5)})
		d.fixes = append(d.fixes, lines[i])
	}
	if len(all) > 0 {
		return
	}
	for _, p := range numbered(s) {
		d.Fixes, d.fixes = append(d.Fixes, inquest.Fix{Text: p.text}), append(d.fixes, p.line)
	}
}

// readItems takes the table; points of a list are items without owner, date and check.
func (d *document) readItems(s *section) {
	all, lines := rows(s)
	for i, r := range all {
		x := inquest.ActionItem{Text: cell(r, 1), Type: inquest.ItemType(cell(r, 2)), Cures: cell(r, 4), Owner: cell(r, 5), Check: cell(r, 7), State: inquest.ItemState(cell(r, 8))}
		x.Cause, _ = strconv.Atoi(cell(r, 3))
		x.Due, _ = time.Parse(day, cell(r, 6))
		d.Items, d.items = append(d.Items, x), append(d.items, lines[i])
		if x.Type != "" && !slices.Contains(inquest.ItemTypes, x.Type) {
			d.unknown = append(d.unknown, located{"type", lines[i]})
		}
	}
	if len(all) > 0 {
		return
	}
	for _, p := range numbered(s) {
		d.Items, d.items = append(d.Items, inquest.ActionItem{Text: p.text}), append(d.items, p.line)
	}
}

func (d *document) readLessons(s *section) {
	for _, p := range numbered(s) {
		text, by, _ := strings.Cut(p.text, "Enforced by:")
		if text = strings.TrimSpace(text); text == todo {
			continue
		}
		d.Lessons = append(d.Lessons, inquest.Lesson{Text: text, Enforced: strings.TrimSpace(by)})
		d.lessons = append(d.lessons, p.line)
	}
}

func (d *document) readTimeline(s *section) {
	if at := strings.IndexByte(s.title, '('); at > 0 {
		if zone := strings.TrimSuffix(s.title[at+1:], ")"); zone != "Local" {
			if _, err := time.LoadLocation(zone); err == nil {
				d.Zone = zone
			}
		}
	}
	for _, p := range numbered(s) {
		at, text, ok := strings.Cut(p.text, " - ")
		if t := moment(at); ok && !t.IsZero() {
			d.Timeline = append(d.Timeline, inquest.TimelineLine{Time: t, Text: strings.TrimSpace(text)})
		}
	}
}

// readEvidence takes bullets with a block of code below.
func (d *document) readEvidence(s *section) {
	head := regexp.MustCompile("^- \\*\\*([^*]+)\\*\\* ([a-z]*), ([^,]*), (`+)(.*?)(`+)$") // compiled when somebody reads a postmortem, not at the start of every command
	for i := 0; i < len(s.body); i++ {
		m := head.FindStringSubmatch(s.body[i].text)
		if m == nil {
			continue
		}
		source := m[5]
		if strings.HasPrefix(source, " ") && strings.HasSuffix(source, " ") && len(source) > 1 && (source == "  " || source[1] == '`' || source[len(source)-2] == '`') {
			source = source[1 : len(source)-1]
		}
		q := inquest.Quote{ID: m[1], Layer: inquest.Layer(m[2]), Time: moment(m[3]), Source: source}
		for i++; i < len(s.body) && strings.TrimSpace(s.body[i].text) == ""; i++ {
		}
		if i < len(s.body) && strings.HasPrefix(strings.TrimSpace(s.body[i].text), "```") {
			open := strings.TrimSuffix(strings.TrimSpace(s.body[i].text), "text")
			var text []string
			for i++; i < len(s.body) && strings.TrimSpace(s.body[i].text) != open; i++ {
				text = append(text, strings.TrimPrefix(s.body[i].text, "  "))
			}
			q.Text = strings.Join(text, "\n")
		}
		d.Evidence = append(d.Evidence, q)
	}
}
