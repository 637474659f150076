package mem

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/stat"
)

// Complaint counts the errors that a service logged about requests of one route. Set against the answers of the route, they show
// failures that were answered as successes.
type Complaint struct {
	Service, Method, Route string         // Method is empty where the line told the path alone
	Times                  stat.Histogram // of lines without the request's id
	Named                  stat.Histogram // of lines with one
	Via                    stat.Histogram // those of both that name an upstream or the answer: a proxy's failed attempts
	Status                 int            // the answer that they name, the highest of several; 0: none
}

// Name returns "METHOD /route".
func (c *Complaint) Name() string { return strings.TrimSpace(c.Method + " " + c.Route) }

func (c *Complaint) merge(o *Complaint) {
	c.Times.Merge(&o.Times)
	c.Named.Merge(&o.Named)
	c.Via.Merge(&o.Via)
	c.Status = max(c.Status, o.Status)
}

func (c *Complaint) compare(o *Complaint) int {
	return cmp.Or(cmp.Compare(c.Service, o.Service), cmp.Compare(c.Route, o.Route), cmp.Compare(c.Method, o.Method))
}

// requestLine finds a request named in a message: a method of RFC 9110 and a path.
var requestLine = regexp.MustCompile(`\b(GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS) (/[^\s"',;]*)`)

// complain counts an error that names a request by method and path, or by its path alone.
func (c *Collector) complain(r *parse.Record, service string) {
	method, url := r.Method, cmp.Or(r.URL, r.Get("path"))
	if !strings.HasPrefix(url, "/") && (method == "" || url == "") { // not told apart from the message
		head, _, _ := strings.Cut(r.Message, "\n")
		m := requestLine.FindStringSubmatch(head)
		if m == nil {
			return
		}
		method, url = m[1], strings.TrimRight(m[2], ":.)]")
	}
	c.route = foldRoute(c.route[:0], url)
	k := streamKey{service, method, string(c.route)}
	x := c.complains[k]
	if x == nil {
		if len(c.complains) >= maxStreams {
			return
		}
		k.method, k.route = strings.Clone(method), strings.Clone(k.route)
		x = &Complaint{Service: service, Method: k.method, Route: k.route}
		c.complains[k] = x
	}
	if r.Time != 0 {
		if r.RequestID == "" {
			x.Times.Add(r.Time, 1)
		} else {
			x.Named.Add(r.Time, 1)
		}
		if r.Upstream != "" || r.Status >= 500 {
			x.Via.Add(r.Time, 1)
			x.Status = max(x.Status, r.Status)
		}
	}
}

// Range returns the first and last time that a metric sample or, without metrics, nothing carried; zero without samples.
func (c *Collector) Range() (from, to int64) {
	for i := range c.series {
		s := c.series[i].Samples
		if len(s) == 0 {
			continue
		}
		if t := s[0].Time.UnixNano(); from == 0 || t < from {
			from = t
		}
		to = max(to, s[len(s)-1].Time.UnixNano())
	}
	return from, to
}

// Local returns the first and last time that carried no zone, as read; zero when all did.
func (c *Collector) Local() (from, to int64) { return c.local[0], c.local[1] }

// Starts returns the times without a zone at which a process said that it starts, as read.
func (c *Collector) Starts() []int64 { return c.starts }

// startWords begin or end what processes say when they come up, in most frameworks' words.
var startWords = []string{"listening", "starting", "started", "startup", "booting", "ready to handle", "ready to accept", "reloading", "server running", "serving on", "fpm is running"}

// SaysStart reports whether a line is one that processes write when they come up.
func SaysStart(message string) bool {
	if len(message) > 300 {
		message = message[:300]
	}
	message = strings.ToLower(message)
	return slices.ContainsFunc(startWords, func(w string) bool { return strings.Contains(message, w) })
}

// ChangeTimes calls f for every change.
func (c *Collector) ChangeTimes(f func(at time.Time)) {
	for i := range c.changes {
		f(c.changes[i].Time)
	}
}

// AnswerTimes calls f for every answered request that carried an id. Of the collectors of one file the first one tells
// them all, once its workers are done.
func (c *Collector) AnswerTimes(f func(id uint64, at int64)) {
	if !c.leads() {
		return
	}
	for _, a := range c.tally.gather().answers {
		f(a.ID, a.Time)
	}
}

// FailedAsks calls f for the failed requests of the file, and for the errors that name a request, with what was asked for (path and
// query). They are samples, see Failure and Example. Each collector of a file tells its own errors, the first one all its requests.
func (c *Collector) FailedAsks(f func(asked string, at int64)) {
	if c.leads() {
		for _, some := range c.tally.gather().failures {
			for i := range some {
				f(some[i].URL, some[i].Time)
			}
		}
	}
	for k, p := range c.patterns {
		if k.level < inquest.LevelError {
			continue
		}
		for i := range p.Examples {
			x := &p.Examples[i]
			asked := x.URL
			if asked == "" {
				head, _, _ := strings.Cut(x.Text, "\n")
				if m := requestLine.FindStringSubmatch(head); m != nil {
					asked = strings.TrimRight(m[2], ":.)]")
				}
			}
			if asked != "" {
				f(asked, x.Time)
			}
		}
	}
}
