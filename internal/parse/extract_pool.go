package parse

import (
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
)

// poolPhrases say in the words of each library that a pool gave nothing, without figures.
var poolPhrases = [...]string{
	"timeout exceeded when trying to connect",                      // node-postgres
	"The pool is probably full",                                    // knex, tarn
	"ResourceRequest timed out",                                    // generic-pool
	"ConnectionAcquireTimeoutError",                                // Sequelize
	"Queue limit reached",                                          // mysql2
	"No connections available.",                                    // mysql2
	"Unable to acquire JDBC Connection",                            // Hibernate
	"Connection is not available, request timed out",               // HikariCP
	"Timeout waiting for connection from pool",                     // Apache HttpClient
	"Timeout waiting for idle object",                              // commons-pool
	"Could not get a resource from the pool",                       // Jedis
	"redis: connection pool timeout",                               // go-redis
	"client timed out while waiting to acquire a resource",         // c3p0
	"Pool empty. Unable to fetch a connection",                     // Tomcat JDBC
	"obtain a connection from the pool within",                     // Rails
	"prior to obtaining a connection from the pool",                // ADO.NET
	"connection pool has been exhausted",                           // Npgsql
	"connection pool exhausted",                                    // psycopg2, several
	"Timed out fetching a new connection from the connection pool", // Prisma
	"request was dropped from queue after",                         // DBConnection (Ecto)
	"Pool#acquire(Duration) has been pending",                      // reactor-pool, R2DBC
	"Pending acquire queue has reached its maximum size",           // reactor-netty
	"server reached MaxRequestWorkers",                             // Apache httpd
	"server reached MaxClients",                                    // Apache httpd before 2.4
	"RejectedExecutionException",                                   // Java executors
	"couldn't get a connection after",                              // psycopg_pool
	"Timeout waiting for connection from the pool",                 // AWS SDK
	"ThreadPool is exhausted",
	"Thread pool is EXHAUSTED", // Dubbo
}

// poolOf looks for pool figures in the message and the fields of a record.
func poolOf(r *Record) *inquest.Pool {
	if p := ParsePool(r.Message); p != nil {
		return p
	}
	p := noPool()
	context := strings.Contains(r.Message, "pool") || strings.Contains(r.Message, "Pool") || strings.Contains(r.Logger, "ool")
	for i := range r.Fields {
		f := &r.Fields[i]
		inPool := strings.Contains(f.Name, "ool") // pool.total, dbPool.idle
		if context || inPool {                    // else not one field is tried: a failure to convert is an error with two copies of the text
			if v, err := strconv.Atoi(f.Value); err == nil && v >= 0 {
				setPool(p, f.Name[strings.LastIndexByte(f.Name, '.')+1:], v)
				continue
			}
		}
		if len(f.Value) > 20 && strings.Contains(f.Value, "ool") {
			if q := ParsePool(f.Value); q != nil {
				return q
			}
		}
	}
	if !finishPool(p) {
		return nil
	}
	return p
}

func noPool() *inquest.Pool { return &inquest.Pool{Max: -1, Active: -1, Idle: -1, Pending: -1} }

// ParsePool reads pool figures from a text, or a Pool without figures when the text only says that a pool is
// exhausted; nil when it says nothing of a pool.
func ParsePool(s string) *inquest.Pool {
	if !poolHint(s) {
		return nil
	}
	if p := poolSpecial(s); p != nil {
		return p
	}
	said := saysExhausted(s)
	if said || poolWord(s) {
		p := noPool()
		scanFigures(s, p)
		if finishPool(p) || said {
			return p
		}
	}
	return nil
}

// poolHint is the cheap test for most records: every form that is read below contains one of these.
func poolHint(s string) bool {
	for _, w := range [...]string{"ool", "onnect", "ueue", "max_children", "MaxRequestWorkers", "MaxClients", "Rejected", "acquire a resource",
		"ResourceRequest", "DBStats", "max_conns", "idle object", "managed: "} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

func saysExhausted(s string) bool {
	for _, w := range poolPhrases {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// poolWord is the context without which "max=10, active=10" may be anything.
func poolWord(s string) bool {
	return strings.Contains(s, "pool") || strings.Contains(s, "Pool") || strings.Contains(s, "DBStats") ||
		strings.Contains(s, "max_conns") || strings.Contains(s, "onnections") && strings.Contains(s, "ctive")
}

// poolSpecial reads the forms that do not name each figure.
func poolSpecial(s string) *inquest.Pool {
	if n := numbersAfter(s, "QueuePool limit of size ", " overflow "); len(n) == 2 { // SQLAlchemy
		return &inquest.Pool{Max: n[0] + n[1], Active: n[0] + n[1], Idle: 0, Pending: -1}
	}
	if n := numbersAfter(s, "pm.max_children setting ("); len(n) == 1 { // PHP-FPM: every child is busy
		return &inquest.Pool{Max: n[0], Active: n[0], Idle: 0, Pending: -1}
	}
	if n := numbersAfter(s, "'Max Pool Size' (currently "); len(n) == 1 { // Npgsql
		return &inquest.Pool{Max: n[0], Active: n[0], Idle: 0, Pending: -1}
	}
	if n := numbersAfter(s, "Connection pool size: "); len(n) == 1 { // urllib3: more open than the pool keeps
		return &inquest.Pool{Max: n[0], Active: -1, Idle: -1, Pending: -1}
	}
	if i := strings.Index(s, "listen queue of socket"); i >= 0 { // uWSGI: "full !!! (101/100)"
		if n := numbersAfter(s[i:], "!!! (", "/"); len(n) == 2 {
			return &inquest.Pool{Max: n[1], Active: -1, Idle: -1, Pending: n[0]}
		}
	}
	if n := numbersAfter(s, "[managed: ", ", unused: "); len(n) == 2 { // c3p0
		return &inquest.Pool{Max: n[0], Active: n[0] - n[1], Idle: n[1], Pending: -1}
	}
	return nil
}

// numbersAfter returns the numbers that follow each mark in turn, nil if one is missing.
func numbersAfter(s string, marks ...string) []int {
	var out []int
	for _, m := range marks {
		i := strings.Index(s, m)
		if i < 0 {
			return nil
		}
		s = s[i+len(m):]
		j := 0
		for j < len(s) && s[j] >= '0' && s[j] <= '9' {
			j++
		}
		n, err := strconv.Atoi(s[:j])
		if err != nil {
			return nil
		}
		out = append(out, n)
		s = s[j:]
	}
	return out
}

// scanFigures reads every "name = 12" and "name: 12" of the text.
func scanFigures(s string, p *inquest.Pool) {
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '=' && c != ':' {
			switch {
			case strings.IndexByte(",;()[]{}\n", c) >= 0:
				from = i + 1
			case c == '?' || c == '&': // a URL's query: the parameters of a request, not figures
				for i+1 < len(s) && s[i+1] != ' ' && s[i+1] != '"' {
					i++
				}
			}
			continue
		}
		j := i + 1
		for j < len(s) && s[j] == ' ' {
			j++
		}
		k := j
		for k < len(s) && s[k] >= '0' && s[k] <= '9' {
			k++
		}
		if k > j && k-j < 8 && (k == len(s) || !isWordByte(s[k]) && s[k] != '.' && s[k] != ':') {
			if n, err := strconv.Atoi(s[j:k]); err == nil {
				setPool(p, s[from:i], n)
			}
		}
		from = max(k, i+1)
		i = max(k, i+1) - 1
	}
}

// setPool files one figure by the last words of its name. The first figure of a kind counts, except that a stated
// maximum beats the current size.
func setPool(p *inquest.Pool, name string, n int) {
	var key []byte
	for i := 0; i < len(name); i++ {
		if c := name[i]; isLetter(c) {
			key = append(key, c|0x20)
		} else if c == ' ' && len(key) > 0 && i+1 < len(name) && !isLetter(name[i+1]) {
			key = key[:0]
		}
	}
	set := func(to *int) {
		if *to < 0 {
			*to = n
		}
	}
	switch k := string(key); {
	// database/sql's WaitCount is not here: it counts every wait since the start, not those who wait now.
	case hasSuffixOf(k, "pending", "waiting", "queued", "queuedtasks", "waiters", "waitingcount", "pendingacquires",
		"numpendingacquires", "threadsawaitingconnection", "backlog", "queuesize", "awaiting", "pendingthreads", "waitingclients"):
		set(&p.Pending)
	case hasSuffixOf(k, "active", "busy", "inuse", "acquired", "acquiredconns", "used", "numused", "borrowed", "checkedout",
		"activethreads", "activeconnections", "leased", "numactive", "activecount", "busyconnections"):
		set(&p.Active)
	case hasSuffixOf(k, "idle", "available", "free", "numfree", "numidle", "idleconns", "idleconnections", "unused", "poolcapacity"):
		set(&p.Idle)
	case hasSuffixOf(k, "max", "limit", "maxconns", "maxopenconnections", "maxopen", "maxpoolsize", "maximumpoolsize", "maxtotal",
		"maxactive", "maxthreads", "maxsize", "maxconnections", "connectionlimit", "poolmax"):
		p.Max = n
	case hasSuffixOf(k, "total", "size", "poolsize", "totalconns", "totalconnections", "openconnections", "totalcount"):
		set(&p.Max)
	}
}

// hasSuffixOf: the name may have words of its own before ("hikari pool active"), but "inactive" is not "active".
func hasSuffixOf(k string, words ...string) bool {
	for _, w := range words {
		if strings.HasSuffix(k, w) {
			return !strings.HasSuffix(k, "in"+w)
		}
	}
	return false
}

// finishPool derives the borrowed connections where the library prints only size and idle (node-postgres), and says
// whether the figures make a pool: a limit alone is a setting, not a state.
func finishPool(p *inquest.Pool) bool {
	if p.Active < 0 && p.Max >= 0 && p.Idle >= 0 && p.Idle <= p.Max {
		p.Active = p.Max - p.Idle
	}
	n := 0
	for _, v := range [...]int{p.Max, p.Active, p.Idle, p.Pending} {
		if v >= 0 {
			n++
		}
	}
	return n >= 2
}
