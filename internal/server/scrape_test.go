package server_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/server"
)

// asked counts requests by what they were and what was sent along.
type asked struct {
	mu  sync.Mutex
	all map[string]int
}

func (a *asked) add(what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = map[string]int{}
	}
	a.all[what]++
}

func (a *asked) count(what string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all[what]
}

func file(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTargetsThatWantToKnowWhoAsksAreScraped(t *testing.T) {
	dir := t.TempDir()
	pair(t, dir, "target")
	certificate, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	got := &asked{}
	target := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := r.Header.Get("Authorization")
		if name, password, ok := r.BasicAuth(); ok {
			who = name + ":" + password
		}
		if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
			who += " as " + r.TLS.PeerCertificates[0].Subject.CommonName
		}
		got.add(who)
		if who == "" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = w.Write([]byte("a 1\n"))
	}))
	target.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequestClientCert}
	target.StartTLS()
	defer target.Close()
	at := []string{strings.TrimPrefix(target.URL, "https://")}
	token := file(t, filepath.Join(dir, "token"), "first-token\n")
	password := file(t, filepath.Join(dir, "password"), "pass:word\n")
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	job := func(name string, s server.Scrape) server.Scrape {
		s.Job, s.Targets, s.Scheme, s.Interval = name, at, "https", time.Second
		return s
	}
	r := start(t, server.Settings{Data: filepath.Join(dir, "data"), In: server.In{Scrape: []server.Scrape{
		job("token", server.Scrape{Authorization: &server.Authorization{CredentialsFile: token}, TLS: &server.TLSConfig{CAFile: cert, ServerName: "metrics.example"}}),
		job("password", server.Scrape{BasicAuth: &server.BasicAuth{Username: "inquest", PasswordFile: password}, TLS: &server.TLSConfig{Insecure: true}}),
		job("certificate", server.Scrape{TLS: &server.TLSConfig{CAFile: cert, CertFile: cert, KeyFile: key}}),
		job("stranger", server.Scrape{Authorization: &server.Authorization{Type: "Stranger", CredentialsFile: token}}), // does not trust the target
		job("misnamed", server.Scrape{Authorization: &server.Authorization{Type: "Misnamed", CredentialsFile: token}, TLS: &server.TLSConfig{CAFile: cert, ServerName: "other.example"}}),
	}}}, nil)
	for _, who := range []string{"Bearer first-token", "inquest:pass:word", " as target"} {
		until(t, "a scrape as "+who, func() bool { return got.count(who) > 0 })
	}
	file(t, token, "second-token\n")
	until(t, "a scrape with the token that replaced it", func() bool { return got.count("Bearer second-token") > 1 })
	for _, who := range []string{"Stranger first-token", "Misnamed first-token", "Stranger second-token", "Misnamed second-token"} {
		if got.count(who) > 0 {
			t.Errorf("a target that is not to be trusted was told %q", who)
		}
	}
	for _, page := range []string{"/api/v1/settings", "/settings"} {
		if _, text := nobody(t, r.at).send("GET", page, "", ""); strings.Contains(text, "-token") || strings.Contains(text, "pass:word") {
			t.Errorf("%s shows a secret", page)
		}
	}
	if told := strings.Join(r.with(""), "\n"); strings.Contains(told, "-token") || strings.Contains(told, "pass:word") {
		t.Errorf("the log shows a secret: %s", told)
	}
}
