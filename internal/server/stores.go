package server

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/inquesthq/inquest/internal/store/postgres"
	"github.com/inquesthq/inquest/internal/store/remote"
	"github.com/inquesthq/inquest/internal/store/sqlite"
	"github.com/inquesthq/inquest/internal/store/tsdb"
)

// secret reads a file that holds a secret, "" for no file. The last line end is an editor's.
func secret(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("a secret: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

func (p *process) openRecords(ctx context.Context) error {
	url, err := secret(p.Settings.DatabaseFile)
	if err != nil {
		return err
	}
	if url == "" {
		url = p.Settings.Database
	}
	if url == "" {
		s, err := sqlite.Open(ctx, sqlite.Config{Dir: p.Settings.Data})
		if err != nil {
			return err
		}
		p.records = s
	} else {
		s, err := postgres.Open(ctx, postgres.Config{URL: url})
		if err != nil {
			return err
		}
		p.records = s
	}
	p.closing(p.records.Close)
	p.also("records", p.upkeep)
	return nil
}

func (p *process) openMetrics(context.Context) error {
	s := p.Settings.Metrics
	if s.Remote == "" {
		db, err := tsdb.Open(tsdb.Config{Dir: filepath.Join(p.Settings.Data, "metrics"), Retention: s.Retention, MaxBytes: s.MaxBytes, Now: p.Now})
		if err != nil {
			return err
		}
		p.metrics = db
		p.closing(db.Close)
		p.also("metrics", db.Run)
	} else {
		headers, err := s.headers()
		if err != nil {
			return err
		}
		cfg := remote.Config{URL: s.Remote, WriteURL: s.RemoteWrite, Headers: headers}
		r, err := remote.New(cfg)
		if err != nil {
			return err
		}
		p.metrics = r
	}
	p.also("tiers", p.tiers)
	return nil
}

// headers are sent along to the remote store.
func (m *Metrics) headers() (map[string]string, error) {
	out := maps.Clone(m.Headers)
	if out == nil {
		out = map[string]string{}
	}
	for name, file := range m.HeaderFiles {
		value, err := secret(file)
		if err != nil {
			return nil, fmt.Errorf("metrics.header_files: %s: %w", name, err)
		}
		out[name] = value
	}
	token, err := secret(m.Bearer)
	if err != nil {
		return nil, fmt.Errorf("metrics.bearer_token_file: %w", err)
	}
	if token != "" {
		out["Authorization"] = "Bearer " + token
	}
	return out, nil
}

func (c *checker) metrics(m *Metrics) {
	if m.Remote == "" && (m.RemoteWrite != "" || m.Bearer != "" || len(m.Headers)+len(m.HeaderFiles) > 0) {
		c.fault("remote is missing: which server is asked?", "metrics")
	}
	for name, at := range map[string]string{"remote": m.Remote, "remote_write": m.RemoteWrite} {
		if u, err := url.Parse(at); at != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			c.fault("that is no address; write one such as http://prometheus:9090", "metrics", name)
		} else if at != "" && u.User != nil {
			c.fault("leave name and password out of the address: this file can be shown; write header_files: {Authorization: FILE}", "metrics", name)
		}
	}
	seen := map[string]bool{"Authorization": m.Bearer != ""}
	each := func(key, name string) {
		if k := http.CanonicalHeaderKey(name); seen[k] {
			c.fault("this header is set twice", "metrics", key, name)
		} else {
			seen[k] = true
		}
	}
	for name := range m.Headers {
		if http.CanonicalHeaderKey(name) == "Authorization" {
			c.fault("this file can be shown; write header_files: {Authorization: FILE}, or bearer_token_file", "metrics", "headers", name)
		}
		each("headers", name)
	}
	for name := range m.HeaderFiles {
		each("header_files", name)
	}
}
