package syslog_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/ingest/syslog"
	"github.com/inquesthq/inquest/internal/spool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type memory struct {
	mu    sync.Mutex
	lines map[spool.Source]string
	fail  error
}

func (m *memory) Append(_ context.Context, src spool.Source, lines []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		m.lines[src] += string(lines)
	}
	return m.fail
}

func (m *memory) of(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lines[spool.Source{Name: name, Kind: "syslog"}]
}

// wait waits until the source has the text.
func (m *memory) wait(t testing.TB, name, want string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && m.of(name) != want; {
		time.Sleep(5 * time.Millisecond)
	}
	if got := m.of(name); got != want {
		m.mu.Lock()
		defer m.mu.Unlock()
		t.Errorf("%s: %q, want %q; all: %q", name, got, want, m.lines)
	}
}

// serve receives on ports of its own until the test ends.
func serve(t testing.TB, cfg syslog.Config) (m *memory, tcp, udp string) {
	t.Helper()
	m = &memory{lines: map[spool.Source]string{}}
	cfg.Spool = m
	if cfg.Intake == nil {
		var err error
		if cfg.Intake, err = ingest.New(ingest.Config{}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := syslog.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- s.ServeTCP(ctx, l) }()
	go func() { done <- s.ServeUDP(ctx, c) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
	})
	return m, l.Addr().String(), c.LocalAddr().String()
}

func send(t testing.TB, network, to, text string) net.Conn {
	t.Helper()
	c, err := net.Dial(network, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return c
}

const (
	new5424 = "<34>1 2026-11-29T14:02:03.456Z web1 checkout 812 ID47 [x@1 a=\"b\"] could not pay"
	old3164 = "<34>Nov 29 14:02:03 web1 sshd[812]: Failed password"
)

func TestMessagesAreKeptAsTheyCameBySender(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message, source, want string
	}{
		"RFC 5424":                    {new5424, "checkout", new5424},
		"RFC 5424 without a program":  {"<34>1 - web1 - - - - x", "web1", "<34>1 - web1 - - - - x"},
		"RFC 5424 without anybody":    {"<34>1 - - - - - - x", "127.0.0.1", "<34>1 - - - - - - x"},
		"RFC 3164":                    {old3164, "sshd", old3164},
		"RFC 3164 of this machine":    {"<13>Nov 29 14:02:03 cron: run", "cron", "<13>Nov 29 14:02:03 cron: run"},
		"RFC 3164 with a whole time":  {"<13>2026-11-29T14:02:03+01:00 web1 app[1]: x", "app", "<13>2026-11-29T14:02:03+01:00 web1 app[1]: x"},
		"a text":                      {"hello", "127.0.0.1", "hello"},
		"a hostile program":           {"<34>1 - h \x1b[2Jx - - - y", "_[2Jx", "<34>1 - h \x1b[2Jx - - - y"},
		"several lines in a datagram": {"<34>1 - h app - - - a\nb\r\nc\n", "app", "<34>1 - h app - - - a b  c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, _, udp := serve(t, syslog.Config{})
			send(t, "udp", udp, c.message)
			m.wait(t, c.source, c.want+"\n")
		})
	}
}

func TestFraming(t *testing.T) {
	t.Parallel()
	one, two := "<34>1 - h app - - - one", "<34>1 - h app - - - two"
	counted := func(s string) string { return fmt.Sprintf("%d %s", len(s), s) }
	for name, c := range map[string]struct{ text, want string }{
		"by lines":                          {one + "\n" + two + "\r\n", one + "\n" + two + "\n"},
		"by octets":                         {counted(one) + counted(two), one + "\n" + two + "\n"},
		"by octets, with a line end inside": {counted(one+"\nmore") + counted(two), one + " more\n" + two + "\n"},
		"by zeros":                          {one + "\x00" + two + "\x00\n", one + "\n" + two + "\n"},
		"both":                              {counted(one) + two + "\n", one + "\n" + two + "\n"},
		"too long":                          {"<34>1 - h app - - - " + strings.Repeat("x", 5000) + "\n" + two + "\n", "<34>1 - h app - - - " + strings.Repeat("x", 980) + "\n" + two + "\n"},
		"too long, by octets":               {counted("<34>1 - h app - - - "+strings.Repeat("x", 5000)) + two + "\n", "<34>1 - h app - - - " + strings.Repeat("x", 980) + "\n" + two + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, tcp, _ := serve(t, syslog.Config{MaxMessage: 1000})
			send(t, "tcp", tcp, c.text)
			m.wait(t, "app", c.want)
		})
	}
}

func TestAMessageThatComesInPiecesHoldsNoOtherUp(t *testing.T) {
	t.Parallel()
	m, tcp, _ := serve(t, syslog.Config{})
	c := send(t, "tcp", tcp, "<34>1 - h app - - - one\n<34>1 - h ap")
	m.wait(t, "app", "<34>1 - h app - - - one\n")
	fmt.Fprint(c, "p - - - two\n")
	m.wait(t, "app", "<34>1 - h app - - - one\n<34>1 - h app - - - two\n")
	fmt.Fprint(c, "<34>1 - h app - - - last")
	_ = c.Close() // the end of the connection ends the line
	m.wait(t, "app", "<34>1 - h app - - - one\n<34>1 - h app - - - two\n<34>1 - h app - - - last\n")
}

func TestLoggerSends(t *testing.T) {
	t.Parallel()
	m, tcp, udp := serve(t, syslog.Config{})
	for _, args := range [][]string{
		{"--udp", "--rfc5424", "--port", udp[strings.LastIndex(udp, ":")+1:]},
		{"--udp", "--rfc3164", "--port", udp[strings.LastIndex(udp, ":")+1:]},
		{"--tcp", "--octet-count", "--rfc5424", "--port", tcp[strings.LastIndex(tcp, ":")+1:]},
		{"--tcp", "--rfc3164", "--port", tcp[strings.LastIndex(tcp, ":")+1:]},
	} {
		if out, err := exec.Command("logger", append(args, "--server", "127.0.0.1", "--tag", "shop", "it", "works")...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v %s", args, err, out)
		}
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && strings.Count(m.of("shop"), "it works\n") < 4; {
		time.Sleep(5 * time.Millisecond)
	}
	if got := m.of("shop"); strings.Count(got, "it works\n") != 4 || strings.Count(got, "\n") != 4 {
		t.Errorf("%q", got)
	}
}

func TestWhatTheSpoolDoesNotTakeIsCounted(t *testing.T) {
	t.Parallel()
	in, err := ingest.New(ingest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	m, tcp, _ := serve(t, syslog.Config{Intake: in})
	m.mu.Lock()
	m.fail = spool.ErrFull
	m.mu.Unlock()
	c := send(t, "tcp", tcp, new5424+"\n")
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("an answer") // the connection ends: the sender keeps what it has
	}
	if s := in.Stats(); len(s) != 1 || s[0].Shed != 1 || s[0].Received != 0 {
		t.Errorf("%+v", s)
	}
}

func TestManyConnectionsAndSources(t *testing.T) {
	t.Parallel()
	in, err := ingest.New(ingest.Config{MaxSources: 10})
	if err != nil {
		t.Fatal(err)
	}
	m, tcp, _ := serve(t, syslog.Config{Intake: in, Connections: 3})
	for i := range 50 {
		c := send(t, "tcp", tcp, fmt.Sprintf("<34>1 - h app%d - - - x\n", i))
		_ = c.Close()
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && strings.Count(m.of(ingest.Other), "\n") < 40; {
		time.Sleep(5 * time.Millisecond)
	}
	if n := strings.Count(m.of(ingest.Other), "\n"); n != 40 || len(m.lines) != 11 {
		t.Errorf("%d of others, %d sources", n, len(m.lines))
	}
}

func FuzzTCP(f *testing.F) {
	f.Add([]byte("5 <1>ab<34>1 - h app - - - x\n"))
	f.Add([]byte("99999999 <1>\x00\x00\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, tcp, _ := serve(t, syslog.Config{MaxMessage: 500})
		c := send(t, "tcp", tcp, string(data))
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, _ = c.Read(make([]byte, 1)) // until the server is done
		m.mu.Lock()
		defer m.mu.Unlock()
		for src, text := range m.lines {
			if !strings.HasSuffix(text, "\n") || strings.Contains(text, "\n\n") || strings.ContainsAny(text, "\r\x00") {
				t.Errorf("%v: %q", src, text)
			}
		}
	})
}
