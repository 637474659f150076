package diagnose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/inquesthq/inquest/internal/diagnose/symptom"
)

// scan is a table that a query reads from end to end, and the columns by which it then picks rows.
type scan struct {
	table   string
	columns []string
}

// The lines of a plan as PostgreSQL's EXPLAIN and auto_explain print them (manual, chapter 14.1). A scan without a filter has to
// read everything and misses no index.
var (
	seqScan  = regexp.MustCompile(`Seq Scan on ([A-Za-z_][\w.]*)`)
	filter   = regexp.MustCompile(`^\s*Filter: (.*)`)
	compared = regexp.MustCompile(`\(+(?:\w+\.)?([a-z_]\w*)\)?(?:::[a-z ]+)?\s*(?:=|<|>|<=|>=|~~|IS)\s`)
)

// scanOf finds the first sequential scan with a filter in a text that holds a plan.
func scanOf(text string) (scan, bool) {
	var s scan
	for line := range strings.Lines(text) {
		if m := seqScan.FindStringSubmatch(line); m != nil {
			s = scan{table: m[1]}
			continue
		}
		m := filter.FindStringSubmatch(line)
		if m == nil || s.table == "" {
			continue
		}
		for _, c := range compared.FindAllStringSubmatch(m[1], -1) {
			if !slices.Contains(s.columns, c[1]) {
				s.columns = append(s.columns, c[1])
			}
		}
		if len(s.columns) > 0 {
			return s, true
		}
		s = scan{}
	}
	return scan{}, false
}

func (s scan) String() string {
	return fmt.Sprintf("the plan reads all of %s and filters by %s: no index serves it", s.table, strings.Join(s.columns, " and "))
}

// scanned is the scan in the plans that the candidate's claims quote.
func (c *candidate) scanned() (scan, bool) {
	for _, cl := range c.claims {
		if cl.symptom.Pattern == nil {
			continue
		}
		if s, ok := scanOf(symptom.Example(cl.symptom.Pattern).Text); ok {
			return s, true
		}
	}
	return scan{}, false
}

// lostIndex: the plan misses an index, and the text of a change says that one was taken away. From then on each such query reads everything,
// which hurts once the load is high enough.
func (c *candidate) lostIndex(text string) bool {
	if !mentions(text, "index") || !slices.ContainsFunc([]string{"drop", "drops", "dropped", "remove", "removes", "removed", "delete", "deletes", "deleted"}, func(w string) bool { return mentions(text, w) }) {
		return false
	}
	_, ok := c.scanned()
	return ok
}
