package pattern

import (
	"slices"
	"strings"
)

// The word lists. Each is closed vocabulary of language, calendars or programming, none is taken from a product's log.

// wordSet is a set of words of up to 15 letters a-z, looked up without regard to case. Nearly all lookups miss, hence the
// table of the lengths that occur by first letter.
type wordSet struct {
	lengths [32]uint16
	words   [32][]string
}

func newWordSet(words ...string) *wordSet {
	s := new(wordSet)
	for _, w := range words {
		i := w[0] & 31
		s.lengths[i] |= 1 << len(w)
		s.words[i] = append(s.words[i], w)
	}
	return s
}

// has reports whether w, made of letters, is in the set.
func (s *wordSet) has(w []byte) bool {
	if len(w) == 0 || len(w) > 15 {
		return false
	}
	i := w[0] & 31
	if s.lengths[i]>>len(w)&1 == 0 {
		return false
	}
next:
	for _, x := range s.words[i] {
		if len(x) != len(w) {
			continue
		}
		for j := range w {
			if w[j]|0x20 != x[j] {
				continue next
			}
		}
		return true
	}
	return false
}

// lastPart returns the last part of a compound name: "Code" of statusCode, "code" of http.status-code, STATUS_CODE's CODE.
func lastPart(w []byte) []byte {
	end := len(w)
	if end == 0 {
		return nil
	}
	i := end
	caps := classOf[w[end-1]]&clsUpper != 0
	for i > 0 {
		k := classOf[w[i-1]]
		if k&clsLetter == 0 {
			break
		}
		i--
		if !caps && k&clsUpper != 0 {
			break
		}
	}
	return w[i:]
}

// namesKind reports whether a key names a kind of thing rather than one thing. The values of such keys are few and say
// what happened (reason=timeout is another message than reason=refused), so words after them stay literal. The values
// of any other key (user, host, path, id, ...) tell occurrences apart and are masked.
func namesKind(key []byte) bool { return kinds.has(lastPart(key)) }

var kinds = newWordSet(
	"error", "err", "errno", "errmsg", "reason", "cause", "exception", "fault", "failure", "fatal", "panic",
	"status", "state", "code", "result", "outcome", "phase", "stage", "sqlstate", "msg", "message", "text",
	"body", "summary", "note", "info", "output", "stderr", "stdout", "exc", "detail", "details", "description",
	"desc", "title", "hint", "event", "warning", "warn", "level", "lvl", "severity", "type", "kind", "class",
	"category", "method", "op", "operation", "action", "verb",
)

// namesStatus reports whether a three-digit number after this word is a status code.
func namesStatus(word []byte) bool { return statusWords.has(lastPart(word)) }

var statusWords = newWordSet(
	"status", "code", "http", "response", "responded", "statuscode",
)

// isUnit reports whether w is a unit of time or size. Formatters choose it by magnitude ("980 ms", "1.2 s", "1 second",
// "512 bytes", "1.5 KB"), so that it belongs to the number.
func isUnit(w []byte) bool {
	if len(w) == 1 && w[0] < 'a' && w[0] != 'B' {
		return false // a lone capital is a name: "group 3 H"
	}
	return units.has(w)
}

var units = newWordSet(
	"ns", "us", "ms", "s", "sec", "secs", "m", "min", "mins", "h", "hr", "hrs", "d", "nanosecond",
	"nanoseconds", "microsecond", "microseconds", "millisecond", "milliseconds", "millis", "msec", "msecs",
	"usec", "second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "b", "byte", "bytes",
	"kb", "mb", "gb", "tb", "kib", "mib", "gib", "tib", "kbytes", "mbytes", "am", "pm",
)

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

// isProtocol reports whether w is "IPv" and a digit. IPv4 and IPv6 are words of everybody's vocabulary and contrast with
// each other: "IPv6 unavailable" is not "IPv4 unavailable".
func isProtocol(w []byte) bool {
	return len(w) == 4 && w[2]|0x20 == 'v' && w[0]|0x20 == 'i' && w[1]|0x20 == 'p' && isDigit(w[3])
}

// isLevel reports whether w is the name of a log level.
func isLevel(w []byte) bool { return levels.has(w) }

var levels = newWordSet(
	"trace", "debug", "info", "notice", "note", "warn", "warning", "error", "err", "crit", "critical", "fatal",
	"severe", "panic", "alert", "emerg", "verbose", "fine", "config",
)

// isNothing reports whether w is how a programming language prints a boolean or the absence of a value.
func isNothing(w []byte) bool { return nothings.has(w) }

var nothings = newWordSet(
	"true", "false", "null", "nil", "none", "undefined", "nan", "yes", "no", "on", "off",
)

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
	return faultPackages.has(lastPart(w[:from-1]))
}

// isEnding reports whether the last part of a name with one dot shows it to be a file or an internet host. Those are
// values; a.b in general (a method, a logger, a module) is a word.
func isEnding(w []byte) bool { return endings.has(w) }

var endings = newWordSet(
	"com", "net", "org", "io", "edu", "gov", "de", "uk", "cn", "fr", "jp", "ru", "local", "internal",
	"localdomain", "svc", "lan", "dev", "app", "cloud", "exe", "dll", "so", "jar", "war", "log", "txt", "xml",
	"json", "yaml", "yml", "toml", "conf", "cfg", "ini", "html", "htm", "css", "js", "ts", "png", "jpg", "jpeg",
	"gif", "svg", "ico", "pdf", "csv", "sql", "db", "gz", "zip", "tar", "tmp", "bin", "dat", "php", "py", "rb",
	"go", "java", "rs", "cs", "c", "cc", "cpp", "h", "pem", "crt", "key", "sock", "pid", "lock", "sh", "bat",
	"plist", "dmg", "apk", "kext",
)

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

var faultPackages = newWordSet("errors", "exceptions", "exc", "exception", "error")

// ContainsAny reports whether one of the phrases stands anywhere in the text.
func ContainsAny(text string, phrases []string) bool {
	return slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(text, p) })
}
