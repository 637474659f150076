package mem

import (
	"maps"
	"slices"
	"strings"

	"github.com/inquesthq/inquest/internal/parse"
)

// maxLoggers bounds the names of loggers kept of one file; of more, the first by name stay, whoever read them.
const maxLoggers = 128

// logger notes who, inside of a program that does not name itself, wrote the record.
func (c *Collector) logger(r *parse.Record) {
	if r.Logger == "" || r.Service != unnamed || c.loggers[r.Logger] {
		return
	}
	if c.loggers == nil {
		c.loggers = map[string]bool{}
	}
	c.loggers[strings.Clone(r.Logger)] = true
	if len(c.loggers) >= 2*maxLoggers {
		for _, name := range slices.Sorted(maps.Keys(c.loggers))[maxLoggers:] {
			delete(c.loggers, name)
		}
	}
}

// Clues are what a file says about who wrote those of its records that name nobody, and about whom it knows besides.
type Clues struct {
	Loggers []string            // of unnamed records, sorted
	Frames  []string            // paths of its own code in the traces of unnamed records, sorted
	Lines   map[string]uint64   // templates of unnamed records and how often they occurred
	Itself  []string            // services that records name as their writer
	Known   []map[string]string // labels of the series in it; a change gives {"service": name}
}

// CluesOf gathers the clues of one file from all its collectors, before they are merged.
func CluesOf(all []*Collector) Clues {
	clues := Clues{Lines: map[string]uint64{}}
	loggers := map[string]bool{}
	for _, c := range all {
		maps.Copy(loggers, c.loggers)
		for _, p := range c.patterns {
			if p.Service == unnamed {
				clues.Lines[p.Template] += p.Count
				for _, x := range p.Examples {
					if x.Exception != nil && x.Exception.App.File != "" {
						clues.Frames = append(clues.Frames, x.Exception.App.File)
					}
				}
			}
		}
		for _, name := range c.observers.names {
			if name != unnamed {
				clues.Itself = append(clues.Itself, name)
			}
		}
		for i := range c.series {
			clues.Known = append(clues.Known, c.series[i].Labels)
		}
		for i := range c.changes {
			if s := c.changes[i].Service; s != "" {
				clues.Known = append(clues.Known, map[string]string{"service": s})
			}
		}
	}
	slices.Sort(clues.Frames)
	clues.Frames = slices.Compact(clues.Frames)
	slices.Sort(clues.Itself)
	clues.Itself = slices.Compact(clues.Itself)
	clues.Loggers = slices.Sorted(maps.Keys(loggers))
	clues.Loggers = clues.Loggers[:min(len(clues.Loggers), maxLoggers)]
	return clues
}
