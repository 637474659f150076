package parse

import "strings"

// errSuffixes end the names of exception classes in the languages that name them by convention; a word at the
// start of a line with one of these is taken for a type even without a frame below it.
var errSuffixes = [...]string{"Error", "Exception", "Failure", "Fault", "Interrupt", "Exit", "Timeout", "Errno", "Rejection",
	"NotFound", "Exceeded", "Refused", "Violation", "Warning", "Group"}

// errHead reads "Type: message" or "Type" at the start of s. strict asks that the name looks like an exception class;
// otherwise any qualified name will do (the caller has seen a frame on the next line).
func errHead(s string, strict bool) (typ, msg string, ok bool) {
	n := typeLen(s)
	if n == 0 {
		return "", "", false
	}
	typ = strings.TrimRight(s[:n], ":")
	rest := s[len(typ):]
	// Node: "Type [CODE]: message", "Type [Error]: message".
	if strings.HasPrefix(rest, " [") {
		if i := strings.Index(rest, "]:"); i > 0 && i < 60 {
			rest = rest[i+1:]
		}
	}
	switch {
	case rest == "" || rest == ":":
	case strings.HasPrefix(rest, ": "):
		msg = rest[2:]
	case strings.HasPrefix(rest, ":\t"):
		msg = rest[2:]
	case strings.HasPrefix(rest, " --->"), strings.HasPrefix(rest, ";"):
		msg = rest
	default:
		return "", "", false
	}
	if strict && !isErrType(typ) {
		return "", "", false
	}
	return typ, msg, true
}

// typeLen is the length of the qualified name at the start of s: letters, digits and _ $ with . :: \ / between.
func typeLen(s string) int {
	i := 0
	for i < len(s) {
		c := s[i]
		switch {
		case c == '_' || c == '$' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		case c >= '0' && c <= '9' || c == '.' || c == '\\' || c == '`' || c == '+':
			if i == 0 && c != '\\' {
				return 0
			}
		case c == ':':
			if i == 0 || i+2 >= len(s) || s[i+1] != ':' || !isLetter(s[i+2]) {
				return i
			}
			i++
		default:
			return i
		}
		i++
	}
	return i
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// lastName is the class name without its package: "NullPointerException" of "java.lang.NullPointerException".
func lastName(typ string) string {
	if i := strings.LastIndexAny(typ, ".\\:/+"); i >= 0 {
		return typ[i+1:]
	}
	return typ
}

// rubyErrSpaces are name spaces of Ruby libraries whose exception classes do not follow the convention of names:
// Errno::ECONNREFUSED, PG::ConnectionBad, Net::ReadTimeout.
var rubyErrSpaces = [...]string{"Errno::", "PG::", "Mysql2::", "SQLite3::", "Net::", "OpenSSL::SSL::", "Faraday::"}

// isErrType reports whether a name looks like an exception class.
func isErrType(typ string) bool {
	name := lastName(typ)
	if name == "" || len(typ) > 200 {
		return false
	}
	if c := name[0]; c < 'A' || c > 'Z' {
		return false
	}
	for _, s := range errSuffixes {
		if strings.HasSuffix(name, s) {
			return true
		}
	}
	for _, p := range rubyErrSpaces {
		if strings.HasPrefix(typ, p) {
			return true
		}
	}
	return false
}

// findHead looks for "Type: message" inside a line that begins with a log prefix. The name must follow a blank,
// a bracket, a quote or ": ", and either be qualified or compound ("TypeError", not "Error" after other words).
func findHead(s string) (typ, msg string, ok bool) {
	for from := 0; from < len(s); {
		i := nextTypeWord(s, from)
		if i < 0 {
			return "", "", false
		}
		if typ, msg, ok := errHead(s[i:], true); ok {
			// After other words a bare "Error:" is English ("Internal Server Error: /x").
			if i == 0 || !englishError[typ] {
				return typ, msg, true
			}
		}
		n := typeLen(s[i:])
		if n == 0 {
			n = 1
		}
		from = i + n
	}
	return "", "", false
}

var englishError = map[string]bool{"Error": true, "Exception": true, "Failure": true, "Fault": true, "Timeout": true,
	"Warning": true, "Exit": true, "NotFound": true, "Group": true, "Interrupt": true, "Violation": true}

// nextTypeWord finds where the next word that could be a type begins, at or after from.
func nextTypeWord(s string, from int) int {
	for i := from; i < len(s); i++ {
		if !isLetter(s[i]) {
			continue
		}
		if i == 0 || strings.IndexByte(" \t([<\"'=>:|", s[i-1]) >= 0 {
			return i
		}
	}
	return -1
}

// errorLine reads the one-line form: the first line that begins with an exception's name, or else contains one.
func errorLine(lines []string) *trace {
	if len(lines) > 40 { // without frames a long text is not an error text
		lines = lines[:40]
	}
	for i, line := range lines {
		s := strings.TrimSpace(line)
		if typ, msg, ok := errHead(s, true); ok {
			return oneLine(typ, msg, lines[i+1:])
		}
		// V8 dies without throwing: "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory".
		if j := strings.Index(s, "FATAL ERROR: "); j >= 0 && strings.Contains(s, "JavaScript heap out of memory") {
			return &trace{lang: "node", links: []link{{typ: "FATAL ERROR", msg: s[j+len("FATAL ERROR: "):]}}}
		}
	}
	for i, line := range lines {
		if typ, msg, ok := findHead(line); ok {
			if strings.Contains(line, "#<"+typ) { // Ruby's inspect: #<Class: message>
				msg = strings.TrimSuffix(msg, ">")
			}
			return oneLine(typ, msg, lines[i+1:])
		}
	}
	return nil
}

func oneLine(typ, msg string, rest []string) *trace {
	typ, msg = unwrapBanner(typ, msg)
	// "Caused by" style lines under it are rare without frames; a property dump is not part of the message.
	t := &trace{lang: typeLanguage(typ), links: []link{{typ: typ, msg: msg}}}
	if t.lang == "java" || strings.Contains(msg, "nested exception is") {
		splitNested(t)
	}
	if len(rest) > 0 {
		nodeProps(t, rest)
	}
	return t
}

// typeLanguage guesses the language of a lone type name, "" when several share it.
func typeLanguage(typ string) string {
	switch {
	case strings.HasPrefix(typ, "System.") || strings.HasPrefix(typ, "Microsoft."):
		return "dotnet"
	case strings.Contains(typ, "\\"), strings.HasPrefix(typ, "PDOException"):
		return "php"
	case strings.Contains(typ, "::"):
		return "ruby"
	}
	for _, p := range [...]string{"java.", "javax.", "jakarta.", "org.", "com.", "io.", "kotlin.", "scala.", "net."} {
		if strings.HasPrefix(typ, p) {
			return "java"
		}
	}
	switch typ {
	case "TypeError", "ReferenceError", "RangeError", "SyntaxError", "AggregateError":
		// TypeError and SyntaxError exist in Python too: only the wording tells.
		return ""
	}
	return ""
}

// unwrapBanner looks behind a heading that has the shape of an error but only announces one.
func unwrapBanner(typ, msg string) (string, string) {
	if strings.HasPrefix(typ, "Unhandled") || strings.HasPrefix(typ, "Uncaught") {
		if t, m, ok := errHead(strings.TrimPrefix(msg, "Uncaught "), true); ok {
			return t, m
		}
	}
	return typ, msg
}
