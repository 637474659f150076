package redact

import (
	"regexp"
	"strings"
)

// Marker stands in the place of a secret.
const Marker = "[redacted]"

// maxPasses bounds the work on text in which one replacement uncovers another (a secret in a secret). Two passes
// suffice for everything that is not built to need more.
const maxPasses = 4

// Text returns s with every secret replaced by Marker: authorization and cookie values, passwords in URLs, values of
// secret-like keys in key=value, JSON, YAML, XML and command-line form, JWTs, keys of well-known issuers, PEM private
// keys and card numbers.
func Text(s string) string {
	for range maxPasses {
		t := once(s)
		if t == s {
			return s
		}
		s = t
	}
	return s
}

// Pair returns value, or Marker when key names a secret; otherwise value is treated as Text. It is for labels and
// attributes, where key and value are apart already.
func Pair(key, value string) string {
	if kindOf(key) != keyPlain && !harmless(value) {
		return Marker
	}
	return Text(value)
}

func once(s string) string {
	s = privateKeys(s)
	s = userinfo(s)
	s = pairs(s)
	s = schemes(s)
	if mayHaveFormat(s) {
		s = knownFormats.ReplaceAllString(s, "${1}"+Marker)
	}
	return cards(s)
}

// formatStarts are what each of the known formats holds: looking for them first is some ten times as fast as the
// expression, and most lines have none.
var formatStarts = [...]string{
	"eyJ", "AKIA", "ASIA", "ABIA", "ACCA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "glptt-", "gldt-", "glrt-",
	"xox", "xapp-", "hooks.slack.com", "sk_", "pk_", "rk_", "whsec_", "tok_", "sk-", "AIza", "ya29.", "GOCSPX-", "SG.", "npm_",
	"doo_v1_", "dop_v1_", "dor_v1_", "shpat_", "shpca_", "shppa_", "shpss_", "hvs.",
}

func mayHaveFormat(s string) bool {
	for _, f := range formatStarts {
		if strings.Contains(s, f) {
			return true
		}
	}
	return false
}

// Block is Text for lines that stand below each other, of which each comes out as one line: a private key may go over many,
// and a stretch of a file may begin within one.
func Block(lines []string) []string {
	out := make([]string, len(lines))
	inside := false
	for i, line := range lines {
		begins, ends := strings.Contains(line, "PRIVATE KEY") && strings.Contains(line, "-----BEGIN "), strings.Contains(line, "-----END ")
		switch {
		case inside && !ends:
			out[i] = Marker
		case inside:
			_, rest, _ := strings.Cut(line[strings.Index(line, "-----END ")+len("-----END "):], "-----")
			out[i] = Marker + Text(rest)
		case ends && !begins && strings.Contains(line, "PRIVATE KEY"):
			out[i] = Marker
			for k := i - 1; k >= 0 && keyLine.MatchString(lines[k]); k-- {
				out[k] = Marker
			}
		default:
			out[i] = Text(line)
		}
		inside = (inside || begins) && !ends
	}
	return out
}

// keyLine is a line of Base64 inside a key, behind whatever a logger puts in front of lines.
var keyLine = regexp.MustCompile(`[A-Za-z0-9+/=]{16,76}\s*$`)

var pemKey = regexp.MustCompile(`(?s)-----BEGIN[A-Z0-9 +%]{1,40}PRIVATE[ +%20]{1,3}KEY([ +%20]{1,3}BLOCK)?-----.*?(-----END[A-Z0-9 +%]{1,40}PRIVATE[ +%20]{1,3}KEY([ +%20]{1,3}BLOCK)?-----|$)`)

func privateKeys(s string) string {
	if !strings.Contains(s, "-----BEGIN") {
		return s
	}
	return pemKey.ReplaceAllString(s, Marker)
}

// scheme finds credentials after the name of their scheme, outside an Authorization header too ("sent Bearer eyJ...").
var scheme = regexp.MustCompile(`(?i)\b(bearer|basic|negotiate)(\s+)([A-Za-z0-9._~+/=-]{8,})`)

func schemes(s string) string {
	if !mayHaveScheme(s) {
		return s
	}
	return scheme.ReplaceAllStringFunc(s, func(m string) string {
		p := scheme.FindStringSubmatch(m)
		// "Basic authentication failed", "bearer token missing": words, not credentials.
		if plainWord(p[3]) || strings.HasPrefix(strings.ToLower(p[3]), "realm=") {
			return m
		}
		return p[1] + p[2] + Marker
	})
}

// mayHaveScheme looks for a scheme's name before a blank, without the cost of an expression.
func mayHaveScheme(s string) bool {
	for i := 5; i < len(s); i++ {
		if s[i] != ' ' && s[i] != '\t' && s[i] != '\n' && s[i] != '\r' && s[i] != '\f' {
			continue
		}
		for _, name := range [...]string{"bearer", "basic", "negotiate"} {
			if i >= len(name) && strings.EqualFold(s[i-len(name):i], name) {
				return true
			}
		}
	}
	return false
}

// plainWord reports whether w can be an English word: letters of one case, at most a capital in front, of ordinary
// length, perhaps with a full stop behind it.
func plainWord(w string) bool {
	w = strings.TrimRight(w, ".:-")
	if len(w) > 16 {
		return false
	}
	for i := 0; i < len(w); i++ {
		c := w[i]
		if !isLower(c) && !(i == 0 && isUpper(c)) {
			return false
		}
	}
	return true
}

// knownFormats are the published shapes of keys that are secrets wherever they stand. A bare prefix such as "pk_" is
// also how people name primary keys, so there a mode (live, test) or sixteen characters with a digit are asked for.
var knownFormats = regexp.MustCompile(`(^|[^A-Za-z0-9_])(?:` + strings.Join([]string{
	`eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){0,3}`,                                     // JWT, JWE
	`(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}`,                                                                  // AWS
	`gh[pousr]_[A-Za-z0-9]{16,}`, `github_pat_[A-Za-z0-9_]{16,}`, `gl(?:pat|ptt|dt|rt)-[A-Za-z0-9_-]{16,}`, // GitHub, GitLab
	`xox[a-z]-[A-Za-z0-9-]{8,}`, `xapp-[A-Za-z0-9-]{8,}`, // Slack
	`hooks\.slack\.com/services/[A-Za-z0-9/]+`,
	`(?:sk|pk|rk)_(?:live|test|prod)_[A-Za-z0-9]{3,}`, `whsec_[A-Za-z0-9+/=]{8,}`, // Stripe
	`(?:sk|pk)_[A-Za-z]{0,63}[0-9][A-Za-z0-9]{15,}`, `(?:sk|pk)_[A-Za-z0-9]{15,}[0-9][A-Za-z0-9]*`,
	`tok_[A-Za-z0-9]{3,}`,
	`sk-[A-Za-z0-9_-]{20,}`,                                                          // OpenAI, Anthropic
	`AIza[0-9A-Za-z_-]{35}`, `ya29\.[0-9A-Za-z_-]{16,}`, `GOCSPX-[0-9A-Za-z_-]{16,}`, // Google
	`SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}`, // SendGrid
	`npm_[0-9A-Za-z]{36}`, `do[opr]_v1_[0-9a-f]{32,}`, `shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}`, `hvs\.[0-9A-Za-z_-]{20,}`,
}, "|") + `)`)

// userinfo takes the password out of scheme://user:password@host and of the Go MySQL form user:password@tcp(host).
func userinfo(s string) string {
	if strings.Contains(s, "://") {
		s = urlPassword(s)
	}
	if strings.Contains(s, "@tcp(") || strings.Contains(s, "@unix(") {
		s = mysqlDSN.ReplaceAllString(s, "${1}:"+Marker+"${2}")
	}
	return s
}

var mysqlDSN = regexp.MustCompile(`([\w.-]+):[^\s"'\[]{1,200}(@(?:tcp|unix)\()`)

func urlPassword(s string) string {
	var b strings.Builder
	rest := s
	for {
		i := strings.Index(rest, "://")
		if i < 0 {
			break
		}
		b.WriteString(rest[:i+3])
		rest = rest[i+3:]
		end := len(rest)
		if next := strings.Index(rest, "://"); next >= 0 {
			end = next // looked for first: it bounds the work when URLs follow each other without a blank
		}
		end = until(rest[:end], " \t\r\n\"'<>`")
		from, to := passwordIn(rest[:end])
		if to > from {
			b.WriteString(rest[:from])
			b.WriteString(Marker)
			rest = rest[to:]
		}
	}
	b.WriteString(rest)
	return b.String()
}

// passwordIn returns the bounds of the password in "user:password@host/...", or 0, 0. A password with a raw slash in
// it is against the RFC and common; what tells it from "host:8080/path?mail=a@b" is that a port is all digits.
func passwordIn(authority string) (from, to int) {
	colon := strings.IndexByte(authority, ':')
	if colon < 0 || strings.ContainsAny(authority[:colon], "/?#@") {
		return 0, 0
	}
	tail := authority[colon+1:]
	stop := strings.IndexAny(tail, "/?#")
	if stop < 0 {
		stop = len(tail)
	}
	if !allDigits(tail[:stop]) && !strings.Contains(tail[:stop], "@") {
		stop = len(tail)
	}
	at := strings.LastIndexByte(tail[:stop], '@')
	if at <= 0 || tail[:at] == Marker || variable(tail[:at]) {
		return 0, 0
	}
	return colon + 1, colon + 1 + at
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlnum(c byte) bool { return isLower(c) || isUpper(c) || isDigit(c) }

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}
