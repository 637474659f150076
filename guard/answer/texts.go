package answer

import (
	"regexp"
	"strings"
	"sync"
)

// textRule finds a mechanism in the words of an error and says which status it deserves.
type textRule struct {
	id     string
	status int
	say    pattern
	not    pattern // phrases that contain one of say's and mean something else; nil for none
}

// textRules are asked in order: a pool that is exhausted shows as a timeout, so pools come before timeouts. All phrases
// are those of the named software, or of the plain English that most errors are written in.
func textRules() []textRule { return []textRule{poolRule(), breakerRule(), limitRule(), timeoutRule()} }

// pattern is a regular expression that is compiled when a text is first held against it: most judges see healthy answers only, and
// all patterns compiled are half a megabyte that every collection of garbage would look through.
type pattern func() *regexp.Regexp

func compiled(expr string) pattern {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// oneOf makes a pattern of phrases, in any case.
func oneOf(phrases ...string) pattern { return compiled(`(?i)` + strings.Join(phrases, "|")) }

// poolRule knows the words for a connection that cannot be had.
func poolRule() textRule {
	return textRule{id: RulePool, status: 503, say: oneOf(
		`connection is not available, request timed out after`,                       // HikariCP
		`queuepool limit of size \d+ overflow \d+ reached`,                           // SQLAlchemy
		`remaining connection slots are reserved`, `sorry, too many clients already`, // PostgreSQL
		`too many connections\b`,                  // MySQL, PostgreSQL per role and database
		`max_user_connections`, `max_client_conn`, // MySQL, PgBouncer
		`timeout acquiring a connection`,                                                                            // Knex
		`timed out fetching a new connection from the (?:connection )?pool`,                                         // Prisma
		`timeout exceeded when trying to connect`,                                                                   // node-postgres
		`connectionacquiretimeouterror`,                                                                             // Sequelize
		`prior to obtaining a connection from the pool`,                                                             // ADO.NET
		`could not obtain a (?:database )?connection (?:from the pool )?within`,                                     // Active Record
		`couldn't get a connection after`,                                                                           // psycopg_pool
		`could not get a resource (?:from the pool|since the pool is exhausted)`, `timeout waiting for idle object`, // Jedis, commons-pool
		`pool empty\. unable to fetch a connection in`,                                 // Tomcat JDBC
		`timeout waiting for connection from pool`,                                     // Apache HttpClient
		`ora-12519|ora-12520|ora-12516|ora-00018|ora-02391`,                            // Oracle
		`failed to acquire (?:a )?connection from (?:the )?pool`, `pgxpool: .*acquire`, // pgx
		`unable to acquire jdbc connection`, `failed to obtain jdbc connection`, // Hibernate, Spring
		`mongowaitqueuefull`, `connection pool timeout`, // MongoDB's Java driver, go-redis
		`all pooled connections were in use`, `max(?:imum)? pool size (?:was |is |has been )?(?:reached|exceeded)`, // ADO.NET
		`connection limit exceeded for`,                                         // PostgreSQL
		`waiting for a (?:free )?connection from (?:the )?(?:connection )?pool`, // MongoDB's drivers
		`all connections in (?:the )?(?:connection )?pool are (?:in use|busy)`,
		`(?:connection|database|db|jdbc|sql|client) pool (?:is |was |has been )?(?:exhausted|full|empty)`, `poolexhausted(?:exception|error)?`,
		`\bpool (?:is |was |has been )?exhausted`,
		`no (?:more |free |available |idle )*connections? (?:is |are )?(?:available |left |free )?in (?:the )?(?:connection )?pool`,
	), not: oneOf(`(?:thread|worker|executor|object|memory|address|ip|port|buffer|string|constant)[ -]?pool (?:is |was |has been )?(?:exhausted|full|empty)`)}
}

// breakerRule knows the words for a circuit that is open.
func breakerRule() textRule {
	return textRule{id: RuleBreaker, status: 503, say: oneOf(
		`circuit ?breaker (?:'[^']*' |"[^"]*" )?is open`, `callnotpermittedexception`, // resilience4j
		`brokencircuitexception`, `circuit is (?:now )?open`, // Polly
		`hystrix circuit short-circuited`, `breaker is open`,
	)}
}

// limitRule knows the words for a rate limit or quota.
func limitRule() textRule {
	return textRule{id: RuleLimit, status: 429, say: oneOf(
		`rate[ _-]?limit(?:er)?[ _-]?(?:was |is |has been )?(?:exceeded|reached|hit|exception|error|violat|quota|:)`,
		`\brate[ _-]?limited\b`, `(?:exceed\w*|hit|over|reached) (?:\S+ ){0,3}rate[ _-]?limit`,
		`too ?many ?requests`, `\bthrottled(?:exception|error)?\b`, `\bthrottling(?:exception|error|[:."<]| exception| error|\s*(?:$|\n))`,
		`\brate exceeded\b`, `resource has been exhausted \(e\.g\. check quota`, // Amazon, Google
		`\brequest rate (?:is |was )?(?:too (?:large|high)|exceeded)`, // Cosmos DB
		`\brate: wait\(n=\d+\) would exceed`,                          // golang.org/x/time/rate
		`\b(?:returned|responded with|answered|status(?: code)?:?|http(?: error)?:?) 429\b`,
		`\b(?:hourly|per[- ](?:second|minute|hour|day)) limit (?:was |is |has been )?(?:exceeded|reached)`, `dailylimitexceeded`,
		`(?:throughput|request|bandwidth)limitexceeded`, `provisionedthroughputexceeded`,
		`(?:^|["':>.;(#\n]\s*)limit ?exceeded`, `\blimitexceeded(?:exception|error)?\b`,
		`\b(?:requests?|api|calls?|usage|burst|concurrency|traffic|qps|rps|tps|throughput)[ -](?:rate )?limit (?:was |is |has been )?(?:exceeded|reached)`,
		`exceed(?:ed|s|ing)? (?:the |your |its )?(?:\w+ ){0,2}(?:requests?|api|calls?|usage|qps|rate) (?:limit|quota)`,
		`\bquota (?:was |is |has been )?exceeded`, `exceeded (?:the |your |its )?(?:\w+ ){0,2}quota`, `quotaexceeded`, `insufficient_quota`,
		`reduce your request rate`,
	), not: oneOf(`(?:disk|storage|mailbox|space|file|inode|memory)[ -]quota`, `quota.{0,20}\b(?:disk|storage|mailbox)`,
		`(?:not|never|without being) (?:rate[ _-]?limited|throttled)`, `(?:invalid|illegal|negative|unknown|missing|bad) rate[ _-]?limit`)}
}

// timeoutRule knows the words for a timeout.
func timeoutRule() textRule {
	return textRule{id: RuleTimeout, status: 504, say: oneOf(
		`\btimed[ -]?out\b`, `timeout (?:of \S+ )?(?:was )?(?:exceeded|expired|reached|elapsed|waiting|while|awaiting|after)`,
		`\w*timeout(?:exception|error)\b`, `deadline[ _]?exceeded`, `\be(?:socket)?timedout\b`,
		`due to statement timeout`, `lock wait timeout exceeded`, `gateway time-?out`, `request timeout`, `i/o timeout`,
		`maximum statement execution time exceeded`, `ora-01013`,
		`\bnet::(?:read|open|write)timeout`, `\bexecution expired\b`, // Ruby
		`\.timeout of [\d.]+ seconds elapsing`, // .NET's HttpClient
		`\b(?:connection|connect|read|write|socket|query|upstream|operation|response|database|server|backend) timeout\s*(?:$|[\n.:,;"<(])`,
		`(?:^|[\n>])\s*timeout[.!]?\s*(?:$|[\n<])`,
	), not: oneOf(`(?:set|configure|parse|read|change|increase) (?:the |a |your )?(?:\w+ ){0,2}timeout`,
		`(?:session|login|sign-?in|token|password|cart|reservation|checkout|lease) (?:has |have |is |was )?timed[ -]?out`,
		`(?:invalid|negative|unknown|illegal|parse|parsing|bad|missing) (?:\S+ ){0,3}timeout`)}
}

// withoutFrames drops the lines of stack frames: they name classes, files and functions, and a bug that happened below a
// RateLimitFilter is no rate limit.
func withoutFrames(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		t := strings.TrimSpace(line)
		frame := strings.HasPrefix(t, "at ") || strings.HasPrefix(t, "File \"") || strings.HasPrefix(t, "from ") ||
			strings.HasPrefix(t, "#") && strings.Contains(t, "(") || strings.HasPrefix(t, "goroutine ") ||
			strings.HasPrefix(line, "\t/") || strings.HasPrefix(t, "... ")
		if !frame {
			b.WriteString(line)
		}
	}
	return b.String()
}

// match reports whether the rule finds its mechanism in text. One phrase that means something else does not hide
// another that is meant.
func (r *textRule) match(text string) bool {
	for _, at := range r.say().FindAllStringIndex(text, 8) {
		if r.not == nil || !r.qualified(text, at[0], at[1]) {
			return true
		}
	}
	return false
}

// qualified reports whether the phrase text[from:to] is part of one that means something else.
func (r *textRule) qualified(text string, from, to int) bool {
	const around = 40 // bytes: what qualifies a phrase stands beside it
	start := max(0, from-around)
	for _, at := range r.not().FindAllStringIndex(text[start:min(len(text), to+around)], -1) {
		if start+at[0] < to && start+at[1] > from {
			return true
		}
	}
	return false
}
