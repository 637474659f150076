package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// Email sends through a mail server. The messages of an incident are one thread.
type Email struct {
	Host     string // "smtp.example.com:587"; port 465 speaks TLS from the beginning, others by STARTTLS
	From     string
	To       []string // always; and the person on call, where People of the channel has their address
	User     string
	Password Secret
	Plain    bool   // allow a server without TLS, which then must not ask for a password
	Hello    string // the name that the sender gives; "" is "localhost"

	// RootCAs of the server's certificate; nil: the system's.
	TLS *tls.Config
}

type email struct {
	*Email
	host, port string
	from       *mail.Address
	people     map[string]string
	page       *template.Template
}

const mailPage = `<!doctype html><html><body style="font-family:sans-serif"><p><strong>{{.Title}}</strong></p>
<table cellpadding="4">{{range .Facts}}<tr><td style="vertical-align:top;color:#555">{{.Name}}</td><td>{{.Text}}</td></tr>{{end}}</table>
{{if .Link}}<p><a href="{{.Link}}">Open the incident</a></p>{{end}}</body></html>
`

func (e *Email) open(people map[string]string) (channel, error) {
	host, port, err := net.SplitHostPort(e.Host)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("its host is a server and a port such as smtp.example.com:587, not %q", e.Host)
	}
	from, err := mail.ParseAddress(e.From)
	if err != nil {
		return nil, fmt.Errorf("from: %q is no mail address", e.From)
	}
	for _, a := range e.To {
		if _, err := mail.ParseAddress(a); err != nil {
			return nil, fmt.Errorf("to: %q is no mail address", a)
		}
	}
	for person, a := range people {
		if _, err := mail.ParseAddress(a); err != nil {
			return nil, fmt.Errorf("people: %q of %s is no mail address", a, person)
		}
	}
	if len(e.To) == 0 && len(people) == 0 {
		return nil, errors.New("it needs addresses in to or people")
	}
	page, err := template.New("mail").Parse(mailPage)
	return &email{e, host, port, from, people, page}, err
}

func (e *email) close() {}

func (e *email) send(ctx context.Context, m *Message) (string, error) {
	to := slices.Clone(e.To)
	if a := e.people[m.To]; a != "" && !slices.Contains(to, a) {
		to = append(to, a)
	}
	if len(to) == 0 {
		return "", permanent(fmt.Errorf("no address is known for %q", m.To))
	}
	body, err := e.compose(m, to)
	if err != nil {
		return "", permanent(err)
	}
	c, err := e.connect(ctx)
	if err != nil {
		return "", smtpFailure(err)
	}
	defer func() { _ = c.Close() }()
	note, err := e.hand(c, to, body)
	return note, smtpFailure(err)
}

// smtpFailure: 5yz is final, everything else is worth another attempt (RFC 5321 4.2.1).
func smtpFailure(err error) error {
	if p, ok := errors.AsType[*textproto.Error](err); ok && p.Code >= 500 {
		return permanent(err)
	}
	return err
}

// connect greets the server, over TLS unless that is not wanted, and logs in.
func (e *email) connect(ctx context.Context) (*smtp.Client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(e.host, e.port))
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends whatever is waited for
	settings := &tls.Config{ServerName: e.host, MinVersion: tls.VersionTLS12}
	if e.TLS != nil {
		settings = e.TLS.Clone()
		settings.ServerName = e.host
	}
	if e.port == "465" {
		conn = tls.Client(conn, settings)
	}
	c, err := smtp.NewClient(conn, e.host)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	if err := e.greet(c, settings); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func (e *email) greet(c *smtp.Client, settings *tls.Config) error {
	if e.Hello != "" {
		if err := c.Hello(e.Hello); err != nil {
			return err
		}
	}
	_, secure := c.TLSConnectionState()
	if ok, _ := c.Extension("STARTTLS"); ok && !secure {
		if err := c.StartTLS(settings); err != nil {
			return fmt.Errorf("STARTTLS: %w", err)
		}
		secure = true
	}
	if !secure && !e.Plain {
		return permanent(errors.New("the mail server offers no TLS; use one that does, or set plain for one on this machine"))
	}
	if e.User == "" {
		return nil
	}
	if !secure {
		return permanent(errors.New("the password is not sent to a mail server without TLS"))
	}
	_, offered := c.Extension("AUTH")
	if slices.Contains(strings.Fields(offered), "PLAIN") {
		return c.Auth(smtp.PlainAuth("", e.User, string(e.Password), e.host))
	}
	return c.Auth(&login{e.User, string(e.Password)})
}

// hand gives the message over. Recipients that the server refuses are left out and named, as long as one is taken.
func (e *email) hand(c *smtp.Client, to []string, body []byte) (string, error) {
	if err := c.Mail(e.from.Address); err != nil {
		return "", err
	}
	var refused []string
	var last error
	for _, t := range to {
		a, _ := mail.ParseAddress(t) // checked at the beginning
		if err := c.Rcpt(a.Address); err != nil {
			last = err
			refused = append(refused, a.Address)
		}
	}
	if len(refused) == len(to) {
		return "", last
	}
	w, err := c.Data()
	if err != nil {
		return "", err
	}
	if _, err := w.Write(body); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	_ = c.Quit() // the server has taken it
	if len(refused) > 0 {
		return fmt.Sprintf("the mail server refused %s: %v", strings.Join(refused, ", "), last), nil
	}
	return "", nil
}

// compose writes the mail: text and HTML of the same facts. Its Message-ID is made of the notice's id, so that a repetition is known by it.
func (e *email) compose(m *Message, to []string) ([]byte, error) {
	_, domain, _ := strings.Cut(e.from.Address, "@")
	id := func(of string) string {
		sum := sha256.Sum256([]byte(of))
		return "<" + hex.EncodeToString(sum[:12]) + "@" + domain + ">"
	}
	var b bytes.Buffer
	parts := multipart.NewWriter(&b)
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	header("From", e.from.String())
	header("To", strings.Join(to, ", "))
	header("Subject", mime.QEncoding.Encode("utf-8", m.Title))
	header("Date", time.Now().Format(time.RFC1123Z))
	header("Message-ID", id(m.ID))
	header("References", id(m.Key))
	header("In-Reply-To", id(m.Key))
	header("Auto-Submitted", "auto-generated") // RFC 3834: no automatic answers
	header("MIME-Version", "1.0")
	header("Content-Type", "multipart/alternative; boundary="+parts.Boundary())
	b.WriteString("\r\n")
	var page bytes.Buffer
	if err := e.page.Execute(&page, m); err != nil {
		return nil, fmt.Errorf("write the mail: %w", err)
	}
	for _, p := range []struct{ kind, text string }{{"text/plain", m.Title + "\n\n" + m.text()}, {"text/html", page.String()}} {
		w, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {p.kind + "; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"}})
		if err != nil {
			return nil, err
		}
		q := quotedprintable.NewWriter(w)
		if _, err := q.Write([]byte(p.text)); err != nil {
			return nil, err
		}
		if err := q.Close(); err != nil {
			return nil, err
		}
	}
	if err := parts.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// login is AUTH LOGIN, which some servers offer alone. It answers by the order of the questions, as their wording is not specified.
type login struct{ user, password string }

// Start begins; the connection is known to be encrypted.
func (l *login) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }

// Next answers with the name, then with the password.
func (l *login) Next(question []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	if strings.HasPrefix(strings.ToLower(string(question)), "pass") {
		return []byte(l.password), nil
	}
	return []byte(l.user), nil
}
