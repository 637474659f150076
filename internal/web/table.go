package web

import (
	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
)

// route is one row of the table. A GET with a page is shown at path and answers JSON below /api/v1; a POST with a page takes a form at path and
// JSON below /api/v1, and a browser is sent on to where `then` says.
type route struct {
	method  string
	path    string // of the page
	api     string // below /api/v1; default: path
	summary string // for the OpenAPI document
	role    auth.Role
	public  bool   // for anybody, when the settings say so
	page    string // template, "" for JSON only; of a POST: any text, it takes forms
	nav     string // entry of the navigation that it belongs to
	query   []param
	input   any // zero value of what a POST takes
	output  any // zero value of what it answers
	run     func(*call) (any, error)
	then    func(c *call, out any) string
	audit   string // of a POST: what the log of changes says
}

// param is a parameter of the query.
type param struct{ name, summary string }

// list is the answer of a listing.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // give it as ?after= to go on
}

func (r route) patterns() []string {
	out := []string{r.method + " /api/v1" + r.apiPath()}
	if r.page != "" {
		path := r.path
		if path == "/" {
			path = "/{$}"
		}
		out = append(out, r.method+" "+path)
	}
	return out
}

func (r route) apiPath() string {
	if r.api != "" {
		return r.api
	}
	return r.path
}

// table is the whole interface.
func (w *Web) table() []route {
	after := param{"after", "where the last answer's `next` left off"}
	rows := []route{
		{method: "GET", path: "/", api: "/overview", summary: "Open incidents, and how each service does", role: auth.Viewer, page: "overview", nav: "overview",
			output: Overview{}, run: w.overview},
		{method: "GET", path: "/incidents", summary: "Incidents, those opened last first", role: auth.Viewer, page: "incidents", nav: "incidents",
			query:  []param{{"state", "open, acknowledged, mitigated, resolved, reviewed, or active for the first three"}, {"severity", "1 to 4: this one and worse ones"}, {"service", "whose requests fail"}, after},
			output: list[inquest.Incident]{}, run: w.incidents},
		{method: "GET", path: "/incidents/{id}", summary: "One incident with its verdict, timeline, runbook and similar ones", role: auth.Viewer, page: "incident", nav: "incidents",
			query: []param{{"revision", "of the diagnosis; default: the newest"}}, output: IncidentView{}, run: w.incident},
		{method: "GET", path: "/alerts", summary: "Alerts that belong to no incident, those that fired last first", role: auth.Viewer, page: "alerts", nav: "alerts",
			query:  []param{{"service", "that they are about"}, {"urgency", "chat, ticket or page (a silenced one)"}, {"state", "firing or resolved"}, after},
			output: list[StandingAlert]{}, run: w.alerts},
		{method: "GET", path: "/stats", summary: "How incidents went: time to detect, acknowledge, mitigate and resolve, and what they have in common", role: auth.Viewer, page: "stats", nav: "incidents",
			query: []param{{"since", "how far to look back, in hours: 720h (the default) for 30 days"}}, output: Stats{}, run: w.stats},
		{method: "GET", path: "/errors", summary: "Everything about one request, by request id, trace id or error id", role: auth.Viewer, page: "errors", nav: "errors",
			query: []param{{"id", "that a user or a log names"}}, output: LookupView{}, run: w.lookup},
		{method: "GET", path: "/patterns", summary: "Kinds of log lines, those seen last first", role: auth.Viewer, page: "patterns", nav: "patterns",
			query: []param{{"service", "who wrote them"}, {"level", "error, warn, ..."}, {"state", "new, surging or steady"}, {"q", "words in the line"}, after}, output: list[Pattern]{}, run: w.patterns},
		{method: "GET", path: "/changes", summary: "Deploys, settings, migrations and other changes, newest first", role: auth.Viewer, page: "changes", nav: "changes",
			query: []param{{"service", "that was changed"}, {"kind", "deploy, config, migration, flag, scale, restart, infra"}, after}, output: list[Change]{}, run: w.changes},
		{method: "GET", path: "/slos", summary: "Service level objectives and their error budgets", role: auth.Viewer, page: "slos", nav: "slos",
			output: list[Objective]{}, run: w.objectives},
		{method: "GET", path: "/audit", summary: "Where answers and logs hide failures", role: auth.Viewer, page: "findings", nav: "audit",
			query: []param{{"service", "whose answers or logs they are"}, {"severity", "error, warning or note: this one and graver ones"}}, output: FindingsView{}, run: w.findings},
		{method: "GET", path: "/incidents/{id}/postmortem", summary: "The postmortem of an incident, or a draft of it", role: auth.Viewer, page: "postmortem", nav: "incidents",
			query: []param{{"edit", "1: as a form"}, {"draft", "1: a new draft from the record, whatever was saved"}}, output: PostmortemView{}, run: w.postmortem},
		{method: "GET", path: "/incidents/{id}/runbook", summary: "What to do about an incident, step by step, and what was done of it", role: auth.Viewer, output: Runbook{}, run: w.runbook},
		{method: "GET", path: "/postmortems", summary: "All postmortems, those written last first", role: auth.Viewer, page: "postmortems", nav: "incidents",
			query: []param{{"q", "words in them"}, {"state", "draft or published"}, after}, output: list[PostmortemLine]{}, run: w.postmortems},
		{method: "GET", path: "/settings", summary: "Channels, who is on call, maintenance windows, silences, rules", role: auth.Viewer, page: "settings", nav: "settings",
			output: SettingsView{}, run: w.settings},
		{method: "GET", path: "/signals", summary: "What arrives at this server, what was shed, and which files and targets give nothing", role: auth.Viewer, page: "signals", nav: "settings",
			output: Arrivals{}, run: w.signals},
		{method: "GET", path: "/tokens", summary: "Keys of programs; the keys themselves are not kept", role: auth.Admin, page: "tokens", nav: "settings",
			output: list[auth.Token]{}, run: w.tokens},
		{method: "GET", path: "/log", summary: "Who changed what, newest first", role: auth.Admin, page: "log", nav: "settings", output: list[auth.Audit]{}, run: w.log},
		{method: "GET", path: "/report", summary: "The form on which users tell of a failure", public: true, role: auth.Viewer, page: "report",
			query: []param{{"id", "that the error page showed"}}, output: ReportView{}, run: w.reportForm},
	}
	return append(rows, w.deeds()...)
}

// deeds are the rows that change something.
func (w *Web) deeds() []route {
	rows := []route{
		{method: "POST", path: "/incidents", summary: "Open an incident by hand", role: auth.Responder, page: "form", input: declareInput{}, output: inquest.Incident{},
			run: w.declare, then: func(_ *call, out any) string { return "/incidents/" + out.(*inquest.Incident).ID }, audit: "incident declared"},
		{method: "POST", path: "/incidents/{id}/steps/{step}", summary: "Note that a step of the runbook was done", role: auth.Responder, page: "form", input: stepInput{}, output: Runbook{},
			run: w.checkStep, then: back("#runbook"), audit: "runbook step"},
		{method: "POST", path: "/incidents/{id}/postmortem", summary: "Save the postmortem", role: auth.Responder, page: "form", input: postmortemInput{}, output: Postmortem{},
			run: w.savePostmortem, then: back("/postmortem"), audit: "postmortem saved"},
		{method: "POST", path: "/incidents/{id}/postmortem/publish", summary: "Say that the saved postmortem is final; refused while the lint finds what must be mended", role: auth.Responder, page: "form",
			input: publishInput{}, output: Postmortem{}, run: w.publishPostmortem, then: back("/postmortem"), audit: "postmortem published"},
		{method: "POST", path: "/silences", summary: "Keep alerts quiet for a while", role: auth.Responder, page: "form", input: silenceInput{}, output: Silence{},
			run: w.addSilence, then: to("/settings#silences"), audit: "silence added"},
		{method: "POST", path: "/silences/{silence}/end", summary: "End a silence", role: auth.Responder, page: "form", input: nothing{}, output: nothing{},
			run: w.endSilence, then: to("/settings#silences"), audit: "silence ended"},
		{method: "POST", path: "/maintenance", summary: "Tell nobody of incidents of services that are worked on; they are opened and investigated all the same", role: auth.Responder, page: "form",
			input: maintenanceInput{}, output: Maintenance{}, run: w.addMaintenance, then: to("/settings#maintenance"), audit: "maintenance added"},
		{method: "POST", path: "/maintenance/{window}/end", summary: "End a maintenance window before its time", role: auth.Responder, page: "form", input: nothing{}, output: nothing{},
			run: w.endMaintenance, then: to("/settings#maintenance"), audit: "maintenance ended"},
		{method: "POST", path: "/tokens", summary: "Make a token; its key is in this answer and nowhere else", role: auth.Admin, page: "token-made", input: tokenInput{}, output: NewToken{}, run: w.addToken},
		{method: "POST", path: "/tokens/{token}/revoke", summary: "Make a token open nothing from now on", role: auth.Admin, page: "form", input: nothing{}, output: nothing{},
			run: w.revokeToken, then: to("/tokens")},
		{method: "POST", path: "/report", summary: "Tell of a failure, as a user", role: auth.Viewer, public: true, page: "report-thanks", input: reportInput{}, output: UserReport{}, run: w.report},
	}
	for _, v := range []struct {
		verb    Verb
		summary string
	}{
		{Acknowledge, "A person has it: nobody else is called"}, {Mitigate, "Users are served again, the cause is still there"}, {Resolve, "The cause is gone"},
		{Reopen, "It is back"}, {Note, "Write something down"}, {Identify, "Name the cause"}, {SetSeverity, "Judge how bad it is"},
		{SetFactors, "Say what contributed"}, {Waive, "There will be no postmortem, and why"}, {Review, "Close the file"},
	} {
		rows = append(rows, route{method: "POST", path: "/incidents/{id}/" + string(v.verb), summary: v.summary, role: auth.Responder, page: "form",
			input: actInput{}, output: inquest.Incident{}, run: w.act(v.verb), then: back(""), audit: "incident: " + string(v.verb)})
	}
	return rows
}

// back leads to the incident of the path, and on to a part of it.
func back(suffix string) func(*call, any) string {
	return func(c *call, _ any) string { return "/incidents/" + c.path("id") + suffix }
}

func to(path string) func(*call, any) string {
	return func(*call, any) string { return path }
}
