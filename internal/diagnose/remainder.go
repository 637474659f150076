package diagnose

import (
	"strings"

	"github.com/inquesthq/inquest"
)

// aFew: less than one in twenty of the failures are strays, as every incident has; more of them are a second fault, and while it is not
// understood nobody knows which of the two came first.
const aFew = 0.05

// remainder is the share of the failed requests that went to services which the cause is not seen to reach: something else may be
// wrong there. Of what many use (a database, a host) it is mostly unknown who uses it, and nothing is held against it.
func (a *analysis) remainder(c *candidate) float64 {
	if k := a.names.Kind(c.culprit); k != "" && k != inquest.KindApp || len(a.c.Failures) == 0 {
		return 0
	}
	reached := map[string]bool{}
	c.reach(reached)
	of := map[string]bool{} // service: the cause reaches it
	n := 0
	for i := range a.c.Failures {
		who := a.server(&a.c.Failures[i])
		if who == "" {
			continue
		}
		hit, known := of[who]
		if !known {
			for r := range reached {
				hit = hit || a.leads([]string{who}, r)
			}
			of[who] = hit
		}
		if !hit {
			n++
		}
	}
	return float64(n) / float64(len(a.c.Failures))
}

// reach collects where a candidate and what it brings about were seen.
func (c *candidate) reach(in map[string]bool) {
	in[c.culprit] = true
	for o := range c.observers {
		in[o] = true
	}
	for _, e := range c.explains {
		e.reach(in)
	}
}

// server is the service that a failed request went to, the last one where it was tried again; "" when the log does not say.
func (a *analysis) server(f *inquest.Request) string {
	tried := strings.FieldsFunc(f.Upstream, func(r rune) bool { return r == ',' || r == ' ' })
	if len(tried) == 0 {
		return ""
	}
	if x := a.names.Find(tried[len(tried)-1]); x != nil && x.Kind == inquest.KindApp {
		return x.Name
	}
	return ""
}
