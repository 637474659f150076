package casefile_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/casefile"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store/mem"
)

var t0 = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func sec(s float64) time.Time { return t0.Add(time.Duration(s * float64(time.Second))) }

// file is one file of a case folder as the readers hand it over.
type file struct {
	name, format string
	records      []*parse.Record
	signals      []parse.Signal
}

type option func(*parse.Record)

func id(s string) option    { return func(r *parse.Record) { r.RequestID = s } }
func from(s string) option  { return func(r *parse.Record) { r.ClientAddr = s } }
func took(s float64) option { return func(r *parse.Record) { r.Duration = s } }
func via(up, code string) option {
	return func(r *parse.Record) { r.Upstream, r.UpstreamStatus = up, code }
}
func instance(s string) option { return func(r *parse.Record) { r.Instance = s } }

// asked adds one request.
func (f *file) asked(at time.Time, route string, status int, opts ...option) {
	r := &parse.Record{}
	r.Reset()
	r.Kind, r.Time, r.Clock, r.Status = parse.KindAccess, at.UnixNano(), parse.ClockUTC, status
	r.Method, r.URL, _ = strings.Cut(route, " ")
	r.ClientAddr = "198.51.100.1"
	f.add(r, opts)
}

// says adds one line of a log.
func (f *file) says(at time.Time, level inquest.Level, text string, opts ...option) {
	r := &parse.Record{}
	r.Reset()
	r.Level, r.Message, r.Time, r.Clock = level, text, at.UnixNano(), parse.ClockUTC
	f.add(r, opts)
}

func (f *file) add(r *parse.Record, opts []option) {
	for _, o := range opts {
		o(r)
	}
	f.records = append(f.records, r)
}

func (f *file) series(name string, labels ...string) {
	s := &inquest.Series{Name: name, Labels: map[string]string{}}
	for i := 0; i+1 < len(labels); i += 2 {
		s.Labels[labels[i]] = labels[i+1]
	}
	s.Samples = []inquest.Sample{{Time: t0, Value: 1}, {Time: sec(600), Value: 1}}
	f.signals = append(f.signals, parse.Signal{Series: s})
}

func (f *file) change(at time.Time, kind inquest.ChangeKind, who, summary string) {
	f.signals = append(f.signals, parse.Signal{Change: &inquest.Change{Time: at, Kind: kind, Service: who, Summary: summary}})
}

// build makes the case of some files.
func build(files ...*file) *inquest.Case { return buildWith(casefile.Config{}, files...) }

func buildWith(cfg casefile.Config, files ...*file) *inquest.Case {
	st := mem.New()
	var clues []mem.Clues
	var collectors []*mem.Collector
	for i, f := range files {
		c := mem.NewCollector(mem.Settings{File: i})
		slices.SortStableFunc(f.records, func(a, b *parse.Record) int { return cmp.Compare(a.Time, b.Time) })
		for n, r := range f.records {
			r.Line = n + 1
			c.Log(r)
		}
		for _, s := range f.signals {
			c.Signal(s)
		}
		collectors, clues = append(collectors, c), append(clues, mem.CluesOf([]*mem.Collector{c}))
		cfg.Reports = append(cfg.Reports, parse.FileReport{File: f.name, Format: f.format, Records: len(f.records) + len(f.signals), Clock: parse.ClockUTC})
	}
	for i, name := range casefile.Writers(cfg.Reports, clues) {
		cfg.Reports[i].Writer = name
		st.Merge(collectors[i], name)
	}
	st.Seal()
	return casefile.Build(st, cfg)
}

// traffic is a gateway's log: so many requests a second to three routes from sec(a) to sec(b), of which none fails.
func (f *file) traffic(a, b, rate float64, opts ...option) {
	routes := []string{"GET /items/%d", "GET /cart", "POST /orders"}
	for i := 0; a+float64(i)/rate < b; i++ {
		route := routes[i%len(routes)]
		if strings.Contains(route, "%d") {
			route = fmt.Sprintf(route, i)
		}
		f.asked(sec(a+float64(i)/rate), route, 200, append([]option{took(0.05), from(fmt.Sprint("198.51.100.", i%50))}, opts...)...)
	}
}

// failing adds requests of a route that fail, so many a second from sec(a) to sec(b).
func (f *file) failing(a, b, rate float64, route string, status int, opts ...option) (n int) {
	for ; a+float64(n)/rate < b; n++ {
		f.asked(sec(a+float64(n)/rate), route, status, append([]option{took(0.05), from(fmt.Sprint("198.51.100.", n%20))}, opts...)...)
	}
	return n
}

func gateway() *file { return &file{name: "gateway-access.log", format: "nginx-json"} }

func component(c *inquest.Case, name string) *inquest.Component {
	for i := range c.Components {
		if c.Components[i].Name == name {
			return &c.Components[i]
		}
	}
	return nil
}

func names(c *inquest.Case) []string {
	var out []string
	for _, x := range c.Components {
		out = append(out, x.Name)
	}
	return out
}

func pattern(c *inquest.Case, template string) *inquest.LogPattern {
	for i := range c.Patterns {
		if strings.Contains(c.Patterns[i].Template, template) {
			return &c.Patterns[i]
		}
	}
	return nil
}

func signalOf(h inquest.Hint) parse.Signal { return parse.Signal{Hint: &h} }
