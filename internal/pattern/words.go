package pattern

// The word lists. Each is closed vocabulary of language, calendars or programming, none is taken from a product's log.

// lower copies w into buf in lower case and returns it as far as it fits.
func lower(buf *[16]byte, w []byte) []byte {
	n := copy(buf[:], w)
	for i := range n {
		if c := buf[i]; c >= 'A' && c <= 'Z' {
			buf[i] = c | 0x20
		}
	}
	return buf[:n]
}

// lastPart returns the last part of a compound name in lower case: "code" of statusCode, http.status-code, STATUS_CODE.
func lastPart(buf *[16]byte, w []byte) []byte {
	end := len(w)
	if end == 0 {
		return nil
	}
	i := end
	caps := w[end-1] >= 'A' && w[end-1] <= 'Z'
	for i > 0 {
		c := w[i-1]
		if !isLetter(c) {
			break
		}
		i--
		if !caps && c >= 'A' && c <= 'Z' {
			break
		}
	}
	if end-i > len(buf) {
		return nil
	}
	return lower(buf, w[i:end])
}

// namesKind reports whether a key names a kind of thing rather than one thing. The values of such keys are few and say
// what happened (reason=timeout is another message than reason=refused), so words after them stay literal. The values
// of any other key (user, host, path, id, ...) tell occurrences apart and are masked.
func namesKind(key []byte) bool {
	var buf [16]byte
	switch string(lastPart(&buf, key)) {
	case "error", "err", "errno", "errmsg", "reason", "cause", "exception", "fault", "failure", "fatal", "panic",
		"status", "state", "code", "result", "outcome", "phase", "stage", "sqlstate",
		"msg", "message", "text", "body", "summary", "note", "info", "output", "stderr", "stdout", "exc", "detail", "details", "description", "desc", "title", "hint", "event", "warning", "warn",
		"level", "lvl", "severity", "type", "kind", "class", "category",
		"method", "op", "operation", "action", "verb":
		return true
	}
	return false
}

// namesStatus reports whether a three-digit number after this word is a status code.
func namesStatus(word []byte) bool {
	var buf [16]byte
	switch string(lastPart(&buf, word)) {
	case "status", "code", "http", "response", "responded", "statuscode":
		return true
	}
	return false
}

// isUnit reports whether w is a unit of time or size. Formatters choose it by magnitude ("980 ms", "1.2 s", "1 second",
// "512 bytes", "1.5 KB"), so that it belongs to the number.
func isUnit(w []byte) bool {
	if len(w) > 12 || len(w) == 1 && w[0] < 'a' && w[0] != 'B' {
		return false // a lone capital is a name: "group 3 H"
	}
	var buf [16]byte
	switch string(lower(&buf, w)) {
	case "ns", "us", "ms", "s", "sec", "secs", "m", "min", "mins", "h", "hr", "hrs", "d",
		"nanosecond", "nanoseconds", "microsecond", "microseconds", "millisecond", "milliseconds", "millis", "msec", "msecs", "usec",
		"second", "seconds", "minute", "minutes", "hour", "hours", "day", "days",
		"b", "byte", "bytes", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "tib", "kbytes", "mbytes",
		"am", "pm":
		return true
	}
	return false
}

// isMonth and isWeekday know the English names used by syslog, C's ctime, RFC 1123 and most loggers.
func isMonth(w []byte) bool {
	switch string(w) {
	case "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
		"January", "February", "March", "April", "June", "July", "August", "September", "October", "November", "December":
		return true
	}
	return false
}

func isWeekday(w []byte) bool {
	switch string(w) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
		"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday":
		return true
	}
	return false
}

// isProtocol reports the two names with a digit that are words of everybody's vocabulary and contrast with each other:
// "IPv6 unavailable" is not "IPv4 unavailable".
func isProtocol(w []byte) bool {
	return len(w) == 4 && (w[3] == '4' || w[3] == '6') && w[2]|0x20 == 'v' && w[0]|0x20 == 'i' && w[1]|0x20 == 'p'
}

// isLevel reports whether w is the name of a log level.
func isLevel(w []byte) bool {
	if len(w) > 8 {
		return false
	}
	var buf [16]byte
	switch string(lower(&buf, w)) {
	case "trace", "debug", "info", "notice", "note", "warn", "warning", "error", "err", "crit", "critical", "fatal", "severe",
		"panic", "alert", "emerg", "verbose", "fine", "config":
		return true
	}
	return false
}

// isNothing reports whether w is how a programming language prints a boolean or the absence of a value.
func isNothing(w []byte) bool {
	if len(w) > 9 {
		return false
	}
	var buf [16]byte
	switch string(lower(&buf, w)) {
	case "true", "false", "null", "nil", "none", "undefined", "nan", "yes", "no", "on", "off":
		return true
	}
	return false
}

// isFault reports whether a dotted or backslashed name is that of an exception, whose type is the message:
// java.net.ConnectException, redis.exceptions.TimeoutError, psycopg2.errors.UniqueViolation.
func isFault(w []byte) bool {
	from := len(w)
	for from > 0 && w[from-1] != '.' && w[from-1] != '\\' && w[from-1] != '/' {
		from--
	}
	last := w[from:]
	for _, s := range [...]string{"Exception", "Error", "Errors", "Throwable", "Fault", "Failure", "Timeout", "Violation", "Warning"} {
		if len(last) >= len(s) && string(last[len(last)-len(s):]) == s {
			return true
		}
	}
	if from < 2 {
		return false
	}
	var buf [16]byte
	switch string(lastPart(&buf, w[:from-1])) {
	case "errors", "exceptions", "exc", "exception", "error":
		return true
	}
	return false
}

// isEnding reports whether the last part of a name with one dot shows it to be a file or an internet host. Those are
// values; a.b in general (a method, a logger, a module) is a word.
func isEnding(w []byte) bool {
	if len(w) > 5 {
		return false
	}
	var buf [16]byte
	switch string(lower(&buf, w)) {
	case "com", "net", "org", "io", "edu", "gov", "de", "uk", "cn", "fr", "jp", "ru", "local", "internal", "localdomain", "svc", "lan", "dev", "app", "cloud",
		"exe", "dll", "so", "jar", "war", "log", "txt", "xml", "json", "yaml", "yml", "toml", "conf", "cfg", "ini", "html", "htm",
		"css", "js", "ts", "png", "jpg", "jpeg", "gif", "svg", "ico", "pdf", "csv", "sql", "db", "gz", "zip", "tar", "tmp", "bin",
		"dat", "php", "py", "rb", "go", "java", "rs", "cs", "c", "cc", "cpp", "h", "pem", "crt", "key", "sock", "pid", "lock",
		"sh", "bat", "plist", "dmg", "apk", "kext":
		return true
	}
	return false
}

// introducesUser reports whether a name follows when the word stands before "user": "for user alice", "invalid user bob".
// Without such a word "user" is mostly an adjective ("user registration failed") and what follows it must stay.
func introducesUser(w []byte) bool {
	switch string(w) {
	case "for", "by", "as", "of", "invalid", "unknown", "illegal", "Invalid", "Unknown", "Illegal", "role", "to":
		return true
	}
	return false
}

// introducesAccount reports whether a user's name follows when the word stands before "for": "password for alice".
func introducesAccount(w []byte) bool {
	switch string(w) {
	case "password", "Password", "publickey", "passphrase", "credentials", "login", "Login", "logon":
		return true
	}
	return false
}

// isFunctionWord lists the words that may follow "user" or "for" without being a name.
func isFunctionWord(w []byte) bool {
	switch string(w) {
	case "is", "was", "has", "not", "does", "did", "and", "or", "in", "on", "to", "from", "with", "at", "by", "for", "of",
		"unknown", "name", "id", "agent", "failed", "could", "cannot", "request", "input", "data", "account", "accounts",
		"invalid", "illegal", "user", "users", "role", "the", "a", "an", "this", "all", "any", "each", "every":
		return true
	}
	return false
}
