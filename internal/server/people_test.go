package server_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/web"
)

// call sends JSON to a server and reads JSON.
func call(t *testing.T, method, url, body string, into any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil && resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(b, into); err != nil {
			t.Fatalf("%s: %v in %s", url, err, b)
		}
	}
	return resp.StatusCode
}

func declare(t *testing.T, at string) inquest.Incident {
	t.Helper()
	var inc inquest.Incident
	if code := call(t, "POST", at+"/api/v1/incidents", `{"title":"customers cannot pay","services":["checkout"],"severity":2}`, &inc); code != http.StatusOK {
		t.Fatalf("declare: %d", code)
	}
	return inc
}

// What programs may send is in the document that they are written by, in full: a way in that is opened is described.
func TestTheDocumentDescribesEveryWayIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"url", "secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("https://hooks.example.com/x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, server.Settings{Data: t.TempDir(), DryRun: true, Channels: map[string]server.Channel{
		"team": {Slack: &server.Slack{URLFile: filepath.Join(dir, "url"), SigningSecretFile: filepath.Join(dir, "secret")}}}}, nil)
	type operation struct {
		OperationID, Summary string
		Tags                 []string
		RequestBody          struct{ Content map[string]any }
	}
	document := read[struct {
		Paths map[string]map[string]operation
	}](nobody(t, s.at), "/openapi.json")
	const slack = "/api/v1/hooks/slack"
	want := map[string]string{slack: "application/x-www-form-urlencoded"}
	for path, w := range ways {
		path, _, _ = strings.Cut(path, "?")
		want[path] = w.kind
	}
	for path, kind := range want {
		op := document.Paths[path]["post"]
		if op.Summary == "" || op.RequestBody.Content[kind] == nil {
			t.Errorf("POST %s with %s is not described: %+v", path, kind, op)
		}
	}
	ids := map[string]bool{}
	for path, methods := range document.Paths {
		for method, op := range methods {
			if slices.Contains(op.Tags, "ways in") && want[path] == "" {
				t.Errorf("%s %s is described; add it to ways, so that it is tested against strangers", method, path)
			}
			if ids[op.OperationID] {
				t.Errorf("%s %s: operation %s is there twice", method, path, op.OperationID)
			}
			ids[op.OperationID] = true
		}
	}
	for _, path := range []string{"segments", "lines", "trace"} { // tested against strangers with the pages
		if op := document.Paths["/api/v1/peers/"+path]["get"]; op.Summary == "" || !slices.Contains(op.Tags, "between servers") {
			t.Errorf("what servers ask each other for is not described: %+v", op)
		}
	}
	if document.Paths["/api/v1/changes"]["get"].Summary == "" {
		t.Error("the list of changes is not described any more")
	}
}

func TestRostersOfTheSettingsSayWhoIsOnCall(t *testing.T) {
	dir := t.TempDir()
	s := server.Settings{Data: dir, Rosters: map[string]server.Roster{"first": {Rotations: []server.Rotation{{People: []string{"ada"}, Start: "2020-01-01"}}}}}
	person := func() (out string) {
		t.Run("", func(t *testing.T) { // the server ends with the inner test
			at := serving(t, s)
			var v web.SettingsView
			if code := call(t, "GET", at+"/api/v1/settings", "", &v); code != http.StatusOK || len(v.Setup.Rosters) != 1 {
				t.Fatalf("%d %+v", code, v)
			}
			out = v.Setup.Rosters[0].Person
		})
		return out
	}
	if got := person(); got != "ada" {
		t.Errorf("%q is on call, want ada", got)
	}
	s.Rosters["first"] = server.Roster{Rotations: []server.Rotation{{People: []string{"ben"}, Start: "2020-01-01", Hours: &server.Hours{From: "00:00", To: "23:59"}}},
		Overrides: []server.Override{{Person: "cleo", From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Why: "swap"}}}
	if got := person(); got != "cleo" {
		t.Errorf("with the file changed %q is on call, want cleo", got)
	}
}

func TestAButtonInSlackAcknowledges(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"url": "https://hooks.slack.example/x\n", "secret": "8f742231b10e8888abcd99yyyzzz85a5\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := serving(t, server.Settings{Data: filepath.Join(dir, "data"), DryRun: true, Channels: map[string]server.Channel{
		"team": {Slack: &server.Slack{URLFile: filepath.Join(dir, "url"), SigningSecretFile: filepath.Join(dir, "secret")}, People: map[string]string{"ada": "U1"}}}})
	inc := declare(t, at)
	press := func(secret, id, user string, when time.Time) int {
		t.Helper()
		body := url.Values{"payload": {fmt.Sprintf(`{"user":{"id":%q,"username":"someone"},"actions":[{"action_id":"acknowledge","value":%q}]}`, user, id)}}.Encode()
		stamp := fmt.Sprint(when.Unix())
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte("v0:" + stamp + ":" + body))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/api/v1/hooks/slack", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("X-Slack-Request-Timestamp", stamp)
		req.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	const secret = "8f742231b10e8888abcd99yyyzzz85a5"
	owner := func() string {
		var v struct{ Incident inquest.Incident }
		call(t, "GET", at+"/api/v1/incidents/"+inc.ID, "", &v)
		return v.Incident.Owner
	}
	for name, got := range map[string]int{"of another app": press("guess", inc.ID, "U1", time.Now()), "of yesterday": press(secret, inc.ID, "U1", time.Now().Add(-24*time.Hour))} {
		if got != http.StatusUnauthorized {
			t.Errorf("%s: %d, want 401", name, got)
		}
	}
	if got := owner(); got != "" {
		t.Fatalf("%s has it by a forged button", got)
	}
	if code := press(secret, "INC-0", "U1", time.Now()); code != http.StatusOK {
		t.Errorf("an incident that is not there: %d; Slack would show a fault", code)
	}
	if code := press(secret, inc.ID, "U1", time.Now()); code != http.StatusOK || owner() != "ada" {
		t.Errorf("%d, %q has it, want ada", code, owner())
	}
	if code := press(secret, inc.ID, "U9", time.Now()); code != http.StatusOK || owner() != "someone (Slack)" {
		t.Errorf("%d, %q has it, want whom the settings do not know", code, owner())
	}
	var log struct {
		Items []struct{ By, Action, Target string }
	}
	call(t, "GET", at+"/api/v1/log", "", &log)
	if len(log.Items) == 0 || log.Items[0].Action != "incident: acknowledge" || log.Items[0].Target != inc.ID {
		t.Errorf("the log of who changed what: %+v", log.Items)
	}
}

func TestWithoutASigningSecretNoButtonIsAnswered(t *testing.T) {
	at := serving(t, server.Settings{Data: t.TempDir()})
	for _, hook := range []string{"slack", "pagerduty"} {
		if code := call(t, "POST", at+"/api/v1/hooks/"+hook, "", nil); code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", hook, code)
		}
	}
}

// pagerDutyEvent is what PagerDuty sends when somebody acknowledges; the fields that are not read are a few of many.
func pagerDutyEvent(kind, key, user string) string {
	return fmt.Sprintf(`{"event":{"id":"01CH754SM17TWPE2V2H4VPBRO7","event_type":%q,"resource_type":"incident","occurred_at":"2026-11-30T10:00:00.000Z",
		"agent":{"html_url":"https://acme.pagerduty.com/users/PLH1HKV","id":%q,"self":"https://api.pagerduty.com/users/PLH1HKV","summary":"Tenex Engineer","type":"user_reference"},
		"client":null,"data":{"id":"PGR0VU2","type":"incident","number":2,"status":"acknowledged","incident_key":%q,"title":"x","priority":null}}}`, kind, user, key)
}

func TestAnAcknowledgementInPagerDutyIsOneHere(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"key": "R0\n", "secret": "hook-secret\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := serving(t, server.Settings{Data: filepath.Join(dir, "data"), DryRun: true, Channels: map[string]server.Channel{
		"oncall": {PagerDuty: &server.PagerDuty{KeyFile: filepath.Join(dir, "key"), WebhookSecretFile: filepath.Join(dir, "secret")}, People: map[string]string{"ada": "PADA"}}}})
	sign := func(secret, body string) string {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(body))
		return "v1=" + hex.EncodeToString(mac.Sum(nil))
	}
	send := func(body, signature string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/api/v1/hooks/pagerduty", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-PagerDuty-Signature", signature)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	view := func(id string) (v web.IncidentView) {
		t.Helper()
		call(t, "GET", at+"/api/v1/incidents/"+id, "", &v)
		return v
	}
	inc, second := declare(t, at), declare(t, at)
	body := pagerDutyEvent("incident.acknowledged", inc.ID, "PADA")
	for name, signature := range map[string]string{"none": "", "of another": sign("guess", body), "of another body": sign("hook-secret", body+" ")} {
		if got := send(body, signature); got != http.StatusUnauthorized {
			t.Errorf("signature %s: %d, want 401", name, got)
		}
	}
	const secret = "hook-secret"
	for name, other := range map[string]string{
		"another event": pagerDutyEvent("incident.triggered", inc.ID, "PADA"), "an incident that is not there": pagerDutyEvent("incident.acknowledged", "INC-0", "PADA"),
		"by our own event": strings.Replace(body, "user_reference", "service_reference", 1), "a test": `{"event":{"event_type":"pagey.ping","agent":null,"data":{"message":"Hello from your friend Pagey!","type":"ping"}}}`,
	} {
		if got := send(other, sign(secret, other)); got != http.StatusAccepted {
			t.Errorf("%s: %d; PagerDuty would turn the webhook off", name, got)
		}
	}
	if v := view(inc.ID); v.Incident.State != inquest.IncidentOpen || v.Incident.Owner != "" {
		t.Fatalf("acknowledged by what is no acknowledgement: %+v", v.Incident)
	}
	for range 2 { // it may come more than once
		if code := send(body, sign("the old secret", body)+","+sign(secret, body)); code != http.StatusAccepted {
			t.Fatal(code)
		}
	}
	v := view(inc.ID)
	lines := 0
	for _, e := range v.Timeline {
		if e.Kind == inquest.EntryState && e.By == "ada" {
			lines++
		}
	}
	if v.Incident.State != inquest.IncidentAcknowledged || v.Incident.Owner != "ada" || v.Incident.Acknowledged.IsZero() || lines != 1 {
		t.Errorf("%d lines in the timeline, %+v", lines, v.Incident)
	}
	if later := pagerDutyEvent("incident.acknowledged", inc.ID, "PBEN"); send(later, sign(secret, later)) != http.StatusAccepted || view(inc.ID).Incident.Owner != "ada" {
		t.Error("who acknowledges in PagerDuty what somebody has takes it away")
	}
	if stranger := pagerDutyEvent("incident.acknowledged", second.ID, "PBEN"); send(stranger, sign(secret, stranger)) != http.StatusAccepted || view(second.ID).Incident.Owner != "Tenex Engineer (PagerDuty)" {
		t.Errorf("%q has it, want whom the settings do not know", view(second.ID).Incident.Owner)
	}
	var log struct {
		Items []struct{ By, Action, Target string }
	}
	call(t, "GET", at+"/api/v1/log", "", &log)
	if len(log.Items) < 2 || log.Items[1].By != "ada" || log.Items[1].Action != "incident: acknowledge" || log.Items[1].Target != inc.ID {
		t.Errorf("the log of who changed what: %+v", log.Items)
	}
}
