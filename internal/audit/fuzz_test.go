package audit_test

import (
	"strings"
	"testing"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/audit"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// FuzzRequest: whatever a log says of a request, it is judged without a panic, counted at most once a rule, and quoted within bounds.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/pay", 200, "10.0.0.1:80, 10.0.0.2:80", "502, 200", "0.1, -", "UF,URX", `{"success":false}`)
	f.Add("GET", "//%zz?x", 503, " : ", "-", "", "sH--", "java.lang.X\n\tat a.b(c.java:1)")
	f.Add("", "", -1, ",,,", "99999999999", "-,-", "", "\xff\x00")
	f.Fuzz(func(t *testing.T, method, url string, status int, upstream, codes, connects, flags, body string) {
		a, err := audit.New(audit.Config{})
		if err != nil {
			t.Fatal(err)
		}
		c, m := a.NewCollector(0, 0), mem.NewCollector(mem.Settings{})
		r := &parse.Record{Line: 1, Kind: parse.KindAccess, Clock: parse.ClockUTC, Time: t0.UnixNano(), Method: method, URL: url, Status: status, Duration: 1,
			Upstream: upstream, UpstreamStatus: codes, Fields: []parse.Field{{Name: "uct", Value: connects}, {Name: "response_flags", Value: flags},
				{Name: "termination_state", Value: flags}, {Name: "response_body", Value: body}, {Name: "retry_after", Value: connects}}}
		c.Log(r)
		m.Log(r)
		store := mem.New()
		store.Merge(m, "gateway")
		store.Seal()
		out := a.Judge(audit.Input{Store: store, Files: []audit.File{{Report: parse.FileReport{File: "x"}, Service: "gateway", Kind: inquest.KindProxy, Collectors: []*audit.Collector{c}}}})
		for _, g := range out.Findings {
			if g.Count != 1 || g.Rule.ID == "" || len(g.Examples) > 1 {
				t.Errorf("%+v", g)
			}
			for _, e := range g.Examples {
				if strings.Contains(e.Text, "\n") && !strings.Contains(url+upstream+method+codes, "\n") || len(e.Text) > 1000+len(upstream)*3+len(codes)*30 {
					t.Errorf("%d bytes: %q", len(e.Text), e.Text)
				}
			}
		}
	})
}
