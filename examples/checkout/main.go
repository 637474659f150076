// Command checkout is a small service that uses all of guard: it takes an order, reserves the goods, charges the card and keeps
// the order in PostgreSQL or SQLite. README.md says how to run it and what to try.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/inquesthq/inquest/guard/preflight"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	preflight.Exit(err)
}

func run(ctx context.Context, args []string) error {
	migrate := len(args) == 1 && args[0] == "migrate"
	if err := checkEnvironment(ctx); err != nil && !migrate {
		return err
	}
	orders, err := openStore(os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer func() { _ = orders.db.Close() }() // the process ends: what was written is committed
	if migrate {
		return orders.migrate(ctx)
	}
	if err := checkDatabase(ctx, orders); err != nil {
		return err
	}
	limit := 100 // requests a second and client
	if text := os.Getenv("RATE_LIMIT"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("RATE_LIMIT is %q: say how many requests a second one client may send", text)
		}
	}
	g, err := newGuards(orders, limit)
	if err != nil {
		return err
	}
	defer g.guard.Wait()
	public, admin := http.NewServeMux(), http.NewServeMux()
	g.routes(public, admin, &service{orders: orders, query: g.all.Get("database").Do,
		payment:   payment{peer{os.Getenv("PAYMENT_URL"), g.client("payment")}},
		inventory: inventory{peer{os.Getenv("INVENTORY_URL"), g.client("inventory")}}})
	return serve(ctx, map[string]http.Handler{
		net.JoinHostPort("", or(os.Getenv("PORT"), "8080")):                public,
		net.JoinHostPort("127.0.0.1", or(os.Getenv("ADMIN_PORT"), "8081")): admin, // metrics and maintenance are for operators
	})
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// serve answers on all addresses until ctx ends, and then lets the requests under way end.
func serve(ctx context.Context, handlers map[string]http.Handler) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var servers []*http.Server
	for addr, h := range handlers {
		s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: 75 * time.Second, MaxHeaderBytes: 64 << 10}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		servers = append(servers, s)
		go func() {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				cancel(err)
			}
		}()
	}
	<-ctx.Done()
	err := context.Cause(ctx)
	if errors.Is(err, context.Canceled) { // asked to end
		err = nil
	}
	grace, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	for _, s := range servers {
		err = errors.Join(err, s.Shutdown(grace))
	}
	return err
}
