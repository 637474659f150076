package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/ingest/hook"
	"github.com/inquesthq/inquest/internal/ingest/otlp"
	"github.com/inquesthq/inquest/internal/ingest/prom"
	"github.com/inquesthq/inquest/internal/ingest/syslog"
	"github.com/inquesthq/inquest/internal/ingest/tail"
)

// openWays opens the ways in. Those over HTTP stand beside the pages.
func (p *process) openWays(ctx context.Context) error {
	var err error
	if p.intake, err = ingest.New(ingest.Config{Now: p.Now}); err != nil {
		return err
	}
	p.began = p.Now()
	p.also("counts of what came in", p.counts)
	for _, open := range []func(context.Context) error{p.openHooks, p.openOTLP, p.openFiles, p.openScrape, p.openSyslog} {
		if err := open(ctx); err != nil {
			return err
		}
	}
	return nil
}

// maySend says whether a request may send signals for a source; for "" whether it may send for any, which is asked before its body is read.
func (p *process) maySend(r *http.Request, source string) error {
	var err error
	if source == "" {
		var who auth.Identity
		if who, err = p.auth.Authenticate(r); err == nil && who.Source == "" {
			err = p.auth.Ingest(r, source)
		}
	} else {
		err = p.auth.Ingest(r, source)
	}
	if errors.Is(err, auth.ErrNobody) || errors.Is(err, auth.ErrInvalid) {
		return fmt.Errorf("%w: %w", ingest.ErrUnauthenticated, err)
	}
	return err
}

// counts writes what came in, and what did not, as series.
func (p *process) counts(ctx context.Context) error {
	return p.every(ctx, 15*time.Second, "counts", func() error { return own{p.metrics, p.name}.Append(ctx, p.intake.Series(p.Now())) })
}

// openHooks mounts webhooks, plain lines and remote write.
func (p *process) openHooks(context.Context) error {
	github, err := secret(p.Settings.In.GitHubSecretFile)
	if err != nil {
		return err
	}
	gitlab, err := secret(p.Settings.In.GitLabTokenFile)
	if err != nil {
		return err
	}
	hooks, err := hook.New(hook.Config{Intake: p.intake, Spool: p.spool, Alerts: p.desk.Alerts, Auth: p.maySend, GitHubSecret: github, GitLabToken: gitlab, Now: p.Now})
	if err != nil {
		return err
	}
	write, err := prom.NewWriter(prom.WriteConfig{Intake: p.intake, Appender: p.metrics, Auth: p.maySend})
	if err != nil {
		return err
	}
	p.ways = http.NewServeMux()
	for _, path := range []string{"/api/v1/logs", "/api/v1/changes", "/api/v1/hooks/github", "/api/v1/hooks/gitlab", "/api/v1/hooks/alertmanager"} {
		p.ways.Handle("POST "+path, hooks.Handler())
	}
	p.ways.Handle("POST /api/v1/write", write)
	return p.openSlack()
}

func (p *process) openOTLP(ctx context.Context) error {
	r, err := otlp.New(otlp.Config{Intake: p.intake, Spool: p.spool, Appender: p.metrics, Auth: p.maySend, Now: p.Now})
	if err != nil {
		return err
	}
	for _, signal := range []string{"logs", "traces", "metrics"} {
		p.ways.Handle("POST /v1/"+signal, r.Handler())
	}
	if at := p.Settings.In.HTTP; at != "" {
		l, err := p.way(ctx, at)
		if err != nil {
			return err
		}
		p.also("OTLP over HTTP", func(ctx context.Context) error { return serveHTTP(ctx, l, r.Handler()) })
	}
	if at := p.Settings.In.GRPC; at != "" {
		l, err := p.way(ctx, at)
		if err != nil {
			return err
		}
		config, err := p.certificate()
		if err != nil {
			return err
		}
		p.also("OTLP over gRPC", func(ctx context.Context) error { return r.ServeGRPC(ctx, l, config) })
	}
	return nil
}

// certificate is that of the pages, nil without one.
func (p *process) certificate() (*tls.Config, error) {
	l := p.Settings.Listen
	if l.Cert == "" {
		return nil, nil
	}
	c, err := tls.LoadX509KeyPair(l.Cert, l.Key)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS12}, nil
}

// way listens for a way in, on this machine only until somebody can sign in.
func (p *process) way(ctx context.Context, address string) (net.Listener, error) {
	if err := p.auth.MayListen(address); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", address)
}

func serveHTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stop := context.AfterFunc(ctx, func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if s.Shutdown(bounded) != nil {
			_ = s.Close() // who still sends has had time
		}
	})
	defer stop()
	if err := s.Serve(l); ctx.Err() == nil {
		return err
	}
	return nil
}

func (p *process) openFiles(context.Context) error {
	targets := make([]tail.Target, 0, len(p.Settings.In.Files))
	for _, f := range p.Settings.In.Files {
		path, err := filepath.Abs(f.Path)
		if err != nil {
			return err
		}
		targets = append(targets, tail.Target{Glob: path, Service: f.Service})
	}
	if len(targets) == 0 {
		return nil
	}
	var err error
	p.tail, err = tail.New(tail.Config{Targets: targets, Spool: p.spool, Checkpoint: filepath.Join(p.Settings.Data, "tail.json"), Intake: p.intake})
	if err != nil {
		return err
	}
	p.also("files", p.tail.Run)
	return nil
}

func (p *process) openScrape(context.Context) error {
	var targets []prom.Target
	for _, j := range p.Settings.In.Scrape {
		for _, at := range j.Targets {
			if !strings.Contains(at, "://") {
				at = "http://" + at + j.Path
			}
			targets = append(targets, prom.Target{URL: at, Job: j.Job, Labels: j.Labels, Interval: j.Interval})
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

func (p *process) openSyslog(ctx context.Context) error {
	if len(p.Settings.In.Syslog) == 0 {
		return nil
	}
	s, err := syslog.New(syslog.Config{Intake: p.intake, Spool: p.spool})
	if err != nil {
		return err
	}
	for _, at := range p.Settings.In.Syslog {
		if at.TCP != "" {
			l, err := p.way(ctx, at.TCP)
			if err != nil {
				return err
			}
			p.also("syslog", func(ctx context.Context) error { return s.ServeTCP(ctx, l) })
		}
		if at.UDP != "" {
			if err := p.auth.MayListen(at.UDP); err != nil {
				return err
			}
			var lc net.ListenConfig
			c, err := lc.ListenPacket(ctx, "udp", at.UDP)
			if err != nil {
				return err
			}
			p.also("syslog", func(ctx context.Context) error { return s.ServeUDP(ctx, c) })
		}
	}
	return nil
}
