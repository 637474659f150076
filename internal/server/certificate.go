package server

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/inquesthq/inquest/internal/server/certificate"
)

// openCertificate reads the certificate that all is served with; there may be none.
func (p *process) openCertificate() error {
	l := p.Settings.Listen
	if l.Cert == "" {
		return nil
	}
	c, err := certificate.Open(l.Cert, l.Key, p.Now, p.failed("listen"))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	p.tls = &tls.Config{GetCertificate: c.Get, MinVersion: tls.VersionTLS12}
	return nil
}

// Warnings are what works and is dangerous.
func Warnings(s Settings) []string {
	s = s.Complete()
	var out []string
	for _, at := range s.Peers.Servers {
		if u, err := url.Parse(at); err == nil && u.Scheme == "http" && s.Peers.TokenFile != "" && !loopback(net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80"))) {
			out = append(out, fmt.Sprintf("WARNING: the token of peers.token_file, and raw lines, go to %s unencrypted; write an https address", at))
		}
	}
	if s.Listen.Cert != "" || len(s.Access.Users) == 0 && s.Access.OIDC == nil || strings.HasPrefix(s.URL, "https://") || loopback(s.Listen.Address) {
		return out
	}
	return append(out, fmt.Sprintf("WARNING: passwords, sessions and tokens go over the network unencrypted: listen.address %s serves plain HTTP to other machines. "+
		"Set listen.cert and listen.key; or let a proxy that does TLS stand in front, and write its https address as url", s.Listen.Address))
}

// loopback reports whether an address is for this machine only.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback())
}
