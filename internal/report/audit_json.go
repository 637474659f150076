package report

import (
	"io"

	"github.com/inquesthq/inquest"
)

// AuditSchema is the name and version of the JSON format of an audit, see docs/format/audit-v1.md.
const AuditSchema = "inquest/audit/v1"

type wireAudit struct {
	Schema    string             `json:"schema"`
	Window    wireWindow         `json:"window"`
	Requests  int                `json:"requests"`
	Records   int                `json:"records"`
	Findings  []wireAuditFinding `json:"findings"`
	Mappings  []wireMapping      `json:"mappings"`
	Logs      []wireLogQuality   `json:"logs"`
	Unchecked []wireGap          `json:"unchecked"`
	Files     []wireFile         `json:"files"`
	Notes     []string           `json:"notes"`
}

type wireAuditRule struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
	Why      string `json:"why"`
	Source   string `json:"source"`
	Fix      string `json:"fix"`
	Needs    string `json:"needs"`
}

type wireAuditFinding struct {
	Rule      string             `json:"rule"`
	Severity  string             `json:"severity"`
	Title     string             `json:"title"`
	Service   string             `json:"service"`
	Route     string             `json:"route"`
	Detail    string             `json:"detail"`
	Count     int                `json:"count"`
	Of        int                `json:"of"`
	Estimated bool               `json:"estimated"`
	From      *stamp             `json:"from"`
	To        *stamp             `json:"to"`
	Intervals []wireInterval     `json:"intervals"`
	Examples  []wireAuditExample `json:"examples"`
	Fix       string             `json:"fix"`
	Source    string             `json:"source"`
}

type wireInterval struct {
	From     *stamp `json:"from"`
	To       *stamp `json:"to"`
	Healthy  int    `json:"healthy"`
	Requests int    `json:"requests"`
	Failed   int    `json:"failed"`
}

type wireAuditExample struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Time *stamp `json:"time"`
	Text string `json:"text"`
}

type wireMapping struct {
	Service        string `json:"service"`
	Route          string `json:"route"`
	UpstreamStatus string `json:"upstream_status"`
	Status         int    `json:"status"`
	Count          int    `json:"count"`
	Basis          string `json:"basis"`
	Rule           string `json:"rule"`
}

type wireLogQuality struct {
	Service     string            `json:"service"`
	Format      string            `json:"format"`
	Records     int               `json:"records"`
	Structured  ratio             `json:"structured"`
	Timestamp   ratio             `json:"timestamp"`
	Severity    ratio             `json:"severity"`
	Correlation ratio             `json:"correlation_id"`
	Business    ratio             `json:"business_context"`
	Errors      int               `json:"errors"`
	Traced      int               `json:"errors_with_id"`
	Sample      *wireAuditExample `json:"sample"`
	Rewritten   string            `json:"rewritten"`
}

type wireGap struct {
	Rule string `json:"rule"`
	Why  string `json:"why"`
}

func toAuditExample(e inquest.AuditExample) wireAuditExample {
	return wireAuditExample{e.Source.File, e.Source.Line, at(e.Time), e.Text}
}

func toAudit(a *inquest.Audit) wireAudit {
	return wireAudit{
		Schema: AuditSchema, Window: wireWindow{at(a.Window.From), at(a.Window.To)}, Requests: a.Requests, Records: a.Records,
		Findings: each(a.Findings, func(f inquest.AuditFinding) wireAuditFinding {
			return wireAuditFinding{
				Rule: f.Rule.ID, Severity: string(f.Rule.Severity), Title: f.Rule.Title, Service: f.Service, Route: f.Route, Detail: f.Detail,
				Count: f.Count, Of: f.Of, Estimated: f.Estimated, From: at(f.From), To: at(f.To),
				Intervals: each(f.Intervals, func(i inquest.AuditInterval) wireInterval {
					return wireInterval{at(i.From), at(i.To), i.Healthy, i.Requests, i.Failed}
				}),
				Examples: each(f.Examples, toAuditExample), Fix: f.Rule.Fix, Source: f.Rule.Source,
			}
		}),
		Mappings: each(a.Mappings, func(m inquest.StatusMapping) wireMapping {
			return wireMapping{m.Service, m.Route, m.UpstreamStatus, m.Status, m.Count, string(m.Basis), m.Rule}
		}),
		Logs:      each(a.Logs, toLogQuality),
		Unchecked: each(a.Unchecked, func(g inquest.AuditGap) wireGap { return wireGap(g) }),
		Files:     each(a.Files, toFile),
		Notes:     each(a.Notes, same),
	}
}

func toLogQuality(q inquest.LogQuality) wireLogQuality {
	of := func(n int) ratio { return ratio(share(n, q.Records)) }
	out := wireLogQuality{
		Service: q.Service, Format: q.Format, Records: q.Records, Structured: of(q.Structured), Timestamp: of(q.Timestamp), Severity: of(q.Severity),
		Correlation: of(q.Correlation), Business: of(q.Business), Errors: q.Errors, Traced: q.Traced, Rewritten: q.Rewritten,
	}
	if q.Rewritten != "" {
		s := toAuditExample(q.Sample)
		out.Sample = &s
	}
	return out
}

// AuditJSON writes a as one object of the schema inquest/audit/v1 and a line feed. The same a gives the same bytes.
func AuditJSON(w io.Writer, a *inquest.Audit) error { return writeJSON(w, toAudit(redacted(a)), false) }

// AuditRulesJSON writes the catalogue of rules as a list.
func AuditRulesJSON(w io.Writer, rules []inquest.AuditRule) error {
	return writeJSON(w, each(rules, func(r inquest.AuditRule) wireAuditRule {
		return wireAuditRule{r.ID, r.Title, string(r.Severity), r.Why, r.Source, r.Fix, r.Needs}
	}), false)
}
