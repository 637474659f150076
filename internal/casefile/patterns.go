package casefile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/pattern"
	"github.com/inquesthq/inquest/internal/stat"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// starts lists when applications' processes said that they come up.
func (b *builder) starts() []inquest.Start {
	var out []inquest.Start
	for _, p := range b.st.Patterns() {
		if len(p.Examples) == 0 || p.Untimed == p.Count || !mem.SaysStart(p.Examples[0].Text) {
			continue
		}
		c := b.names.resolve(p.Service)
		if c == nil || c.Kind != "" && c.Kind != inquest.KindApp {
			continue
		}
		for i := range p.Examples {
			out = append(out, inquest.Start{Component: c.Name, Time: at(p.Examples[i].Time)})
		}
	}
	slices.SortStableFunc(out, func(x, y inquest.Start) int { return x.Time.Compare(y.Time) })
	return out
}

// lead is how long before the first failed request a cause may show: a kill, a full disk or a slow query comes seconds
// to a minute before the first request that fails of it. It never takes more than a fifth of what lies before.
func (b *builder) lead() time.Duration {
	return min(time.Minute, b.onset.Sub(b.span.From)/5)
}

// patterns compares every log pattern with the baseline.
func (b *builder) patterns() []inquest.LogPattern {
	var out []inquest.LogPattern
	for _, p := range b.st.Patterns() {
		out = append(out, b.pattern(p, false))
	}
	for _, p := range b.st.SpanErrors() {
		out = append(out, b.pattern(p, true))
	}
	return out
}

func (b *builder) pattern(p *mem.Pattern, span bool) inquest.LogPattern {
	lp := inquest.LogPattern{
		ID: p.ID.String(), Service: b.names.nameOf(p.Service), Level: p.Level, Template: p.Template,
		Total: int(p.Count), Share: -1, Answered: -1, Span: span,
	}
	lp.Origin = b.originOf(p)
	quoted := len(p.Examples) > 0 && quotesAnswer(&p.Examples[0])
	if lp.Origin == inquest.KindProxy && len(p.Examples) > 0 && (quoted || quotesApplication(p.Examples[0].Text)) {
		lp.Origin = inquest.KindApp
		lp.Service = b.behind(&p.Examples[0], lp.Service)
	}
	b.novelty(&lp, p)
	b.belongs(&lp, p)
	for i := range p.Examples {
		e := &p.Examples[i]
		x := inquest.LogExample{Time: at(e.Time), Text: e.Text, Instance: e.Instance, RequestID: e.RequestID, URL: e.URL,
			Exception: e.Exception, Pool: e.Pool, Source: b.source(e.File, e.Line)}
		if quoted && e.Exception != nil && e.Exception.Type == errorField {
			x.Exception = nil
		}
		if len(e.Fields) > 0 {
			x.Fields = make(map[string]string, len(e.Fields))
			for _, f := range e.Fields {
				x.Fields[f.Name] = f.Value
			}
		}
		lp.Examples = append(lp.Examples, x)
	}
	return lp
}

// errorField is the type of an exception of which a line told only that there was an error. Of what somebody answered, that is the status
// again.
const errorField = "error"

// quotesAnswer: a gateway's access log repeats what its upstream answered.
func quotesAnswer(e *mem.Example) bool {
	return slices.ContainsFunc(e.Fields, func(f parse.Field) bool { return f.Name == parse.ErrorBy && f.Value == "upstream" })
}

// quotesApplication: a web server's error log repeats what its FastCGI application wrote to standard error.
func quotesApplication(text string) bool {
	return strings.Contains(text, "FastCGI sent in stderr") || strings.Contains(text, "Got error 'PHP message") || strings.Contains(text, "Got error 'Primary script")
}

// behind names the application behind a web server: the owner of the upstream that the line names, else the only one there is.
func (b *builder) behind(e *mem.Example, server string) string {
	if c := b.names.resolve(upstreamOf(e)); c != nil {
		return c.Name
	}
	only := ""
	for _, c := range b.names.all {
		if c.Kind == "" || c.Kind == inquest.KindApp {
			if only != "" {
				return server
			}
			only = c.Name
		}
	}
	if only == "" {
		return server
	}
	return only
}

// upstreamOf is the address of the upstream that a line of a web server names, "" when it names none.
func upstreamOf(e *mem.Example) string {
	for _, f := range e.Fields {
		if f.Name == "upstream" {
			addr := f.Value
			if _, rest, ok := strings.Cut(addr, "://"); ok {
				addr, _, _ = strings.Cut(rest, "/")
			}
			return addr
		}
	}
	return ""
}

// originOf says who wrote the pattern: by the format of the file, else by the component's kind.
func (b *builder) originOf(p *mem.Pattern) inquest.ComponentKind {
	if len(p.Examples) > 0 {
		if f := p.Examples[0].File; int(f) < len(b.cfg.Reports) {
			if k := kindOfFormat(b.cfg.Reports[f].Format); k != "" {
				return k
			}
		}
	}
	if c := b.names.resolve(p.Service); c != nil && c.Kind != "" {
		return c.Kind
	}
	return inquest.KindApp
}

func (b *builder) novelty(lp *inquest.LogPattern, p *mem.Pattern) {
	if len(p.Examples) > 0 {
		lp.First, lp.Last = at(p.Examples[0].Time), at(p.Examples[len(p.Examples)-1].Time)
	}
	if b.onset.IsZero() {
		lp.Before = int(p.Count)
		return
	}
	if p.Untimed == p.Count {
		b.untimed(lp, p)
		return
	}
	from := b.onset.Add(-b.lead()).Truncate(time.Second).UnixNano() // lines are counted by whole seconds
	to := b.window.To.UnixNano()
	if to-from < int64(time.Second) {
		to = from + int64(time.Second)
	}
	baseFrom, baseTo := ns(b.base.From), min(ns(b.base.To), from)
	if ns(b.base.From) >= to { // the baseline is what came after
		baseTo = ns(b.base.To)
	}
	cmpr := pattern.Compare(&pattern.Entry{Histogram: p.Times}, [2]int64{baseFrom, baseTo}, [2]int64{from, to})
	lp.Before, lp.During, lp.Ratio = int(cmpr.Before), int(cmpr.During), cmpr.Ratio
	lp.New = cmpr.Kind == pattern.KindNew && baseTo > baseFrom
	lp.Surging = cmpr.Kind == pattern.KindSurging
	if baseTo <= baseFrom && cmpr.During > 0 { // nothing to compare with: it may be new
		lp.New = true
	}
	for t := range p.Times.Buckets() { // examples are only the first of each minute
		if t < to && at(t).After(lp.Last) {
			lp.Last = at(t)
		}
	}
	if cmpr.During > 0 { // examples are only the first of each minute: the counts know better when it began
		for t := range p.Times.Buckets() {
			if t+int64(p.Times.Width()) > from {
				lp.First = at(t)
				break
			}
		}
	}
}

// untimed judges errors whose lines carry no time, by their number: as many as there were failed requests, and none too many
// for them, are those requests' errors. Their examples have the time of the line before, which may be long past.
func (b *builder) untimed(lp *inquest.LogPattern, p *mem.Pattern) {
	from := b.onset.Add(-b.lead()).UnixNano()
	if n := p.Carried.Count(from, b.window.To.UnixNano()); n > 0 && p.Carried.Count(0, from) == 0 {
		lp.During, lp.New, lp.First, lp.Last = int(n), true, at(p.Examples[0].Time), b.window.To // written after a line of the incident
		return
	}
	// What stands behind the line whose time it carries was written at any time until the next one. Where that is most of the way to
	// the onset, and errors follow that the writer did not know before, they are of the incident as likely as not.
	if first, ok := firstOf(&p.Carried); ok && p.Level >= inquest.LevelWarn && first.After(b.base.From.Add(b.onset.Sub(b.base.From)/2)) && b.lastOf(p.Service).Before(b.onset) {
		lp.During, lp.New, lp.First, lp.Last = int(p.Count), true, b.onset, b.window.To
		return
	}
	failed := b.impactOf.Failed
	if p.Level < inquest.LevelWarn && !thrown(p) || failed == 0 || int(p.Count)*2 < failed || int(p.Count) > 4*failed {
		lp.Before = int(p.Count)
		return
	}
	lp.During, lp.New, lp.First, lp.Last = int(p.Count), true, b.onset, b.window.To
}

// thrown reports whether the lines are the traces of an exception, which many runtimes print without a level.
func thrown(p *mem.Pattern) bool {
	return slices.ContainsFunc(p.Examples, func(x mem.Example) bool { return x.Exception != nil })
}

func firstOf(h *stat.Histogram) (time.Time, bool) {
	for t := range h.Buckets() {
		return at(t), true
	}
	return time.Time{}, false
}

// lastOf is the last time that a line of the writer carries, of those with a time of their own.
func (b *builder) lastOf(service string) time.Time {
	last := int64(0)
	for _, p := range b.st.Patterns() {
		if p.Service == service && p.Untimed < p.Count {
			for t := range p.Times.Buckets() {
				last = max(last, t)
			}
		}
	}
	return at(last)
}

// belongs measures by request id which share of the failed requests a pattern accompanies.
func (b *builder) belongs(lp *inquest.LogPattern, p *mem.Pattern) {
	if len(p.Requests) == 0 || len(b.failIDs) == 0 {
		return
	}
	hit, known := 0, 0
	for _, id := range p.Requests {
		if b.failIDs[id] {
			hit++
		}
		if b.edgeStatus(id) > 0 {
			known++
		}
	}
	if hit == 0 && known == 0 {
		return // the writer numbers requests in its own way: ids cannot tell
	}
	lp.Share = float64(hit) / float64(max(1, b.comparable(p)))
	well := 0
	for _, id := range p.Requests {
		if s := b.edgeStatus(id); s > 0 && s < 500 && s != 499 {
			well++
		}
	}
	lp.Answered = float64(well) / float64(len(p.Requests))
}

// comparable counts the failed requests of which the pattern's ids can tell: all, or those of the draw that was kept of very
// many.
func (b *builder) comparable(p *mem.Pattern) int {
	last, all := p.Drawn()
	if all {
		return len(b.failIDs)
	}
	n := 0
	for id := range b.failIDs {
		if id <= last {
			n++
		}
	}
	return n
}

// edgeStatus is the status that the outermost observer answered to a request, 0 when it is not known.
func (b *builder) edgeStatus(id uint64) int {
	for _, a := range b.answersOf(id) {
		if b.isEdge(a.By.Observer) {
			return int(a.Status)
		}
	}
	return 0
}

// answersOf lists the answers to one request id.
func (b *builder) answersOf(id uint64) []mem.Answer {
	ans := b.st.Answers()
	i, ok := slices.BinarySearchFunc(ans, id, func(a mem.Answer, id uint64) int { return cmp.Compare(a.ID, id) })
	if !ok {
		return nil
	}
	j := i
	for j < len(ans) && ans[j].ID == id {
		j++
	}
	return ans[i:j]
}
