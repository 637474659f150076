package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/inquesthq/inquest/internal/ingest/prom"
)

func (p *process) openScrape(context.Context) error {
	var targets []prom.Target
	for _, j := range p.Settings.In.Scrape {
		config, err := j.TLS.open()
		if err != nil {
			return fmt.Errorf("in.scrape: job %s: tls_config: %w", j.Job, err)
		}
		authorization := j.header()
		if authorization != nil {
			if _, err := authorization(); err != nil { // later on it may come and go
				return fmt.Errorf("in.scrape: job %s: %w", j.Job, err)
			}
		}
		for _, at := range j.Targets {
			if !strings.Contains(at, "://") {
				at = j.Scheme + "://" + at + j.Path
			}
			targets = append(targets, prom.Target{URL: at, Job: j.Job, Labels: j.Labels, Interval: j.Interval, Authorization: authorization, TLS: config})
		}
	}
	if len(targets) == 0 {
		return nil
	}
	var err error
	p.scraper, err = prom.NewScraper(prom.ScrapeConfig{Targets: targets, Appender: p.metrics, Intake: p.intake})
	if err != nil {
		return err
	}
	p.also("scraping", p.scraper.Run)
	return nil
}

// header makes the value of Authorization, nil for none. Files are read each time: tokens are replaced while the server runs.
func (j *Scrape) header() func() (string, error) {
	switch a, b := j.Authorization, j.BasicAuth; {
	case a != nil:
		return func() (string, error) {
			token, err := secret(a.CredentialsFile)
			return a.Type + " " + strings.TrimSpace(token), err
		}
	case b != nil:
		return func() (string, error) {
			password, err := secret(b.PasswordFile)
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(b.Username+":"+password)), err
		}
	}
	return nil
}

// credentials checks what a job sends along.
func (c *checker) credentials(j *Scrape, at []string) {
	in := func(keys ...string) []string { return append(slices.Clone(at), keys...) }
	if !slices.Contains([]string{"", "http", "https"}, j.Scheme) {
		c.fault(fmt.Sprintf("%q is none of http and https", j.Scheme), in("scheme")...)
	}
	if j.Authorization != nil && j.BasicAuth != nil {
		c.fault("authorization and basic_auth are the same header; keep one of the two", in("basic_auth")...)
	}
	if a := j.Authorization; a != nil {
		if a.CredentialsFile == "" {
			c.fault("credentials_file is missing: which file holds the token?", in("authorization")...)
		}
		if strings.EqualFold(a.Type, "basic") {
			c.fault("write basic_auth instead", in("authorization", "type")...)
		}
	}
	if b := j.BasicAuth; b != nil && (b.Username == "" || b.PasswordFile == "") {
		c.fault("username and password_file are needed", in("basic_auth")...)
	}
	if t := j.TLS; t != nil && (t.CertFile == "") != (t.KeyFile == "") {
		c.fault("cert_file and key_file belong together; write both or none", in("tls_config")...)
	}
}

// open reads the files of the authorities. A certificate of our own is read each time that it is asked for.
func (c *TLSConfig) open() (*tls.Config, error) {
	if c == nil {
		return nil, nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName, InsecureSkipVerify: c.Insecure} //nolint:gosec // who sets it wants that
	if c.CAFile != "" {
		b, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, err
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("%s has no certificate in PEM", c.CAFile)
		}
	}
	if c.CertFile != "" {
		own := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
			return &pair, err
		}
		if _, err := own(nil); err != nil {
			return nil, err
		}
		out.GetClientCertificate = own
	}
	return out, nil
}
