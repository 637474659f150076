package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits are the times that the gateway under test was given.
type Limits struct{ Connect, Response, Stall time.Duration }

// Server is an upstream as the gateway under test has to be told of it.
type Server struct {
	URL string // http://, https:// or h2c:// host:port
}

// Line is what the access log of the gateway says of one request.
type Line struct {
	Status, Upstream, Attempts                   int
	Reason, RequestID, TraceID, ErrorID, Address string
}

// Gateway is what is tested. Start serves the upstreams, by name, under the path /name/ with the name taken off, and returns its
// address, a way to read the last line of its access log that has the path, and a way to stop it.
type Gateway interface {
	Start(upstreams map[string]Server, l Limits) (addr string, line func(path string) (Line, bool), stop func(), err error)
}

// Result is one behaviour, judged.
type Result struct {
	Group    string `json:"group"`
	Name     string `json:"behaviour"`
	Sentence string `json:"sentence"`
	Expected string `json:"expected"`
	Observed string `json:"observed"`
	OK       bool   `json:"ok"`
	Why      string `json:"why,omitempty"` // not
}

// behaviour is one row of the suite.
type behaviour struct {
	group, name, sentence string
	expected              string
	script                func(*peer) // what the upstream does; nil: special sets up its own
	addr                  func() (Server, func(), error)
	scheme                string // of the upstream behind script (default http)
	ask                   ask
	before                []ask              // sent first, to prepare kept connections
	judge                 func(*view) string // "" if all is as it must be
}

// view is what a judge sees.
type view struct {
	*Seen
	wire   *wire
	limits Limits
	line   func() (Line, bool)
	lineOf func(path string) (Line, bool)
	log    Line
	again  func(a ask) *Seen
	front  string // address of the gateway
}

// Run judges all behaviours, each with a gateway and an upstream of its own.
func Run(g Gateway, only func(name string) bool) []Result {
	l := Limits{Connect: 2 * time.Second, Response: time.Second, Stall: time.Second}
	var out []Result
	for _, b := range all() {
		if only == nil || only(b.name) {
			out = append(out, run(g, &b, l))
		}
	}
	return out
}

// Names lists the behaviours.
func Names() []string {
	var out []string
	for _, b := range all() {
		out = append(out, b.name)
	}
	return out
}

func all() []behaviour {
	return slices.Concat(reaching(), headers(), bodies(), passing(), twice(), leaks(), mapping(), containment(), http2())
}

func run(g Gateway, b *behaviour, l Limits) Result {
	res := Result{Group: b.group, Name: b.name, Sentence: b.sentence, Expected: b.expected}
	fail := func(err error) Result { res.Why, res.Observed = err.Error(), "not run"; return res }
	server, w, stopUpstream, err := b.upstream()
	if err != nil {
		return fail(err)
	}
	defer stopUpstream()
	addr, line, stop, err := g.Start(map[string]Server{"a": server}, l)
	if err != nil {
		return fail(err)
	}
	defer stop()
	path := func(a ask) ask { a.path = "/a" + a.path; return a }
	for _, a := range b.before {
		do(addr, path(a))
	}
	count := func() int {
		if w == nil {
			return 0
		}
		return int(w.attempts.Load())
	}
	base := count()
	a := path(b.ask)
	if len(b.ask.path) == 0 {
		a.path = "/a/"
	}
	v := &view{wire: w, limits: l, front: addr, again: func(a ask) *Seen { return do(addr, path(a)) }}
	v.lineOf = line
	v.line = func() (Line, bool) { return line(a.path) }
	v.Seen = do(addr, a)
	v.Attempts = count() - base
	v.log, _ = v.line()
	res.Observed = v.String()
	if v.log.Reason != "" {
		res.Observed += ", logged " + v.log.Reason
	}
	res.Why = b.judge(v)
	res.OK = res.Why == ""
	return res
}

func (b *behaviour) upstream() (Server, *wire, func(), error) {
	if b.addr != nil {
		s, stop, err := b.addr()
		return s, nil, stop, err
	}
	w, err := listen(b.script)
	if err != nil {
		return Server{}, nil, nil, err
	}
	return Server{URL: cmp.Or(b.scheme, "http") + "://" + w.addr()}, w, w.close, nil
}

// want is a judge of the usual things. A zero field is not looked at.
type want struct {
	status   []int
	cut      bool // it must be visibly cut (a failed status will do too where early is set)
	whole    bool
	early    []int // statuses that do instead of a cut
	attempts int   // at most
	within   time.Duration
	atLeast  time.Duration
	body     string // the whole body
	has, not []string
	header   map[string]string
	reason   string
	retry    bool // Retry-After is there
}

func (w want) judge(v *view) string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	cutOK := w.cut && (v.Cut || slices.Contains(w.early, v.Status) || v.Status == 0)
	if w.cut && !cutOK {
		fault("it looks whole")
	}
	if len(w.status) > 0 && !slices.Contains(w.status, v.Status) && !(w.cut && cutOK) {
		fault("status %d", v.Status)
	}
	if w.whole && v.Cut {
		fault("cut: %s", v.Err)
	}
	if w.attempts > 0 && v.Attempts > w.attempts {
		fault("%d attempts", v.Attempts)
	}
	if w.within > 0 && v.Took > w.within {
		fault("took %v", v.Took.Round(time.Millisecond))
	}
	if w.atLeast > 0 && v.Took < w.atLeast {
		fault("took only %v", v.Took.Round(time.Millisecond))
	}
	if w.body != "" && v.Body != w.body {
		fault("body %.200q", v.Body)
	}
	for _, s := range w.has {
		if !strings.Contains(v.Body, s) {
			fault("the body lacks %q: %.200q", s, v.Body)
		}
	}
	for _, s := range w.not {
		if strings.Contains(v.Body, s) {
			fault("the body has %q", s)
		}
	}
	for k, s := range w.header {
		if v.Header.Get(k) != s {
			fault("%s is %q, not %q", k, v.Header.Get(k), s)
		}
	}
	if w.retry && v.Header.Get("Retry-After") == "" {
		fault("no Retry-After")
	}
	if w.reason != "" && v.log.Reason != w.reason {
		fault("logged reason %q, not %q", v.log.Reason, w.reason)
	}
	return strings.Join(faults, "; ")
}
