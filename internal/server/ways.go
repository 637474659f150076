package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/ingest/hook"
	"github.com/inquesthq/inquest/internal/ingest/otlp"
	"github.com/inquesthq/inquest/internal/ingest/prom"
	"github.com/inquesthq/inquest/internal/ingest/syslog"
	"github.com/inquesthq/inquest/internal/ingest/tail"
	"github.com/inquesthq/inquest/internal/web"
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

// way is an address beside the pages: what serves it, and what the OpenAPI document says of it.
type way struct {
	web.Way
	handler http.Handler
}

// mount opens an address. This table is all that is served beside the pages, so that nothing is served that is not described.
func (p *process) mount(w web.Way, h http.Handler) { p.ways = append(p.ways, way{w, h}) }

// described is what the document tells of the ways in.
func (p *process) described() []web.Way {
	out := make([]web.Way, len(p.ways))
	for i, w := range p.ways {
		out[i] = w.Way
	}
	return out
}

// beside serves the ways in, what load balancers ask, and what is left by the pages.
func (p *process) beside(pages http.Handler) (http.Handler, error) {
	mux := http.NewServeMux()
	h, err := p.health()
	if err != nil {
		return nil, err
	}
	h.Register(mux)
	for _, w := range p.ways {
		mux.Handle(w.Pattern(), w.handler)
	}
	mux.Handle("/", pages)
	return mux, nil
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
	const service = "whose it is"
	for _, w := range []web.Way{
		{Path: "/api/v1/logs", Summary: "Lines of a log as the program wrote them, plain or gzip", Takes: []string{"text/plain"},
			Query: map[string]string{"service": service + "; required", "file": "which of its files, where a service writes several formats"}},
		{Path: "/api/v1/changes", Summary: "Changes: one, several one after the other, or an array", Takes: []string{"application/json"}, Input: hook.SentChange{}},
		{Path: "/api/v1/hooks/github", Summary: "Webhook of GitHub: deployments, releases, tags; X-Hub-Signature-256 is checked", Takes: []string{"application/json"}, Signed: true,
			Query: map[string]string{"service": service + ", where the repository does not say it"}},
		{Path: "/api/v1/hooks/gitlab", Summary: "Webhook of GitLab: deployments, releases, tags; X-Gitlab-Token is checked", Takes: []string{"application/json"}, Signed: true,
			Query: map[string]string{"service": service + ", where the project does not say it"}},
		{Path: "/api/v1/hooks/alertmanager", Summary: "Webhook of an Alertmanager, version 4", Takes: []string{"application/json"}},
	} {
		p.mount(w, hooks.Handler())
	}
	p.mount(web.Way{Path: "/api/v1/write", Summary: "Prometheus' remote write 1.0: a WriteRequest, packed with snappy", Takes: []string{"application/x-protobuf"}, Answers: http.StatusNoContent}, write)
	p.sharePeers()
	return p.openAcks()
}

func (p *process) openOTLP(ctx context.Context) error {
	r, err := otlp.New(otlp.Config{Intake: p.intake, Spool: p.spool, Appender: p.metrics, Auth: p.maySend, Now: p.Now})
	if err != nil {
		return err
	}
	for _, signal := range []string{"logs", "traces", "metrics"} {
		p.mount(web.Way{Path: "/v1/" + signal, Summary: "OTLP over HTTP: " + signal + ", plain or gzip", Takes: []string{"application/x-protobuf", "application/json"}}, r.Handler())
	}
	if at := p.Settings.In.HTTP; at != "" {
		l, err := p.way(ctx, at)
		if err != nil {
			return err
		}
		p.also("OTLP over HTTP", func(ctx context.Context) error { return p.serveHTTP(ctx, l, r.Handler()) })
	}
	if at := p.Settings.In.GRPC; at != "" {
		l, err := p.way(ctx, at)
		if err != nil {
			return err
		}
		p.also("OTLP over gRPC", func(ctx context.Context) error { return r.ServeGRPC(ctx, l, p.tls) })
	}
	return nil
}

// way listens for a way in, on this machine only until somebody can sign in.
func (p *process) way(ctx context.Context, address string) (net.Listener, error) {
	if err := p.auth.MayListen(address); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", address)
}

func (p *process) serveHTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stop := context.AfterFunc(ctx, func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if s.Shutdown(bounded) != nil {
			_ = s.Close() // who still sends has had time
		}
	})
	defer stop()
	if err := p.accept(s, l); ctx.Err() == nil {
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
		targets = append(targets, tail.Target{Glob: path, Service: f.Service, FromStart: f.FromStart})
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
