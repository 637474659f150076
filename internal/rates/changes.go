package rates

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

const (
	maxVersions = 32 // of one service, remembered
	// awayFor is how long a version must be silent to count as gone: while a deploy rolls, both speak.
	awayFor = 10 * time.Minute
)

// Changes finds changes in what is read: entries of records of changes, and versions that log lines name for the first time, or again
// after a while. Not for concurrent use.
type Changes struct {
	services map[string][]spoken
	found    []inquest.Change
}

// spoken is one version of a service and when it was heard last.
type spoken struct {
	version string
	last    time.Time
}

// NewChanges returns a Changes that has heard nothing yet.
func NewChanges() *Changes { return &Changes{services: map[string][]spoken{}} }

// Log looks at the version that a record names. The first version of a service is no change: it may have run for a year.
func (c *Changes) Log(r *parse.Record, now time.Time) {
	if r.Version == "" || r.Service == "" {
		return
	}
	all, known := c.services[r.Service]
	if len(all) > 0 && all[0].version == r.Version { // the one that spoke last
		all[0].last = now
		return
	}
	if !known && len(c.services) >= maxServices {
		return
	}
	v := spoken{version: strings.Clone(r.Version), last: now}
	i := slices.IndexFunc(all, func(s spoken) bool { return s.version == r.Version })
	fresh := i < 0 || now.Sub(all[i].last) >= awayFor
	if known && fresh {
		at := now
		if r.Clock == parse.ClockUTC {
			at = time.Unix(0, r.Time).UTC()
		}
		c.add(inquest.Change{Time: at, Kind: inquest.ChangeDeploy, Service: strings.Clone(r.Service), Version: v.version,
			Summary: fmt.Sprintf("version %s logs its first line, %s did before", v.version, all[0].version)})
	}
	if i >= 0 {
		all = slices.Delete(all, i, i+1)
	}
	c.services[strings.Clone(r.Service)] = slices.Insert(all, 0, v)[:min(len(all)+1, maxVersions)]
}

// setBack moves what was noted by a clock that has been set back by so much since.
func (c *Changes) setBack(by time.Duration) {
	for _, all := range c.services {
		for i := range all {
			all[i].last = all[i].last.Add(-by)
		}
	}
}

// Signal takes the entries of a record of changes.
func (c *Changes) Signal(s parse.Signal) {
	if s.Change != nil {
		c.add(*s.Change)
	}
}

// maxFound bounds the changes that wait to be stored: a history that somebody sent whole.
const maxFound = 10_000

func (c *Changes) add(x inquest.Change) {
	if len(c.found) < maxFound {
		c.found = append(c.found, x)
	}
}

// Found returns the changes since the last call.
func (c *Changes) Found() []inquest.Change {
	out := c.found
	c.found = nil
	return out
}
