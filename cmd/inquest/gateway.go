package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/config"
	"github.com/inquesthq/inquest/internal/gateway"
	"github.com/inquesthq/inquest/internal/gateway/acme"
	"github.com/inquesthq/inquest/internal/gateway/serve"
)

const gatewayCodesHelp = `
Exit codes:
  0  done; run: ended as asked
  1  it could not be done: the file is wrong, an address is taken, no gateway answers
  2  wrong usage
`

func newGateway() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gateway FILE",
		Short: "Serve a reverse proxy that answers the right status and contains failures",
		Long: `Gateway serves the reverse proxy that FILE describes. It answers the status that is true, leaks nothing, gives every failure an
id that 'inquest error' finds again, and keeps one sick upstream from taking the rest along. See docs/gateway.md.

Signals: HUP reads FILE again and reopens the logs, USR1 reopens the logs, TERM and INT end after the requests under way. A change
of FILE is a reload by itself. A file that is wrong changes nothing.
` + gatewayCodesHelp,
		Example: `  inquest gateway gateway.yaml                        serve
  inquest gateway check gateway.yaml                  say what is wrong with the file
  inquest gateway status gateway.yaml                 routes, servers, circuits
  inquest gateway maintenance on checkout gateway.yaml --for 30m`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return serveGateway(cmd, args[0]) },
	}
	cmd.AddCommand(newGatewayRun(), newGatewayCheck(), newGatewayStatus(), newGatewayMaintenance(), newGatewayBreaker(), newGatewayReload())
	for _, c := range cmd.Commands() {
		wrapArgs(c)
	}
	return cmd
}

func newGatewayRun() *cobra.Command {
	return &cobra.Command{
		Use:     "run FILE",
		Short:   "Serve the gateway that a file describes",
		Long:    "Run is what 'inquest gateway FILE' does, for scripts that prefer a verb: it serves until it is told to end.\n" + gatewayCodesHelp,
		Example: "  inquest gateway run /etc/inquest/gateway.yaml",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return serveGateway(cmd, args[0]) },
	}
}

func serveGateway(cmd *cobra.Command, file string) error {
	reload, reopen := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	signal.Notify(reopen, syscall.SIGUSR1)
	defer signal.Stop(reload)
	defer signal.Stop(reopen)
	return serve.Run(cmd.Context(), serve.Options{
		Load:  func() (gateway.Config, error) { return config.LoadGateway(file) },
		Watch: file, Reload: reload, Reopen: reopen, ACME: acme.Config,
		Ready: func(addrs []string) {
			fmt.Fprintf(cmd.ErrOrStderr(), "inquest: gateway serves on %s\n", strings.Join(addrs, ", "))
		},
	})
}

func newGatewayCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say what is wrong with a gateway's file",
		Long: `Check reads the file as the gateway would, and names every mistake with its line and the remedy: unknown keys, words that mean
nothing, routes without an upstream, certificates that cannot be read. It opens no port.

Exit codes:
  0  nothing is wrong
  1  something is, or the file cannot be read
  2  wrong usage
`,
		Example: "  inquest gateway check gateway.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.LoadGateway(args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: nothing is wrong: %d routes, %d upstreams\n", args[0], len(cfg.Routes), len(cfg.Upstreams))
			return nil
		},
	}
}

// operator returns the way to the gateway that a file describes.
func operator(file string) (*serve.Operator, error) {
	cfg, err := config.LoadGateway(file)
	if err != nil {
		return nil, err
	}
	return serve.NewOperator(cfg.Admin)
}

func newGatewayStatus() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "status FILE",
		Short: "Show routes, servers and circuits of a running gateway",
		Long: `Status asks the running gateway, by the admin address in FILE, for its routes and upstreams: which are closed for maintenance,
which servers are down, which circuits are open and since when.
` + gatewayCodesHelp,
		Example: `  inquest gateway status gateway.yaml
  inquest gateway status gateway.yaml --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" && format != "metrics" {
				return usageError{fmt.Errorf("--format %q: say text, json or metrics", format)}
			}
			o, err := operator(args[0])
			if err != nil {
				return err
			}
			path := "/status"
			if format == "metrics" {
				path = "/metrics"
			}
			b, err := o.Get(cmd.Context(), path)
			if err != nil {
				return err
			}
			if format != "text" {
				_, err = cmd.OutOrStdout().Write(b)
				return err
			}
			return statusText(cmd, b)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text, json, or metrics (Prometheus)")
	return cmd
}

func statusText(cmd *cobra.Command, b []byte) error {
	var s gateway.Status
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("the gateway's answer is not the one expected: %w; are the two of the same version?", err)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ROUTE\tHOST\tPATH\tUPSTREAM\tSTATE")
	for _, r := range s.Routes {
		state := "open"
		switch {
		case r.Maintenance && r.Until != "":
			state = "maintenance until " + r.Until
		case r.Maintenance:
			state = "maintenance"
		case r.Audit:
			state = "audit"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Name, r.Host, r.Path, r.Upstream, state)
	}
	fmt.Fprintln(w, "\nUPSTREAM\tSERVER\tSTATE\tCIRCUIT\tIN FLIGHT\tREQUESTS\tFAILURES")
	for _, u := range s.Upstreams {
		for _, v := range u.Servers {
			state, circuit := "up", v.Breaker
			if !v.Up {
				state = "down"
			}
			if v.OpenSince != "" {
				circuit += " since " + v.OpenSince
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\n", u.Name, v.Server, state, circuit, v.InFlight, v.Requests, v.Failures)
		}
	}
	return w.Flush()
}

func newGatewayMaintenance() *cobra.Command {
	var message string
	var lasts time.Duration
	var allow []string
	cmd := &cobra.Command{
		Use:   "maintenance on|off ROUTE FILE",
		Short: "Close or open a route of a running gateway",
		Long: `Maintenance closes a route of the running gateway at once: clients get 503 with Retry-After and a page that says so, but for the
addresses in --allow. It opens by itself after --for. Who switched it is in the event log. A reload puts back what FILE says.
` + gatewayCodesHelp,
		Example: `  inquest gateway maintenance on checkout gateway.yaml --for 30m --message "Back at noon." --allow 10.0.0.0/8
  inquest gateway maintenance off checkout gateway.yaml`,
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] != "on" && args[0] != "off" {
				return usageError{fmt.Errorf("maintenance %q: say on or off", args[0])}
			}
			m := map[string]any{"route": args[1], "on": args[0] == "on", "by": whoami()}
			if args[0] == "on" {
				m["message"], m["allow"] = message, allow
				if lasts > 0 {
					m["until"] = time.Now().Add(lasts).UTC().Format(time.RFC3339)
				}
			}
			return post(cmd, args[2], "/maintenance", m, "maintenance of "+args[1]+" is "+args[0])
		},
	}
	cmd.Flags().StringVar(&message, "message", "", "what clients are told")
	cmd.Flags().DurationVar(&lasts, "for", 0, "how long; 0: until it is switched off")
	cmd.Flags().StringSliceVar(&allow, "allow", nil, "addresses and networks that pass")
	return cmd
}

func newGatewayBreaker() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "breaker reset UPSTREAM[/SERVER] FILE",
		Short: "Close the open circuits of an upstream by hand",
		Long: `Breaker reset closes the circuits of an upstream of the running gateway, or of one of its servers, before their time: for when
the cause is mended. Who did it is in the gateway's event log.
` + gatewayCodesHelp,
		Example: `  inquest gateway breaker reset shop gateway.yaml
  inquest gateway breaker reset shop/10.0.0.7:8080 gateway.yaml`,
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] != "reset" {
				return usageError{fmt.Errorf("breaker %q: say reset", args[0])}
			}
			name, server, _ := strings.Cut(args[1], "/")
			return post(cmd, args[2], "/breakers/reset", map[string]string{"upstream": name, "server": server, "by": whoami()}, "circuits of "+args[1]+" are closed")
		},
	}
	return cmd
}

func newGatewayReload() *cobra.Command {
	return &cobra.Command{
		Use:     "reload FILE",
		Short:   "Have a running gateway read its file again",
		Long:    "Reload does what the signal HUP does, and says whether it worked: a file that is wrong changes nothing, and its\nmistakes are told here.\n" + gatewayCodesHelp,
		Example: "  inquest gateway reload gateway.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return post(cmd, args[0], "/reload", struct{}{}, "the new configuration is served")
		},
	}
}

func post(cmd *cobra.Command, file, path string, in any, done string) error {
	o, err := operator(file)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 10*time.Second)
	defer cancel()
	if _, err := o.Post(ctx, path, in); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), done)
	return nil
}

func whoami() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}
