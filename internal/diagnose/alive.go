package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
)

// working is what a database's own log says only while it serves: statements that it finished, refused or waited with.
var working = map[inquest.MechanismID]bool{
	"database/slow-query": true, "database/lock-contention": true, "database/query-error": true, "database/too-many-connections": true,
}

// reached are the gauges in which the exporters of databases say whether they got a connection to theirs.
var reached = []string{"pg_up", "mysql_up", "mongodb_up", "oracledb_up", "mssql_up", "redis_up"}

// reachedThroughout is the series by which a database's exporter reached it at every scrape of the incident, nil when there is none, or it did
// not, or too few scrapes tell.
func (a *analysis) reachedThroughout(name string) *inquest.Series {
	for i := range a.c.Series {
		s := &a.c.Series[i]
		if !slices.Contains(reached, s.Name) || a.names.Owner(s) != name {
			continue
		}
		n := 0
		for _, x := range s.Samples {
			if a.c.Window.Contains(x.Time) {
				if x.Value != 1 {
					return nil
				}
				n++
			}
		}
		if n >= 3 {
			return s
		}
	}
	return nil
}

// servesMeanwhile: a database that goes on telling of statements while its callers' connections break is slow or full, not down.
// Its own word for going down counts for more than that.
func (a *analysis) servesMeanwhile(c *candidate) {
	if s := a.reachedThroughout(c.culprit); s != nil {
		c.against = append(c.against, fmt.Sprintf("its exporter went on reaching %s (%s = 1)", c.culprit, s.Name))
		c.doubt *= 0.35
		return
	}
	if who := a.onlyFrozen(c); who != "" {
		c.against = append(c.against, fmt.Sprintf("only %s says so, whose event loop was late: its time-outs ran out by themselves", who))
		c.doubt *= 0.35
		return
	}
	for _, cl := range c.claims {
		if cl.symptom.Component == c.culprit || cl.symptom.Kind == inquest.SymptomGap || cl.symptom.Kind == inquest.SymptomRestart {
			return
		}
	}
	for _, cl := range a.claimed {
		s := cl.symptom
		if working[cl.mechanism] && s.Component == c.culprit && s.Pattern != nil && s.Last.After(c.onset) && s.Last.Sub(s.Onset) > time.Second {
			c.against = append(c.against, fmt.Sprintf("%s tells of statements in its own log until %s", c.culprit, a.clock(s.Last)))
			c.doubt *= 0.4
			return
		}
	}
}
