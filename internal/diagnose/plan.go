package diagnose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/inquesthq/inquest/internal/diagnose/symptom"
)

// scan is a table that a query reads from end to end, and the columns by which it then picks rows: those compared for equality first, as an index has to have
// them to be read no further than needed (PostgreSQL's manual, 11.3).
type scan struct {
	table   string
	columns []string
}

// The lines of a plan as PostgreSQL's EXPLAIN and auto_explain print them (manual, chapter 14.1). A scan without a filter has to
// read everything and misses no index.
var (
	seqScan  = regexp.MustCompile(`Seq Scan on ([A-Za-z_][\w.]*)`)
	filter   = regexp.MustCompile(`^\s*Filter: (.*)`)
	compared = regexp.MustCompile(`\(+(?:\w+\.)?([a-z_]\w*)\)?(?:::[a-z ]+)?\s*(=|<|>|<=|>=|~~|IS)\s`)
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
		all := compared.FindAllStringSubmatch(m[1], -1)
		for _, equal := range []bool{true, false} {
			for _, c := range all {
				if (c[2] == "=") == equal && !slices.Contains(s.columns, c[1]) {
					s.columns = append(s.columns, c[1])
				}
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

// lostIndex says why the loss of an index concerns the candidate, when the text of a change says that one was taken away: the plan misses one, or the
// text names a table that the slow statements use, as names of indexes mostly do (orders_by_user). From then on each such statement
// reads everything, which hurts once the load is high enough. "" when it does not.
func (c *candidate) lostIndex(text string) string {
	if !mentions(text, "index") || !slices.ContainsFunc([]string{"drop", "drops", "dropped", "remove", "removes", "removed", "delete", "deletes", "deleted"}, func(w string) bool { return mentions(text, w) }) {
		return ""
	}
	if _, ok := c.scanned(); ok {
		return "it took an index away, and the plan finds none"
	}
	if c.id != "database/slow-query" {
		return ""
	}
	named := "_" + notWord.ReplaceAllString(text, "_") + "_"
	for _, cl := range c.claims {
		if cl.symptom.Pattern == nil {
			continue
		}
		for _, m := range tableOf.FindAllStringSubmatch(symptom.Example(cl.symptom.Pattern).Text, -1) {
			if table := strings.ToLower(m[1]); strings.Contains(named, "_"+table+"_") {
				return "it took an index of " + table + " away, which the slow statements read"
			}
		}
	}
	return ""
}

var (
	notWord = regexp.MustCompile(`[^a-z0-9]+`)
	tableOf = regexp.MustCompile("(?i)\\b(?:FROM|JOIN|UPDATE)\\s+(?:[\"`\\[]?\\w+[\"`\\]]?\\.)?[\"`\\[]?([a-z_]\\w*)")
)
