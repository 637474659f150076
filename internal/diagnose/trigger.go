package diagnose

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/redact"
)

// fit is how well a change fits as the trigger of a cause.
type fit struct {
	change *inquest.Change
	score  float64
	why    string
}

// leastFit: below it, naming a change is a guess, and the guess is a decoy more often than not.
const leastFit = 0.5

// trigger finds what set the cause off. Nearness alone is nothing: a deploy of another service half a minute before is
// innocent, one of the culprit twelve hours before may be guilty when its path was not used since.
func (a *analysis) trigger(c *candidate) *inquest.Trigger {
	var best fit
	for i := range a.c.Changes {
		f := a.fit(c, &a.c.Changes[i])
		if f.score > best.score || f.score == best.score && best.change != nil && f.change.Time.After(best.change.Time) {
			best = f
		}
	}
	if best.score >= leastFit && best.score >= a.loadFit(c) {
		ch := a.woken(c, best.change)
		return &inquest.Trigger{Kind: inquest.TriggerKind(ch.Kind), Time: ch.Time, Service: ch.Service, Version: ch.Version, Summary: ch.Summary, Why: best.why}
	}
	t := a.noChange(c)
	if t != nil && t.Kind == inquest.TriggerTraffic && best.score >= leastFit {
		t.Why = "the load rose before the failures, which fits better than the " + string(best.change.Kind) + " before it"
	}
	return t
}

// woken is the change that a restart woke: a process reads its settings when it starts, so a misconfiguration may wait for days
// between the change of a setting and the next start. It is the last change of the same component's configuration, or of one that
// is about what the cause is about, with no start in between; without one, the restart itself.
func (a *analysis) woken(c *candidate, restart *inquest.Change) *inquest.Change {
	if restart.Kind != inquest.ChangeRestart || c.id.Class() != inquest.ClassConfig {
		return restart
	}
	found := restart
	for i := range a.c.Changes { // ascending
		ch := &a.c.Changes[i]
		if !ch.Time.Before(restart.Time) {
			break
		}
		if a.names.Name(ch.Service) != a.names.Name(restart.Service) {
			if ch.Kind == inquest.ChangeConfig && a.subject(c, strings.ToLower(redact.Text(ch.Summary))) != "" {
				found = ch
			}
			continue
		}
		switch ch.Kind {
		case inquest.ChangeConfig:
			found = ch
		case inquest.ChangeDeploy, inquest.ChangeRestart, inquest.ChangeScale: // started anew, and well
			found = restart
		}
	}
	return found
}

// noChange says what set it off when no recorded change did.
func (a *analysis) noChange(c *candidate) *inquest.Trigger {
	t := &inquest.Trigger{Time: a.c.Onset}
	switch {
	case a.c.Impact.Spread == inquest.SpreadClient:
		t.Kind, t.Summary, t.Why = inquest.TriggerClient, "requests of one client"+a.fromClient(), "nearly all failed requests are its own, and others are served"
	case a.heavyRoute(c):
		w := a.c.Traffic.Heaviest
		t.Kind, t.Summary, t.Why = inquest.TriggerTraffic, fmt.Sprintf("%s rose from %.2g to %.2g requests a second", w.Route, w.RateBefore, w.RateDuring), "no recorded change fits, and each of these keeps a worker for long"
		if network := a.network(w.Route); network != "" {
			t.Kind, t.Why = inquest.TriggerClient, t.Why+"; they come from "+network+", the others do not"
		}
	case a.loadFit(c) > 0:
		t.Time = a.rose()
		t.Kind, t.Summary, t.Why = inquest.TriggerTraffic, fmt.Sprintf("requests rose from %.3g to %.3g a second", a.c.Traffic.BaselineRate, math.Max(a.c.Traffic.OnsetRate, a.c.Traffic.IncidentRate)), "no recorded change fits, and the load rose before the failures"
	case c.id.Class() == inquest.ClassDependency && !a.ours(c.culprit):
		t.Kind, t.Summary, t.Why = inquest.TriggerExternal, a.display(c.culprit)+" failed from outside", "the dependency is not ours, and no recorded change fits"
	case c.id.Class() == inquest.ClassException:
		t.Kind, t.Summary, t.Why = inquest.TriggerData, "a value that the code does not expect", "the code did not change; requests with other values go on working"
	default:
		return nil
	}
	if !a.c.Layers[inquest.LayerChange] && t.Kind != inquest.TriggerTraffic {
		return nil // without a record of changes, "no change" is not known
	}
	return t
}

// fromClient says whose requests failed most, "" when the log does not.
func (a *analysis) fromClient() string {
	of, most := map[string]int{}, ""
	for i := range a.c.Failures {
		if who := a.c.Failures[i].Client; who != "" {
			if of[who]++; of[who] > of[most] {
				most = who
			}
		}
	}
	if most == "" {
		return ""
	}
	return ", " + most
}

// heavyRoute reports whether the cause rests on one route's work.
func (a *analysis) heavyRoute(c *candidate) bool {
	return slices.ContainsFunc(c.claims, func(cl claim) bool {
		return cl.symptom.Kind == inquest.SymptomTraffic && cl.symptom.Detail == "heavy"
	})
}

// network is where nearly all failed requests of a route came from and nearly none of the others, "" when there is no such network. A /24
// (IPv6: a /48) is the least that is routed on its own, and so mostly one party's.
func (a *analysis) network(route string) string {
	of, others, n, rest := map[netip.Prefix]int{}, map[netip.Prefix]int{}, 0, 0
	for i := range a.c.Failures {
		f := &a.c.Failures[i]
		addr, err := netip.ParseAddr(f.Client)
		if err != nil {
			continue
		}
		bits := 24
		if addr = addr.Unmap(); addr.Is6() {
			bits = 48
		}
		p, _ := addr.Prefix(bits) // fails only for more bits than there are
		if f.Route == route {
			of[p]++
			n++
		} else {
			others[p]++
			rest++
		}
	}
	for p, k := range of {
		if n >= 5 && 10*k >= 9*n && 10*others[p] <= rest {
			return p.String()
		}
	}
	return ""
}

// loadFit is how well a rise of traffic fits as the trigger. It has to precede the failures (retries raise the rate once
// they have begun), and to be more than an ordinary day's swing. It beats a change that lies far back, and yields to one
// right before.
func (a *analysis) loadFit(c *candidate) float64 {
	t := a.c.Traffic
	if t.BaselineRate <= 0 || t.OnsetRate < 1.5*t.BaselineRate || !slices.Contains(a.d.byID[c.id].Triggers, inquest.TriggerTraffic) {
		return 0
	}
	return 0.8
}

// rose is when the load that led to the failures began: the first of the chart's steps in a row before the onset with half as
// much again as usual.
func (a *analysis) rose() time.Time {
	ch := a.c.Chart
	began := a.c.Onset
	for i := len(ch.Requests) - 1; i >= 0 && ch.Step > 0; i-- {
		at := ch.From.Add(time.Duration(i) * ch.Step)
		if !at.Before(a.c.Onset) {
			continue
		}
		if float64(ch.Requests[i]) < 1.5*a.c.Traffic.BaselineRate*ch.Step.Seconds() {
			break
		}
		began = at
	}
	return began
}

// ours: a component of which the folder holds a log, metrics or a change is run by the people who keep the folder. Of one that is
// known by its software alone ("redis") that is likelier than not; foreign services are called by host names. An address that only
// a network of one's own routes (RFC 1918, RFC 4193, RFC 6598) is within reach of whoever runs that network.
func (a *analysis) ours(name string) bool {
	if private(name) {
		return true
	}
	c := a.names.Find(name)
	if c == nil {
		return slices.ContainsFunc(serverWords, func(k serverWord) bool { return k.software == name })
	}
	if c.Logs || c.Metrics {
		return true
	}
	return slices.ContainsFunc(a.c.Changes, func(ch inquest.Change) bool { return a.names.Name(ch.Service) == c.Name })
}

// shared is the address space of carriers and clouds for their customers' own networks (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

func private(name string) bool {
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && (ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || shared.Contains(ip))
}

// otherEnd: a database that a mechanism between it and its callers is about, though one acts on the caller.
func (a *analysis) otherEnd(c *candidate, who string) bool {
	if who == c.culprit || a.names.Kind(who) != inquest.KindDatabase || !slices.Contains(a.d.byID[c.id].Roles, mechanism.RoleDatabase) {
		return false
	}
	return a.onlyDatabase(who) || slices.ContainsFunc(a.calls, func(e inquest.Edge) bool { return c.observers[e.From] && e.To == who })
}

// kindFit says how often a kind of change sets a mechanism off: as its catalogue entry lists it, or hardly. Whoever else uses a
// shared resource takes more of it by any change.
func (a *analysis) kindFit(c *candidate, kind inquest.ChangeKind, who string) float64 {
	m := a.d.byID[c.id]
	i := slices.Index(m.Triggers, inquest.TriggerKind(kind))
	switch {
	case i == 0:
		return 1
	case i == 1: // usual as well; between two changes that fit alike, the catalogue's first kind is the likelier one
		return 0.95
	case i > 0, m.Shared && who != c.culprit && !c.observers[who]:
		return 0.85
	}
	return 0.5
}

// fit scores one change against the cause: whom it changed, what it is about, what kind it is, and whether the failures came when
// they would have to come.
func (a *analysis) fit(c *candidate, ch *inquest.Change) fit {
	f := fit{change: ch}
	late := a.c.Onset.Sub(ch.Time) < -rounded
	if late && !a.replaced(c, ch) {
		return f
	}
	// Words are quoted out of their place, where nobody can tell any more that one was a password.
	text := strings.ToLower(redact.Text(ch.Summary) + " " + ch.Version)
	who := a.names.Name(ch.Service)
	score, reason := a.reach(c, who, text, ch.Version)
	why := []string{reason}
	if lost := c.lostIndex(text); lost != "" && score >= 0.5 { // of whom the queries concern: a stranger's index served others
		score += 0.4
		why = append(why, lost)
	}
	subject := a.subject(c, text)
	if terms := a.terms(c, text, !a.longBefore(ch)); len(terms) > 0 {
		score += 0.15 + 0.1*float64(len(terms)) // one word may be chance, three are not
		why = append(why, "it is about "+strings.Join(terms, ", ")+", which the failures name")
	} else if subject != "" && score >= 0.35 { // of those whom the cause can concern at all
		score += 0.25
		why = append(why, "it is about "+subject+", as the cause is")
	}
	if p := a.sharedPath(c, ch.Summary); p != "" {
		score += 0.4 // a path is a name that nobody uses by chance
		why = append(why, "it touched "+p+", where the failures are")
	}
	// A caller's own setting of its call to the dependency: a rollout, not the dependency's doing.
	job := strings.HasPrefix(text, inquest.JobBegan) && score >= 0.5
	aimed := job || subject != "" && c.observers[who] && (who != c.culprit && mentions(text, c.culprit) || c.id.Class() != inquest.ClassDependency)
	t, reason := a.timeFit(c, ch, who, aimed)
	if late {
		t, reason = 1.3, "what failed before is the release that it replaced, which went away; the first sign of the cause comes after it"
	}
	kind := a.kindFit(c, ch.Kind, who)
	if aimed || who != c.culprit && a.namesHost(c, text) {
		kind = max(kind, 0.85)
	}
	if a.addedAlone(c, ch, who) {
		score, kind = max(score, 0.9), 1
		why = append(why, "only instances that it added fail")
	}
	f.score = score * kind * t
	if undoes(text) && a.c.Onset.Sub(ch.Time) > time.Minute {
		f.score *= 0.6
	}
	f.why = strings.Join(slices.DeleteFunc(append(why, reason), func(w string) bool { return w == "" }), "; ")
	return f
}

const (
	// rounded is how late a change may be recorded that came before: records are often cut to seconds.
	rounded = 1500 * time.Millisecond
	// rollout is how long it takes to replace a release, instance by instance.
	rollout = 90 * time.Second
)

// replaced reports whether a change is the deploy of a release that brought the cause, though it is recorded after the first failure. The record of a deploy is
// written when it is over; the release that goes away refuses while it goes, and those failures come first. The faults of the code are the new release's if none
// of their signs is older than the record.
func (a *analysis) replaced(c *candidate, ch *inquest.Change) bool {
	if ch.Kind != inquest.ChangeDeploy || c.id.Class() != inquest.ClassException || a.names.Name(ch.Service) != c.culprit || ch.Time.Sub(a.c.Onset) > rollout {
		return false
	}
	signs := 0
	for _, cl := range c.claims {
		if cl.strength < faint {
			continue
		}
		if ch.Time.Sub(cl.symptom.Onset) > rounded {
			return false
		}
		signs++
	}
	return signs > 0
}

// firstVersion is a version that nothing can have come before (Semantic Versioning 2.0.0, items 4 and 5, and its FAQ: start at 0.1.0).
var firstVersion = regexp.MustCompile(`^v?(?:0\.0\.1|0\.1\.0|1\.0\.0|1\.0|1)$`)

// reach says how easily a change to a component brings the cause about: its own condition by far the easiest, through what it
// calls or who calls it less so, and a stranger's only by a resource that both use.
func (a *analysis) reach(c *candidate, who, text, version string) (float64, string) {
	switch {
	case who == c.culprit:
		return 0.6, "it changed " + c.culprit + " itself"
	case who == "" && mentions(text, c.culprit):
		return 0.5, "it names " + c.culprit
	case a.namesHost(c, text):
		return 0.7, "it names " + a.display(c.culprit)
	case a.otherEnd(c, who):
		return 0.5, "it changed " + who + ", which the failures are about"
	case c.observers[who] && a.names.Kind(who) != inquest.KindProxy:
		return 0.5, "it changed " + who + ", where it shows"
	case a.names.Kind(c.culprit) == inquest.KindDatabase && a.explainsAt(c, who):
		return 0.5, "it changed " + who + ", which sends the queries and fails with them"
	case a.d.byID[c.id].Shared && a.suffersToo(c, who):
		return 0.6, "it changed " + who + ", which tells of the same"
	case strings.HasPrefix(text, inquest.JobBegan) && (a.d.byID[c.id].Shared || c.id.Class() == inquest.ClassDatabase):
		return 0.5, "the job " + who + " began: what it takes of the same resource comes on top"
	case a.d.byID[c.id].Shared && who != "" && firstVersion.MatchString(version):
		return 0.5, "it brought " + who + " in: whatever it takes of a shared resource comes on top"
	case a.d.byID[c.id].Shared && who != "" && a.names.Kind(who) != inquest.KindProxy:
		return 0.4, "it changed " + who + ", which may use the same resource"
	case c.id == "misconfiguration/bad-credential" && who != "" && a.subject(c, text) != "":
		return 0.4, "it changed " + who + ": a credential has two sides, who shows it and who knows it"
	case a.explainsAt(c, who) && (c.id.Class() != inquest.ClassDeploy || c.id == "bad-deploy/schema-mismatch"):
		// A release brings its faults to the service that it releases; only a schema has two sides.
		return 0.35, "it changed " + who + ", which suffers from it"
	}
	return 0.1, ""
}

// namesHost: a text names the culprit by an address or a host's full name, which no text does by chance.
func (a *analysis) namesHost(c *candidate, text string) bool {
	host := strings.ToLower(a.display(c.culprit))
	return strings.Contains(host, ".") && mentions(text, host)
}

// suffersToo reports whether somebody else tells of the same mechanism in words of its own, however far from the failed requests it stands.
func (a *analysis) suffersToo(c *candidate, who string) bool {
	return who != "" && slices.ContainsFunc(a.claimed, func(cl claim) bool {
		return cl.mechanism == c.id && cl.text && cl.observer == who && cl.strength >= 0.15
	})
}

// addedAlone reports whether all failed requests went to instances of a component that a change added: they answered nobody before it.
func (a *analysis) addedAlone(c *candidate, ch *inquest.Change, who string) bool {
	if ch.Kind != inquest.ChangeScale || who != c.culprit {
		return false
	}
	added, old := 0, 0
	for _, u := range a.c.Upstreams {
		switch {
		case u.Component != who:
		case u.BaselineOK+u.BaselineFailed == 0 && !u.FirstSeen.Before(ch.Time):
			added += u.IncidentFailed
		default:
			old += u.IncidentFailed
		}
	}
	return added >= 5 && 20*old <= added
}

// undoes: a rollback heals more often than it harms.
func undoes(text string) bool {
	return strings.Contains(text, "roll back") || strings.Contains(text, "rollback") || strings.Contains(text, "revert")
}

func (a *analysis) explainsAt(c *candidate, who string) bool {
	for _, e := range c.explains {
		if e.culprit == who || e.observers[who] && a.names.Kind(who) != inquest.KindProxy {
			return true
		}
	}
	return false
}

// timeFit judges the time between change and first failure by what happened in between: requests of the failing routes that were
// answered well after the change acquit it, unless the mechanism builds up or the change took its time to arrive.
func (a *analysis) timeFit(c *candidate, ch *inquest.Change, who string, aimed bool) (float64, string) {
	began := a.began(c)
	gap := began.Sub(ch.Time)
	if gap < 0 {
		gap = 0 // a request that waits in vain began before what it waits for broke
	}
	passed, known := a.passedSince(ch.Time, began)
	gradual := a.d.byID[c.id].Gradual
	up, restarted := a.cameUp(who, ch, began)
	switch {
	case !gradual && restarted && who == c.culprit && a.answeredFor(up, began):
		return 0.7, fmt.Sprintf("the only process of %s came up with it and answered well for %s", who, began.Sub(up).Round(time.Second))
	case known && passed < 3 && gap <= rollout: // three failures were to be expected by then: chance of none is one in twenty
		return 1.6, "the failures begin " + later(gap)
	case known && passed < 3 && !ch.Time.Before(a.c.Span.From):
		return 1.5, "the failing routes were hardly used in between"
	case gradual && !a.longBefore(ch) && a.grewSince(c, ch.Time):
		return 1.5, fmt.Sprintf("it built up over the %s since", gap.Round(time.Second))
	case gap <= rollout && (aimed || who == c.culprit || a.otherEnd(c, who) || a.d.byID[c.id].Shared || c.observers[who] && c.id.Class() != inquest.ClassDependency):
		// A rollout takes seconds to minutes to reach all instances. What a dependency does by itself waits for no rollout of its
		// callers.
		return 1.3, "the failures begin " + later(gap) + ", as long as a rollout takes"
	case gradual && gap <= 15*time.Minute:
		return 1.1, fmt.Sprintf("the mechanism takes time to build up; %s passed", gap.Round(time.Second))
	case ch.Time.Before(a.c.Span.From):
		// Before the recording: nothing is known of the time in between, but the recording began healthy.
		return 0.55, "it lies before the recording, which began healthy"
	case gap <= 10*time.Minute:
		return 0.7, fmt.Sprintf("%s later, after requests of the failing routes had been answered well", gap.Round(time.Second))
	}
	return 0.5, "many requests of the failing routes were answered well in between"
}

// longBefore reports whether a change is older than the day before the recording. Of two weeks there are many changes, and by chance one of them shares the words
// of a route, or lies before a rise that was under way when the recording began: such an old one has to name what the failures themselves name.
func (a *analysis) longBefore(ch *inquest.Change) bool {
	return ch.Time.Before(a.c.Span.From.Add(-24 * time.Hour))
}

// cameUp is when the process that a change started said so last, if the component has only one: what it brought is at work from then on, and
// needs no rollout to reach the others.
func (a *analysis) cameUp(who string, ch *inquest.Change, began time.Time) (up time.Time, ok bool) {
	if ch.Kind != inquest.ChangeDeploy && ch.Kind != inquest.ChangeRestart || a.instances(who) > 1 {
		return up, false
	}
	for _, s := range a.c.Starts {
		if s.Component == who && s.Time.Sub(ch.Time) > -rounded && s.Time.Before(began) && s.Time.Sub(ch.Time) <= rollout {
			up, ok = s.Time, true
		}
	}
	return up, ok
}

// instances is of how many instances of a component anything tells: the addresses that were asked, or the writers of its log.
func (a *analysis) instances(who string) int {
	addrs, writers := 0, map[string]bool{}
	for _, u := range a.c.Upstreams {
		if u.Component == who {
			addrs++
		}
	}
	for i := range a.c.Patterns {
		for j := range a.c.Patterns[i].Examples {
			if x := a.c.Patterns[i].Examples[j].Instance; x != "" && a.names.Name(a.c.Patterns[i].Service) == who {
				writers[x] = true
			}
		}
	}
	return max(addrs, len(writers))
}

// answeredFor reports whether, had the fault been there from up on, ten failures were to be expected until it began: chance of none of them
// is one in twenty thousand.
func (a *analysis) answeredFor(up, began time.Time) bool {
	passed, known := a.passedSince(up.Add(2*time.Second), began)
	return known && passed >= 10
}

// later is a gap in words.
func later(gap time.Duration) string {
	if gap < time.Second {
		return "within a second"
	}
	return gap.Round(time.Second).String() + " later"
}

// began is when the cause began to act: when the first request that failed was sent, or when a resource left its usual level,
// whichever is earlier.
func (a *analysis) began(c *candidate) time.Time {
	began, wait := a.c.Onset, -1.0
	for _, f := range a.c.Failures[:min(5, len(a.c.Failures))] {
		if f.Duration >= 0 && (wait < 0 || f.Duration < wait) {
			wait = f.Duration
		}
	}
	if wait > 0 {
		began = began.Add(-time.Duration(wait * float64(time.Second)))
	}
	for _, cl := range c.claims {
		switch s := cl.symptom; {
		case s.Kind == inquest.SymptomSaturation && !s.Calm.IsZero() && s.Calm.Before(began):
			began = s.Calm
		case s.Pattern != nil && s.Pattern.New && cl.strength >= faint && s.Onset.Before(began): // it was seen before it hurt
			began = s.Onset
		}
	}
	return began
}

// passedSince is how many failures were to be expected between a change and the beginning, had it acted at once: the requests of
// the failing routes that were answered well in between, by the share of them that fails now. The seconds of the change and of
// the first failure themselves do not count. known is false where requests are not told second by second.
func (a *analysis) passedSince(from, began time.Time) (failures float64, known bool) {
	if len(a.c.Passed) == 0 {
		return 0, began.Sub(from) <= 2*time.Second // hardly time for any
	}
	first := int(a.c.Onset.Sub(began)/time.Second) + 1
	last := int(a.c.Onset.Sub(from) / time.Second)
	if last > len(a.c.Passed) {
		return 0, false
	}
	for i := first; i < last; i++ {
		failures += float64(a.c.Passed[i])
	}
	requests, failed := 0, 0
	for _, r := range a.c.Impact.Routes {
		requests, failed = requests+r.Requests, failed+r.Failed
	}
	return failures * float64(failed) / float64(max(1, requests)), true
}

// grewSince reports whether a resource of the culprit rose gradually to its limit, and began to right after the change (or
// was rising already when the recording began, where the change lies before it).
func (a *analysis) grewSince(c *candidate, t time.Time) bool {
	for _, cl := range c.claims {
		s := cl.symptom
		if s.Kind != inquest.SymptomSaturation || s.Since.IsZero() || s.Onset.Sub(s.Since) < 10*time.Second {
			continue
		}
		if began := s.Since.Sub(t); began > -10*time.Second && began < 2*time.Minute {
			return true
		}
		if t.Before(a.c.Span.From) && s.Since.Sub(a.c.Span.From) < 15*time.Second {
			return true
		}
	}
	return false
}
