package server_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/store/pgtest"
)

// pg is the PostgreSQL of all tests, started by the first that asks.
var pg = sync.OnceValues(pgtest.Start)

func TestMain(m *testing.M) {
	if os.Getenv(childFile) != "" {
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if s, err := pg(); err == nil {
		if err := s.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// database makes an empty one and returns its address.
func database(t *testing.T, name string) string {
	t.Helper()
	s, err := pg()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SQL("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return s.URL(name)
}

// notes are what a server tells its operator.
type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) add(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, text)
}

// with lists those that contain a text.
func (n *notes) with(text string) (out []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.all {
		if strings.Contains(s, text) {
			out = append(out, s)
		}
	}
	return out
}

// running is a server that a test may end before it ends itself.
type running struct {
	*notes
	at   string
	stop func() error // ends it and returns what Run returned; the second call does nothing
}

// start runs a server until stop is called or the test ends.
func start(t *testing.T, s server.Settings, now func() time.Time) *running {
	t.Helper()
	if s.Listen.Address == "" {
		s.Listen.Address = "127.0.0.1:0"
	}
	if now == nil {
		now = time.Now
	}
	r := &running{notes: &notes{}}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, server.Options{Settings: s, Version: "test", Now: now, Log: func(text string) { r.add(text) }, Ready: func(a []string) { ready <- a[0] }})
	}()
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if t.Failed() {
			t.Logf("it told: %s", strings.Join(r.with(""), "\n"))
		}
	})
	select {
	case r.at = <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("it did not begin: %v", err)
	case <-time.After(2 * time.Minute):
		t.Fatal("it did not begin within two minutes")
	}
	return r
}

// password of everybody in these tests.
const password = "correct horse battery"

// hash is made once: it is costly on purpose.
var hash = sync.OnceValues(func() (string, error) { return auth.HashPassword(rand.Reader, password) })

// people are three who can sign in, named after what they may.
func people(t testing.TB) server.Access {
	t.Helper()
	h, err := hash()
	if err != nil {
		t.Fatal(err)
	}
	a := server.Access{Users: map[string]server.User{}}
	for _, role := range []string{"viewer", "responder", "admin"} {
		a.Users[role] = server.User{Password: h, Role: role}
	}
	return a
}

// person asks a server as a browser or a program does.
type person struct {
	t      testing.TB
	at     string
	client *http.Client
	csrf   string
	bearer string
}

func nobody(t testing.TB, at string) *person {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t: t, at: at, client: &http.Client{Jar: jar, Transport: transport, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// signIn signs in with the password that all have.
func signIn(t testing.TB, at, name string) *person {
	t.Helper()
	p := nobody(t, at)
	form := url.Values{"name": {name}, "password": {password}}
	if status, text := p.send("POST", "/login", "application/x-www-form-urlencoded", form.Encode()); status != http.StatusSeeOther {
		t.Fatalf("%s cannot sign in: %d %s", name, status, text)
	}
	_, page := p.send("GET", "/", "", "")
	found := csrfField.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("the page of %s has no token: %.500s", name, page)
	}
	p.csrf = found[1]
	return p
}

// send makes a request and returns its answer. What a browser or a program adds by itself is added; headers come in pairs and replace it.
func (p *person) send(method, path, kind, body string, headers ...string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequest(method, p.at+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if p.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+p.bearer)
	} else if p.csrf != "" || kind != "application/json" { // a browser; else a program
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		req.Header.Set("X-CSRF-Token", p.csrf)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err := resp.Body.Close(); err != nil {
		p.t.Fatal(err)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// read asks for JSON.
func read[T any](p *person, path string) T {
	p.t.Helper()
	var out T
	status, text := p.send("GET", "/api/v1"+path, "", "")
	if err := json.Unmarshal([]byte(text), &out); err != nil || status != http.StatusOK {
		p.t.Fatalf("%s: status %d, %v: %.500s", path, status, err, text)
	}
	return out
}

// do sends JSON and reads JSON.
func do[T any](p *person, path, body string) T {
	p.t.Helper()
	var out T
	status, text := p.send("POST", "/api/v1"+path, "application/json", body)
	if err := json.Unmarshal([]byte(text), &out); err != nil || status != http.StatusOK {
		p.t.Fatalf("%s: status %d, %v: %.500s", path, status, err, text)
	}
	return out
}

// program is somebody with a token, made by p, for the signals of one source.
func (p *person) program(source string) *person {
	p.t.Helper()
	made := do[struct{ Key string }](p, "/tokens", fmt.Sprintf(`{"name":%q,"source":%[1]q}`, source))
	n := nobody(p.t, p.at)
	n.bearer = made.Key
	return n
}

// until asks again until it is so, for two minutes at most.
func until(t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after two minutes still not: %s", what)
		}
	}
}
