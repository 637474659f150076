package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/inquesthq/inquest/internal/web"
)

func newReport() *cobra.Command {
	r := &remote{}
	var id, service, contact string
	cmd := &cobra.Command{
		Use:   "report [TEXT]",
		Short: "Tell of a failure, as a user",
		Long: `Report tells the people on call of a running server what went wrong: TEXT in your words, and the id that the error page showed. It needs
a token only while the settings of the server do not let everybody tell.
` + remoteHelp,
		Example: "  inquest report \"paying ends with an error page\" --id ERR-1732147200000-7QK2ZD\n  inquest report \"search finds nothing\" --service search --contact ada@example.com",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := map[string]string{"errorId": id, "service": service, "contact": contact}
			if len(args) > 0 {
				in["text"] = args[0]
			}
			if in["text"] == "" && id == "" {
				return usageError{errors.New("report: say what happened, or give the id that the error page showed: --id")}
			}
			return send(cmd, r, "report", in, func(u *web.UserReport) error {
				text := "received as " + u.ID
				if u.Incident != "" {
					text += ", attached to " + u.Incident
				}
				r.para("", text)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&id, "id", "", "that the error page showed")
	cmd.Flags().StringVar(&service, "service", "", "that failed, if you know")
	cmd.Flags().StringVar(&contact, "contact", "", "how to answer you, if you like")
	r.flags(cmd, "text", "json")
	return cmd
}
