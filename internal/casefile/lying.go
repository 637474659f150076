package casefile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// lie is one request that was answered 2xx although the service itself wrote down that it failed.
type lie struct {
	answer  mem.Answer
	example *mem.Example
}

// failureWords must occur in a line before its request counts as failed.
var failureWords = []string{"fail", "error", "exception", "refused", "timed out", "timeout", "unavailable", "not completed", "could not", "cannot", "unable", "rejected", "aborted"}

// recovered words say that the request got its answer in another way: a retry, a fallback, a stale copy. That is
// degradation, not a lie.
var recovered = []string{"retry", "retri", "fallback", "falling back", "fall back", "stale", "default", "degraded", "attempt", "skipp", "ignor", "best effort", "best-effort", "will try", "warming"}

// lying finds requests answered 2xx that failed: the line that says so carries the request's id, is a warning or worse, is
// new or more frequent since the onset, and speaks of failure without recovery. Three are needed: one is an odd log line.
func (b *builder) lying() {
	b.lied = map[uint64]bool{}
	for _, p := range b.st.Patterns() {
		if p.Level < inquest.LevelWarn || len(p.Requests) < 3 || len(p.Examples) == 0 {
			continue
		}
		text := strings.ToLower(p.Examples[0].Text)
		if !containsAny(text, failureWords) || containsAny(text, recovered) {
			continue
		}
		lp := inquest.LogPattern{}
		b.novelty(&lp, p)
		if !b.onset.IsZero() && !lp.New && !lp.Surging {
			continue
		}
		b.liesOf(p)
	}
	if len(b.liedBy) < 3 {
		b.lied, b.liedBy = map[uint64]bool{}, nil
	}
	slices.SortFunc(b.liedBy, func(x, y lie) int {
		return cmp.Or(cmp.Compare(x.answer.Time, y.answer.Time), cmp.Compare(x.answer.ID, y.answer.ID))
	})
}

func (b *builder) liesOf(p *mem.Pattern) {
	if b.onset.IsZero() {
		return
	}
	for _, id := range p.Requests {
		if b.lied[id] {
			continue
		}
		for _, a := range b.answersOf(id) {
			if b.isEdge(a.By.Observer) && a.Status >= 200 && a.Status < 300 && a.Time >= b.onset.UnixNano() && a.Time < b.window.To.UnixNano() {
				b.lied[id] = true
				b.liedBy = append(b.liedBy, lie{answer: a, example: &p.Examples[0]})
				break
			}
		}
	}
}

func containsAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}
