package gateway

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	told "github.com/inquesthq/inquest/guard/problem"
	"github.com/inquesthq/inquest/internal/redact"
)

// reportPath is where the form of the error page goes. RFC 8615 keeps /.well-known for such.
const reportPath = "/.well-known/inquest/report"

// Report is what a user says about a failure, as a log record: `inquest error ID` shows it beside what the gateway logged.
type Report struct {
	Time      time.Time `json:"time"`
	Level     string    `json:"level"`
	Service   string    `json:"service"`
	Message   string    `json:"msg"`
	Kind      string    `json:"kind"` // user-report
	ErrorID   string    `json:"error_id"`
	RequestID string    `json:"request_id"` // of the report itself
	Client    string    `json:"remote_addr"`
}

// maxReport bounds what a user may send, in bytes.
const maxReport = 8 << 10

func (c *call) reports() bool { return c.g.report != nil && c.t.cfg.Reports.File != "" }

func (c *call) takeReport() {
	c.Route = "report"
	if c.in.Method != http.MethodPost {
		c.Reason = reasonNoRoute
		c.own(problem{status: http.StatusMethodNotAllowed, code: "METHOD_NOT_ALLOWED", message: "Reports are sent with POST."})
		return
	}
	c.in.Body = http.MaxBytesReader(c.w, c.in.Body, maxReport)
	err := c.in.ParseForm()
	id := c.in.PostForm.Get("id")
	if err != nil || !told.ValidID(id) {
		c.own(problem{status: http.StatusBadRequest, code: "INVALID_REPORT", message: "The report names no error id, or is too long."})
		return
	}
	r := Report{Time: c.Time.UTC(), Level: "warn", Service: "inquest-gateway", Kind: "user-report", ErrorID: id, RequestID: c.RequestID, Client: c.Client,
		Message: "a user reports " + id + ": " + redact.Text(oneLine(c.in.PostForm.Get("text"), 2000))} // people send their card numbers, too
	if err := c.g.report(r); err != nil {
		c.Detail = err.Error()
		c.own(problem{status: http.StatusInternalServerError, code: "REPORT_NOT_FILED", message: "The report could not be filed. Please send it another way."})
		return
	}
	c.ErrorID = id
	c.own(problem{status: http.StatusAccepted, code: "REPORT_FILED", message: "Thank you. Your report is filed under " + id + "."})
}

// oneLine makes a text of a stranger fit for a log: no control characters, bounded.
func oneLine(s string, most int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if s = strings.ToValidUTF8(s, "?"); len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	if s == "" {
		return "(no text)"
	}
	return s
}
