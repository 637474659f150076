// Command checkout is a small service that uses all of guard: it takes an order, reserves the goods, charges the card and keeps
// the order in PostgreSQL or SQLite. README.md says how to run it and what to try.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with what it depends on: it returns the exit code.
func run(ctx context.Context, args []string, env func(string) string, stderr io.Writer) int {
	if len(args) == 1 && args[0] == "migrate" {
		if err := migrate(ctx, env("DATABASE_URL")); err != nil {
			fmt.Fprintln(stderr, "checkout:", err)
			return 1
		}
		return 0
	}
	if err := serve(ctx, env); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func migrate(ctx context.Context, url string) error {
	s, err := openStore(url)
	if err != nil {
		return err
	}
	defer s.db.Close()
	return s.migrate(ctx)
}

// serve answers until ctx ends. It returns before the port is opened when something that it needs is not there.
func serve(ctx context.Context, env func(string) string) error {
	orders, g, err := start(ctx, env)
	if err != nil {
		return err
	}
	defer orders.db.Close()
	port := env("PORT")
	if port == "" {
		port = "8080"
	}
	server := &http.Server{
		Handler:           g.handler(g.service(orders, env("PAYMENT_URL"), env("INVENTORY_URL"))),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: 75 * time.Second, MaxHeaderBytes: 64 << 10,
	}
	l, err := net.Listen("tcp", net.JoinHostPort("", port))
	if err != nil {
		return fmt.Errorf("checkout: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("checkout: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return fmt.Errorf("checkout: requests were cut off: %w", err)
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("checkout: %w", err)
	}
	g.guard.Wait()
	return nil
}
