// Command demo shows `inquest serve` at work: it starts the server, a gateway, the service of examples/checkout and a PostgreSQL, sends load,
// breaks something, and prints what happened when, until people were told why. The pages stay open until Ctrl-C.
//
//	go run ./scripts/demo [-scenario black-friday] [-once] [-healthy 40s] [-orders 400000] [-at 127.0.0.1:7117] [-keep]
//
// `make demo SCENARIO=...` builds what it needs first. DEMO_ONCE=1 is -once: end after the verdict, with exit code 1 if it was not the right one.
// Nothing of the demo is known to the server but what is in its settings, which are printed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// usual is how long all is well before it breaks. What shows before the first failed request counts as new within a fifth of the record
// before it, and here that is all the record there is: slow statements come with the index that is dropped, failures some seconds later.
const usual = 40 * time.Second

func main() {
	o := options{out: os.Stdout}
	name := flag.String("scenario", "black-friday", "what breaks: "+strings.Join(names(), ", "))
	flag.StringVar(&o.inquest, "inquest", "bin/inquest", "the binary")
	flag.StringVar(&o.checkout, "checkout", "examples/checkout", "the folder of the example service")
	flag.StringVar(&o.at, "at", "127.0.0.1:7117", "where the pages are served")
	flag.DurationVar(&o.healthy, "healthy", usual, "how long all is well before it breaks")
	flag.IntVar(&o.orders, "orders", 400_000, "orders in the database when it begins; more where this machine reads them too fast for the scenario")
	flag.DurationVar(&o.patience, "patience", 3*time.Minute, "how long to wait for the verdict")
	flag.BoolVar(&o.once, "once", os.Getenv("DEMO_ONCE") != "", "end after the verdict")
	flag.BoolVar(&o.keep, "keep", false, "keep the folder with logs, settings and data")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if o.scenario, err = find(*name); err == nil {
		_, err = run(ctx, o)
	}
	if err != nil && ctx.Err() == nil { // who pressed Ctrl-C knows why it ended
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
