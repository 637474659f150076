package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// listing is a command that prints a list of the server as a table.
type listing[T any] struct {
	use, short, long, example string
	path                      string // below /api/v1, and that of the page
	filters                   []filter
	none                      string // is said when there is nothing
	head                      []string
	row                       func(*T) []string
}

// filter is a flag that restricts a listing.
type filter struct {
	flag, usage string
	query       string   // its name in the API; default: that of the flag
	values      []string // those that it may have; nil for any
}

func (l listing[T]) command() *cobra.Command {
	r := &remote{}
	said := make([]string, len(l.filters))
	cmd := &cobra.Command{
		Use: l.use, Short: l.short, Long: l.long + "\n" + remoteHelp, Example: l.example, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{}
			for i, f := range l.filters {
				if said[i] != "" {
					q.Set(f.parameter(), said[i])
				}
			}
			return ask(cmd, r, l.path, q, func(v *struct {
				Items []T
				Next  string
			}) error {
				l.show(r, v.Items, v.Next)
				return nil
			})
		},
		PreRunE: func(*cobra.Command, []string) error {
			for i, f := range l.filters {
				if said[i] != "" && f.values != nil && !slices.Contains(f.values, said[i]) {
					return usageError{fmt.Errorf("--%s %q: say %s", f.flag, said[i], strings.Join(f.values, ", "))}
				}
			}
			return nil
		},
	}
	for i, f := range l.filters {
		cmd.Flags().StringVar(&said[i], f.flag, "", f.usage)
		if f.values != nil {
			_ = cmd.RegisterFlagCompletionFunc(f.flag, cobra.FixedCompletions(f.values, cobra.ShellCompDirectiveNoFileComp)) // fails for a flag that is not there
		}
	}
	r.flags(cmd, "text", "json")
	return cmd
}

func (f *filter) parameter() string {
	if f.query != "" {
		return f.query
	}
	return f.flag
}

func (l *listing[T]) show(r *remote, items []T, next string) {
	if len(items) == 0 {
		fmt.Fprintln(r.out, l.none)
	} else {
		rows := [][]string{l.head}
		for i := range items {
			rows = append(rows, l.row(&items[i]))
		}
		r.table(rows)
	}
	if next != "" {
		r.para("", "There are more; --format json gives \"next\" for the API, the page /"+l.path+" has them.")
	}
}
