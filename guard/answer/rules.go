package answer

import (
	"fmt"
	"slices"
	"strings"
)

// Rule is one thing that a [Judge] looks for.
type Rule struct {
	ID      string // stable: stands in logs, headers, metrics and configuration
	Reason  string // why it holds
	Fix     string // what to change where the answer is made, so that nothing has to be corrected
	Runbook string // the mechanism whose runbook says what to do about the failure itself, "class/name"
}

// The IDs of the rules about statuses. Those about leaks are "leak-" and a [Kind].
const (
	RuleLimit   = "limit-as-500"
	RulePool    = "pool-as-500"
	RuleBreaker = "breaker-as-500"
	RuleTimeout = "timeout-as-500"
	RuleLie     = "error-as-200"
	RuleLiePage = "error-page-as-200"
)

// Rules lists all rules, for documentation and for a configuration that switches some off.
func Rules() []Rule {
	rules := []Rule{
		{RuleLimit, "a 500 whose body says that a rate limit or quota was exceeded is a 429: the client can do something about it, namely wait",
			"catch the limiter's error and answer 429 with Retry-After; where it is a dependency's limit, ask less of it or raise the quota", "dependency-failure/rate-limited"},
		{RulePool, "a 500 for want of a connection is a 503: the code is well, capacity is missing, and coming back later helps",
			"answer 503 with Retry-After when no connection is to be had in time; then find who holds them", "database/pool-exhausted"},
		{RuleBreaker, "a 500 for an open circuit breaker is a 503: a dependency is down, and the breaker knows when it tries again",
			"answer 503 with the breaker's remaining time as Retry-After, or a fallback", "dependency-failure/upstream-overload"},
		{RuleTimeout, "a 500 for a timeout is a 504: what was called did not answer in time",
			"answer 504 when a call ran into its time-out, and keep the time-outs shorter than the client's", "dependency-failure/timeout"},
		{RuleLie, "a 2xx whose body is nothing but an error is that error: monitors, retries and caches read the status only",
			"answer with the status that the body names; keep 2xx for what was done", "misconfiguration/error-mapping"},
		{RuleLiePage, "a 2xx with a server's own error page in it is that error",
			"send the error page with its own status", "misconfiguration/error-mapping"},
	}
	for _, k := range Kinds() {
		rules = append(rules, Rule{"leak-" + string(k), "an error told to strangers does not contain " + k.what(),
			"handle errors in one place that logs them whole and answers with an id; switch debug pages off", "unhandled-exception/uncaught"})
	}
	return rules
}

// Config is the configuration of a [Judge].
type Config struct {
	Off []string // IDs of rules that are switched off
}

// Judge holds the rules. It is safe for concurrent use.
type Judge struct {
	off     []string
	texts   []textRule
	leaks   []leakRule
	page    pattern
	heading pattern // of a page without a title
	tag     pattern
}

// New returns a judge with all rules but those switched off.
func New(cfg Config) (*Judge, error) {
	known := Rules()
	for _, id := range cfg.Off {
		if !slices.ContainsFunc(known, func(r Rule) bool { return r.ID == id }) {
			ids := make([]string, len(known))
			for i, r := range known {
				ids[i] = r.ID
			}
			return nil, fmt.Errorf("answer: no rule %q to switch off; there are %s", id, strings.Join(ids, ", "))
		}
	}
	j := &Judge{off: slices.Clone(cfg.Off), texts: textRules(), leaks: leakRules()}
	const page = `\s*(?:error:?\s*)?(5\d\d)?[\s:|-]*(internal server error|bad gateway|service (?:temporarily )?unavailable|gateway time-?out)\s*`
	j.page = compiled(`(?i)<title>` + page + `</title>`)
	j.heading = compiled(`(?i)<h1>` + page + `</h1>`)
	j.tag = compiled(`(?s)<(?:script|style)\b.*?</(?:script|style)>|<!--|-->|<[^>]*>`)
	return j, nil
}

func (j *Judge) on(id string) bool { return !slices.Contains(j.off, id) }
