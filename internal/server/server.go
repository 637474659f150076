package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/casefile"
	"github.com/inquesthq/inquest/internal/detect"
	"github.com/inquesthq/inquest/internal/incident"
	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/ingest/prom"
	"github.com/inquesthq/inquest/internal/ingest/tail"
	"github.com/inquesthq/inquest/internal/notify"
	"github.com/inquesthq/inquest/internal/postmortem"
	"github.com/inquesthq/inquest/internal/rates"
	"github.com/inquesthq/inquest/internal/server/peers"
	"github.com/inquesthq/inquest/internal/spool"
	"github.com/inquesthq/inquest/internal/store"
)

// Options are what the process is given beside its settings.
type Options struct {
	Settings Settings
	Version  string
	Ready    func(addresses []string) // once everything is served; may be nil
	Log      func(text string)        // what an operator should know; nil: nobody is told
	Now      func() time.Time         // required
}

// Run serves until ctx ends, and returns when all that it began has ended. An error before Ready says what is wrong with the settings or the
// machine; one after it, what broke.
func Run(ctx context.Context, o Options) (err error) {
	if o.Now == nil {
		return errors.New("server: Now is required")
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	now := o.Now
	o.Now = func() time.Time { return now().Round(0) } // without the monotonic reading, which hides from comparisons that the clock was set
	o.Settings = o.Settings.Complete()
	if err := errorOf(Check(o.Settings)); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	for _, w := range Warnings(o.Settings) {
		o.Log(w)
	}
	p := &process{Options: o}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := p.open(ctx); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	return p.serve(ctx)
}

// records is what a store of records offers.
type records interface {
	store.Records
	store.Keeper
	store.Leaders
	Close() error
}

// metrics is what a store of metrics offers.
type metrics interface {
	store.Appender
	store.Querier
}

// task is something that goes on until ctx ends.
type task struct {
	name string
	run  func(context.Context) error
}

// process is a server with everything open.
type process struct {
	Options
	name       string
	id         string // of this process
	records    records
	lines      *peers.Group // raw lines, of this server and the others on the same database
	metrics    metrics
	spool      *spool.Spool
	reader     *spool.Reader
	intake     *ingest.Intake
	tail       *tail.Tail    // nil: no file is followed
	scraper    *prom.Scraper // nil: nothing is scraped
	began      time.Time
	follower   *rates.Follower
	detector   *detect.Detector
	objectives []detect.SLO
	desk       *incident.Desk
	archive    *postmortem.Archive
	sender     *notify.Sender
	findings   *findings // nil: off
	auth       *auth.Auth
	ways       []way // signals over HTTP
	handler    http.Handler
	listener   net.Listener
	tls        *tls.Config // nil: no certificate
	closers    []func() error
	tasks      []task
}

// closing notes what is to be closed at the end, in reverse order.
func (p *process) closing(f func() error) { p.closers = append(p.closers, f) }

func (p *process) close() error {
	var all []error
	for _, f := range slices.Backward(p.closers) {
		all = append(all, f())
	}
	return errors.Join(all...)
}

// also adds something that goes on while the server serves.
func (p *process) also(name string, run func(context.Context) error) {
	p.tasks = append(p.tasks, task{name, run})
}

// failed tells the operator what a part goes on after.
func (p *process) failed(part string) func(error) {
	return func(err error) { p.Log(part + ": " + err.Error()) }
}

// open opens everything in the order in which it is needed.
func (p *process) open(ctx context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		host = "server"
	}
	p.name = cmp.Or(p.Settings.Name, host)
	if err := os.MkdirAll(p.Settings.Data, 0o700); err != nil {
		return fmt.Errorf("the data folder: %w; set data to a folder that this user may write to", err)
	}
	if err := p.openCertificate(); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{p.openRecords, p.openMetrics, p.openSpool, p.openPeers, p.openDesk, p.openRules, p.openPeople, p.openWays, p.openFindings, p.openPages, p.listen} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *process) openSpool(context.Context) error {
	var err error
	s := p.Settings.Logs
	p.spool, err = spool.Open(spool.Config{Dir: filepath.Join(p.Settings.Data, "logs"), MaxBytes: s.MaxBytes, MaxAge: s.MaxAge, Now: p.Now})
	if err != nil {
		return err
	}
	p.closing(p.spool.Close)
	p.also("kept lines", p.spool.Run)
	if p.reader, err = p.spool.Reader("rates"); err != nil {
		return err
	}
	p.closing(func() error { p.reader.Close(); return nil })
	p.follower, err = rates.New(rates.Config{Reader: p.reader, Spool: p.spool, Series: own{p.metrics, p.name}, Records: p.records, Writer: casefile.ServiceOf, Changed: p.changed, Reported: p.reported, Now: p.Now})
	if err != nil {
		return err
	}
	p.also("counting", p.follower.Run)
	p.also("looking after counting", p.lookAfter)
	p.also("the clock", p.watchClock)
	return nil
}

// serve runs all parts until ctx ends or one of them breaks.
func (p *process) serve(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	for _, t := range p.tasks {
		wg.Go(func() {
			if err := t.run(ctx); err != nil && ctx.Err() == nil {
				stop(fmt.Errorf("server: %s: %w", t.name, err))
			}
		})
	}
	web := &http.Server{Handler: p.handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, BaseContext: func(net.Listener) context.Context { return ctx }}
	wg.Go(func() {
		if err := p.accept(web, p.listener); err != nil && !errors.Is(err, http.ErrServerClosed) && ctx.Err() == nil {
			stop(fmt.Errorf("server: %w", err))
		}
	})
	if p.Ready != nil {
		p.Ready([]string{p.address()})
	}
	<-ctx.Done()
	// Whoever has a page open waits for events for ever: what is under way gets a moment, no more.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if web.Shutdown(bounded) != nil {
		_ = web.Close() // the moment is over
	}
	wg.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func (p *process) listen(ctx context.Context) error {
	l := p.Settings.Listen
	if err := p.auth.MayListen(l.Address); err != nil {
		return err
	}
	var lc net.ListenConfig
	var err error
	if p.listener, err = lc.Listen(ctx, "tcp", l.Address); err != nil {
		return fmt.Errorf("%w; set listen.address to one that is free", err)
	}
	return nil
}

// accept serves what comes to a listener, with the certificate if there is one.
func (p *process) accept(s *http.Server, l net.Listener) error {
	if p.tls == nil {
		return s.Serve(l)
	}
	s.TLSConfig = p.tls.Clone()
	return s.ServeTLS(l, "", "")
}

// address is where the pages are, as a link.
func (p *process) address() string {
	scheme := "http"
	if p.Settings.Listen.Cert != "" {
		scheme = "https"
	}
	return scheme + "://" + p.listener.Addr().String()
}

// tiers tells the rules which services are critical, every so often, as a series like any other.
func (p *process) tiers(ctx context.Context) error {
	if len(p.Settings.Services) == 0 {
		return nil
	}
	return p.every(ctx, 15*time.Second, "tiers", func() error { return p.metrics.Append(ctx, p.tierSeries()) })
}

// every does something now and each time so much has passed, until ctx ends. What goes wrong is told, and tried again the next time.
func (p *process) every(ctx context.Context, pace time.Duration, name string, do func() error) error {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		if err := do(); err != nil && ctx.Err() == nil {
			p.Log(name + ": " + err.Error())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (p *process) tierSeries() []inquest.Series {
	out := make([]inquest.Series, 0, len(p.Settings.Services))
	for name, s := range p.Settings.Services {
		tier := "standard"
		if s.Critical {
			tier = "critical"
		}
		out = append(out, inquest.Series{Name: "inquest_service_info", Labels: map[string]string{"service": name, "tier": tier}, Type: "gauge",
			Samples: []inquest.Sample{{Time: p.Now(), Value: 1}}})
	}
	return out
}
