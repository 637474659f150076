package redact

import "strings"

// valueAt returns the bounds of the value behind a separator, without its quotes.
func valueAt(s string, sep separator, kind keyKind) (from, to int, quoted bool) {
	i := sep.end
	if sep.sign == '>' {
		return i, i + until(s[i:], "<"), false
	}
	if s[i] == '[' && !strings.HasPrefix(s[i:], Marker) { // a header as a list: Authorization:[Bearer x], ["Bearer x"]
		end := i + until(s[i:], "]\n")
		if end < len(s) && s[end] == ']' {
			end++
		}
		return i, end, true // brackets and all: the marker brings its own
	}
	j := i
	for j < len(s) && s[j] == '\\' && j-i < 8 {
		j++
	}
	if j < len(s) && (s[j] == '"' || s[j] == '\'' || s[j] == '`') {
		return j + 1, closing(s, j+1, s[j], j-i), true
	}
	switch {
	case (kind == keyHeader || kind == keyCookie) && sep.sign == ':':
		return i, i + until(s[i:], "\"'\r\n"), false
	case kind == keyHeader:
		return i, credentialsEnd(s, i), false
	case kind == keyCookie:
		return i, cookiesEnd(s, i), false
	}
	return i, bareEnd(s, i), false
}

func until(s, chars string) int {
	if n := strings.IndexAny(s, chars); n >= 0 {
		return n
	}
	return len(s)
}

// closing finds the quote that ends a value opened with the same quote behind so many backslashes: 0 in plain text,
// 1 in JSON inside JSON, 3 one level deeper. Without one the value goes on to the end.
func closing(s string, from int, quote byte, escapes int) int {
	run := 0
	for i := from; i < len(s); i++ {
		switch s[i] {
		case '\\':
			run++
			continue
		case quote:
			if run == escapes || escapes == 0 && run%2 == 0 {
				return i - min(run, escapes)
			}
		}
		run = 0
	}
	return len(s)
}

// bareEnd finds the end of a value without quotes. Blanks and "&" end it; a comma, a bracket or a quote only where
// what follows shows that it was not part of the secret.
func bareEnd(s string, from int) int {
	i := from
scan:
	for ; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\r', '\n', '&', ';':
			break scan
		case ',':
			if atEnd(s, i+1) || nextIsKey(s, i+1) {
				break scan
			}
		case ')', '}', ']', '"', '\'', '>':
			if atEnd(s, i+1) {
				break scan
			}
		}
	}
	for i > from && s[i-1] == '\\' { // belongs to the quote behind it
		i--
	}
	return i
}

func atEnd(s string, i int) bool {
	return i >= len(s) || strings.IndexByte(" \t\r\n,;)}]>\"'", s[i]) >= 0
}

func nextIsKey(s string, i int) bool {
	for n := 0; i < len(s) && n < 40; i, n = i+1, n+1 {
		if s[i] == '=' || s[i] == ':' {
			return n > 0
		}
		if !isKeyByte(s[i]) && s[i] != '"' && s[i] != '\'' {
			return false
		}
	}
	return false
}

// credentialsEnd ends "Bearer x" behind the second word, "x" behind the first.
func credentialsEnd(s string, from int) int {
	i := bareEnd(s, from)
	if knownScheme(s[from:i]) {
		j := skipBlanks(s, i)
		if j > i && j < len(s) {
			return bareEnd(s, j)
		}
	}
	return i
}

// cookiesEnd goes on over "; " between cookies.
func cookiesEnd(s string, from int) int {
	for i := from; i < len(s); i++ {
		switch s[i] {
		case '\r', '\n', '"', '\'':
			return i
		case ' ', '\t':
			if s[i-1] != ';' {
				return i
			}
		}
	}
	return len(s)
}

func knownScheme(w string) bool {
	switch strings.ToLower(w) {
	case "bearer", "basic", "digest", "negotiate", "ntlm", "token", "apikey", "aws4-hmac-sha256", "hmac", "hawk", "dpop":
		return true
	}
	return false
}

// credentials reports whether the value of an Authorization key is one, and not a sentence ("authorization: denied").
func credentials(v string) bool {
	first, rest, _ := strings.Cut(v, " ")
	if knownScheme(first) {
		return !variable(strings.TrimSpace(rest)) && strings.TrimSpace(rest) != "" && strings.TrimSpace(rest) != Marker
	}
	return looksSecret(first)
}

// harmless are values that hide nothing, and whose absence or name is often the diagnosis: an unset secret, a
// variable, a mask.
func harmless(v string) bool {
	switch strings.ToLower(v) {
	case "", "null", "nil", "<nil>", "none", "undefined", "true", "false", "empty", "missing", "unset", "<unset>", "(null)":
		return true
	}
	return variable(v) || strings.Trim(v, "*") == "" || strings.Trim(v, "xX") == "" && len(v) >= 3
}

// variable reports whether v is a name to be filled in: $NAME, ${NAME}, <name>, {{ name }}, %s.
func variable(v string) bool {
	switch {
	case strings.HasPrefix(v, "${") && strings.HasSuffix(v, "}"), strings.HasPrefix(v, "{{") && strings.HasSuffix(v, "}}"):
		v = strings.Trim(v, "${} ")
	case strings.HasPrefix(v, "<") && strings.HasSuffix(v, ">"):
		v = v[1 : len(v)-1]
	case strings.HasPrefix(v, "$"):
		v = v[1:]
	case v == "%s" || v == "%v" || v == "?":
		return true
	default:
		return false
	}
	for i := 0; i < len(v); i++ {
		if !isUpper(v[i]) && v[i] != '_' && v[i] != '-' && !isLower(v[i]) {
			return false
		}
	}
	return v != ""
}

// looksSecret decides in prose, where "token: expired" and "token: 9f8a7c" have the same form.
func looksSecret(v string) bool {
	v = strings.TrimRight(v, ".,:;!?)]}\"'")
	if len(v) < 100 && strings.HasSuffix(v, "Exception") || len(v) < 100 && strings.HasSuffix(v, "Error") {
		return false
	}
	digit, fold := false, false
	for i := 0; i < len(v); i++ {
		digit = digit || isDigit(v[i])
		fold = fold || i > 0 && isUpper(v[i]) && isLower(v[i-1])
	}
	if allDigits(v) && len(v) <= 5 { // a port or a count
		return false
	}
	return digit && len(v) >= 6 || fold && len(v) >= 8 || len(v) >= 20
}

func hasAlnum(v string) bool {
	for i := 0; i < len(v); i++ {
		if isAlnum(v[i]) || v[i] >= 0x80 {
			return true
		}
	}
	return false
}
