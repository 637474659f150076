package server_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/web"
)

// The lines of a gateway come in at one server, those of the service behind it at another, as a balancer before both has it. Whichever of them investigates
// reads all; whoever is asked for a request finds both of its lines; and when one of them is away, the other says what is missing.
func TestServersReadEachOthersLines(t *testing.T) {
	t.Parallel()
	url := database(t, "peers")
	at := []string{free(t), free(t)}
	settings := func(i int) server.Settings {
		return server.Settings{Name: string(rune('a' + i)), Data: filepath.Join(t.TempDir(), "data"), Database: url, Listen: server.Listen{Address: at[i]}, Rules: server.Rules{NoShipped: true},
			Peers: server.Peers{Servers: []string{"http://" + at[0], "http://" + at[1]}}}
	}
	a, b := start(t, settings(0), nil), start(t, settings(1), nil)
	onset := time.Now().Add(-3 * time.Minute)
	sendLogsTo(t, a.at, b.at)
	type view struct {
		Diagnosis struct {
			Coverage struct {
				Files []struct {
					File    string `json:"file"`
					Records int    `json:"records"`
				} `json:"files"`
				Missing []string `json:"missing"`
			} `json:"coverage"`
			Timeline []struct {
				Text string `json:"text"`
			} `json:"timeline"`
		} `json:"diagnosis"`
	}
	v := investigated(t, a.at, func(i inquest.Incident) bool { return i.Verdict.Mechanism != "" })
	if got := v.Incident.Verdict; got.Mechanism != "database/down" || got.Culprit != "10.2.0.9:5432" && got.Culprit != "10.2.0.9" {
		t.Errorf("the verdict: %+v", got)
	}
	var both view
	call(t, "GET", b.at+"/api/v1/incidents/"+v.Incident.ID, "", &both)
	read := map[string]int{}
	for _, f := range both.Diagnosis.Coverage.Files {
		parts := strings.Split(f.File, "/") // "nginx.log/nginx-20261129T120000.log", of another server with its number before
		read[parts[max(len(parts)-2, 0)]] += f.Records
	}
	if read["nginx.log"] != 3000 || read["shop.log"] != 3000 {
		t.Errorf("records by source: %v", read)
	}

	// A change that one of them was told counts once: it is in the record that both share.
	if code := call(t, "POST", b.at+"/api/v1/changes", fmt.Sprintf(`{"kind":"config","service":"shop","summary":"database address set to 10.2.0.9","time":%q}`, onset.Add(-2*time.Second).UTC().Format(time.RFC3339)), nil); code != http.StatusOK {
		t.Errorf("a change: %d", code)
	}
	until(t, "the change is looked into", func() bool {
		both = view{}
		call(t, "GET", a.at+"/api/v1/incidents/"+v.Incident.ID, "", &both)
		n := 0
		for _, e := range both.Diagnosis.Timeline {
			if strings.Contains(e.Text, "database address set") {
				n++
			}
		}
		if n > 1 {
			t.Fatalf("the change is there %d times: %+v", n, both.Diagnosis.Timeline)
		}
		return n == 1
	})

	failing := fmt.Sprintf("%032x", 2998)
	lines := func(at string) (out []string, missing []string) {
		var l web.LookupView
		if code := call(t, "GET", at+"/api/v1/errors?id="+failing, "", &l); code != http.StatusOK || l.Trace == nil {
			t.Fatalf("%d %+v", code, l)
		}
		for _, x := range l.Trace.Lines {
			out = append(out, x.Service)
		}
		slices.Sort(out)
		return out, l.Trace.Missing
	}
	for _, s := range []*running{a, b} {
		if got, missing := lines(s.at); strings.Join(got, " ") != "nginx shop" || missing != nil {
			t.Errorf("the request at %s: lines of %v, missing %q", s.at, got, missing)
		}
	}

	var then, after web.IncidentView
	call(t, "GET", a.at+"/api/v1/incidents/"+v.Incident.ID, "", &then)
	if err := b.stop(); err != nil {
		t.Error(err)
	}
	// What was copied is still there for the incident, so its verdict holds.
	if code := call(t, "POST", a.at+"/api/v1/changes", `{"kind":"config","service":"shop","summary":"another"}`, nil); code != http.StatusOK {
		t.Errorf("another change: %d", code)
	}
	until(t, "a look without it", func() bool { return len(a.with("peers: "+at[1]+": dial tcp")) > 0 })
	if call(t, "GET", a.at+"/api/v1/incidents/"+v.Incident.ID, "", &after); after.Incident.Verdict.Mechanism != then.Incident.Verdict.Mechanism || after.Incident.Failed < then.Incident.Failed {
		t.Errorf("with one of two away: %+v", after.Incident)
	}
	if got, missing := lines(a.at); strings.Join(got, " ") != "nginx" || len(missing) != 1 || !strings.Contains(missing[0], "connection refused") {
		t.Errorf("alone: lines of %v, missing %q", got, missing)
	}
	var alone web.LookupView
	if call(t, "GET", a.at+"/api/v1/errors?id=nobody-knows-it", "", &alone); alone.Trace != nil || !strings.Contains(alone.Note, "connection refused") {
		t.Errorf("not found alone: %+v", alone)
	}
	second := investigated(t, a.at, func(i inquest.Incident) bool { return i.Revision > 0 })
	var half view
	call(t, "GET", a.at+"/api/v1/incidents/"+second.Incident.ID, "", &half)
	if !slices.ContainsFunc(half.Diagnosis.Coverage.Missing, func(m string) bool {
		return strings.Contains(m, "what the server 127.0.0.1:") && strings.Contains(m, "could not be read")
	}) {
		t.Errorf("missing: %q", half.Diagnosis.Coverage.Missing)
	}
}

// Raw lines hold what pages do not show: not even an admin's browser gets them.
func TestRawLinesAreForOtherServers(t *testing.T) {
	t.Parallel()
	r := start(t, server.Settings{Data: filepath.Join(t.TempDir(), "data"), Access: people(t), Rules: server.Rules{NoShipped: true}}, nil)
	admin, viewer := signIn(t, r.at, "admin"), nobody(t, r.at)
	made := func(role string) *person {
		p := nobody(t, r.at)
		p.bearer = do[struct{ Key string }](admin, "/tokens", fmt.Sprintf(`{"name":%q,"role":%[1]q}`, role)).Key
		return p
	}
	for name, c := range map[string]struct {
		who  *person
		want int
	}{
		"nobody": {viewer, http.StatusUnauthorized}, "an admin in a browser": {admin, http.StatusForbidden}, "a source": {admin.program("shop"), http.StatusForbidden},
		"a viewer's program": {made("viewer"), http.StatusForbidden}, "a responder's": {made("responder"), http.StatusForbidden}, "a server": {made("admin"), http.StatusOK},
	} {
		for _, path := range []string{"segments", "lines?segment=x", "trace?id=nothing"} {
			want := c.want
			if want == http.StatusOK && path != "segments" {
				want = http.StatusNotFound
			}
			if got, text := c.who.send("GET", "/api/v1/peers/"+path, "", ""); got != want {
				t.Errorf("%s asks for %s: %d, want %d: %s", name, path, got, want, text)
			}
		}
	}
}
