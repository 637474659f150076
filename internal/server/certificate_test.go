package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/server"
)

// pair writes a certificate and its key for 127.0.0.1, and returns whom to trust.
func pair(t *testing.T, dir, name string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"metrics.example"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for file, b := range map[string][]byte{"cert.pem": chain, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(filepath.Join(dir, file), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(chain)
	return pool
}

// free is an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestAllThatListensHasTheCertificateAlsoANewOne(t *testing.T) {
	dir := t.TempDir()
	trusted := pair(t, dir, "first")
	in := server.In{HTTP: free(t), GRPC: free(t)}
	r := start(t, server.Settings{Data: filepath.Join(dir, "data"), In: in, Listen: server.Listen{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}}, nil)
	pages := strings.TrimPrefix(r.at, "https://")
	named := func(address string) string {
		t.Helper()
		c, err := (&tls.Dialer{Config: &tls.Config{RootCAs: trusted, NextProtos: []string{"h2"}}}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			return err.Error()
		}
		defer func() { _ = c.Close() }()
		return c.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	for _, address := range []string{pages, in.HTTP, in.GRPC} {
		if got := named(address); got != "first" {
			t.Errorf("%s: %s", address, got)
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, DisableKeepAlives: true}}
	resp, err := client.Post("https://"+in.HTTP+"/v1/logs", "application/json", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("OTLP over TLS: %d", resp.StatusCode)
	}

	// What makes no pair is not served, and told once.
	good, err := os.ReadFile(filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), []byte("half a"), 0o600); err != nil {
		t.Fatal(err)
	}
	const told = "the certificate was replaced by what cannot be read"
	until(t, "the operator is told", func() bool {
		if got := named(pages); got != "first" {
			t.Fatal(got)
		}
		return len(r.with(told)) > 0
	})
	time.Sleep(4 * time.Second)
	if got := named(pages); got != "first" || len(r.with(told)) != 1 {
		t.Errorf("%s, told %d times", got, len(r.with(told)))
	}
	if strings.Contains(strings.Join(r.with(""), "\n"), string(good)) {
		t.Error("the key is told")
	}
	trusted = pair(t, dir, "second")
	for _, address := range []string{pages, in.HTTP, in.GRPC} {
		until(t, "the new certificate is served at "+address, func() bool { return named(address) == "second" })
	}
}

func TestPasswordsOverPlainHTTPAreWarnedOf(t *testing.T) {
	users := server.Access{Users: map[string]server.User{"ada": {}}}
	for name, c := range map[string]struct {
		settings server.Settings
		warned   bool
	}{
		"every interface":   {server.Settings{Access: users, Listen: server.Listen{Address: ":7117"}}, true},
		"another address":   {server.Settings{Access: users, Listen: server.Listen{Address: "10.0.0.1:7117"}, URL: "http://inquest.example.com"}, true},
		"a provider":        {server.Settings{Access: server.Access{OIDC: &server.OIDC{}}, Listen: server.Listen{Address: "0.0.0.0:7117"}}, true},
		"this machine":      {server.Settings{Access: users, Listen: server.Listen{Address: "localhost:7117"}}, false},
		"the default":       {server.Settings{Access: users}, false},
		"TLS":               {server.Settings{Access: users, Listen: server.Listen{Address: ":7117", Cert: "c", Key: "k"}}, false},
		"a proxy with TLS":  {server.Settings{Access: users, Listen: server.Listen{Address: ":7117"}, URL: "https://inquest.example.com"}, false},
		"nobody may anyway": {server.Settings{Listen: server.Listen{Address: ":7117"}}, false},
	} {
		if got := server.Warnings(c.settings); len(got) > 0 != c.warned {
			t.Errorf("%s: %v", name, got)
		}
	}
	r := start(t, server.Settings{Data: t.TempDir(), Access: people(t), Listen: server.Listen{Address: ":0"}}, nil)
	if got := r.with("WARNING: passwords"); len(got) != 1 {
		t.Errorf("told %d times at the start", len(got))
	}
}
