package acme_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/internal/gateway"
	"github.com/inquesthq/inquest/internal/gateway/acme"
)

func TestTheTLSPortAnswersChallengesAndSpeaksHTTP2(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	// certmagic goes on writing for a moment after it was cancelled, which t.TempDir takes for a failure when it cleans up.
	dir, err := os.MkdirTemp("", "acme") //nolint:usetesting // the reason stands above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	// Nobody listens there: no certificate is had, and none is needed to see how the port is set up.
	tc, err := acme.Config(ctx, &gateway.ACME{Domains: []string{"shop.example"}, Dir: dir, CA: "https://127.0.0.1:1/directory"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"h2", "http/1.1", "acme-tls/1"} {
		if !slices.Contains(tc.NextProtos, p) {
			t.Errorf("%s is not offered: %v", p, tc.NextProtos)
		}
	}
	if tc.GetCertificate == nil {
		t.Error("it has no way to a certificate")
	}
}

func TestWhatCannotWorkIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]gateway.ACME{
		"must be able to write there": {Domains: []string{"a"}, Dir: filepath.Join(file, "below")},
		"ca_roots: open":              {Domains: []string{"a"}, Dir: t.TempDir(), CARoots: file + "none"},
		"holds no PEM certificate":    {Domains: []string{"a"}, Dir: t.TempDir(), CARoots: file},
	} {
		if _, err := acme.Config(t.Context(), &c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
