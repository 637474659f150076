package answer

import "strings"

// leakRule finds one trace of a kind. Its regular expression is tried only where one of the words in need occurs (in
// lower case): most texts then cost a few searches for words, which are a hundred times cheaper.
type leakRule struct {
	kind Kind
	need []string
	say  pattern // nil: the word is enough
}

// seen is a text to look through, and the same in lower case.
type seen struct{ text, lower string }

// find returns what the rules of a kind find first, or "".
func (j *Judge) find(k Kind, t seen) string {
	if k == Version && !versioned(t) {
		return ""
	}
	for i := range j.leaks {
		r := &j.leaks[i]
		if r.kind != k {
			continue
		}
		for _, word := range r.need {
			at := strings.Index(t.lower, word)
			if at < 0 {
				continue
			}
			if r.say == nil {
				return word
			}
			if m := r.say().FindString(t.text); m != "" {
				return m
			}
			break
		}
	}
	return ""
}

// versioned reports whether a text can hold a version at all: the list of products is the dearest of all patterns.
func versioned(t seen) bool {
	for i := 1; i+1 < len(t.text); i++ {
		if t.text[i] == '.' && isDigit(t.text[i-1]) && isDigit(t.text[i+1]) {
			return true
		}
	}
	return strings.Contains(t.lower, "version")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// words makes a rule of words that need no context.
func words(k Kind, all ...string) leakRule { return leakRule{kind: k, need: all} }

// where makes a rule of a pattern, and of the words (separated by |) of which every match contains one.
func where(k Kind, need, expr string) leakRule {
	return leakRule{k, strings.Split(need, "|"), compiled(`(?m)` + expr)}
}

// leakRules look at texts that were freed from escapes and markup, and at raw bodies.
func leakRules() []leakRule {
	var all []leakRule
	for _, rules := range [][]leakRule{stackRules(), sqlRules(), accessRules(), hostRules(), pathRules(), versionRules()} {
		all = append(all, rules...)
	}
	return all
}

func stackRules() []leakRule {
	return []leakRule{
		words(Stack, "traceback (most recent call last)", "(native method)", "(unknown source)", "runtime error: ", "[recovered]",
			"stack trace:", "rails.root", "werkzeug debugger", "using the urlconf defined in", "debug = true", "whitelabel error page",
			"node_modules/", "node:internal", "caused by: ", "undefined is not a function", "nonetype' object", "object is not subscriptable",
			"nil pointer dereference", "object reference not set", "core dumped", "segmentation fault", "exception value:", "exception location:", "exception type:",
			"no explicit mapping for /error", "error resolving template", "must be caught or declared",
			"java heap space", "gc overhead limit", "heap out of memory", "heap limit allocation failed", "allowed memory size of"),
		words(Stack, // what runtimes say of a fault in the code
			"call to a member function", "call to undefined ", "undefined array key", "undefined variable", "undefined offset", "undefined index:", "uncaught ", // PHP
			"undefined method", "undefined local variable", "uninitialized constant", // Ruby
			"value cannot be null. (parameter", "was not present in the dictionary", "sequence contains no ", "specified cast is not valid", // .NET
			"`option::unwrap()`", "`result::unwrap()`", "terminate called after throwing", "std::bad_alloc", "addresssanitizer", "exited with signal", "runtime exited with",
			"no function clause matching", "no match of right hand side", "{badmatch,", "{badarg,", "genserver.call(", // Elixir, Erlang
			"attempt to index a nil value", "attempt to call a nil value", "prelude.head", "non-exhaustive patterns",
			"unexpected token < in json", "unexpected end of json input", "is not iterable"),
		where(Stack, "jav|jakarta.|kotlin|scala.|clojure.|groovy.|sun.|jdk.|org.|com.|io.|net.",
			`\b(?:javax?|jakarta|kotlinx?|scala|clojure|groovy|sun|jdk|org|com|io|net)\.(?:[a-z]\w*\.)+[A-Z]\w+`), // a class of the JVM
		where(Stack, "exception", `\b[A-Z]\w*(?:\.[A-Z]\w*)+Exception\b|\b[a-z]+(?:_[a-z]+)+_exception\b`), // .NET, Elasticsearch
		where(Stack, `\`, `\b[A-Z]\w+(?:\\[A-Z]\w+)+\b`),                                                   // a class of PHP
		where(Stack, "::", `\b[A-Z]\w+(?:::[A-Z]\w+)+`),                                                    // a class of Ruby
		where(Stack, "error)", `\*\* \(\w+\)|\(\w+Error\)`),
		where(Stack, "error at ", `\b[A-Z]\w+Error at /`), // Django's and Rails' debug pages
		where(Stack, "notice: ", `\bNotice: .+ on line \d+`),
		where(Stack, "[errno", `\[Errno -?\d+\]`),
		where(Stack, "is not a function", `\b[\w$.]+ is not a function$`),
		where(Stack, "file \"", `File "[^"\n]+", line \d+`),                                                // Python
		where(Stack, "at ", `^\s*at [\w$.<>/ \[\]#-]+\(`),                                                  // JVM, .NET, JavaScript
		where(Stack, ".java:|.kt:|.scala:|.groovy:|.clj:", `\([\w$]+\.(?:java|kt|scala|groovy|clj):\d+\)`), // JVM
		where(Stack, "at ", `\bat [^\n()]*\(?(?:file://|node:|[A-Za-z]:\\|/)[^\s()]+:\d+:\d+`),             // JavaScript
		where(Stack, "exception|error|warning|fault", `\b[a-z_]\w*(?:\.[a-z_]\w*)*\.[A-Z]\w*(?:Exception|Error|Warning|Fault)\b`),
		where(Stack, "exception", `\b[A-Z]\w+Exception(?::| at | in |\()`),
		where(Stack, "error", `\b(?:Type|Reference|Range|Syntax|Eval|URI|Key|Value|Attribute|Index|Name|Import|ModuleNotFound|ZeroDivision|Assertion|Runtime|Operational|Programming|Integrity|Database|NoMethod|Argument|Recursion|Unicode\w*|OS|IO|Lookup|Memory|Arithmetic|Standard)Error(?:: | at /|\(| \(|\n)`),
		where(Stack, "goroutine ", `^goroutine \d+ \[`), // Go
		where(Stack, "panic: ", `\bpanic: `),
		where(Stack, ".go:", `^\S+\.go:\d+|\w+\.go:\d+ \+0x`),
		where(Stack, "panicked at", `thread '[^'\n]*' panicked at`), // Rust
		where(Stack, ".rs:", `\bsrc/[\w/]+\.rs:\d+`),
		where(Stack, "php |error: ", `PHP (?:Fatal|Parse|Warning|Notice)|(?:Fatal|Parse) error: .*\bline \d+`),
		where(Stack, "#0 ", `^#\d+ .+\(\d+\): `),
		where(Stack, ".rb:", `\.rb:\d+:in `), // Ruby
		where(Stack, "\"stack|\"backtrace|\"traceback|\"exceptiontype", `"(?:stack|stackTrace|stack_trace|StackTrace|backtrace|traceback|exceptionType|ExceptionType)"\s*:\s*(?:"[^"]|\[\s*[^\]\s])`),
		where(Stack, "cannot read propert", `Cannot read propert(?:y|ies) (?:'[^']*' )?of (?:undefined|null)`),
		where(Stack, "is not defined", `is not defined$`),
	}
}

func sqlRules() []leakRule {
	return []leakRule{
		words(SQL, "sqlstate", "in your sql syntax", "syntax error at or near", "duplicate key value", "foreign key constraint fails",
			"unique constraint failed", "no such table: ", "no such column: ", "queuepool limit", "hikaripool", "deadlock detected",
			"deadlock found when trying", "lock wait timeout", "canceling statement due", "e11000 duplicate key", "invalid input syntax for",
			"incorrect syntax near", "unclosed quotation mark", "unknown column '", "doesn't exist in table", "duplicate entry '",
			"password authentication failed for", "server has gone away", "lost connection to mysql", "database is locked", "invalid column name", "invalid object name", "cannot insert the value null into",
			"could not execute statement", "could not extract resultset", "wrongtype operation", "noauth authentication", "read only replica", "failed to update metadata after"),
		where(SQL, "permission denied for", `(?i)permission denied for (?:table|relation|schema|database|sequence|function|view)\b`),
		where(SQL, "does not exist", `(?i)\b(?:role|database|index|view|sequence|constraint) "[\w.-]+" does not exist`),
		where(SQL, "insert", `(?i)\binsert\s+into\s+[\w."`+"`"+`]+\s*\(`),
		where(SQL, "update", `(?i)\bupdate\s+[\w."`+"`"+`]+\s+set\s+[\w."`+"`"+`]+\s*=`),
		where(SQL, "delete", `(?i)\bdelete\s+from\s+[\w."`+"`"+`]+\s+where\b`),
		where(SQL, "select", `(?i)\bselect\s+(?:\*|count\(|[\w."]+\s*,\s*[\w."]+)[\w*,.()"\s]*\sfrom\s+[\w."]+`),
		where(SQL, "mongo", `\bMongo\w*Error\b`),
		where(SQL, "select", `\bSELECT\b[\s\S]+?\bFROM\b`),
		where(SQL, "select", `(?i)\bselect\s+[\w*,."\s]+\sfrom\s+[\w."]+\s+(?:where|join|limit|order|group)\b`),
		where(SQL, "insert", `\bINSERT\s+INTO\b`),
		where(SQL, "update", `\bUPDATE\s+[\w."]+\s+SET\b`),
		where(SQL, "delete", `\bDELETE\s+FROM\b`),
		where(SQL, "create|alter|drop", `\b(?:CREATE|ALTER|DROP)\s+(?:TABLE|INDEX|VIEW|DATABASE)\b`),
		where(SQL, "ora-|pls-", `\b(?:ORA|PLS)-\d{5}`),
		where(SQL, "does not exist", `(?i)(?:relation|column|table|schema|type|function) "?[\w.]+"? (?:of relation "?\w+"? )?does not exist`),
		where(SQL, "doesn't exist", `(?i)table '[^'\n]*' doesn't exist`),
		where(SQL, "violates ", `violates (?:unique|foreign key|not-null|check|exclusion) constraint`),
		where(SQL, "psycopg|pymysql|sqlalchemy|sequelize|hibernate|jdbc|pgx|mysql2|sqlite|activerecord|mongoose|prisma",
			`(?i)\b(?:psycopg\d?|pymysql|sqlalchemy|sequelize|hibernate|jdbc|pgx|mysql2|sqlite3?|activerecord|mongoose|prisma)[.: (]`),
		where(SQL, "pq: ", `\bpq: `),
	}
}

// accessRules find what gives access.
func accessRules() []leakRule {
	return []leakRule{
		where(Connection, "://", `(?i)\b(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|sqlserver|mssql|oracle|kafka|nats|ldaps?|ftp|smtps?|memcached|cassandra|clickhouse|sqlite)://[^\s"'<>]+`),
		where(Connection, "jdbc:", `(?i)\bjdbc:\w+:`),
		where(Connection, "=", `(?i)\b(?:data source|server|host|addr(?:ess)?)\s*=\s*[^;\s]+\s*[;\s][^\n]*\b(?:password|pwd|user(?: id| ?name)?|uid|dbname|database|initial catalog)\s*=`),
		where(Connection, "user=", `(?i)\buser=\S+ (?:\S+ )?(?:host|database|dbname)=`),
		where(Connection, "://", `(?i)https?://[^\s/:@"']+:[^\s/@"']+@`),
		where(Secret, "akia|asia", `\bA[KS]IA[0-9A-Z]{16}\b`),
		where(Secret, "eyj", `\beyJ[\w-]{8,}\.[\w-]{8,}\.`),
		where(Secret, "private key", `-----BEGIN [A-Z ]*PRIVATE KEY`),
		where(Secret, "sk_|pk_|rk_|ghp_|gho_|ghu_|ghs_|ghr_|xox|glpat-|aiza",
			`\b(?:sk|pk|rk)_(?:live|test)_\w{8,}|\bgh[pousr]_\w{20,}|\bxox[abprs]-[\w-]{10,}|\bglpat-[\w-]{10,}|\bAIza[\w-]{30,}`),
		where(Secret, "password|passwd|secret|key|token", `(?i)\b\w*(?:password|passwd|secret|api_?key|access_?key|auth_?token)\w*"?\s*[=:]\s*"?[^\s"',;&]{4,}`),
		where(Secret, "bearer ", `(?i)\bBearer [\w.~+/-]{16,}`),
	}
}

func hostRules() []leakRule {
	const host = `[a-z0-9](?:[a-z0-9-]*[a-z0-9])?`
	return []leakRule{
		words(Host, "enotfound", "eai_again", "econnrefused", "econnreset", "ehostunreach", "etimedout", "dial tcp", "dial udp", "dial unix",
			"no such host", "server misbehaving", "could not translate host name", "name or service not known", "unknownhost",
			"nodename nor servname", "getaddrinfo", ".database.windows.net", ".svc.cluster", "connectionpool(host=",
			"arn:aws:", "system:serviceaccount:", "nosuchbucket", "x509: ", "self signed certificate", "self-signed certificate", "unable to get local issuer certificate"),
		where(Host, "http", `(?i)\bhttps?://[a-z0-9][a-z0-9-]*(?::\d+)?(?:[/\s"'?,)]|$)`), // a name without a dot is one of the inside
		where(Host, "http", `(?i)\bhttps?://[\w.-]+:\d{2,5}\b`),
		where(Host, "-", `\b[a-z][a-z0-9-]*-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b`), // a pod of Kubernetes
		where(Host, "environment variable", `(?i)environment variable:? ['"`+"`"+`]?[A-Z]\w*_`),
		where(Host, "/secrets/", `\bprojects/[\w-]+/secrets/`),
		where(Host, ".internal|.local|.lan|.corp|.intra|.private|.consul|.svc|.cluster|.home.arpa|.docker",
			`(?i)\b(?:`+host+`\.)+(?:internal|local|localdomain|lan|corp|intra|intranet|private|consul|svc|cluster|home\.arpa|docker)\b`),
		where(Host, ".amazonaws.com", `(?i)[\w-]+\.(?:rds|elasticache|compute|elb|redshift|es|dynamodb)[\w.-]*\.amazonaws\.com|\.(?:rds|elasticache|compute|elb|redshift|es)\.amazonaws\.com`),
		where(Host, "10.|192.168.|172.|169.254.|127.|100.", `\b(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01])|169\.254|127\.\d{1,3}|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.\d{1,3}\.\d{1,3}\b`+
			`|\b192\.168\.\d{1,3}\.\d{1,3}\b|\b172\.(?:1[6-9]|2\d|3[01])\.\d{1,3}\.\d{1,3}\b|\b169\.254\.\d{1,3}\.\d{1,3}\b`),
		where(Host, ":", `\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}:\d{2,5}\b|\[[0-9a-f:]*::[0-9a-f:]*\]:\d+`),
		where(Host, "ip-", `\bip-\d+-\d+-\d+-\d+\b`),
		where(Host, "localhost:", `(?i)\blocalhost:\d+`),
		where(Host, ":5432|:5433|:3306|:1433|:1521|:27017|:6379|:6380|:9092|:5672|:15672|:9200|:9300|:11211|:2379|:2181|:8500|:4222|:9042|:6432|:389|:636|:50051",
			`(?i)\b`+host+`(?:\.`+host+`)*:\d{3,5}\b`), // the ports of databases, caches, queues and registries
		where(Host, "lookup ", `(?i)\blookup \S+(?: on \S+)?: `),
		where(Host, "connect to ", `(?i)(?:could not|failed to|cannot|can't|unable to) connect to (?:server|host|mysql server|[\w.-]+:\d+|[\w]+-[\w-]+)`),
		where(Host, " port ", `(?i)connection (?:to server )?(?:to|at) "?[\w.-]+"?(?: \([^)]*\))?,? port \d+`),
	}
}

func pathRules() []leakRule {
	const code = `py|java|kt|rb|php|go|rs|cs|ts|jsx?|mjs|cjs|tsx|scala|exs?|erl|pl|cc?|cpp|jsp|aspx?|cshtml|jar|war|class|dll|so|conf|ini|env|pem|key|sock`
	return []leakRule{
		words(Path, "enoent", "eacces:", "emfile", "enospc", "file:///", "/run/secrets/", "no such file or directory", "no space left on device", "too many open files"),
		where(Path, "/app/|/data/|/workspace/|/code/|/run/|/lib/|/lib64/|/build/|/deploy/|/work/",
			`(?:^|[\s"'(=:\[>,])/(?:app|data|workspace|code|run|lib|lib64|build|deploy|work)/[\w./@+-]*\.(?:`+code+`|json|txt|csv|log|sql|sqlite|db|ya?ml|toml|properties|xml)\b`),
		where(Path, "permission denied", `(?i)(?:^|[\s"'(])/[\w./@+-]+['"]?: permission denied`),
		where(Path, "/dev/", `/dev/(?:sd|nvme|vd|xvd|mapper/|shm)\w*`),
		where(Path, ".py|.java|.kt|.rb|.go|.rs|.cs|.scala|.ex|.erl|.pl", `(?:^|[\s"'(=:])(?:\./|\.\./)*[\w-]+/[\w./-]*\.(?:py|java|kt|rb|go|rs|cs|scala|exs?|erl|pl)\b`),
		where(Path, "/home/|/root/|/usr/|/var/|/etc/|/opt/|/srv/|/mnt/|/tmp/|/proc/|/sys/|/users/|/nix/",
			`(?:^|[\s"'(=:\[>,])/(?:home|root|usr|var|etc|opt|srv|mnt|tmp|proc|sys|Users|nix)/[\w.@+-]+`),
		where(Path, `:\`, `\b[A-Za-z]:\\[\w .@+$-]+\\`),
		where(Path, `\\`, `\\\\[\w.-]+\\[\w$.-]+`),
		where(Path, "line |:|(", `\b[\w/.-]+\.(?:`+code+`)(?::\d+|\(\d+|["']?,? line \d+)`),
		where(Path, "/", `(?:^|[\s"'(=])/[\w./-]+\.(?:py|java|rb|php|go|rs|cs|ts|mjs|cjs|so|conf|ini|env|pem|key|sock|ya?ml|toml|properties|log|db|sqlite)\b`),
	}
}

func versionRules() []leakRule {
	// The first list is of names that are nothing but products, the second of words that are also English.
	const products = `nginx|apache|httpd|tomcat|jetty|undertow|jboss|wildfly|weblogic|websphere|openresty|caddy|envoy|traefik|haproxy|varnish|iis|kestrel|gunicorn|uvicorn|hypercorn|werkzeug|django|fastapi|starlette|puma|next\.js|nestjs|php|laravel|symfony|wordpress|drupal|joomla|spring boot|hibernate|openjdk|jdk|jre|kotlin|scala|python|cpython|ruby|node\.?js|deno|asp\.net(?: core)?|\.net(?: core| framework)?|openssl|boringssl|libressl|postgres(?:ql)?|mysql|mariadb|mongodb|redis|sqlite|elasticsearch|rabbitmq|sql server|ubuntu|debian|centos|kubernetes|libcurl`
	return []leakRule{
		where(Version, "nginx|apache|http|tomcat|jetty|undertow|jboss|wildfly|web|openresty|caddy|envoy|traefik|haproxy|varnish|iis|kestrel|corn|werkzeug|django|api|starlette|puma|next|nest|php|laravel|symfony|word|drupal|joomla|spring|hibernate|jdk|jre|kotlin|scala|python|ruby|node|deno|.net|ssl|sql|maria|mongo|redis|elastic|rabbit|ubuntu|debian|centos|kubernetes|libcurl",
			`(?i)\b(?:`+products+`)(?:[/ _-]|\s*(?:version|release)(?: is)?:?\s*|\s*\()v?\d+\.\d+`),
		where(Version, "/", `(?i)\b(?:express|node|bun|go|spring|oracle|docker|curl|flask|rails|java)/v?\d+\.\d+`),
		where(Version, "go1.", `\bgo1\.\d+`),
		where(Version, "express|rails|flask|java|node|spring|docker|unicorn|jruby|bun", `\b(?:Express|Rails|Flask|Java|JRuby|Node|node|Spring|Docker|Bun|unicorn) v?\d+\.\d+\.\d+|\bnode v\d+\.\d+`),
		where(Version, "java version|jetty://|redis_version|linux ", `(?i)\bjava version "\d|jetty://\s*\d|redis_version:\d|\blinux (?:version )?\d+\.\d+\.\d+`),
		where(Version, "version:", `(?i)\b(?:python|django|php|ruby|node|java|rails|laravel|server|framework|asp\.net) version:\s*\S*\d`),
	}
}
