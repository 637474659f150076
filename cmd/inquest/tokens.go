package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/web"
)

func newTokens() *cobra.Command {
	list := newTokensList()
	cmd := &cobra.Command{
		Use:     "tokens",
		Short:   "Keys of programs of a running server: list, create, revoke",
		Long:    "Tokens lists the keys of programs; commands below it make one, and revoke one. All need a token of an administrator.\n" + remoteHelp,
		Example: "  inquest tokens\n  inquest tokens create \"deploys of checkout\" --source checkout\n  inquest tokens revoke inq_7kq2",
		Args:    cobra.NoArgs,
		PreRunE: list.PreRunE, RunE: list.RunE, // without more it lists
	}
	cmd.Flags().AddFlagSet(list.Flags())
	return group(cmd, list, newTokensCreate(), newTokensRevoke())
}

func newTokensList() *cobra.Command {
	return listing[auth.Token]{
		use: "list", path: "tokens", short: "List tokens, newest first",
		long:    "List prints what is known of the keys of programs, the revoked ones too: how each begins, what it may, and when it was used last.",
		example: "  inquest tokens list\n  inquest tokens list --format json | jq '.items[] | select(.revoked | not) | .name'",
		none:    "There is no token yet.",
		head:    []string{"TOKEN", "MAY", "EXPIRES", "LAST USED (UTC)", "NAME"},
		row: func(t *auth.Token) []string {
			expires, used := "never", "never"
			switch {
			case t.Revoked:
				expires = "revoked"
			case !t.Expires.IsZero():
				expires = t.Expires.UTC().Format("2006-01-02")
			}
			if !t.Used.IsZero() {
				used = minute(t.Used)
			}
			return []string{said(t.Hint), mayDo(t), expires, used, said(t.Name)}
		},
	}.command()
}

func mayDo(t *auth.Token) string {
	if t.Source != "" {
		return "send for " + said(t.Source)
	}
	return said(string(t.Role))
}

func newTokensCreate() *cobra.Command {
	r := &remote{}
	var role, source string
	var days int
	roles := make([]string, len(auth.Roles))
	for i, v := range auth.Roles {
		roles[i] = string(v)
	}
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a token; its key is printed once",
		Long: `Create makes a token for the program that NAME says, with a role, or for the signals of one source. Its key stands alone on standard
output and is kept nowhere: whoever loses it makes a new one.
` + remoteHelp,
		Example: "  inquest tokens create \"deploys of checkout\" --source checkout\n  inquest tokens create \"the wall\" --role viewer --days 0",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case (role == "") == (source == ""):
				return usageError{fmt.Errorf("create: say what it may: either --role (%s), or --source, whose signals it sends", strings.Join(roles, ", "))}
			case role != "" && !slices.Contains(roles, role):
				return usageError{fmt.Errorf("--role %q: say %s", role, strings.Join(roles, ", "))}
			case days < 0 || days > 3660:
				return usageError{fmt.Errorf("--days %d: say 0 (it never expires) to 3660", days)}
			}
			in := map[string]any{"name": args[0], "role": role, "source": source, "days": days}
			return send(cmd, r, "tokens", in, func(t *web.NewToken) error {
				until := "never expires"
				if !t.Token.Expires.IsZero() {
					until = "expires " + minute(t.Token.Expires) + " UTC"
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "inquest: %s: %s, %s; this is the only time that the key is shown\n", said(t.Token.Name), mayDo(&t.Token), until)
				_, err := fmt.Fprintln(r.out, redact.Visible(t.Key))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", "", strings.Join(roles, ", "))
	cmd.Flags().StringVar(&source, "source", "", "the one source whose signals it sends")
	cmd.Flags().IntVar(&days, "days", 90, "until it expires; 0: never")
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions(roles, cobra.ShellCompDirectiveNoFileComp)) // fails for a flag that is not there
	r.flags(cmd, "text", "json")
	return cmd
}

func newTokensRevoke() *cobra.Command {
	r := &remote{}
	cmd := &cobra.Command{
		Use:     "revoke TOKEN",
		Short:   "Make a token open nothing from now on",
		Long:    "Revoke locks out whoever uses a token. TOKEN is how its key begins, as the list shows it, or its id, as --format json of the list has it.\n" + remoteHelp,
		Example: "  inquest tokens revoke inq_7kq2",
		Args:    cobra.ExactArgs(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return offered(cmd, args, "tokens", func(t *auth.Token) string {
				if t.Revoked {
					return ""
				}
				return said(t.Hint) + "\t" + redact.Clean(t.Name, 60)
			})
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := r.token(cmd, args[0])
			if err != nil {
				return err
			}
			return send(cmd, r, "tokens/"+url.PathEscape(t.ID)+"/revoke", struct{}{}, func(*struct{}) error {
				r.para("", fmt.Sprintf("revoked %s (%s)", t.Hint, t.Name))
				return nil
			})
		},
	}
	r.flags(cmd, "text", "json")
	return cmd
}

// token finds the one token that is not revoked and is called so.
func (r *remote) token(cmd *cobra.Command, name string) (*auth.Token, error) {
	raw, err := r.get(cmd, "tokens", nil)
	if err != nil {
		return nil, err
	}
	var all struct{ Items []auth.Token }
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	all.Items = slices.DeleteFunc(all.Items, func(t auth.Token) bool { return t.Revoked || t.ID != name && t.Hint != name })
	switch len(all.Items) {
	case 0:
		return nil, fmt.Errorf("tokens: none that is valid begins with %q; inquest tokens shows how they begin", name)
	case 1:
		return &all.Items[0], nil
	}
	return nil, errors.New("tokens: several begin so: give the id, which inquest tokens --format json shows")
}
