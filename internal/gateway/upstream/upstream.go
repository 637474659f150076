package upstream

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

// Upstream is one service behind one or more servers. It is an http.RoundTripper for requests with an Exchange (see Begin).
type Upstream struct {
	cfg       Config
	servers   []*server
	transport *http.Transport
	budget    *policy.RetryBudget
	bulkhead  *policy.Bulkhead
	adaptive  *policy.AdaptiveLimiter
	stop      func() // the active checks
}

// server is one of them, with what the policies know of it.
type server struct {
	addr     string
	breaker  *policy.Breaker // nil: none
	inFlight atomic.Int64
	down     atomic.Bool // an active check failed
	requests atomic.Int64
	failures atomic.Int64
	last     atomic.Pointer[Failure] // the latest failure: what opened the circuit, once it is open
}

// New checks the configuration and starts the active health checks, if there are any. Close ends them.
func New(cfg Config) (*Upstream, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	u := &Upstream{cfg: cfg, transport: newTransport(&cfg), stop: func() {}}
	var err error
	if u.budget, err = policy.NewRetryBudget(cfg.Budget); err != nil {
		return nil, err
	}
	for _, addr := range cfg.Servers {
		s := &server{addr: addr}
		if !cfg.NoBreaker {
			bc := cfg.Breaker
			bc.Name = cfg.Name + " " + addr
			if cfg.OnChange != nil {
				bc.OnChange = func(c policy.Change) { cfg.OnChange(addr, c, s.last.Load()) }
			}
			if s.breaker, err = policy.NewBreaker(bc); err != nil {
				return nil, err
			}
		}
		u.servers = append(u.servers, s)
	}
	if cfg.Adaptive != nil {
		ac := *cfg.Adaptive
		ac.Name = cfg.Name
		if u.adaptive, err = policy.NewAdaptiveLimiter(ac); err != nil {
			return nil, err
		}
	}
	if cfg.InFlight > 0 {
		if u.bulkhead, err = policy.NewBulkhead(policy.BulkheadConfig{Name: cfg.Name, InFlight: cfg.InFlight, Queue: cfg.Queue, Wait: cfg.Wait}); err != nil {
			return nil, err
		}
	}
	if cfg.Health != nil {
		if u.stop, err = u.watch(*cfg.Health); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// Close ends the checks and closes the kept connections. Exchanges under way go on.
func (u *Upstream) Close() {
	u.stop()
	u.transport.CloseIdleConnections()
}

// Name is the service's.
func (u *Upstream) Name() string { return u.cfg.Name }

// ticket is the permission of the policies for one attempt, to be given back with its outcome exactly once.
type ticket struct {
	u      *Upstream
	s      *server
	permit policy.Permit
	lease  policy.Lease
	held   bool // a place in the bulkhead
}

// done reports how the attempt came out.
func (t *ticket) done(o policy.Outcome) {
	if t.s == nil {
		return
	}
	t.s.inFlight.Add(-1)
	if o == policy.Failure {
		t.s.failures.Add(1)
	}
	t.permit.Done(o)
	t.lease.Done(o)
	if t.held {
		t.u.bulkhead.Release()
	}
	t.s = nil
}

// failed reports an attempt that failed, or that came to nothing for a reason that is not the server's.
func (t *ticket) failed(f *Failure) {
	o := f.outcome()
	if o == policy.Failure && t.s != nil {
		t.s.last.Store(f) // before the circuit can open by it
	}
	t.done(o)
}

var errNoServer = errors.New("no server may be asked")

// pick takes a place and a server: of two drawn at random the one with fewer requests under way, which spreads load nearly as well
// as looking at all of them and does not send every request of a moment to the same one. Servers that are down or whose circuit
// is open are passed over; of those only down by their check one is asked when there is no other, because a check that fails
// everywhere is more likely wrong than every server.
func (u *Upstream) pick(x *Exchange, not *server) (ticket, *Failure) {
	t := ticket{u: u}
	var err error
	if u.bulkhead != nil {
		if err = u.bulkhead.Acquire(x); err != nil {
			return t, u.refusal(x, err)
		}
		t.held = true
	}
	if u.adaptive != nil {
		if t.lease, err = u.adaptive.Acquire(); err != nil {
			t.release()
			return t, u.refusal(x, err)
		}
	}
	t.s, t.permit, err = u.choose(not)
	if err != nil {
		t.release()
		return t, u.refusal(x, err)
	}
	t.s.inFlight.Add(1)
	t.s.requests.Add(1)
	return t, nil
}

// release gives back what was taken when no server was found.
func (t *ticket) release() {
	t.lease.Done(policy.Ignored)
	if t.held {
		t.u.bulkhead.Release()
	}
	t.s = nil
}

func (u *Upstream) choose(not *server) (*server, policy.Permit, error) {
	if len(u.servers) == 1 {
		s := u.servers[0]
		p, err := s.allow()
		return s, p, err
	}
	a := rand.IntN(len(u.servers))
	b := (a + 1 + rand.IntN(len(u.servers)-1)) % len(u.servers)
	if s := u.better(u.servers[a], u.servers[b], not); s.usable() {
		if p, err := s.allow(); err == nil {
			return s, p, nil
		}
	}
	return u.any(not)
}

// better is the one of two that is to be asked: the one that was not asked before, that may be, that has less to do.
func (u *Upstream) better(a, b, not *server) *server {
	switch {
	case a == not:
		return b
	case b == not:
		return a
	}
	switch aUp, bUp := a.usable(), b.usable(); {
	case aUp != bUp && aUp, aUp == bUp && a.inFlight.Load() <= b.inFlight.Load():
		return a
	}
	return b
}

// any looks at every server from a random one on: the healthy ones, then those whose check fails, then the one that was asked before.
func (u *Upstream) any(not *server) (*server, policy.Permit, error) {
	first := rand.IntN(len(u.servers))
	last := errNoServer
	for _, pass := range []func(*server) bool{
		func(s *server) bool { return s != not && !s.down.Load() },
		func(s *server) bool { return s != not && s.down.Load() },
		func(s *server) bool { return s == not },
	} {
		for i := range u.servers {
			s := u.servers[(first+i)%len(u.servers)]
			if !pass(s) {
				continue
			}
			p, err := s.allow()
			if err == nil {
				return s, p, nil
			}
			last = err
		}
	}
	return nil, policy.Permit{}, last
}

func (s *server) usable() bool {
	return !s.down.Load() && (s.breaker == nil || s.breaker.Refuse() == nil)
}

func (s *server) allow() (policy.Permit, error) {
	if s.breaker == nil {
		return policy.Permit{}, nil
	}
	return s.breaker.Allow()
}

// opened returns the server whose open circuit err tells of, and the failure that opened it; nil if err is of something else.
func (u *Upstream) opened(err error) (*server, *Failure) {
	var open *policy.OpenError
	if errors.As(err, &open) {
		for _, s := range u.servers {
			if s.breaker != nil && s.breaker.Name() == open.Name() {
				return s, s.last.Load()
			}
		}
	}
	return nil, nil
}

// refusal is the failure of a request that no server was asked for.
func (u *Upstream) refusal(x *Exchange, err error) *Failure {
	if x.clientLeft() {
		return &Failure{Reason: policy.ClientLeft, Err: err}
	}
	f := &Failure{Reason: policy.ErrorReason(err), Err: fmt.Errorf("upstream %s: %w", u.cfg.Name, err)}
	if s, cause := u.opened(err); cause != nil {
		x.Server = s.addr
		f.Cause, f.Err = cause.Reason, fmt.Errorf("%w after %s", f.Err, cause.Error())
	}
	var after interface{ RetryAfter() time.Duration }
	if errors.As(err, &after) {
		f.RetryAfter = after.RetryAfter()
	}
	return f
}
