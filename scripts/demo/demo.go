package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// options are what the demo is asked for.
type options struct {
	scenario          scenario
	inquest, checkout string // binary, and folder of the service
	at                string // where the pages are
	healthy, patience time.Duration
	orders            int // in the database from the beginning, at least
	once, keep        bool
	out               io.Writer
}

func (o *options) say(format string, args ...any) { fmt.Fprintf(o.out, format+"\n", args...) }

// outcome is what a run came to. Times are zero for what did not happen.
type outcome struct {
	tally
	alert, opened, investigated, notified time.Time
	message                               message
	incident                              inquest.Incident
	diagnosis                             *inquest.Diagnosis
	wrong                                 string // what is not right about the verdict; "" when all is
}

// run shows the scenario, and returns what came of it; with once unset it goes on until ctx ends.
func run(ctx context.Context, o options) (*outcome, error) {
	s, err := prepare(o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	loading, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		s.load.run(loading)
		close(ended)
	}()
	defer func() { stop(); <-ended }()
	s.say("  %v of healthy traffic, %d requests a second", o.healthy, ordinary)
	if err := wait(ctx, o.healthy); err != nil {
		return nil, err
	}
	if t := s.load.tally(); t.failed > 0 {
		return nil, fmt.Errorf("%d of %d requests failed before anything was broken: see %s", t.failed, t.sent, s.dir)
	}
	s.say("\n%s", wrap(o.scenario.broke))
	if err := o.scenario.act(ctx, s); err != nil {
		return nil, err
	}
	out, err := s.watch(ctx)
	if err != nil {
		return nil, err
	}
	s.conclude(out)
	if !o.once {
		s.say("\nThe pages stay at %s until Ctrl-C.", s.url())
		<-ctx.Done()
		return out, nil
	}
	if out.wrong != "" {
		return out, fmt.Errorf("the verdict is not right: %s", out.wrong)
	}
	return out, nil
}

// prepare makes the folder and chooses ports.
func prepare(o options) (*shop, error) {
	var err error
	for _, p := range []*string{&o.inquest, &o.checkout} {
		if *p, err = filepath.Abs(*p); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(o.inquest); err != nil {
		return nil, fmt.Errorf("%w; build it with make build", err)
	}
	s := &shop{options: o}
	for _, p := range []*int{&s.servicePort, &s.admin, &s.gatewayPort} {
		if *p, err = freePort(); err != nil {
			return nil, err
		}
	}
	if s.at, err = free(o.at); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "inquest-demo-"); err != nil {
		return nil, err
	}
	s.closing(func() {
		if o.keep {
			s.say("Logs, settings and data are in %s", s.dir)
			return
		}
		if err := os.RemoveAll(s.dir); err != nil {
			s.say("the demo's folder stays: %v", err)
		}
	})
	s.load = newLoad(fmt.Sprintf("http://127.0.0.1:%d/api/checkout/complete", s.gatewayPort), ordinary)
	return s, nil
}

// free is an address to serve at: the one that was asked for, or, when somebody serves there, another port.
func free(at string) (string, error) {
	l, err := net.Listen("tcp", at)
	if err != nil {
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return "", err
		}
	}
	return l.Addr().String(), l.Close()
}

// open starts everything, what is needed first.
func (s *shop) open(ctx context.Context) error {
	s.say("Inquest demo: %s (%s)\n", s.scenario.name, s.scenario.title)
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"build checkout", func(ctx context.Context) error { return build(ctx, s.checkout, s.file("checkout"), s.scenario.release) }},
		{"a bank, a warehouse, and the webhook of the people on call", s.openNeighbours},
		{fmt.Sprintf("PostgreSQL with %d orders or more", s.orders), s.openDatabase},
		{"checkout", func(ctx context.Context) error {
			s.closing(func() {
				if s.service != nil {
					s.service.stop()
				}
			})
			return s.openService(ctx, s.file("checkout"))
		}},
		{"inquest gateway", s.openGateway},
		{"inquest serve", s.openServer},
	} {
		began := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		s.say("  %-60s %5.1f s", step.name, time.Since(began).Seconds())
	}
	s.say("\n  pages      %s\n  settings   %s\n", s.url(), s.file("serve.yaml"))
	return nil
}

func (s *shop) openNeighbours(context.Context) error {
	var err error
	if s.payment, err = openStandIn(bank); err != nil {
		return err
	}
	s.closing(func() { _ = s.payment.die() })
	if s.warehouse, err = openStandIn(warehouse); err != nil {
		return err
	}
	s.closing(func() { _ = s.warehouse.die() })
	if s.receiver, err = openReceiver(); err != nil {
		return err
	}
	s.closing(func() { _ = s.receiver.server.Close() })
	return nil
}

// wait lets time pass.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// wrap breaks a text into lines of at most 90 characters.
func wrap(text string) string {
	var b strings.Builder
	width := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i > 0 && width+1+len(word) > 90:
			b.WriteByte('\n')
			width = 0
		case i > 0:
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += len(word)
	}
	return b.String()
}
