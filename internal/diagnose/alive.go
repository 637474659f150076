package diagnose

import (
	"fmt"
	"time"

	"github.com/inquesthq/inquest"
)

// working is what a database's own log says only while it serves: statements that it finished, refused or waited with.
var working = map[inquest.MechanismID]bool{
	"database/slow-query": true, "database/lock-contention": true, "database/query-error": true, "database/too-many-connections": true,
}

// servesMeanwhile: a database that goes on telling of statements while its callers' connections break is slow or full, not down.
// Its own word for going down counts for more than that.
func (a *analysis) servesMeanwhile(c *candidate) {
	for _, cl := range c.claims {
		if cl.symptom.Component == c.culprit || cl.symptom.Kind == inquest.SymptomGap || cl.symptom.Kind == inquest.SymptomRestart {
			return
		}
	}
	for _, cl := range a.claimed {
		s := cl.symptom
		if working[cl.mechanism] && s.Component == c.culprit && s.Pattern != nil && s.Last.After(c.onset) && s.Last.Sub(s.Onset) > time.Second {
			c.against = append(c.against, fmt.Sprintf("%s tells of statements in its own log until %s", c.culprit, clock(s.Last)))
			c.doubt *= 0.4
			return
		}
	}
}
