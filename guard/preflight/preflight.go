// Package preflight looks, before a service opens its port, whether it could serve at all. A service that cannot must
// not start: a failure at boot is seen by the deploy, one under traffic by the customers.
//
//	err := preflight.Run(ctx, preflight.Config{},
//		preflight.Env("DATABASE_URL", "STRIPE_KEY"),
//		preflight.Ping("database", db.PingContext),
//		preflight.Columns(db, "users", "id", "email"))
//	preflight.Exit(err)
package preflight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"
)

// Prefix begins each line about a failure, for alerts on logs.
const Prefix = "STARTUP_FAILURE: "

// Check is one condition. It returns every way in which it does not hold, as sentences for the one who deploys.
type Check struct {
	Name string
	// Retry says that the condition may come true by waiting, as with a database that is starting too.
	Retry bool
	Run   func(ctx context.Context) []error
}

// Config is the configuration of [Run].
type Config struct {
	Attempts int           // at checks that may be retried (default 5)
	Wait     time.Duration // upper bound of the first wait, doubled each time (default 500 ms): a fleet that crashes together must not return together
	MaxWait  time.Duration // upper bound of all waits (default 5 s)
	Timeout  time.Duration // of a single attempt (default 5 s)
	Log      io.Writer     // told each attempt that failed and is repeated (default standard error)
}

// Failure holds everything that keeps the service from starting.
type Failure struct{ Problems []error }

// Error returns one line for each problem, each beginning with [Prefix].
func (f *Failure) Error() string {
	lines := make([]string, len(f.Problems))
	for i, p := range f.Problems {
		lines[i] = Prefix + strings.ReplaceAll(p.Error(), "\n", " ")
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems.
func (f *Failure) Unwrap() []error { return f.Problems }

// Run runs all checks, at the same time, and returns [*Failure] with all problems in the order of the checks: who has to
// mend three things wants to hear of three.
func Run(ctx context.Context, cfg Config, checks ...Check) error {
	cfg.fill()
	problems := make([][]error, len(checks))
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() { problems[i] = cfg.run(ctx, c) })
	}
	wg.Wait()
	var all []error
	for _, p := range problems {
		all = append(all, p...)
	}
	if len(all) == 0 {
		return nil
	}
	return &Failure{all}
}

func (c *Config) fill() {
	if c.Attempts <= 0 {
		c.Attempts = 5
	}
	if c.Wait <= 0 {
		c.Wait = 500 * time.Millisecond
	}
	if c.MaxWait <= 0 {
		c.MaxWait = 5 * time.Second
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Log == nil {
		c.Log = os.Stderr
	}
}

func (c *Config) run(ctx context.Context, check Check) []error {
	bound := c.Wait
	for n := 1; ; n++ {
		problems := c.attempt(ctx, check)
		if len(problems) == 0 || !check.Retry || n >= c.Attempts || ctx.Err() != nil {
			return problems
		}
		wait := bound/2 + rand.N(bound/2+1) // jitter, but never at once
		bound = min(2*bound, c.MaxWait)
		fmt.Fprintf(c.Log, "preflight: %s, attempt %d of %d: %v; again in %v\n", check.Name, n, c.Attempts, errors.Join(problems...), wait.Round(time.Millisecond))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return problems
		}
	}
}

// attempt bounds a check in time even if it does not heed its context.
func (c *Config) attempt(ctx context.Context, check Check) []error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	done := make(chan []error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- []error{fmt.Errorf("%s: the check itself panicked: %v", check.Name, v)}
			}
		}()
		done <- check.Run(ctx)
	}()
	select {
	case problems := <-done:
		return problems
	case <-ctx.Done():
		return []error{fmt.Errorf("%s: no answer within %v: %w", check.Name, c.Timeout, ctx.Err())}
	}
}

// Exit ends the process with status 1 if err is not nil, after writing it to standard error. Call it before the port is opened.
func Exit(err error) {
	if err == nil {
		return
	}
	text := err.Error()
	if !strings.HasPrefix(text, Prefix) {
		text = Prefix + text
	}
	fmt.Fprintln(os.Stderr, text)
	os.Exit(1)
}
