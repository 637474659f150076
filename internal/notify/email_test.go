package notify_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/notify"
)

// mailServer speaks enough SMTP (RFC 5321, 3207, 4954) to take a mail, or to refuse one.
type mailServer struct {
	net.Listener
	tls    *tls.Config
	starts bool   // offers STARTTLS
	auth   string // mechanisms that it offers over TLS
	answer func(verb, rest string) string

	mu    sync.Mutex
	mails []taken
}

type taken struct {
	from, login string
	to          []string
	data        string
}

func mailServe(t *testing.T, change func(*mailServer)) (*mailServer, *tls.Config) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	certified := httptest.NewTLSServer(nil) // for its certificate of 127.0.0.1
	defer certified.Close()
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	s := &mailServer{Listener: l, tls: &tls.Config{Certificates: certified.TLS.Certificates}, starts: true}
	if change != nil {
		change(s)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.talk(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return s, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

func (s *mailServer) talk(c net.Conn) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(c)
	say := func(line string) { fmt.Fprintf(c, "%s\r\n", line) }
	secure := false
	var m taken
	say("220 test ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if s.answer != nil {
			if a := s.answer(verb, rest); a != "" {
				say(a)
				continue
			}
		}
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-test")
			if s.starts && !secure {
				say("250-STARTTLS")
			}
			if s.auth != "" && secure {
				say("250-AUTH " + s.auth)
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go ahead")
			over := tls.Server(c, s.tls)
			if over.Handshake() != nil {
				return
			}
			c, r, secure = over, bufio.NewReader(over), true
		case "AUTH":
			m.login = s.login(say, r, rest)
			say("235 welcome")
		case "MAIL":
			m.from = rest
			say("250 ok")
		case "RCPT":
			m.to = append(m.to, strings.Trim(strings.TrimPrefix(rest, "TO:"), "<>"))
			say("250 ok")
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				l, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(l, "."))
			}
			m.data = b.String()
			s.mu.Lock()
			s.mails = append(s.mails, m)
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 what?")
		}
	}
}

func (s *mailServer) login(say func(string), r *bufio.Reader, rest string) string {
	mechanism, first, _ := strings.Cut(rest, " ")
	if mechanism == "PLAIN" {
		b, _ := base64.StdEncoding.DecodeString(first)
		return strings.ReplaceAll(strings.TrimPrefix(string(b), "\x00"), "\x00", ":")
	}
	var out []string
	for _, q := range []string{"Username:", "Password:"} {
		say("334 " + base64.StdEncoding.EncodeToString([]byte(q)))
		line, _ := r.ReadString('\n')
		b, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
		out = append(out, string(b))
	}
	return strings.Join(out, ":")
}

// mailed sends one notice through the server and returns what became of it.
func mailed(t *testing.T, s *mailServer, settings *tls.Config, change func(*notify.Email), edit func(*inquest.Incident)) (inquest.Notice, string) {
	t.Helper()
	w := newWorld(t)
	inc := outage()
	if edit != nil {
		edit(&inc)
		w.put("incident", inc.ID, "", "open", began, inc)
	}
	e := &notify.Email{Host: s.Addr().String(), From: "Inquest <inquest@example.com>", To: []string{"team@example.com"}, TLS: settings}
	if change != nil {
		change(e)
	}
	id := w.due(inquest.OccasionOpened, "mail", time.Now())
	n := w.notice(id)
	n.To = "ada"
	w.put("notice", id, n.Incident, "due", n.Next, n)
	c := notify.Channel{Name: "mail", Email: e, People: map[string]string{"ada": "ada@example.com"}}
	w.runUntil(w.sender(func(c *notify.Config) { c.Backoff = time.Hour; c.Timeout = 3 * time.Second }, c), func() bool { n := w.notice(id); return n.State != inquest.NoticeDue || n.Error != "" })
	return w.notice(id), w.entries()
}

func TestMailGoesOutOverTLSWithTextAndPage(t *testing.T) {
	for _, mechanism := range []string{"LOGIN PLAIN", "LOGIN XOAUTH2"} {
		s, settings := mailServe(t, func(s *mailServer) { s.auth = mechanism })
		n, _ := mailed(t, s, settings, func(e *notify.Email) { e.User, e.Password = "inquest", "pässword" }, func(i *inquest.Incident) { i.Title = "Käse\r\nBcc: evil@example.com <b>" })
		if n.State != inquest.NoticeSent || len(s.mails) != 1 {
			t.Fatalf("%s: %d mails, notice %+v", mechanism, len(s.mails), n)
		}
		m := s.mails[0]
		same(t, []any{m.login, m.to}, []any{"inquest:pässword", []string{"team@example.com", "ada@example.com"}})
		parsed, err := mail.ReadMessage(strings.NewReader(m.data))
		if err != nil {
			t.Fatal(err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
		if err != nil || subject != `SEV-2 opened: Käse\r\nBcc: evil@example.com <b> [INC-20261129-7KQ2]` || parsed.Header.Get("Bcc") != "" {
			t.Errorf("subject %q, %v", subject, err)
		}
		if id := parsed.Header.Get("Message-ID"); !strings.HasSuffix(id, "@example.com>") || parsed.Header.Get("References") == id || parsed.Header.Get("Auto-Submitted") != "auto-generated" {
			t.Errorf("headers %v", parsed.Header)
		}
		_, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		parts := multipart.NewReader(parsed.Body, params["boundary"])
		for _, want := range []string{"First action: Restart the <workers>\n", "<td>Restart the &lt;workers&gt;</td>"} {
			p, err := parts.NextPart()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(p)
			if err != nil || !strings.Contains(strings.ReplaceAll(string(b), "\r\n", "\n"), want) {
				t.Errorf("%v, no %q in\n%s", err, want, b)
			}
		}
	}
}

func TestTheSameNoticeHasTheSameMessageID(t *testing.T) {
	var ids []string
	for range 2 {
		s, settings := mailServe(t, nil)
		mailed(t, s, settings, nil, nil)
		m, err := mail.ReadMessage(strings.NewReader(s.mails[0].data))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.Header.Get("Message-ID"))
	}
	if ids[0] != ids[1] || ids[0] == "" {
		t.Errorf("%v", ids)
	}
}

func TestWhatMailServersDo(t *testing.T) {
	on := func(verb, answer string) func(string, string) string {
		return func(v, _ string) string {
			if v == verb {
				return answer
			}
			return ""
		}
	}
	for name, c := range map[string]struct {
		server func(*mailServer)
		mail   func(*notify.Email)
		state  inquest.NoticeState
		want   string // in the error or the timeline
	}{
		"no TLS":                                {func(s *mailServer) { s.starts = false }, nil, inquest.NoticeFailed, "offers no TLS"},
		"no TLS, as configured":                 {func(s *mailServer) { s.starts = false }, func(e *notify.Email) { e.Plain = true }, inquest.NoticeSent, "delivered"},
		"no TLS, but a password":                {func(s *mailServer) { s.starts = false }, func(e *notify.Email) { e.Plain, e.User, e.Password = true, "u", "hunter2" }, inquest.NoticeFailed, "not sent to a mail server without TLS"},
		"a certificate that nobody vouches for": {nil, func(e *notify.Email) { e.TLS = nil }, inquest.NoticeDue, "STARTTLS: tls: failed to verify certificate"},
		"a wrong password":                      {func(s *mailServer) { s.auth = "PLAIN"; s.answer = on("AUTH", "535 wrong") }, func(e *notify.Email) { e.User, e.Password = "u", "hunter2" }, inquest.NoticeFailed, `535 "wrong"`},
		"a full one":                            {func(s *mailServer) { s.answer = on("MAIL", "452 out of storage") }, nil, inquest.NoticeDue, `452 "out of storage"`},
		"one that refuses all":                  {func(s *mailServer) { s.answer = on("RCPT", "550 no such user") }, nil, inquest.NoticeFailed, `550 "no such user"`},
		"one that refuses one": {func(s *mailServer) {
			s.answer = func(v, rest string) string {
				if v == "RCPT" && strings.Contains(rest, "ada") {
					return "550 no such user"
				}
				return ""
			}
		}, nil, inquest.NoticeSent, `delivered to mail for ada; the mail server refused ada@example.com: 550 "no such user"`},
		"one that hangs": {func(s *mailServer) {
			s.answer = func(v, _ string) string {
				if v == "DATA" {
					time.Sleep(4 * time.Second)
				}
				return ""
			}
		}, nil, inquest.NoticeDue, "no answer within 3s"},
	} {
		t.Run(name, func(t *testing.T) {
			s, settings := mailServe(t, c.server)
			n, story := mailed(t, s, settings, c.mail, nil)
			if n.State != c.state || !strings.Contains(n.Error+story, c.want) || strings.Contains(n.Error+story, "hunter2") {
				t.Errorf("notice %+v\n%s, want %s and %q", n, story, c.state, c.want)
			}
		})
	}
}
