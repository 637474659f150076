package audit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/audit"
)

// night is half an hour of a service, a request every two seconds and a health check every ten; from minute 10 to 20 the share
// failing of requests is answered 500.
func night(check string, checked func(minute int) int, failing float64) string {
	return times(900, func(i int) string {
		at, status := i*2, 200
		if m := at / 60; m >= 10 && m < 20 && float64(i*37%100) < failing*100 {
			status = 500
		}
		line := clf(at, fmt.Sprintf("GET /orders/%d", i), status, "")
		if i%5 == 0 {
			line += clf(at, "GET "+check, checked(at/60), "")
		}
		return line
	})
}

func fine(int) int { return 200 }

// REQUIREMENTS 207: intervals with /health 200 and 5xx above the threshold are listed.
func TestHealthChecksThatSaidFineWhileRequestsFailed(t *testing.T) {
	a := judge(t, audit.Config{}, map[string]string{"orders-access.log": night("/health", fine, 0.4)})
	var got []inquest.AuditFinding
	for _, f := range a.Findings {
		if f.Rule.ID == "health/lied" {
			got = append(got, f)
		}
	}
	if len(got) != 1 || got[0].Route != "GET /health" || got[0].Service != "orders" || got[0].Of != 180 {
		t.Fatalf("%+v", got)
	}
	want := []inquest.AuditInterval{{Window: inquest.Window{From: t0.Add(10 * time.Minute), To: t0.Add(20 * time.Minute)}, Healthy: 60, Requests: 300, Failed: 120}}
	if diff := cmp.Diff(want, got[0].Intervals); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestHealthChecksThatDidNotLie(t *testing.T) {
	honest := func(m int) int {
		if m >= 10 && m < 20 {
			return 503
		}
		return 200
	}
	for name, c := range map[string]struct {
		text string
		cfg  audit.Config
	}{
		"it said so":                             {night("/health", honest, 0.4), audit.Config{}},
		"nothing failed":                         {night("/health", fine, 0), audit.Config{}},
		"background noise":                       {night("/health", fine, 0.02), audit.Config{}},
		"liveness says fine on purpose":          {night("/livez", fine, 0.4), audit.Config{}},
		"so does Spring's":                       {night("/actuator/health/liveness", fine, 0.4), audit.Config{}},
		"the threshold is higher":                {night("/health", fine, 0.4), audit.Config{HealthThreshold: 0.5}},
		"another part of the gateway's services": {night("/stock/health", fine, 0.4), audit.Config{}},
	} {
		if got := found(judge(t, c.cfg, map[string]string{"orders-access.log": c.text}), "health/"); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWhatCountsAsAHealthCheck(t *testing.T) {
	for route, want := range map[string]bool{
		"/health": true, "/healthz": true, "/readyz": true, "/actuator/health": true, "/actuator/health/readiness": true, "/health/ready": true,
		"/q/health": true, "/orders/healthcheck": true, "/ping": false, "/health/live": false, "/healthy-recipes": false, "/my/status": false,
	} {
		got := len(found(judge(t, audit.Config{}, map[string]string{"orders-access.log": night(route, fine, 0.4)}), "health/")) > 0
		if got != want {
			t.Errorf("%s: %v", route, got)
		}
	}
	if got := found(judge(t, audit.Config{HealthRoutes: []string{"/my/status"}}, map[string]string{"orders-access.log": night("/my/status", fine, 0.4)}), "health/"); len(got) != 1 {
		t.Errorf("a health check that was named: %v", got)
	}
}
