package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// secrets is a name for what is hidden, the text that holds it as systems log it, and the part that must not come out.
var secrets = []struct{ name, text, hidden string }{
	{"authorization header", "Authorization: Bearer q7Zk29fLmN30pQrSt41Xy", "q7Zk29fLmN30pQrSt41Xy"},
	{"basic authorization", "authorization: Basic YWxpY2U6aHVudGVyMg==", "YWxpY2U6aHVudGVyMg"},
	{"cookie", "Cookie: sid=c00k1eva1ue99; theme=dark", "c00k1eva1ue99"},
	{"token in a URL", "GET https://api.example/v1?access_token=urlt0ken77aa&x=1 failed", "urlt0ken77aa"},
	{"JWT", "subject eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N rejected", "eyJzdWIiOiIxMjM0NTY3ODkwIn0"},
	{"AWS key", "AKIAIOSFODNN7EXAMPLE was refused", "AKIAIOSFODNN7EXAMPLE"},
	{"AWS secret", "aws_secret_access_key=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"},
	{"card", "charge of card 4111 1111 1111 1111 declined", "1111 1111 1111"},
	{"card in one piece", "charge of pan=5500005555555559 declined", "5500005555555559"},
	{"connection string", "cannot open postgres://app:pgpa55w0rd@db:5432/shop", "pgpa55w0rd"},
	{"ADO connection string", "Server=db;User Id=app;Password=ad0pa55;Encrypt=true is down", "ad0pa55"},
	{"MySQL's DSN", "open app:mypa55w0rd@tcp(db:3306)/shop: refused", "mypa55w0rd"},
	{"private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAkeyline1\nkeyline2Zz9yXw8vUt7sRq6\n-----END RSA PRIVATE KEY-----", "keyline"},
	{"password", "login of bob password=hunter2secret refused", "hunter2secret"},
}

// privateFolder is a failing service, each of whose errors says one secret in one of the ways in which logs hold text.
func privateFolder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	var access, jsonl, java, plain bytes.Buffer
	at := func(i int) time.Time { return time.Date(2026, 11, 20, 16, 0, i, 0, time.UTC) }
	first, rest, _ := strings.Cut(text, "\n")
	url := "/pay?note=" + strings.NewReplacer(" ", "+", "\n", "+").Replace(text)
	for i := range 240 {
		id, status, path, agent := fmt.Sprintf("0b5e%028x", i), 200, "/pay", "curl/8"
		if i > 160 && i%2 == 0 {
			status, path, agent = 500, url, strings.ReplaceAll(text, "\n", " ")
			fmt.Fprintf(&jsonl, `{"time":%q,"level":"error","service":"pay","msg":%q,"headers":{"note":%q},"err":{"type":"PayError","message":%q,"stack":%q},"request_id":%q}`+"\n",
				at(i).Format(time.RFC3339), text, text, text, "PayError: "+text+"\n    at charge (/app/pay.js:7:3)", id)
			fmt.Fprintf(&java, "%s ERROR [http-1] com.shop.Stock - %s requestId=%s\n%s\njava.lang.IllegalStateException: %s\n\tat com.shop.Stock.take(Stock.java:41)\nCaused by: java.io.IOException: %s\n\tat com.shop.Db.open(Db.java:9)\n",
				at(i).Format("2006-01-02 15:04:05.000"), first, id, rest, text, text)
			fmt.Fprintf(&plain, "panic: %s\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:9 +0x1d\n", text)
		}
		fmt.Fprintf(&access, "10.0.0.%d - - [%s] \"GET %s HTTP/1.1\" %d 12 \"-\" %q rt=0.012 rid=%s\n", i%200, at(i).Format("02/Jan/2006:15:04:05 -0700"), path, status, agent, id)
	}
	for name, data := range map[string][]byte{
		"access.log": access.Bytes(), "pay.jsonl": jsonl.Bytes(), "stock.log": java.Bytes(), "crash.log": plain.Bytes(),
		"changes.jsonl": fmt.Appendf(nil, `{"time":"2026-11-20T16:02:30Z","kind":"deploy","service":"pay","version":"2","summary":%q}`+"\n", text),
		"metrics.om":    fmt.Appendf(nil, "# TYPE up gauge\nup{job=\"pay\",note=%q} 1 1795190400\n# EOF\n", first),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// answers runs every command that quotes from files, in every format, and hands on what each wrote.
func answers(t *testing.T, dir string, check func(t *testing.T, command, written string)) {
	t.Helper()
	for _, args := range [][]string{
		{"investigate", dir}, {"investigate", dir, "--format", "json"}, {"investigate", dir, "--format", "markdown"}, {"investigate", dir, "--format", "html"},
		{"triage", dir}, {"error", fmt.Sprintf("0b5e%028x", 162), dir},
		{"patterns", dir}, {"patterns", dir, "-C", "2"}, {"patterns", dir, "--format", "json"}, {"patterns", filepath.Join(dir, "stock.log"), "--format", "csv"},
		{"parse", dir}, {"parse", dir, "--format", "summary"}, {"parse", filepath.Join(dir, "pay.jsonl")},
	} {
		var out, talk bytes.Buffer
		name := strings.ReplaceAll(strings.Join(args, " "), dir, "DIR")
		if code := run(t.Context(), args, &out, &talk); code != exitOK {
			t.Errorf("%s: exit code %d: %s", name, code, &talk)
		}
		if out.Len() == 0 {
			t.Errorf("%s: wrote nothing", name)
		}
		check(t, name, out.String()+talk.String())
	}
}

func TestNoCommandShowsASecret(t *testing.T) {
	for _, s := range secrets {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			answers(t, privateFolder(t, s.text), func(t *testing.T, command, written string) {
				if i := strings.Index(written, s.hidden); i >= 0 {
					t.Errorf("%s shows it: ...%s...", command, written[max(0, i-80):min(len(written), i+len(s.hidden)+20)])
				}
			})
		})
	}
}

func TestNoTextSteersTerminalOrPage(t *testing.T) {
	for name, text := range map[string]string{
		"colours, titles and the clipboard": "\x1b[31mred\x1b]0;owned\x07\x1b]52;c;cm0gLXJm\x07\x1bc",
		"a link of the terminal (OSC 8)":    "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
		"controls of eight bits":            "\u009b31m\u009d0;owned\u009c",
		"text from right to left":           "\u202egnp.exe\u2066abc\u2069\u200b",
		"HTML and script":                   `<script>alert(1)</script><img src=x onerror=alert(2)><a href="javascript:alert(3)">x</a>`,
		"Markdown":                          "[click](http://evil.example) ![x](http://evil.example/x.png) `code` **bold** @everyone #1",
		"carriage returns and backspaces":   "fine\rHEALTHY\b\b\b\x00\x7f",
		"a word without an end":             strings.Repeat("w", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers(t, privateFolder(t, text), func(t *testing.T, command, written string) {
				for _, c := range written {
					if c < 0x20 && c != '\n' && !(c == '\t' && strings.HasPrefix(command, "parse")) || c >= 0x7f && c < 0xa0 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
						t.Errorf("%s writes %U", command, c)
						break
					}
				}
				// What Markdown makes of it is tested where it is written, with a renderer.
				for _, bad := range []string{"<script>alert", "<img src=x", `href="javascript:`} {
					if strings.Contains(command, "html") && strings.Contains(written, bad) {
						t.Errorf("%s writes %s", command, bad)
					}
				}
				if strings.Contains(command, "investigate DIR") && !strings.Contains(command, "json") && strings.Contains(written, strings.Repeat("w", 5000)) {
					t.Errorf("%s writes a word of 5000 letters", command)
				}
			})
		})
	}
}
