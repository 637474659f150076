package serverfile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/config/serverfile"
)

func TestAnEmptyServerFileIsAServerWithDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing yet\n"} {
		s, err := serverfile.Parse("inquest.yaml", []byte(text))
		if err != nil || s.Listen.Address != "127.0.0.1:7117" || s.Data != "inquest-data" || s.Logs.MaxBytes != 2<<30 || s.Metrics.Retention != 360*time.Hour || s.Audit.Every != 5*time.Minute || s.Audit.MaxBytes != 64<<20 || s.Audit.Off {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
}

func TestAServerFileIsReadToTheLastKey(t *testing.T) {
	s, err := serverfile.Parse("inquest.yaml", []byte(`
data: /var/lib/inquest
listen: {address: ":7117", cert: /etc/inquest/cert.pem, key: /etc/inquest/key.pem}
url: https://inquest.example.com
database_file: /run/secrets/database
metrics: {retention: 720h, max_bytes: 10GB, remote: http://mimir/prometheus, remote_write: http://mimir/api/v1/push, headers: {X-Scope-OrgID: shop}, header_files: {Authorization: /run/secrets/mimir}}
logs: {max_bytes: 20GiB, max_age: 48h}
audit: {every: 10m, max_bytes: 1MiB, skip: [log/plain-text], health_routes: [/status], health_threshold: 0.1}
access:
  users: {ada: {password: $argon2id$v=19$abc, role: admin}}
  oidc: {issuer: https://id.example.com, client_id: inquest, roles: {sre: responder}, default_role: viewer}
time_zones: [Europe/Berlin, UTC]
currency: EUR
services:
  checkout: {critical: true, revenue_per_minute: 9000, calls: [payment, db-primary]}
in:
  files: [{path: "/var/log/nginx/*.log", service: nginx}]
  scrape: [{job: node, targets: ["127.0.0.1:9100"], labels: {zone: a}, scheme: https, authorization: {credentials_file: /run/token}, tls_config: {ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, server_name: node, insecure_skip_verify: true}}, {job: db, targets: ["db:1"], basic_auth: {username: inquest, password_file: /run/db}}]
  otlp_grpc: 127.0.0.1:4317
  syslog: [{udp: "127.0.0.1:5514"}]
rules: {files: [own.yaml], slos: [slo.yaml], interval: 10s}
incidents: {opened_by: [page, chat], resolve_after: 10m}
channels:
  oncall: {pagerduty: {routing_key_file: /run/secrets/pagerduty}}
  team: {slack: {url_file: /run/secrets/slack}, people: {ada: U123}}
tell: [{channel: team}, {channel: oncall, severity: 2, occasions: [opened, resolved], roster: first}]
escalation: [{after: 10m, channels: [oncall], roster: second}]
rosters:
  first:
    rotations: [{zone: Europe/Berlin, people: [ada, ben], start: 2026-11-02, handover: "09:00", days: 1, hours: {from: 09:00, to: "17:00", days: [1, 2, 3, 4, 5]}}]
    overrides: [{person: cleo, from: 2026-12-24T00:00:00Z, until: 2026-12-27T00:00:00Z, why: holiday}]
  second: {rotations: [{people: [dan], start: 2026-11-02}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	if s.Services["checkout"].Revenue != 9000 || !s.Services["checkout"].Critical || s.In.Scrape[0].Interval != 15*time.Second || s.In.Scrape[0].Path != "/metrics" ||
		s.Channels["oncall"].PagerDuty.KeyFile != "/run/secrets/pagerduty" || s.Tell[1].Severity != 2 || s.Escalation[0].After != 10*time.Minute || s.Rosters["first"].Rotations[0].Hours.Days[4] != 5 || s.Rosters["first"].Rotations[0].Start != "2026-11-02" || s.Rosters["first"].Overrides[0].Person != "cleo" || s.Logs.MaxBytes != 20<<30 ||
		s.Metrics.RemoteWrite != "http://mimir/api/v1/push" || s.Metrics.Headers["X-Scope-OrgID"] != "shop" || s.Metrics.HeaderFiles["Authorization"] != "/run/secrets/mimir" || s.In.Scrape[0].Authorization.Type != "Bearer" || s.In.Scrape[0].TLS.ServerName != "node" || !s.In.Scrape[0].TLS.Insecure || s.In.Scrape[1].BasicAuth.PasswordFile != "/run/db" ||
		s.Audit.Every != 10*time.Minute || s.Audit.MaxBytes != 1<<20 || len(s.Audit.Skip) != 1 || s.Audit.HealthThreshold != 0.1 {
		t.Errorf("%+v", s)
	}
}

func TestWhatIsWrongWithAServerFileIsToldWithLineAndRemedy(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"an unknown key", "listen: {port: 80}", "inquest.yaml:1"},
		{"half of a certificate", "listen:\n  cert: a.pem", "cert and key belong together"},
		{"two databases", "database: postgres://a\ndatabase_file: b", "keep one of the two"},
		{"a role that nobody has", "access:\n  users:\n    ada: {password: $argon2id$, role: boss}", `inquest.yaml:3: role: "boss" is none of viewer, responder and admin`},
		{"a password in clear", "access: {users: {ada: {password: secret, role: admin}}}", "hash-password"},
		{"a provider without a way back", "access: {oidc: {issuer: https://id.example.com, client_id: inquest}}", "write url"},
		{"a channel of two kinds", "channels: {a: {slack: {url_file: x}, teams: {url_file: y}}}", "2 are set"},
		{"a channel that is not there", "tell: [{channel: pager}]", `there is no channel "pager"`},
		{"an escalation to nobody", "escalation: [{after: 5m}]", "who is to be told"},
		{"a roster of nobody", "rosters: {first: {rotations: [{start: 2026-11-02}]}}", "it needs people with names"},
		{"a roster in no zone", "rosters: {first: {rotations: [{people: [a], start: 2026-11-02, zone: Berlin}]}}", "use a name such as Europe/Berlin"},
		{"a day that is none", "rosters: {first: {rotations: [{people: [a], start: today}]}}", "start is a day such as 2026-11-02"},
		{"an override that ends before it begins", "rosters: {first: {rotations: [{people: [a], start: 2026-11-02}], overrides: [{person: b, from: 2026-12-02T00:00:00Z, until: 2026-12-01T00:00:00Z}]}}", "must end after it begins"},
		{"a roster that is not there", "channels: {a: {slack: {url_file: x}}}\ntell: [{channel: a, roster: first}]", `there is no roster "first"`},
		{"an escalation to a roster that is not there", "channels: {a: {slack: {url_file: x}}}\nescalation: [{after: 5m, channels: [a], roster: first}]", `inquest.yaml:2: roster: there is no roster "first"`},
		{"an audit by a rule that is none", "audit:\n  skip: [status/none]", "no rule \"status/none\""},
		{"an audit all the time", "audit: {every: 1ms}", "less than a second"},
		{"an audit of nothing", "audit: {max_bytes: -1}", "is no size"},
		{"a share that is none", "audit: {health_threshold: 5}", "say a share between 0 and 1"},
		{"no zone", "time_zones: [Berlin]", `"Berlin" is no time zone`},
		{"a log without a path", "in: {files: [{service: nginx}]}", "which log is to be followed"},
		{"a scrape without targets", "in: {scrape: [{job: node}]}", "job and targets are needed"},
		{"a scrape with two credentials", "in: {scrape: [{job: node, targets: [a:1], authorization: {credentials_file: x}, basic_auth: {username: a, password_file: x}}]}", "keep one of the two"},
		{"a scrape with a token in clear", "in: {scrape: [{job: node, targets: [a:1], authorization: {credentials: x}}]}", "credentials_file"},
		{"a scrape without a password", "in: {scrape: [{job: node, targets: [a:1], basic_auth: {username: a}}]}", "username and password_file are needed"},
		{"a scrape with half of a certificate", "in: {scrape: [{job: node, targets: [a:1], tls_config: {cert_file: a}}]}", "cert_file and key_file belong together"},
		{"a scrape over nothing known", "in: {scrape: [{job: node, targets: [a:1], scheme: ftp}]}", "none of http and https"},
		{"headers for nobody", "metrics: {headers: {X-Scope-OrgID: shop}}", "which server is asked"},
		{"a header twice", "metrics: {remote: http://m, headers: {x-scope-orgid: a}, header_files: {X-Scope-OrgID: f}}", "set twice"},
		{"a token in clear", "metrics: {remote: http://m, headers: {authorization: Bearer x}}", "this file can be shown"},
		{"a password in an address", "metrics: {remote: http://m, remote_write: http://a:b@m/push}", "leave name and password out"},
		{"a scrape in milliseconds", "in: {scrape: [{job: node, targets: [a:1], interval: 100ms}]}", "less than a second"},
		{"a syslog that listens nowhere", "in: {syslog: [{}]}", "udp or tcp is needed"},
		{"an urgency of its own", "incidents: {opened_by: [panic]}", "none of page, chat and ticket"},
		{"no address", "url: inquest.example.com", "write how people reach the server"},
		{"revenue below nothing", "services: {a: {revenue_per_minute: -1}}", "not negative"},
		{"a second document", "data: a\n---\ndata: b", "a server has one"},
	} {
		_, err := serverfile.Parse("inquest.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func FuzzServer(f *testing.F) {
	f.Add("data: a\nlisten: {address: :80}")
	f.Add("channels: {a: {slack: {url_file: x}}}\ntell: [{channel: a}]")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := serverfile.Parse("inquest.yaml", []byte(text))
		if err == nil && s.Listen.Address == "" {
			t.Error("accepted without an address")
		}
	})
}
