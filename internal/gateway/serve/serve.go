package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest/internal/gateway"
	"github.com/inquesthq/inquest/internal/gateway/accesslog"
	"github.com/inquesthq/inquest/internal/resident"
)

// Options is the wiring of a gateway process.
type Options struct {
	// Load reads the configuration; it is called at the start and for each reload. Required.
	Load func() (gateway.Config, error)
	// Watch is the file whose change is a reload by itself; "" for none.
	Watch string
	// ACME gets certificates by themselves; nil in a build without it.
	ACME func(ctx context.Context, c *gateway.ACME) (*tls.Config, error)
	// Reload and Reopen are signals from outside: read the configuration again, open the logs again.
	Reload, Reopen <-chan os.Signal
	// Ready is called once everything listens, with the addresses in the order of the configuration.
	Ready func(addrs []string)
}

// process is a running gateway.
type process struct {
	o    Options
	cfg  gateway.Config
	g    *gateway.Gateway
	logs *logs
	ears ears
	down chan error
}

// Run serves until ctx ends, then lets the requests under way end, for at most the drain timeout.
func Run(ctx context.Context, o Options) error {
	cfg, err := o.Load()
	if err != nil {
		return err
	}
	if len(cfg.Listen) == 0 {
		return errors.New("gateway: nothing to listen on; write listen: [{address: \":8080\"}]")
	}
	p := &process{o: o, cfg: cfg, down: make(chan error, 1)}
	if p.logs, err = openLogs(&cfg); err != nil {
		return err
	}
	defer func() { _ = p.logs.close() }() // the last lines; there is nobody left to tell
	if p.g, err = gateway.New(cfg, gateway.Options{Log: p.logs, Events: p.logs.event, Reports: p.logs.report}); err != nil {
		return err
	}
	defer p.g.Close()
	if err := p.listen(ctx); err != nil {
		p.ears.close()
		return err
	}
	p.logs.event(gateway.Event{Time: time.Now(), Kind: "start", Text: "serving"})
	saveTime()
	if o.Ready != nil {
		o.Ready(p.ears.addrs(&cfg))
	}
	err = p.wait(ctx)
	p.logs.event(gateway.Event{Time: time.Now(), Kind: "stop", Text: "no new connections; requests under way end"})
	return errors.Join(err, p.ears.drain(cfg.Server.DrainTimeout))
}

// collectAt lets the heap grow to three times the live data between collections. A gateway holds some 3 MB of them and makes 9 KB
// of garbage for a request: at Go's 100 percent it would collect every few hundred requests, for a tenth of its time.
const collectAt = 200

// saveTime trades the memory that only the start needed for time. GOMEMLIMIT of the environment still bounds the heap.
func saveTime() {
	debug.SetGCPercent(collectAt)
	resident.ForgetStart()
}

// listen opens what is configured: the addresses for clients and the one for operators.
func (p *process) listen(ctx context.Context) error {
	for i := range p.cfg.Listen {
		if err := p.ears.open(ctx, &p.cfg, &p.cfg.Listen[i], p.g, p.o.ACME, p.down); err != nil {
			return err
		}
	}
	return p.ears.openAdmin(p.cfg.Admin, p.g.Admin(func() error { return p.reload(ctx) }), p.down)
}

func (p *process) wait(ctx context.Context) error {
	watch := newWatch(p.o.Watch, p.cfg.Listen)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-p.down:
			return err
		case <-p.o.Reload:
			_ = p.logs.reopen() // told through the log itself
			_ = p.reload(ctx)   // told as an event
		case <-p.o.Reopen:
			_ = p.logs.reopen()
		case <-tick.C:
			if watch.changed() {
				_ = p.reload(ctx)
			}
		}
	}
}

// reload puts a new configuration in place of the old. New addresses are opened before, old ones closed after; what stays is not touched.
func (p *process) reload(ctx context.Context) error {
	err := p.replace(ctx)
	if err != nil {
		p.logs.event(gateway.Event{Time: time.Now(), Kind: "reload", Text: "failed, the old configuration goes on: " + err.Error()})
	}
	return err
}

func (p *process) replace(ctx context.Context) error {
	cfg, err := p.o.Load()
	if err != nil {
		return err
	}
	if len(cfg.Listen) == 0 {
		return errors.New("nothing to listen on")
	}
	if cfg.Admin != p.cfg.Admin {
		return fmt.Errorf("admin moves from %q to %q only with a restart", p.cfg.Admin, cfg.Admin)
	}
	for i := range cfg.Listen {
		if err := p.ears.open(ctx, &cfg, &cfg.Listen[i], p.g, p.o.ACME, p.down); err != nil {
			p.ears.keep(&p.cfg) // what was opened for the new one is closed again
			return err
		}
	}
	if err := p.logs.replace(&cfg); err != nil {
		p.ears.keep(&p.cfg)
		return err
	}
	if err := p.g.Reload(cfg); err != nil {
		p.ears.keep(&p.cfg)
		return err
	}
	p.cfg = cfg
	p.ears.keep(&cfg)
	return nil
}

// logs are the three files, each replaceable while lines are written.
type logs struct {
	access, events, reports atomic.Pointer[accesslog.Writer]
	cfg                     [3]gateway.Log
}

var _ gateway.Sink = (*logs)(nil)

// server returns the settings of an HTTP server towards clients.
func server(c *gateway.Server, h http.Handler) *http.Server {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: c.HeaderTimeout, IdleTimeout: c.IdleTimeout, MaxHeaderBytes: int(c.MaxHeader),
		Protocols: new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(true)
	return s
}
