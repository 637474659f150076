package server

import (
	"context"
	"fmt"
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
		token, err := secret(s.Bearer)
		if err != nil {
			return err
		}
		cfg := remote.Config{URL: s.Remote}
		if token != "" {
			cfg.Headers = map[string]string{"Authorization": "Bearer " + token}
		}
		r, err := remote.New(cfg)
		if err != nil {
			return err
		}
		p.metrics = r
	}
	p.also("tiers", p.tiers)
	return nil
}
