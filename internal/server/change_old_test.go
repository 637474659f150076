package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/sqlite"
)

// Deployed on Friday, failing on Monday, when its path is used again: the release is found, and that it is not the only one of these days does not mislead.
func TestADeployOfDaysAgoIsFound(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	now := time.Now().UTC()
	deployed := now.Add(-62 * time.Hour).Truncate(time.Second)
	record(t, data, inquest.Change{Time: deployed, Kind: inquest.ChangeDeploy, Service: "shop", Version: "4.2.0", Summary: "members by loyalty_tier"})
	for i := range 21 { // more than are read, most of them after it
		var some []inquest.Change
		for j := range 100 {
			some = append(some, inquest.Change{Time: deployed.Add(time.Duration(100*i+j-150) * 100 * time.Second), Kind: inquest.ChangeFlag, Service: fmt.Sprint("web-", j), Summary: fmt.Sprint("colour ", i)})
		}
		record(t, data, some...)
	}
	r := start(t, server.Settings{Data: data}, nil)
	var access, shop strings.Builder
	for i := range 10 * 60 * 5 {
		when := now.Add(-10*time.Minute + time.Duration(i)*200*time.Millisecond)
		status, level, msg := 200, "info", "request completed"
		if now.Sub(when) < 3*time.Minute && i%2 == 0 {
			status, level, msg = 500, "error", `request failed: column \"loyalty_tier\" of relation \"members\" does not exist`
		}
		fmt.Fprintf(&access, "10.0.0.%d - - [%s] \"GET /api/cart HTTP/1.1\" %d 120 \"-\" \"curl/8\" rt=0.012 uct=\"0.001\" urt=\"0.011\" ua=\"10.1.0.5:3000\" us=\"%d\" rid=%032x\n", i%200, when.Format("02/Jan/2006:15:04:05 -0700"), status, status, i)
		fmt.Fprintf(&shop, "{\"time\":%q,\"level\":%q,\"service\":\"shop\",\"requestId\":\"%032x\",\"msg\":\"%s\"}\n", when.Format("2006-01-02T15:04:05.000Z"), level, i, msg)
	}
	for service, body := range map[string]string{"nginx": access.String(), "shop": shop.String()} {
		if code := call(t, "POST", r.at+"/api/v1/logs?service="+service, body, nil); code != http.StatusOK {
			t.Fatal(code)
		}
	}
	v := investigated(t, r.at, func(i inquest.Incident) bool { return i.Verdict.Mechanism != "" })
	var page struct {
		Diagnosis struct {
			Verdict struct {
				Summary string
				Trigger *struct {
					Kind, Version string
					Time          time.Time
				}
			}
			Coverage struct{ Missing []string }
		}
	}
	if code := call(t, "GET", r.at+"/api/v1/incidents/"+v.Incident.ID, "", &page); code != http.StatusOK {
		t.Fatal(code)
	}
	if trigger := page.Diagnosis.Verdict.Trigger; trigger == nil || trigger.Version != "4.2.0" || !trigger.Time.Equal(deployed) {
		t.Errorf("%+v, %+v", page.Diagnosis.Verdict, trigger)
	}
	if missing := strings.Join(page.Diagnosis.Coverage.Missing, "\n"); !strings.Contains(missing, "only the newest 2000 were read") {
		t.Errorf("that there were more is not told: %q", missing)
	}
}

// record writes changes into the record of a server that does not run.
func record(t *testing.T, data string, changes ...inquest.Change) {
	t.Helper()
	records, err := sqlite.Open(t.Context(), sqlite.Config{Dir: data})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = records.Close() }()
	var all []store.Record
	for _, c := range changes {
		body, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, store.Record{Kind: "change", ID: c.Service + c.Time.Format(time.RFC3339), Parent: c.Service, Time: c.Time, Body: body})
	}
	if err := records.Put(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
}
