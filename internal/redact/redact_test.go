package redact_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/inquesthq/inquest/internal/redact"
)

const r = redact.Marker

func TestTextTakesSecretsOut(t *testing.T) {
	for name, c := range map[string][2]string{
		"bearer header":            {"Authorization: Bearer abc.def-123", "Authorization: " + r},
		"bearer in a sentence":     {"sent Bearer q1w2e3r4t5 to the API", "sent Bearer " + r + " to the API"},
		"basic header in curl":     {`curl -H "Authorization: Basic dXNlcjpwYXNz" http://x/`, `curl -H "Authorization: ` + r + `" http://x/`},
		"raw key as authorization": {"authorization: 3f9aK20fjskdl status=500", "authorization: " + r},
		"logfmt authorization":     {"authorization=Bearer abcdefgh12 status=500", "authorization=" + r + " status=500"},
		"go header map":            {"map[Authorization:[Bearer abc123] Accept:[*/*]]", "map[Authorization:" + r + " Accept:[*/*]]"},
		"header list in JSON":      {`{"authorization":["Bearer abc"],"a":1}`, `{"authorization":` + r + `,"a":1}`},
		"cookie header":            {"Cookie: sid=abc; theme=dark\nHost: a", "Cookie: " + r + "\nHost: a"},
		"set-cookie":               {`set-cookie: id=1; HttpOnly`, `set-cookie: ` + r},
		"cookie in logfmt":         {"cookie=a=1; b=2 status=500", "cookie=" + r + " status=500"},
		"URL password":             {"dial postgres://app:s3cr3t@db:5432/shop failed", "dial postgres://app:" + r + "@db:5432/shop failed"},
		"URL password with a slash and an at": {
			"amqp://u:p/a@ss@mq:5672/", "amqp://u:" + r + "@mq:5672/"},
		"URL password without a user": {"redis://:hunter2@cache:6379", "redis://:" + r + "@cache:6379"},
		"go mysql DSN":                {"open root:pw@tcp(db:3306)/shop", "open root:" + r + "@tcp(db:3306)/shop"},
		"key=value":                   {"user=bob password=hunter2 ok", "user=bob password=" + r + " ok"},
		"query":                       {"GET /cb?token=abc&state=1", "GET /cb?token=" + r + "&state=1"},
		"environment":                 {"DATABASE_PASSWORD=hunter2", "DATABASE_PASSWORD=" + r},
		"JSON":                        {`{"user":"bob","password":"a\"b,c","n":1}`, `{"user":"bob","password":"` + r + `","n":1}`},
		"JSON in JSON":                {`{"body":"{\"client_secret\":\"abc\",\"n\":1}"}`, `{"body":"{\"client_secret\":\"` + r + `\",\"n\":1}"}`},
		"python repr":                 {`{'api_key': 'abc', 'n': 1}`, `{'api_key': '` + r + `', 'n': 1}`},
		"ruby hash":                   {`{"password"=>"abc", :token => "x1"}`, `{"password"=>"` + r + `", :token => "` + r + `"}`},
		"go struct":                   {"{User:bob Password:hunter2}", "{User:bob Password:" + r + "}"},
		"XML":                         {"<password>abc</password>", "<password>" + r + "</password>"},
		"java toString":               {"Login{user=bob, password=hunter2, ok=false}", "Login{user=bob, password=" + r + ", ok=false}"},
		"ADO connection string":       {"Server=db;Password=abc;Encrypt=true", "Server=db;Password=" + r + ";Encrypt=true"},
		"command-line flag":           {"app --password hunter2 --port 80", "app --password " + r + " --port 80"},
		"painted key":                 {"\x1b[36mtoken\x1b[0m=abc1 x", "\x1b[36mtoken\x1b[0m=" + r + " x"},
		"yaml":                        {"  password: hunter2", "  password: " + r},
		"header x-api-key":            {"x-api-key: 0a1b2c3d", "x-api-key: " + r},
		"session":                     {"session=9fk2; next", "session=" + r + "; next"},
		"java session":                {";JSESSIONID=9AF2 x", ";JSESSIONID=" + r + " x"},
		"payment token of the example": {
			`{"payment_token":"tok_xyz","cart_id":7}`, `{"payment_token":"` + r + `","cart_id":7}`},
		"card verification":   {"cvv=123 ok", "cvv=" + r + " ok"},
		"JWT":                 {"got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln and", "got " + r + " and"},
		"AWS key":             {"key AKIAIOSFODNN7EXAMPLE used", "key " + r + " used"},
		"GitHub token in URL": {"https://ghp_0123456789abcdefghijABCDEFGHIJ012345@github.com/x", "https://" + r + "@github.com/x"},
		"Slack":               {"xoxb-1234567890-abcdef", r},
		"Stripe":              {"charge with sk_live_4eC39HqLyj failed", "charge with " + r + " failed"},
		"Google":              {"AIzaSyA1234567890abcdefghijklmnopqrstuv", r},
		"bare payment token":  {"declined: tok_1Mabc", "declined: " + r},
		"private key": {
			"x -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- y", "x " + r + " y"},
		"private key in a URL":   {"GET /x?k=-----BEGIN+PRIVATE%20KEY-----+MIIE+-----END+PRIVATE%20KEY-----&a=1", "GET /x?k=" + r + "&a=1"},
		"cut private key":        {"-----BEGIN PRIVATE KEY-----\\nMIIE", r},
		"card":                   {"card 4111111111111111 declined", "card " + r + " declined"},
		"card in groups":         {"card 4111 1111 1111 1111 declined", "card " + r + " declined"},
		"card with dashes":       {"5500-0055-5555-5559", r},
		"amex":                   {"3782 822463 10005,", r + ","},
		"secret looking, prose":  {"invalid token: 9f8a7c6d5e", "invalid token: " + r},
		"bytes literal":          {"password=b'hunter2', x", "password=" + r + "', x"},
		"quoted without closing": {`password="hunter2 and more`, `password="` + r},
	} {
		t.Run(name, func(t *testing.T) {
			if got := redact.Text(c[0]); got != c[1] {
				t.Errorf("Text(%q)\n got %q\nwant %q", c[0], got, c[1])
			}
		})
	}
}

func TestTextLeavesEvidenceAlone(t *testing.T) {
	for _, s := range []string{
		"request_id=7f3c9a1e-4b7d-4b1e-9d53-0a1b2c3d4e5f status=500",
		"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"trace_id=4111111111111111 span",
		"commit 3a875b5c0ffee0ddba11c0de0123456789abcdef",
		"ts=1764424931204 ts=1764424931204123456 n=4111",
		"2026-11-27T14:02:11.204Z 200 4096 0.003 1234 5678",
		`duplicate key value violates unique constraint "pk_orders_2024"`,
		"SyntaxError: Unexpected token '<', \"<!DOCTYPE\"... is not valid JSON",
		"Unexpected token: }",
		"invalid token: expired",
		"password authentication failed for user \"app\"",
		"Basic authentication failed", "bearer token missing",
		"WWW-Authenticate: Bearer realm=\"api\"",
		"DB_PASSWORD= is not set; SECRET_KEY=null; token=undefined",
		"max_tokens=4096 token_count=12 tokens: 88",
		"curl -H 'Authorization: Bearer $TOKEN' -u \"$USER\"",
		"PGPASSWORD=$PGPASSWORD psql",
		"authorization: denied by policy",
		"PWD=/srv/app",
		"connect to db-secret:5432 refused",
		"com.zaxxer.hikari.pool.HikariPool - Connection is not available, request timed out after 30000ms (total=10, active=10, idle=0, waiting=47)",
		"java.lang.IllegalStateException: token: JwtExpiredException",
		"http://orders:8080/path?mail=a@b",
		"[redacted] password=[redacted]",
	} {
		if got := redact.Text(s); got != s {
			t.Errorf("Text(%q)\n got %q, want it unchanged", s, got)
		}
	}
}

func TestPair(t *testing.T) {
	if got := redact.Pair("api_key", "abc"); got != r {
		t.Errorf("Pair of a secret key = %q", got)
	}
	if got := redact.Pair("pool", "orders"); got != "orders" {
		t.Errorf("Pair of a plain key = %q", got)
	}
	if got := redact.Pair("url", "redis://:pw@h"); got != "redis://:"+r+"@h" {
		t.Errorf("Pair with a secret inside = %q", got)
	}
}

// 32 times the text may take 32 times as long, and some more for noise; a quadratic rule would take a thousand times as long, in every attempt.
func TestTextIsLinear(t *testing.T) {
	best := func(s string) time.Duration {
		least := time.Hour
		for range 3 {
			start := time.Now()
			redact.Text(s)
			least = min(least, time.Since(start))
		}
		return least
	}
	for _, unit := range []string{
		"password=", `token:"`, "a://b:", "Bearer ", `\`, "4111 ", "key=\x1b[", "eyJ", "Cookie: ", "-----BEGIN ", "authorization: ",
		"pin:[", "token:tokenError:", "--token ", "user:",
	} {
		var small, large time.Duration
		linear := false
		for attempt := 0; attempt < 8 && !linear; attempt++ { // a machine that does other work stretches some of them
			small, large = best(strings.Repeat(unit, 1<<13/len(unit))), best(strings.Repeat(unit, 1<<18/len(unit)))
			linear = large <= 160*small+200*time.Millisecond
		}
		if !linear {
			t.Errorf("%q: 8 KB took %v, 256 KB took %v", unit, small, large)
		}
	}
}

func TestClean(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		max  int
		want string
	}{
		"escape sequence":        {"a\x1b[2Jb", 0, `a\x1b[2Jb`},
		"C1 control":             {"a\u009b2Jb", 0, `a\u009b2Jb`},
		"line break":             {"a\r\nb\tc", 0, `a\r\nb\tc`},
		"direction override":     {"a\u202egpj.exe", 0, `a\u202egpj.exe`},
		"zero width":             {"pa\u200bss\ufeff", 0, `pa\u200bss\ufeff`},
		"invalid UTF-8":          {"a\xff\xfeb", 0, `a\xff\xfeb`},
		"NUL and DEL":            {"\x00\x7f", 0, `\x00\x7f`},
		"letters stay":           {"Größe 日本 🙂", 0, "Größe 日本 🙂"},
		"cut on a rune boundary": {"日本語日本語", 4, "日本語…"},
		"exactly as long":        {"日本語", 3, "日本語"},
		"long word":              {strings.Repeat("x", 1000) + " end", 0, strings.Repeat("x", 239) + "… end"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := redact.Clean(c.in, c.max); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := redact.Lines("a\r\n\tb\x1b\n", 0); got != "a\n    b\\x1b" {
		t.Errorf("Lines = %q", got)
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{
		`{"password":"x"}`, "Authorization: Bearer abc", "postgres://u:p@h/x", "4111 1111 1111 1111", "tok_abc sk_live_abc",
		`\"token\":\"a\\\"b\"`, "a\x1b[1mtoken\x1b[0m=b", "Cookie: a; b", "password=[redacted", "<token>x</token>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := redact.Text(s)
		if twice := redact.Text(once); twice != once {
			t.Errorf("not idempotent:\n in    %q\n once  %q\n twice %q", s, once, twice)
		}
		clean := redact.Clean(once, 200)
		if again := redact.Clean(clean, 200); again != clean {
			t.Errorf("Clean not idempotent: %q then %q", clean, again)
		}
		if !utf8.ValidString(clean) || utf8.RuneCountInString(clean) > 200 {
			t.Errorf("Clean gives %d runes, valid %v", utf8.RuneCountInString(clean), utf8.ValidString(clean))
		}
		for _, c := range clean {
			if c < 0x20 || c == 0x7f || redact.Hidden(c) {
				t.Errorf("control character %U survives", c)
			}
		}
	})
}

// FuzzSecret puts a secret made of the fuzzer's bytes into the places where secrets occur, around text of its choice.
func FuzzSecret(f *testing.F) {
	f.Add([]byte("abc"), "before ", " after")
	f.Add([]byte{0, 1, 2, 255}, "x=\"", "\", y")
	f.Fuzz(func(t *testing.T, seed []byte, before, after string) {
		secret := secretFrom(seed)
		if strings.Contains(before+after, secret) || strings.ContainsAny(before, "=:>\\\x1b[") {
			return // an open quotation before it changes what is a key
		}
		for _, form := range []string{
			" password=%s ", `{"password":"%s"}`, ` {"access_token": "%s"} `, " Authorization: Bearer %s\n",
			" postgres://app:%s@db/shop ", " ?api_key=%s&x=1 ", "\nCookie: sid=%s; a=b\n", " eyJ%s.%s.%s ", " ghp_%s ",
			" tok_%s ", `\"client_secret\":\"%s\"`, "<secret>%s</secret>", " --token %s ", " [x-api-key:%s]",
		} {
			text := before + " " + strings.ReplaceAll(form, "%s", secret) + " " + after
			if got := redact.Text(text); strings.Contains(got, secret) {
				t.Errorf("the secret survives in %q", got)
			}
		}
	})
}

// secretFrom maps bytes to a token of at least 24 letters and digits.
func secretFrom(seed []byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := []byte("Zq7xW2kP9mV4tB8nR3cL6dHy")
	for i, c := range seed {
		b[i%len(b)] = alphabet[int(c)%len(alphabet)]
	}
	return string(b) + "9a"
}

func BenchmarkText(b *testing.B) {
	line := `10.1.4.7 - - [27/Nov/2026:14:02:11 +0000] "POST /api/orders?page=2 HTTP/1.1" 500 112 "-" "okhttp/4.12" rt=30.004 id=7f3c9a1e`
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		redact.Text(line)
	}
}

func TestBlockTakesOutKeysThatGoOverLines(t *testing.T) {
	const begin, end = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
	key := strings.Repeat("MIIEowIBAAKCAQEA", 4)
	for name, c := range map[string]struct{ lines, want []string }{
		"a whole key":              {[]string{"a", "log: " + begin, key, key, end + " b", "c"}, []string{"a", "log: " + r, r, r, r + " b", "c"}},
		"it begins within":         {[]string{"a", key, key, end, "c"}, []string{"a", r, r, r, "c"}},
		"it ends within":           {[]string{"a", begin, key}, []string{"a", r, r}},
		"a certificate is public":  {[]string{"-----BEGIN CERTIFICATE-----", key, "-----END CERTIFICATE-----"}, []string{"-----BEGIN CERTIFICATE-----", key, "-----END CERTIFICATE-----"}},
		"each line as Text has it": {[]string{"password=hunter2", "ok"}, []string{"password=" + r, "ok"}},
		"nothing":                  {nil, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := redact.Block(c.lines); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestWhatSteersIsMadeVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ttext\nover lines":      "plain\ttext\nover lines",
		"\x1b[31m\u009b\u202e\x7f\xff": `\x1b[31m\u009b\u202e\x7f\xff`,
		"Grüße 漢字":                     "Grüße 漢字",
		"":                             "",
	} {
		if got := redact.Visible(in); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"{\"a\":\"Grüße\"}":            "{\"a\":\"Grüße\"}",
		"{\"a\":\"\u009b\u202e\x7f\"}": `{"a":"\u009b\u202e\u007f"}`,
		"{\"a\":\"\U000E0001\"}":       `{"a":"\udb40\udc01"}`,
	} {
		if got := string(redact.EscapeJSON([]byte(in))); got != want {
			t.Errorf("EscapeJSON(%q) = %q, want %q", in, got, want)
		}
	}
}
