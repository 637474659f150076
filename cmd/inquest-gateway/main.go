// Command inquest-gateway is the gateway alone: `inquest gateway` without the investigation and without automatic certificates, in a
// binary small enough to stand beside every service.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/inquesthq/inquest/internal/config"
	"github.com/inquesthq/inquest/internal/gateway"
	"github.com/inquesthq/inquest/internal/gateway/serve"
)

const usage = `Usage: inquest-gateway [check] FILE

Serves the gateway that FILE describes (docs/gateway.md), or says what is wrong with it.
Signals: HUP reads FILE again and reopens the logs, USR1 reopens the logs, TERM and INT end after the requests under way.

Exit codes:
  0  ended as asked; check: nothing is wrong
  1  could not be served; check: something is wrong
  2  wrong usage
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("inquest-gateway", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, usage) }
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	args = fs.Args()
	check := len(args) == 2 && args[0] == "check"
	if !check && len(args) != 1 {
		fs.Usage()
		return 2
	}
	file := args[len(args)-1]
	load := func() (gateway.Config, error) { return config.LoadGateway(file) }
	var err error
	if check {
		_, err = load()
	} else {
		reload, reopen := make(chan os.Signal, 1), make(chan os.Signal, 1)
		signal.Notify(reload, syscall.SIGHUP)
		signal.Notify(reopen, syscall.SIGUSR1)
		err = serve.Run(ctx, serve.Options{Load: load, Watch: file, Reload: reload, Reopen: reopen, Ready: func(addrs []string) {
			fmt.Fprintf(stderr, "inquest-gateway: serving on %v\n", addrs)
		}})
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v\n", err)
		return 1
	}
	if check {
		fmt.Fprintf(stdout, "%s: nothing is wrong\n", file)
	}
	return 0
}
