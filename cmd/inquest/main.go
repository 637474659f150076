// Command inquest answers one question: why did this service answer 5xx?
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/redact"
)

// Exit codes, documented in every command's help. stdout is the answer, stderr is talk.
const (
	exitOK       = 0 // answered: no incident, or --exit-code was not asked for
	exitError    = 1 // the question could not be answered: nothing to read, or a bad argument's consequence
	exitUsage    = 2 // wrong usage
	exitIncident = 3 // with --exit-code: an incident was found
	exitOpen     = 4 // with --exit-code: an incident was found, and its cause is open

	exitInterrupted = 130 // stopped by SIGINT or SIGTERM, as shells count it
)

// version is set by the linker.
var version = "dev"

func main() {
	saveMemory()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// exitCode is an error that only carries an exit code; there is nothing more to say.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// usageError is a mistake on the command line.
type usageError struct{ error }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var code exitCode
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, syscall.EPIPE): // the reader of a pipe left: not worth a word
		return exitOK
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "inquest: interrupted: no answer was written")
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "inquest: %s\nTry 'inquest --help'.\n", redact.Lines(redact.Text(err.Error()), 0))
		return exitUsage
	}
	fmt.Fprintf(stderr, "inquest: %s\n", redact.Lines(redact.Text(err.Error()), 0))
	return exitError
}

const exitCodesHelp = `
Exit codes:
  0  answered
  1  could not be answered (nothing to read, no such file)
  2  wrong usage
`

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "inquest",
		Short: "Why did this service answer 5xx?",
		Long: `Inquest answers one question for the people on call: why did this service answer 5xx?

Point it at a folder of what you have: access logs, application logs, server logs, metrics, traces, changes. It names
trigger, cause and symptoms, each with its evidence, or says that the evidence does not suffice. It works offline and
changes nothing.
` + exitCodesHelp,
		Example: `  inquest investigate ./case            the verdict on a folder
  inquest triage ./case                 the four questions of the first five minutes
  inquest error 7cabbed831bb ./case     everything about one failed request
  inquest explain 502                   what a status or a mechanism means`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newInvestigate(), newTriage(), newError(), newAudit(), newExplain(), newMechanisms(), newParse(), newPatterns(), newProbe(), newGateway(), newRules(), newReplay(), newServe(), newMan())
	root.AddCommand(newIncidents(), newRunbook(), newPostmortem(), newChange(), newChanges(), newMaintenance(), newSilence())
	root.AddCommand(newServices(), newAlerts(), newSLOs(), newOnCall(), newSettings(), newTokens(), newLog(), newReport())
	root.AddCommand(deeds()...)
	for _, c := range append(root.Commands(), root) {
		wrapArgs(c)
	}
	return root
}

// wrapArgs turns complaints about arguments into usage errors.
func wrapArgs(c *cobra.Command) {
	check := c.Args
	c.Args = func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%s: %w\nUsage: %s", cmd.Name(), err, cmd.UseLine())}
		}
		return nil
	}
}
