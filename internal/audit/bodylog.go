package audit

import (
	"fmt"
	"slices"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/guard/answer"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// ruleOf says by which of audit's rules a 500 is misused that guard would correct by one of its own.
func ruleOf(guards string) string {
	switch guards {
	case answer.RuleLimit:
		return "status/500-for-limit"
	case answer.RulePool, answer.RuleBreaker:
		return "status/500-for-capacity"
	case answer.RuleTimeout:
		return "status/500-for-timeout"
	}
	return ""
}

// errorsBehind500 finds the 500s of which the service itself wrote down, under the request's id and as an error, what another
// status would have told: where bodies are not logged, this tells as much.
func errorsBehind500(judge *answer.Judge, w *world) {
	answered := map[uint64]*mem.Answer{} // 500s by request, as the outermost log has them
	all := w.in.Store.Answers()
	for i := range all {
		if all[i].Status == 500 && (answered[all[i].ID] == nil || all[i].By.Proxy) {
			answered[all[i].ID] = &all[i]
		}
	}
	for _, p := range w.in.Store.Patterns() {
		if p.Level < inquest.LevelError || len(p.Examples) == 0 || len(p.Requests) == 0 {
			continue
		}
		v := judge.Status(answer.Answer{Status: 500, Header: map[string][]string{"Content-Type": {"text/plain"}}, Body: []byte(p.Examples[0].Text), Whole: true})
		if v.Rule == answer.RuleLimit { // in the service's own log it is mostly the limit of something that it called
			v.Rule, v.Status = answer.RulePool, 503
		}
		if id := ruleOf(v.Rule); id != "" {
			w.errorsBehind(id, v.Status, p, answered)
		}
	}
}

// errorsBehind counts the requests of a pattern that were answered 500.
func (w *world) errorsBehind(id string, status int, p *mem.Pattern, answered map[uint64]*mem.Answer) {
	for _, r := range p.Requests {
		a := answered[r]
		if a == nil {
			continue
		}
		k := tallyKey{service: a.By.Observer, route: a.By.Method + " " + a.By.Route, rule: id, detail: fmt.Sprintf("the log of %s says %d", p.Service, status)}
		t := w.tallies.get(k)
		t.at(a.Time, 1)
		i := slices.IndexFunc(p.Examples, func(e mem.Example) bool { return mem.HashID(e.RequestID) == r })
		if e := p.Examples[max(i, 0)]; i >= 0 && t.wants(e.File, e.Line) {
			t.keep(example{file: e.File, line: e.Line, time: e.Time, text: cut(e.Text, 300)})
		}
	}
}
