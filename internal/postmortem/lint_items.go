package postmortem

import (
	"regexp"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
)

func (l *linter) measures() {
	for i, f := range l.Fixes {
		at := l.fixes[i]
		if f.State == "" || f.Time.IsZero() {
			l.must("fix-state", at, "fix %d does not say whether it helped, and when it was done", i+1)
		}
		if f.Verified == "" && f.State != "no-effect" && f.State != "made-worse" && f.State != "planned" {
			l.must("fix-verified", at, "fix %d was verified by nothing: how was it seen that it works?", i+1)
		}
	}
	if s := l.section("fixes"); s != nil && len(l.Fixes) == 0 {
		l.must("fix-none", s.line, "no fix is told: what ended it, or did it end by itself?")
	}
}

func (l *linter) actions() {
	s := l.section("items")
	if s == nil {
		return
	}
	if len(l.Items) == 0 {
		l.must("item-none", s.line, "there is no action item: it will happen again")
		return
	}
	symptomOnly, prevents := true, false
	for i := range l.Items {
		x := &l.Items[i]
		l.item(i, x)
		symptomOnly = symptomOnly && x.Cures == "symptom"
		prevents = prevents || x.Type == inquest.ItemPrevent || x.Type == inquest.ItemTest || x.Type == inquest.ItemFix && x.Cures == "cause"
	}
	if !prevents {
		l.must("item-prevent", s.line, "none of the action items keeps the cause from coming back: add one of type prevent, or a fix that cures the cause")
	}
	if symptomOnly {
		l.should("symptom-only", s.line, "all action items cure symptoms: the cause stays, and so will the failures")
	}
}

func (l *linter) item(i int, x *inquest.ActionItem) {
	at := l.items[i]
	if x.Owner == "" || isTeam(x.Owner) {
		l.must("item-owner", at, "action item %d has no owner: one person, by name", i+1)
	}
	if x.Due.IsZero() {
		l.must("item-due", at, "action item %d has no due date: write a day such as 2026-12-15", i+1)
	} else if x.State == inquest.ItemOpen && !l.Now.IsZero() && x.Due.AddDate(0, 0, 1).Before(l.Now) {
		l.should("item-late", at, "action item %d was due on %s", i+1, x.Due.Format(day))
	}
	if x.Check == "" {
		l.must("item-check", at, "action item %d has no check: how will it be seen that it is done?", i+1)
	}
	if x.Type == "" || !slices.Contains(inquest.ItemTypes, x.Type) {
		all := make([]string, len(inquest.ItemTypes))
		for k, t := range inquest.ItemTypes {
			all[k] = string(t)
		}
		l.must("item-type", at, "action item %d has no type that is known: one of %s", i+1, strings.Join(all, ", "))
	}
	if x.Cause > len(l.Causes) {
		l.must("item-cause", at, "action item %d is for root cause %d, of %d", i+1, x.Cause, len(l.Causes))
	}
	if x.State != "" && !slices.Contains([]inquest.ItemState{inquest.ItemOpen, inquest.ItemDone, inquest.ItemDropped}, x.State) {
		l.must("item-state", at, "action item %d is %q: open, done or dropped", i+1, x.State)
	}
}

// isTeam reports owners that are everybody, and so nobody.
func isTeam(owner string) bool {
	switch strings.ToLower(strings.TrimSpace(owner)) {
	case "team", "the team", "everyone", "everybody", "all", "we", "us", "dev", "devs", "ops", "sre", "engineering", "n/a", "none", "-", "?":
		return true
	}
	return false
}

func (l *linter) lessonsLearnt() {
	s := l.section("lessons")
	if s == nil {
		return
	}
	if len(l.Lessons) == 0 {
		l.must("lesson-none", s.line, "no lesson is written down: what do we know now that we did not know before?")
	}
	for i, x := range l.Lessons {
		if x.Enforced == "" {
			l.should("lesson-enforced", l.lessons[i], "lesson %d will be forgotten: name the guard, rule or test that enforces it (\"Enforced by: ...\")", i+1)
		} else if !enforces(x.Enforced) {
			l.should("lesson-guard", l.lessons[i], "lesson %d is enforced by %q, which is no guard, rule, test, audit rule or runbook: name one, people forget", i+1, x.Enforced)
		}
	}
}

// enforces reports whether a text names something that acts when nobody thinks of it (REQUIREMENTS 220). A drill is a test, an alert a rule.
func enforces(text string) bool {
	return regexp.MustCompile(`(?i)\b(?:guard|rule|test|drill|audit|lint|runbook|alert)(?:s|ing)?\b|_test\b`).MatchString(text) || regexp.MustCompile(`\bTest[A-Z]`).MatchString(text)
}

// repeat: failing twice for one reason needs another answer than the one that was given the first time.
func (l *linter) repeat() {
	if l.Repeats != "" && len(l.Open) > 0 {
		l.should("repeat-open", l.fields["head/repeat of"].line, "%d action items of %s are still open: take them over here, or say why not", len(l.Open), l.Repeats)
	}
}
