package parse

import "github.com/inquesthq/inquest"

// levelOf returns the level that a word names in any of the usual spellings (INFO, warn, SEVERE, ERR, crit, E, 4-letter
// short forms of Rust, zerolog and Serilog); LevelUnknown if it names none.
func levelOf(word []byte) inquest.Level {
	if len(word) == 0 || len(word) > 13 {
		return inquest.LevelUnknown
	}
	var low [13]byte
	for i, c := range word {
		if !isAlpha(c) {
			if i >= 5 && isDigit(c) { // Apache's trace1 to trace8
				word = word[:i]
				break
			}
			return inquest.LevelUnknown
		}
		low[i] = c | 0x20
	}
	switch string(low[:len(word)]) {
	case "trace", "trc", "finest", "finer", "vrb", "silly", "all", "trce":
		return inquest.LevelTrace
	case "debug", "dbg", "fine", "config", "verbose", "deb", "debg", "dbug":
		return inquest.LevelDebug
	case "info", "information", "informational", "inf", "notice", "note", "log", "ntc", "system", "http", "hint", "success",
		"detail", "statement", "location", "context", "query", "ntce", "not":
		return inquest.LevelInfo
	case "warn", "warning", "wrn", "warnin":
		return inquest.LevelWarn
	case "error", "err", "eror", "severe", "failure", "erro", "fail":
		return inquest.LevelError
	case "fatal", "critical", "crit", "alert", "emerg", "emergency", "panic", "dpanic", "ftl", "fata", "crt", "pnc", "alrt",
		"emrg", "abort":
		return inquest.LevelFatal
	}
	return inquest.LevelUnknown
}

// logLevelOf is levelOf without the words that are more often the first word of a message than a level.
func logLevelOf(word []byte) inquest.Level {
	switch string(word) {
	case "config", "all", "fine", "system", "http", "log", "not", "note", "success", "fail", "failure", "hint", "detail",
		"statement", "location", "context", "query", "abort", "HTTP", "LOG", "System", "Failure", "Success", "Note", "Query",
		"Not", "All", "Config", "Abort", "Fail", "Log", "ALL", "NOT", "STATEMENT", "LOCATION", "CONTEXT", "QUERY", "HINT",
		"DETAIL", "SYSTEM", "ABORT":
		return inquest.LevelUnknown
	}
	return levelOf(word)
}

// letterLevel is the level of klog's and glog's letters, MongoDB's and Android's.
func letterLevel(c byte) inquest.Level {
	switch c {
	case 'I', 'N':
		return inquest.LevelInfo
	case 'W':
		return inquest.LevelWarn
	case 'E':
		return inquest.LevelError
	case 'F', 'C', 'A':
		return inquest.LevelFatal
	case 'D':
		return inquest.LevelDebug
	case 'T', 'V':
		return inquest.LevelTrace
	}
	return inquest.LevelUnknown
}

// The numbers that some loggers write for levels.
const (
	numbersPino      = iota // pino, bunyan: 10 trace to 60 fatal
	numbersSyslog           // RFC 5424: 0 emergency to 7 debug (journald, GELF)
	numbersOTel             // OpenTelemetry's SeverityNumber: 1 to 24
	numbersNextcloud        // 0 debug to 4 fatal
)

// numberLevel returns the level and its word.
func numberLevel(v int, numbers uint8) (inquest.Level, string) {
	l := inquest.LevelUnknown
	switch numbers {
	case numbersPino:
		if v >= 10 && v < 70 {
			l = inquest.Level(v / 10)
		}
	case numbersSyslog:
		return syslogLevel(v)
	case numbersOTel:
		if v >= 1 && v <= 24 {
			l = inquest.Level((v-1)/4 + 1)
		}
	case numbersNextcloud:
		if v >= 0 && v <= 4 {
			l = inquest.Level(v) + inquest.LevelDebug
		}
	}
	return l, l.String()
}

// syslogLevel returns the level and RFC 5424's keyword of a severity number.
func syslogLevel(v int) (inquest.Level, string) {
	switch v {
	case 0:
		return inquest.LevelFatal, "emerg"
	case 1:
		return inquest.LevelFatal, "alert"
	case 2:
		return inquest.LevelFatal, "crit"
	case 3:
		return inquest.LevelError, "err"
	case 4:
		return inquest.LevelWarn, "warning"
	case 5:
		return inquest.LevelInfo, "notice"
	case 6:
		return inquest.LevelInfo, "info"
	case 7:
		return inquest.LevelDebug, "debug"
	}
	return inquest.LevelUnknown, ""
}

// setLevel sets the normalised level and keeps the word as it was written.
func setLevel(r *Record, word []byte) bool {
	l := levelOf(word)
	if l == inquest.LevelUnknown {
		return false
	}
	r.Level = l
	r.Add("level", str(word))
	return true
}

// addNum appends a field whose value is a number; an empty value is ignored.
func addNum(r *Record, name string, value []byte) {
	if len(value) > 0 {
		r.Fields = append(r.Fields, Field{Name: name, Value: str(value), Num: allDigits(value)})
	}
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0
}
