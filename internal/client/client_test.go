package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/internal/client"
)

func ask(t *testing.T, cfg client.Config) (string, error) {
	t.Helper()
	c, err := client.New(cfg)
	if err != nil {
		return "", err
	}
	var out struct{ Name string }
	err = c.Get(t.Context(), "/incidents/INC-1", url.Values{"a": {"b c"}}, &out)
	return out.Name, err
}

func TestWhatIsSentAndRead(t *testing.T) {
	var got []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = append(got, fmt.Sprint(r.Method, " ", r.URL.RequestURI(), " ", r.Header.Get("Authorization"), " ", r.Header.Get("User-Agent"), " ", r.Header.Get("Content-Type"), " ", string(b)))
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"name":"x"}`)
	}))
	t.Cleanup(s.Close)
	cfg := client.Config{URL: s.URL + "/under/a/path/", Token: " inq_key\n", Agent: "inquest/1"}
	if name, err := ask(t, cfg); err != nil || name != "x" {
		t.Errorf("%q, %v", name, err)
	}
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Post(t.Context(), "silences", map[string]int{"hours": 2}, nil); err != nil {
		t.Error(err)
	}
	want := []string{"GET /under/a/path/api/v1/incidents/INC-1?a=b+c Bearer inq_key inquest/1  ", `POST /under/a/path/api/v1/silences Bearer inq_key inquest/1 application/json {"hours":2}`}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("sent %q, want %q", got[i], want[i])
		}
	}
}

func TestWhatGoesWrongSaysTheRemedy(t *testing.T) {
	answer := func(status int, kind, body string, header ...string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}))
		t.Cleanup(s.Close)
		return s
	}
	const problem = "application/problem+json"
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	for _, c := range []struct {
		name string
		cfg  client.Config
		want string
		code int // of an Error
	}{
		{"nobody listens", client.Config{URL: gone.URL}, "inquest serve", 0},
		{"no address", client.Config{URL: "inquest.example.com"}, "is no address of a server", 0},
		{"a password in the address", client.Config{URL: "http://ada:secret@localhost"}, "INQUEST_TOKEN", 0},
		{"a certificate of nobody", client.Config{URL: secure.URL}, "SSL_CERT_FILE", 0},
		{"no token", client.Config{URL: answer(401, problem, `{"detail":"sign in"}`).URL}, "put a token into INQUEST_TOKEN", 401},
		{"a wrong token", client.Config{URL: answer(401, problem, `{"detail":"sign in"}`).URL, Token: "inq_x"}, "mistyped, revoked or expired", 401},
		{"a token that may not", client.Config{URL: answer(403, problem, `{"detail":"this needs the role responder"}`).URL, Token: "inq_x"}, "this needs the role responder; another token", 403},
		{"nothing there", client.Config{URL: answer(404, problem, `{"detail":"incident INC-1: no such record"}`).URL}, "incident INC-1: no such record", 404},
		{"a conflict", client.Config{URL: answer(409, problem, `{"detail":"look again"}`).URL}, "look again", 409},
		{"a refusal without a word", client.Config{URL: answer(409, problem, `{}`).URL}, "409 Conflict", 409},
		{"too often", client.Config{URL: answer(429, problem, `{"detail":"too often"}`, "Retry-After", "7").URL}, "try again in 7 s", 429},
		{"a refused change", client.Config{URL: answer(400, "text/plain; charset=utf-8", "kind is not known\n").URL}, "kind is not known", 400},
		{"another server", client.Config{URL: answer(404, "text/html", "<h1>nginx</h1>").URL}, "is no Inquest server", 0},
		{"another server that is happy", client.Config{URL: answer(200, "text/html", "<h1>nginx</h1>").URL}, "is no Inquest server", 0},
		{"somewhere else", client.Config{URL: answer(302, "text/html", "", "Location", "https://evil.example/").URL, Token: "inq_x"}, "leads to https://evil.example/", 0},
	} {
		_, err := ask(t, c.cfg)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		var e *client.Error
		if errors.As(err, &e) != (c.code > 0) || e != nil && e.Status != c.code {
			t.Errorf("%s: %#v", c.name, err)
		}
		if strings.Contains(fmt.Sprint(err), "inq_x") || strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("%s: the error tells the secret: %v", c.name, err)
		}
	}
	if _, err := ask(t, client.Config{URL: gone.URL}); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("%v", err)
	}
}

func TestWhoeverIsInterruptedIsToldSo(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	c, err := client.New(client.Config{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := c.Get(ctx, "x", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestATokenInClearIsNoticed(t *testing.T) {
	for cfg, want := range map[client.Config]bool{
		{URL: "http://inquest.example.com", Token: "x"}: true, {URL: "http://10.0.0.7:7117", Token: "x"}: true, {URL: "https://inquest.example.com", Token: "x"}: false,
		{URL: "http://127.0.0.1:7117", Token: "x"}: false, {URL: "http://localhost", Token: "x"}: false, {URL: "http://[::1]:7117", Token: "x"}: false, {URL: "http://inquest.example.com"}: false,
	} {
		c, err := client.New(cfg)
		if err != nil || c.Clear() != want {
			t.Errorf("%+v: want %v, %v", cfg, want, err)
		}
	}
}
