package main

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest"
)

// deed is a command that does one thing to one incident.
type deed struct {
	use, verb, short, long, example string
	text                            string // what TEXT is; "" for none. "!" in front: it is required
	force                           bool
	fill                            func(args []string, in map[string]any) error // takes the arguments between ID and TEXT
	args                            int                                          // how many those are
	past                            string                                       // "acknowledged"
}

// deeds are the frequent ones, on the first level.
func deeds() []*cobra.Command {
	return commands([]deed{
		{use: "ack ID", verb: "acknowledge", past: "acknowledged", short: "Say that you have an incident: nobody else is called", text: "what you know",
			long:    "Ack takes an incident over. Escalation stops. A second person who does it takes it over from the first.",
			example: "  inquest ack INC-20261129-7KQ2\n  inquest ack INC-20261129-7KQ2 \"rolling back\""},
		{use: "mitigate ID", verb: "mitigate", past: "mitigated", short: "Say that users are served again, though the cause is still there", text: "what helped",
			long:    "Mitigate says that users are served again. The cause is still there, and so is the incident.",
			example: "  inquest mitigate INC-20261129-7KQ2 \"rolled back to 5.18.0\""},
		{use: "resolve ID", verb: "resolve", past: "resolved", short: "Say that the cause is gone", text: "why you are sure", force: true,
			long:    "Resolve says that the cause is gone. It is refused while alerts fire, while its services fail requests (of the last two\nminutes), or while a maintenance window of one of its services is on. With --force and a text that says why, alerts and\nfailing requests do not keep it; maintenance is ended first (inquest maintenance end).",
			example: "  inquest resolve INC-20261129-7KQ2\n  inquest resolve INC-20261129-7KQ2 --force \"the rule counts health checks\""},
		{use: "reopen ID", verb: "reopen", past: "reopened", short: "Say that a resolved incident is back", text: "what is seen",
			long:    "Reopen opens an incident again that was resolved too soon. People are told.",
			example: "  inquest reopen INC-20261129-7KQ2 \"errors are back\""},
		{use: "note ID", verb: "note", past: "noted in", short: "Write down what you have seen or done", text: "!what you have seen or done",
			long:    "Note adds a line to the incident's timeline, with your name and the time.",
			example: "  inquest note INC-20261129-7KQ2 \"restarted checkout-2, no effect\""},
	})
}

// judgements stand below `inquest incidents`.
func judgements() []*cobra.Command {
	return commands([]deed{
		{use: "severity ID 1|2|3|4", verb: "severity", past: "severity set of", short: "Judge how bad it is", text: "why", args: 1,
			long:    "Severity sets how bad an incident is: 1, users cannot do what the service is for, to 4, nobody has noticed yet.\nIt is not changed by itself any more.",
			example: "  inquest incidents severity INC-20261129-7KQ2 1 \"payments too\"",
			fill: func(args []string, in map[string]any) error {
				n, err := strconv.Atoi(strings.TrimPrefix(args[0], "SEV-"))
				if err != nil || n < 1 || n > 4 {
					return usageError{fmt.Errorf("severity %q: say 1, 2, 3 or 4", args[0])}
				}
				in["severity"] = n
				return nil
			}},
		{use: "cause ID", verb: "identify", past: "cause named of", short: "Name the cause", text: "!the cause, in your words",
			long:    "Cause says that a person has found the cause. The time until then is reckoned from it.",
			example: "  inquest incidents cause INC-20261129-7KQ2 \"the index on orders is missing\""},
		{use: "factors ID FACTOR,...", verb: "factors", past: "factors set of", short: "Say what contributed", args: 1,
			long:    "Factors sets the kinds of contributing factors: " + strings.Join(factorNames(), ", ") + ".",
			example: "  inquest incidents factors INC-20261129-7KQ2 bug,traffic-spike",
			fill: func(args []string, in map[string]any) error {
				all := strings.Split(args[0], ",")
				for _, f := range all {
					if !slices.Contains(factorNames(), f) {
						return usageError{fmt.Errorf("%q is no contributing factor: choose of %s", f, strings.Join(factorNames(), ", "))}
					}
				}
				in["factors"] = all
				return nil
			}},
		{use: "waive ID", verb: "waive", past: "postmortem waived of", short: "Say that there will be no postmortem, and why", text: "!why",
			long:    "Waive lets the file of an incident be closed without a postmortem. Who and why is on record.",
			example: "  inquest incidents waive INC-20261129-7KQ2 \"a drill\""},
		{use: "close ID", verb: "review", past: "closed", short: "Close the file on a resolved incident", text: "what there is to say",
			long:    "Close says that an incident is reviewed. A SEV-1 or SEV-2 needs a published postmortem, or a waiver.",
			example: "  inquest incidents close INC-20261129-7KQ2"},
	})
}

func factorNames() []string {
	out := make([]string, len(inquest.Factors))
	for i, f := range inquest.Factors {
		out[i] = string(f)
	}
	return out
}

func commands(all []deed) []*cobra.Command {
	out := make([]*cobra.Command, len(all))
	for i := range all {
		out[i] = all[i].command()
	}
	return out
}

func (d deed) command() *cobra.Command {
	r := &remote{}
	var force bool
	what, required := strings.CutPrefix(d.text, "!")
	use, least, most := d.use, 1+d.args, 1+d.args
	long := d.long
	switch {
	case required:
		use, least, most = use+" TEXT", least+1, most+1
	case what != "":
		use, most = use+" [TEXT]", most+1
	}
	if what != "" {
		long += "\nTEXT is " + what + "; it stands in the timeline."
	}
	cmd := &cobra.Command{
		Use: use, Short: d.short, Long: long + "\n" + remoteHelp, Example: d.example, Args: cobra.RangeArgs(least, most), ValidArgsFunction: activeIncidents,
		RunE: func(cmd *cobra.Command, args []string) error {
			in := map[string]any{}
			if d.fill != nil {
				if err := d.fill(args[1:1+d.args], in); err != nil {
					return err
				}
			}
			if len(args) > 1+d.args {
				in["text"] = args[1+d.args]
			}
			if force {
				in["force"] = true
			}
			return send(cmd, r, "incidents/"+url.PathEscape(args[0])+"/"+d.verb, in, func(i *inquest.Incident) error {
				r.para("", fmt.Sprintf("%s %s: %s, %s", d.past, i.ID, i.State, i.Severity))
				return nil
			})
		},
	}
	if d.force {
		cmd.Flags().BoolVar(&force, "force", false, "although alerts still fire or requests fail; TEXT must say why")
	}
	r.flags(cmd, "text", "json")
	return cmd
}
