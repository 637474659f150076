package mechanism

import "github.com/inquesthq/inquest"

// rateLimited: a dependency or gateway counts, and we are over the count.
func rateLimited() Mechanism {
	return Mechanism{
		ID:    "dependency-failure/rate-limited",
		Title: "Rate limit or quota exceeded",
		What: "A dependency (or our own gateway) accepts only so many calls and refuses the rest: 429, Throttling, quota exceeded. The caller did not expect it and answers " +
			"500 or 503. It may be one client, a retry storm, a job, or simply growth.",
		Signs: []string{
			"a share of the calls fails, more at peaks; the others are as quick as ever",
			"`429`, `ThrottlingException`, `Rate exceeded`, `limiting requests` in the log",
		},
		Needs:       []string{"refusals for rate or quota in the failing requests"},
		Contradicts: []string{"the limiter refusing single clients with 429 as it should, while all others are served"},
		Explains:    ids(fallout(), these("dependency-failure/upstream-overload", "dependency-failure/bad-response", "database/slow-query")),
		Above:       ids(failingAbove(), these("dependency-failure/timeout")),
		Triggers:    []inquest.TriggerKind{inquest.TriggerTraffic, "deploy", inquest.TriggerClient, "config", inquest.TriggerExternal, "scale"},
		About:       []string{"rate", "quota", "throttl", "limit", "plan", "tariff"},
		Shared:      true, // a provider counts all callers that hold one key
		Roles:       []Role{RoleSelf, RolePeer, RoleGateway},
		Clues: []Clue{
			says(1, "HTTP clients that were answered with a 429", "request failed with status code 429", "429 client error", "429 too many requests", "response code 429", "status code does not indicate success: 429", "resulted in a `429", "httpclienterrorexception$toomanyrequests", "feignexception$toomanyrequests", "feignexception.toomanyrequests", "webclientresponseexception$toomanyrequests", "status=429*upstream").by(OriginApp, OriginSupervisor),
			says(1, "AWS, Azure, Google", "throttlingexception", "rate exceeded", "toomanyrequestsexception", "provisionedthroughputexceeded", "requestlimitexceeded", "limitexceededexception", "throttled due to", "throttlederror", "requestthrottled", "throttling: rate", "ratelimitexceeded", "userratelimitexceeded", "request rate is large", "quotaexceeded", "reduce your request rate", "toomanyrequests:", "bandwidthlimitexceeded",
				"reserved function concurrent invocation limit", "throughput limit", "codesize limit exceeded*throttl"),
			says(1, "in words", "rate limit exceeded", "rate limit reached", "rate-limit exceeded", "ratelimit exceeded", "rate limit has been exceeded", "too many requests", "api rate limit", "quota exceeded", "exceeded your current quota", "exceeded quota", "request quota", "limit exceeded for api", "rate_limit_exceeded", "rate limited by", "ratelimiterror", "ratelimitexception", "requestnotpermitted: ratelimiter", "you have been rate limited", "throttled by upstream", "request was throttled",
				"requests per second exceeded", "requests per minute exceeded", "throttling error").but("disk quota", "memory quota", "login", "limit exceeded = 0", "cpu quota", "storage quota", "mailbox", "from client", "client ip"),
			says(0.9, "gRPC", "code = resourceexhausted", "statuscode.resource_exhausted", "resource_exhausted:", "status{code=resource_exhausted", "8 resource_exhausted").but("received message larger", "message larger than max", "capacity"),
			says(0.7, "nginx, HAProxy, Envoy, Kong: our own limiter refused", "limiting requests", "limiting connections by zone", "local_rate_limited", "request_rate_limited", "response_flags\":\"rl\"", "response_flags=rl", "response_flags\":\"rlse\"", "rate limiting plugin*exceeded").by(OriginProxy, OriginApp).but("dry run"),
			says(0.5, "a 429: from a dependency, or sent to a client of ours", "status 429", "status code 429", "status code: 429").by(OriginApp, OriginSupervisor),
			says(0.3, "a client of ours was limited by our own service, as it should be", "rate limit", "too many requests", "quota exceeded").and("client"),
			says(0.8, "image registries and SaaS", "toomanyrequests: you have reached your pull rate limit", "secondary rate limit", "request_limit_exceeded", "apicallratelimit", "exceeded the rate limit"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomTraffic, Detail: "surge", Weight: 0.3, Why: "more calls than the limit allows"},
		},
		Confirm: []inquest.Command{
			check("Ask the dependency for the limit and what is left of it.", "curl -sS -i --max-time 5 http://{host}:{port}{path} | grep -i -E '^HTTP/|retry-after|ratelimit'", "429, RateLimit-Remaining 0, Retry-After"),
			check("Who sends the most?", "awk '{print $1}' {path} | sort | uniq -c | sort -rn | head -n 10", "one client, job or retry loop far above the others"),
		},
		Actions: []inquest.Action{
			now("symptom", "Slow the sender down: stop the job or client that takes the quota, honour Retry-After, back off with jitter.", ""),
			now("cause", "Ask the provider for a higher limit, or raise our own if the measured peak is legitimate.", ""),
			later("symptom", "Answer 429 with Retry-After (503 is for the server's own trouble; nginx' limit_req answers 503 unless limit_req_status says 429).", "nginx -T 2>/dev/null | grep -n -E 'limit_(req|conn)'"),
			later("cause", "Cache, batch and coalesce calls; give jobs a quota of their own.", ""),
			prevent("Alert at 80% of each quota; cap retries with a budget.", ""),
		},
		Owner:  "dependency",
		Status: 429,
	}
}
