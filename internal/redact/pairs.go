package redact

import "strings"

// keyKind says how far a key gives its value away.
type keyKind uint8

const (
	keyPlain  keyKind = iota
	keyHard           // a password: whatever stands behind it is one
	keySoft           // token, secret, session: in prose ("unexpected token: foo") the value must look the part
	keyHeader         // Authorization: the rest of the line belongs to it
	keyCookie         // Cookie: the same, in pairs
	keyDigits         // CVV, PIN: only digits can be one
)

// suffixes are matched against the end of a key in lower case without "_", "-" and ".", so that db_password,
// SPRING_DATASOURCE_PASSWORD and clientSecret are all found, and token_count, passwordless and secretName are not.
var suffixes = []struct {
	end  string
	kind keyKind
}{
	{"password", keyHard}, {"passwd", keyHard}, {"passphrase", keyHard}, {"passcode", keyHard}, {"pwd", keyHard},
	{"passwordhash", keyHard}, {"userpass", keyHard}, {"dbpass", keyHard},
	{"authorization", keyHeader}, {"cookie", keyCookie}, {"cookies", keyCookie},
	{"secret", keySoft}, {"token", keySoft}, {"apikey", keySoft}, {"accesskey", keySoft}, {"secretkey", keySoft},
	{"privatekey", keySoft}, {"signingkey", keySoft}, {"encryptionkey", keySoft}, {"masterkey", keySoft},
	{"accountkey", keySoft}, {"sharedkey", keySoft}, {"authkey", keySoft}, {"credential", keySoft},
	{"credentials", keySoft}, {"sessionid", keySoft}, {"sessionkey", keySoft}, {"phpsessid", keySoft},
	{"signature", keySoft}, {"xauth", keySoft},
}

// whole are keys too short to be trusted as an ending.
var whole = map[string]keyKind{
	"session": keySoft, "sid": keySoft, "sess": keySoft, "connectsid": keySoft, "sig": keySoft, "jwt": keySoft,
	"bearer": keySoft, "pass": keySoft, "csrf": keySoft, "xsrf": keySoft, "cardnumber": keySoft,
	"pin": keyDigits, "otp": keyDigits, "cvv": keyDigits, "cvc": keyDigits, "cvv2": keyDigits,
}

const longestKey = 48 // characters of a key that are looked at, from its end

func kindOf(key string) keyKind {
	if len(key) > longestKey {
		key = key[len(key)-longestKey:]
	}
	var buf [longestKey]byte
	n := 0
	for i := 0; i < len(key); i++ {
		c := key[i]
		if c == '_' || c == '-' || c == '.' || c == '$' {
			continue
		}
		if isUpper(c) {
			c += 'a' - 'A'
		}
		buf[n] = c
		n++
	}
	name := string(buf[:n])
	if k, ok := whole[name]; ok {
		return k
	}
	for _, s := range suffixes {
		if strings.HasSuffix(name, s.end) {
			return s.kind
		}
	}
	return keyPlain
}

func isKeyByte(c byte) bool { return isAlnum(c) || c == '_' || c == '-' || c == '.' || c == '$' }

// pairs replaces the values of secret-like keys.
func pairs(s string) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(s); {
		if !isKeyByte(s[i]) {
			i++
			continue
		}
		start := i
		for i < len(s) && isKeyByte(s[i]) {
			i++
		}
		sep := separatorAt(s, start, i) // first, as it is cheap and most words have none behind them
		if sep.sign == 0 {
			continue
		}
		kind := kindOf(s[start:i])
		if kind == keyPlain {
			continue
		}
		v := findValue(s, start, i, sep, kind)
		if v.to <= v.from {
			continue
		}
		b.WriteString(s[done:v.from])
		b.WriteString(Marker)
		done, i = v.to, v.to
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

type bounds struct{ from, to int }

// separator is what stands between a key and its value.
type separator struct {
	sign   byte // '=', ':', '>' (XML), ' ' (command-line flag), 0 for none
	quoted bool // the key was in quotes
	loose  bool // a blank behind "=" only: "PASSWORD= is not set"
	end    int  // where the value starts
}

// findValue returns the bounds of the secret behind the key s[start:end], empty when there is none.
func findValue(s string, start, end int, sep separator, kind keyKind) bounds {
	if sep.end >= len(s) || strings.HasPrefix(s[sep.end:], Marker) {
		return bounds{}
	}
	switch rest := s[sep.end:]; { // decided on the first bytes: looking for the end each time would be quadratic
	case kind == keyDigits:
		s = s[:sep.end+min(len(rest), 16)]
	case kind == keyHeader && sep.sign == ':' && !sep.quoted && !quoteOrList(rest[0]) && !credentials(head(rest)):
		return bounds{}
	}
	from, to, quoted := valueAt(s, sep, kind)
	v := s[from:to]
	if strings.HasPrefix(v, Marker) || harmless(v) {
		return bounds{}
	}
	if strings.EqualFold(s[start:end], "pwd") && strings.HasPrefix(v, "/") {
		return bounds{} // the shell's working directory
	}
	prose := (sep.sign == ':' || sep.loose) && !sep.quoted && !quoted
	switch {
	case kind == keyDigits && !(len(v) >= 3 && len(v) <= 9 && allDigits(v)),
		kind == keySoft && (prose && !looksSecret(v) || !hasAlnum(v)),
		kind == keyHard && sep.loose && !looksSecret(v),
		sep.sign == ' ' && strings.HasPrefix(v, "-"):
		return bounds{}
	}
	return bounds{from, to}
}

func separatorAt(s string, start, end int) separator {
	i := skipColour(s, end)
	if i < len(s) && s[i] == '>' && start > 0 && s[start-1] == '<' {
		return separator{sign: '>', end: i + 1}
	}
	var sep separator
	j := i
	for j < len(s) && s[j] == '\\' && j-i < 8 {
		j++
	}
	if j < len(s) && (s[j] == '"' || s[j] == '\'') {
		sep.quoted = true
		i = j + 1
	}
	blank := skipBlanks(s, i)
	if blank >= len(s) {
		return separator{}
	}
	switch c := s[blank]; {
	case c == '=' || c == ':':
		sep.sign = c
		blank++
		if blank < len(s) && (s[blank] == '>' || s[blank] == '=') { // Ruby's =>, Go's :=, ==
			sep.sign = '='
			blank++
		}
		sep.end = skipColour(s, skipBlanks(s, blank))
		sep.loose = sep.sign == '=' && sep.end > blank && isKeyByte(s[max(blank-2, 0)])
	case blank > i && strings.HasPrefix(s[start:end], "--"):
		sep.sign, sep.end = ' ', blank
	}
	return sep
}

// skipBlanks passes over a few blanks; a bound keeps the whole scan linear.
func skipBlanks(s string, i int) int {
	for n := 0; i < len(s) && (s[i] == ' ' || s[i] == '\t') && n < 8; n++ {
		i++
	}
	return i
}

// skipColour passes over one colour sequence: console loggers paint the key and not its value.
func skipColour(s string, i int) int {
	if i+1 >= len(s) || s[i] != 0x1b || s[i+1] != '[' {
		return i
	}
	for j := i + 2; j < len(s) && j < i+16; j++ {
		if s[j] == 'm' {
			return j + 1
		}
	}
	return i
}

// head returns the first line of s, at most 256 bytes of it.
func head(s string) string {
	s = s[:min(len(s), 256)]
	return s[:until(s, "\"'\r\n")]
}

func quoteOrList(c byte) bool { return c == '"' || c == '\'' || c == '`' || c == '[' || c == '\\' }
