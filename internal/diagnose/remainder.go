package diagnose

import (
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
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
	hits, others, strangers := 0, 0, 0
	for who, of := range a.servers {
		hit := false
		for r := range reached {
			hit = hit || a.leads([]string{who}, r)
		}
		switch {
		case hit:
			hits += of.failed
		case of.known:
			others += of.failed
		default:
			strangers += of.failed
		}
	}
	if hits > 0 { // the addresses of those that it reaches are known, so these are somebody else's
		others += strangers
	}
	return float64(others) / float64(len(a.c.Failures))
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

// server is somebody to whom failed requests went.
type server struct {
	failed int  // of them
	known  bool // by more than an address
}

// serversOf counts to whom the failed requests went, the last one where they were tried again, as far as the log says.
func serversOf(failures []inquest.Request, names *symptom.Resolver) map[string]server {
	out := map[string]server{}
	for i := range failures {
		tried := strings.FieldsFunc(failures[i].Upstream, func(r rune) bool { return r == ',' || r == ' ' })
		if len(tried) == 0 {
			continue
		}
		who, x := tried[len(tried)-1], server{}
		if c := names.Find(who); c != nil {
			if c.Kind != inquest.KindApp {
				continue
			}
			who, x.known = c.Name, true
		}
		x.failed = out[who].failed + 1
		out[who] = x
	}
	return out
}
