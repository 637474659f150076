package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/server"
)

// found is what the API says of the audit, as far as these tests look.
type found struct {
	Audit *struct {
		Requests int
		Findings []struct {
			Rule, Service, Route, Severity, Fix string
			Count                               int
			From, To                            time.Time
			Examples                            []struct {
				File, Text string
				Line       int
			}
		}
		Unchecked []struct{ Rule, Why string }
	}
	On                      bool
	Looked                  time.Time
	ArrivedBytes, ReadBytes int64
	Servers                 []string
}

// of is the number of times that a rule was found broken by a service.
func (f *found) of(rule, service string) int {
	n := 0
	if f.Audit != nil {
		for _, x := range f.Audit.Findings {
			if x.Rule == rule && x.Service == service {
				n += x.Count
			}
		}
	}
	return n
}

// accessLine is a line of a gateway that logs Retry-After.
func accessLine(at time.Time, request string, status int, retryAfter string) string {
	return fmt.Sprintf("10.0.0.9 - - [%s] \"%s HTTP/1.1\" %d 12 \"-\" \"curl/8\" ua=\"10.1.0.5:3000\" us=\"%d\" sent_http_retry_after=\"%s\"\n", at.UTC().Format("02/Jan/2006:15:04:05 -0700"), request, status, status, retryAfter)
}

func send(t *testing.T, p *person, service, text string) {
	t.Helper()
	if status, answer := p.send("POST", "/api/v1/logs?service="+service, "text/plain", text); status != http.StatusOK {
		t.Fatalf("%s: %d %s", service, status, answer)
	}
}

func TestWhatHidesFailuresIsFoundInWhatArrives(t *testing.T) {
	settings := server.Settings{Data: t.TempDir(), Name: "one", Access: people(t), Audit: server.Audit{Every: time.Second}}
	s := start(t, settings, nil)
	settings.Listen.Address = strings.TrimPrefix(s.at, "http://")
	admin, viewer := signIn(t, s.at, "admin"), signIn(t, s.at, "viewer")
	gateway, shop := admin.program("nginx"), admin.program("shop")
	if _, page := viewer.send("GET", "/audit", "", ""); !strings.Contains(page, "looked at yet") && !strings.Contains(page, "nothing to judge") {
		t.Errorf("before anything came the page says %.2000s", page)
	}
	now := time.Now()
	var access, log strings.Builder
	for i := range 40 {
		at := now.Add(time.Duration(i-60) * time.Second)
		access.WriteString(accessLine(at, "GET /api/cart?token=hunter2hunter2", 503, "-"))
		access.WriteString(accessLine(at, "GET /api/orders/7", 503, "5"))
		fmt.Fprintf(&log, "%s ERROR PaymentService - charge failed password=hunter2hunter2\n", at.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	send(t, gateway, "nginx", access.String())
	send(t, shop, "shop", log.String())
	const rule = "status/503-without-retry-after"
	var got found
	until(t, "a finding about the gateway and one about the log", func() bool {
		got = read[found](viewer, "/audit")
		return got.of(rule, "nginx") >= 40 && got.of("log/plain-text", "shop") >= 40
	})
	if n := got.of(rule, "nginx"); n != 40 || !got.On || len(got.Servers) != 1 || got.Servers[0] != "one" || got.ReadBytes != got.ArrivedBytes || got.Audit.Requests != 80 {
		t.Errorf("%d findings; %+v", n, got)
	}
	for _, f := range got.Audit.Findings {
		if f.Rule == rule && (f.Route != "GET /api/cart" || f.Severity != "error" || f.Fix == "" || !f.To.After(f.From) || len(f.Examples) != 3 || !strings.Contains(f.Examples[0].File, "nginx") || f.Examples[0].Line == 0) {
			t.Errorf("%+v", f)
		}
	}
	for _, path := range []string{"/audit", "/api/v1/audit"} {
		status, text := viewer.send("GET", path, "", "")
		if status != http.StatusOK || !strings.Contains(text, rule) || !strings.Contains(text, "GET /api/cart") || strings.Contains(text, "hunter2") {
			t.Errorf("%s: %d, the rule, the route, and no secret: %.3000s", path, status, text)
		}
		if status, _ := nobody(t, s.at).send("GET", path, "", ""); status == http.StatusOK {
			t.Errorf("%s is shown to nobody in particular", path)
		}
		if status, _ := gateway.send("GET", path, "", ""); status != http.StatusForbidden && status != http.StatusUnauthorized {
			t.Errorf("%s for a token that sends logs: %d", path, status)
		}
	}

	// After a restart what was found is there, and no line is counted again; what is new is.
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	start(t, settings, nil)
	began := time.Now()
	send(t, gateway, "nginx", accessLine(time.Now(), "GET /api/cart", 503, "-"))
	until(t, "a look after the restart", func() bool {
		got = read[found](viewer, "/audit")
		return got.Looked.After(began.Add(3*time.Second)) && got.of(rule, "nginx") > 40
	})
	if n := got.of(rule, "nginx"); n != 41 || got.Audit.Requests != 81 {
		t.Errorf("%d findings of %d requests after a restart, want 41 of 81", n, got.Audit.Requests)
	}
}

func TestALoudServiceDoesNotKeepTheAuditFromHearingTheOthers(t *testing.T) {
	s := start(t, server.Settings{Data: t.TempDir(), Access: people(t), Audit: server.Audit{Every: 5 * time.Second, MaxBytes: 64 << 10}}, nil)
	admin := signIn(t, s.at, "admin")
	now := time.Now()
	loud := strings.Repeat(accessLine(now, "GET /loud", 503, "-"), 5000)
	send(t, admin.program("loud"), "loud", loud)
	send(t, admin.program("quiet"), "quiet", strings.Repeat(accessLine(now, "GET /quiet", 503, "-"), 12))
	const rule = "status/503-without-retry-after"
	var got found
	until(t, "findings of both", func() bool {
		got = read[found](admin, "/audit")
		return got.of(rule, "quiet") > 0 && got.of(rule, "loud") > 0
	})
	if n := got.of(rule, "loud"); got.of(rule, "quiet") != 12 || n > 1000 || got.ReadBytes > 128<<10 || got.ReadBytes >= got.ArrivedBytes {
		t.Errorf("quiet %d, loud %d, %d of %d bytes", got.of(rule, "quiet"), n, got.ReadBytes, got.ArrivedBytes)
	}
	if _, page := admin.send("GET", "/audit", "", ""); !strings.Contains(page, "of what came was looked at") {
		t.Error("the page does not say that it is not all")
	}
}

func TestServersOfOneDatabaseShowWhatAllOfThemFound(t *testing.T) {
	url := database(t, "findings")
	var all []*person
	for _, name := range []string{"a", "b"} {
		s := start(t, server.Settings{Data: filepath.Join(t.TempDir(), name), Name: name, Database: url, Access: people(t), Audit: server.Audit{Every: time.Second}}, nil)
		admin := signIn(t, s.at, "admin")
		send(t, admin.program("edge-"+name), "edge-"+name, strings.Repeat(accessLine(time.Now(), "GET /", 503, "-"), 10))
		all = append(all, admin)
	}
	for _, p := range all {
		var got found
		until(t, "both found on each", func() bool {
			got = read[found](p, "/audit")
			return got.of("status/503-without-retry-after", "edge-a") == 10 && got.of("status/503-without-retry-after", "edge-b") == 10
		})
		if len(got.Servers) != 2 {
			t.Errorf("%v looked", got.Servers)
		}
	}
}

func TestAnAuditThatIsOffSaysSo(t *testing.T) {
	s := start(t, server.Settings{Data: t.TempDir(), Audit: server.Audit{Off: true}}, nil)
	status, page := nobody(t, s.at).send("GET", "/audit", "", "")
	if status != http.StatusOK || !strings.Contains(page, "does not look by itself") {
		t.Errorf("%d %.2000s", status, page)
	}
	var got map[string]any
	_, text := nobody(t, s.at).send("GET", "/api/v1/audit", "", "")
	if err := json.Unmarshal([]byte(text), &got); err != nil || got["audit"] != nil || got["on"] != false {
		t.Errorf("%v: %s", err, text)
	}
}
