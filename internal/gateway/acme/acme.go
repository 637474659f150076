// Package acme gets certificates by themselves (RFC 8555) and renews them in time. It is the room behind which certmagic lives: the
// small build of the gateway does not link it. Challenges are answered on the TLS port itself (RFC 8737), so nothing else has to listen.
package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/inquesthq/inquest/internal/gateway"
)

// Config returns the settings of a TLS server whose certificates are had, kept in the folder, and renewed until ctx ends. It does not wait
// for the first one: until it is there, handshakes for its name fail.
func Config(ctx context.Context, c *gateway.ACME) (*tls.Config, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("acme: %w; the gateway's user must be able to write there", err)
	}
	var roots *x509.CertPool
	if c.CARoots != "" {
		pem, err := os.ReadFile(c.CARoots)
		if err != nil {
			return nil, fmt.Errorf("acme: ca_roots: %w", err)
		}
		if roots = x509.NewCertPool(); !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("acme: ca_roots: %s holds no PEM certificate", c.CARoots)
		}
	}
	log := zap.NewNop() // it speaks of every step; what matters shows in the handshakes
	var magic *certmagic.Config
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return magic, nil },
		Logger:           log,
	})
	magic = certmagic.New(cache, certmagic.Config{Storage: &certmagic.FileStorage{Path: c.Dir}, Logger: log})
	ca := c.CA
	if ca == "" {
		ca = certmagic.LetsEncryptProductionCA
	}
	magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(magic, certmagic.ACMEIssuer{
		CA: ca, Email: c.Email, Agreed: true, TrustedRoots: roots, DisableHTTPChallenge: true, Logger: log,
	})}
	if err := magic.ManageAsync(ctx, c.Domains); err != nil {
		cache.Stop()
		return nil, fmt.Errorf("acme: %w", err)
	}
	context.AfterFunc(ctx, cache.Stop)
	out := magic.TLSConfig()
	out.MinVersion = tls.VersionTLS12
	out.NextProtos = append([]string{"h2", "http/1.1"}, out.NextProtos...)
	return out, nil
}
