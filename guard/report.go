package guard

import (
	"context"
	"net/http"
	"strings"

	"github.com/inquesthq/inquest/guard/problem"
)

// UserReport is what a user says about a failure.
type UserReport struct {
	ErrorID string // of the page that the user saw
	Text    string // what the user wrote, at most 2,000 bytes, without secrets; may be empty
}

// Reports serves the form of the error page, at [Config].ReportPath: it hands reports to file, which should count them
// to the incident of the id. Mount it under [Guard.Wrap] with Rates set, for everybody can send one.
func (g *Guard) Reports(file func(context.Context, UserReport) error) http.Handler {
	return g.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			return &Error{Status: http.StatusMethodNotAllowed, Message: "Send the form with POST."}
		}
		const most = 16 << 10
		r.Body = http.MaxBytesReader(w, r.Body, most)
		if err := r.ParseForm(); err != nil {
			return &Error{Status: http.StatusBadRequest, Code: "INVALID_REPORT", Message: "The form cannot be read.", Err: err}
		}
		report := UserReport{ErrorID: r.PostForm.Get("id")}
		if !problem.ValidID(report.ErrorID) {
			return BadRequest("INVALID_ERROR_ID", "The id of the error is missing or has another form than ERR-1732845600000-K7X2MN.")
		}
		text := strings.ToValidUTF8(strings.TrimSpace(r.PostForm.Get("text")), "")
		report.Text = strings.ToValidUTF8(g.redactor.Text(text[:min(len(text), 2000)]), "")
		if err := file(r.Context(), report); err != nil {
			return err
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusAccepted)
		_, err := w.Write([]byte("Thank you. We have attached your report to " + report.ErrorID + ".\n"))
		return err
	})
}
