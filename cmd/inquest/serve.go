package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/config/serverfile"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/server"
)

const serveCodesHelp = `
Exit codes:
  0  ended as asked
  1  it could not serve, or broke: the message says why
  2  wrong usage
`

func newServe() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve [FILE]",
		Short: "Watch services: signals in, incidents opened, investigated and told",
		Long: `Serve is the always-on Inquest: it takes logs, metrics and changes in, watches rates by rules, opens an incident when they say so,
investigates it before a person has opened a laptop, tells people once, and shows everything on pages.

FILE is its settings (docs/serve.md). Without one it serves this machine only, on 127.0.0.1:7117, and keeps everything in the folder
inquest-data. It listens on other addresses only when somebody can sign in.
` + serveCodesHelp,
		Example: `  inquest serve                                   on this machine, with defaults
  inquest serve /etc/inquest/inquest.yaml
  inquest serve check /etc/inquest/inquest.yaml   say what is wrong with the settings
  inquest serve hash-password                     for access.users in the settings`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runServer(cmd, args) },
	}
	cmd.AddCommand(newServeCheck(), newHashPassword())
	for _, c := range cmd.Commands() {
		wrapArgs(c)
	}
	return cmd
}

func runServer(cmd *cobra.Command, args []string) error {
	debug.SetGCPercent(100) // main saves memory beside what failed; here time counts
	debug.SetMemoryLimit(1 << 30)
	var s server.Settings
	if len(args) == 1 {
		var err error
		if s, err = serverfile.Load(args[0]); err != nil {
			return err
		}
	}
	say := func(text string) {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s inquest: %s\n", time.Now().UTC().Format(time.RFC3339), redact.Lines(redact.Text(text), 0))
	}
	return server.Run(cmd.Context(), server.Options{Settings: s, Version: version, Now: time.Now, Log: say, Ready: func(addresses []string) {
		say("serves on " + strings.Join(addresses, ", "))
	}})
}

func newServeCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say what is wrong with a server's settings",
		Long: `Check reads the settings as the server would, and names every mistake with its line and the remedy; what works and is dangerous
is a warning. It opens nothing.

Exit codes:
  0  nothing is wrong
  1  something is, or the file cannot be read
  2  wrong usage
`,
		Example: "  inquest serve check /etc/inquest/inquest.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := serverfile.Load(args[0])
			if err != nil {
				return err
			}
			for _, w := range server.Warnings(s) {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", args[0], w)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: nothing is wrong: it would serve on %s and keep its data in %s\n", args[0], s.Listen.Address, s.Data)
			return nil
		},
	}
}

func newHashPassword() *cobra.Command {
	return &cobra.Command{
		Use:   "hash-password",
		Short: "Make the hash of a password for the settings",
		Long: `Hash-password reads a password from standard input, without showing it on a terminal, and prints what stands in access.users of the
settings. The password cannot be had back from it.

Exit codes:
  0  printed
  1  there was no password
  2  wrong usage
`,
		Example: `  inquest serve hash-password
  pass show inquest | inquest serve hash-password`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			password, err := readPassword(cmd)
			if err != nil {
				return err
			}
			hash, err := auth.HashPassword(rand.Reader, password)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), hash)
			return nil
		},
	}
}

func readPassword(cmd *cobra.Command) (string, error) {
	if f, ok := cmd.InOrStdin().(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(cmd.ErrOrStderr(), "Password: ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(cmd.ErrOrStderr())
		return string(b), err
	}
	line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.Join(errors.New("no password on standard input"), err)
	}
	return line, nil
}
