package server

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
)

// Settings are what the server's file says (docs/serve.md). All of it may be left out: the zero value serves this machine only, from a folder
// "inquest-data" in the working directory, and tells nobody.
type Settings struct {
	Data   string `yaml:"data"`   // folder of all that is kept
	Listen Listen `yaml:"listen"` // pages, API and receivers over HTTP
	URL    string `yaml:"url"`    // how people reach it, "https://inquest.example.com"; stands in messages
	// Database is PostgreSQL's URL, for more than one server; "" keeps records in SQLite in the data folder. DatabaseFile is a file that holds it.
	Database     string   `yaml:"database"`
	DatabaseFile string   `yaml:"database_file"`
	Backups      Backups  `yaml:"backups"`
	Name         string   `yaml:"name"` // of this server among several; default: its host name
	Metrics      Metrics  `yaml:"metrics"`
	Logs         Logs     `yaml:"logs"`
	Peers        Peers    `yaml:"peers"`
	Audit        Audit    `yaml:"audit"`
	Access       Access   `yaml:"access"`
	Zones        []string `yaml:"time_zones"` // times are shown in the first, in timelines in all of them; default UTC

	Services map[string]Service `yaml:"services"`
	Currency string             `yaml:"currency"` // of revenue_per_minute, "EUR"

	In       In       `yaml:"in"`
	Rules    Rules    `yaml:"rules"`
	Incident Incident `yaml:"incidents"`

	Channels   map[string]Channel `yaml:"channels"`
	Rosters    map[string]Roster  `yaml:"rosters"`    // who is on call when
	Tell       []Tell             `yaml:"tell"`       // who is told of an incident's changes
	Escalation []Level            `yaml:"escalation"` // who is told when nobody acknowledges
	DryRun     bool               `yaml:"dry_run"`    // write messages down, and send none
}

// Listen is where the server is reached.
type Listen struct {
	Address string `yaml:"address"` // default 127.0.0.1:7117
	Cert    string `yaml:"cert"`    // PEM files; both or none
	Key     string `yaml:"key"`
}

// Backups are of the records in SQLite; PostgreSQL has its own.
type Backups struct {
	Folder string `yaml:"folder"` // default "backups" in the data folder; one on another disk survives this one
	Keep   int    `yaml:"keep"`   // how many, one a day; default 3, below zero for none
}

// Metrics is the metrics store.
type Metrics struct {
	Retention time.Duration `yaml:"retention"` // default 360h
	MaxBytes  int64         `yaml:"max_bytes" unit:"bytes"`
	Remote    string        `yaml:"remote"` // a Prometheus-compatible server that is asked, and written to, instead of the store in the data folder
	Bearer    string        `yaml:"bearer_token_file"`
	// RemoteWrite is where remote write goes, "https://mimir/api/v1/push"; default remote with /api/v1/write.
	RemoteWrite string            `yaml:"remote_write"`
	Headers     map[string]string `yaml:"headers"`      // sent along to remote, as X-Scope-OrgID of Mimir
	HeaderFiles map[string]string `yaml:"header_files"` // the same; the value is in a file
}

// Logs is the ring of raw lines.
type Logs struct {
	MaxBytes int64         `yaml:"max_bytes" unit:"bytes"` // default 2GiB
	MaxAge   time.Duration `yaml:"max_age"`                // default 24h
}

// Peers are the other servers on the same database, whose lines are read along. This one may be among them, so that all have the same settings.
type Peers struct {
	Servers   []string `yaml:"servers"`    // addresses, "https://inquest-b:7117"
	TokenFile string   `yaml:"token_file"` // a token with the role admin
	CAFile    string   `yaml:"ca_file"`    // of their certificates; default the system's authorities
}

// Audit looks at what has arrived for answers and logs that hide failures, a piece at a time.
type Audit struct {
	Off             bool          `yaml:"off"`
	Every           time.Duration `yaml:"every"`                  // default 5m
	MaxBytes        int64         `yaml:"max_bytes" unit:"bytes"` // that one look reads at most, of each source the newest; default 64MiB
	Skip            []string      `yaml:"skip"`                   // IDs of rules that are not applied
	HealthRoutes    []string      `yaml:"health_routes"`          // paths of health checks beside the usual ones
	HealthThreshold float64       `yaml:"health_threshold"`       // share of 5xx above which a health check that says fine lies; default 0.05
}

// Access says who may sign in. Without users and provider only this machine is answered.
type Access struct {
	Users         map[string]User `yaml:"users"`
	OIDC          *OIDC           `yaml:"oidc"`
	PublicReports bool            `yaml:"public_reports"` // anybody may report a failure
}

// User is a person with a password.
type User struct {
	Password string `yaml:"password"` // hash, as `inquest serve hash-password` prints it
	Role     string `yaml:"role"`     // viewer, responder or admin
}

// OIDC is a provider that people sign in with.
type OIDC struct {
	Name       string            `yaml:"name"`
	Issuer     string            `yaml:"issuer"`
	ClientID   string            `yaml:"client_id"`
	SecretFile string            `yaml:"client_secret_file"`
	Scopes     []string          `yaml:"scopes"`
	Claim      string            `yaml:"claim"`
	Roles      map[string]string `yaml:"roles"` // value of the claim: role
	Default    string            `yaml:"default_role"`
}

// Service is what is known of a service beside its telemetry.
type Service struct {
	Critical bool     `yaml:"critical"` // the threshold that pages is 1%, not 5%
	Revenue  float64  `yaml:"revenue_per_minute"`
	Calls    []string `yaml:"calls"` // services and databases that it needs
}

// In are the ways in. Those over HTTP (OTLP, remote write, webhooks) are served at listen.address.
type In struct {
	Files  []File   `yaml:"files"`
	Scrape []Scrape `yaml:"scrape"`
	GRPC   string   `yaml:"otlp_grpc"` // address, for example 127.0.0.1:4317; "" for none
	HTTP   string   `yaml:"otlp_http"` // one more address for OTLP over HTTP, for example 127.0.0.1:4318; "" for none
	Syslog []Syslog `yaml:"syslog"`
	// Secrets of the webhooks of GitHub's and GitLab's deployments; without one its webhook is not answered.
	GitHubSecretFile string `yaml:"github_secret_file"`
	GitLabTokenFile  string `yaml:"gitlab_token_file"`
}

// File is a log that is followed as it grows.
type File struct {
	Path      string `yaml:"path"` // may have * and ? in its name
	Service   string `yaml:"service"`
	FromStart bool   `yaml:"from_start"` // the first time, what is there already is read, too
}

// Scrape is a job of Prometheus text pages that are fetched.
type Scrape struct {
	Job      string            `yaml:"job"`
	Targets  []string          `yaml:"targets"` // host:port or a URL
	Path     string            `yaml:"path"`    // default /metrics
	Interval time.Duration     `yaml:"interval"`
	Labels   map[string]string `yaml:"labels"`
	Scheme   string            `yaml:"scheme"` // of targets that are no URL; default http
	// Names and meanings are those of Prometheus; secrets are read from files alone.
	Authorization *Authorization `yaml:"authorization"`
	BasicAuth     *BasicAuth     `yaml:"basic_auth"`
	TLS           *TLSConfig     `yaml:"tls_config"`
}

// Authorization is a token that is sent along.
type Authorization struct {
	Type            string `yaml:"type"` // default Bearer
	CredentialsFile string `yaml:"credentials_file"`
}

// BasicAuth is a name and a password that are sent along.
type BasicAuth struct {
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
}

// TLSConfig says whom to trust, and who we are.
type TLSConfig struct {
	CAFile     string `yaml:"ca_file"`   // default the system's authorities
	CertFile   string `yaml:"cert_file"` // of our own; with key_file
	KeyFile    string `yaml:"key_file"`
	ServerName string `yaml:"server_name"`
	Insecure   bool   `yaml:"insecure_skip_verify"`
}

// Syslog is an address that takes RFC 5424 and RFC 3164 messages.
type Syslog struct {
	UDP string `yaml:"udp"`
	TCP string `yaml:"tcp"`
}

// Rules say when people are told.
type Rules struct {
	Files     []string      `yaml:"files"`      // Prometheus rule files
	SLOs      []string      `yaml:"slos"`       // OpenSLO files
	NoShipped bool          `yaml:"no_shipped"` // leave the rules out that Inquest brings along
	Interval  time.Duration `yaml:"interval"`   // default 5s
}

// Incident tunes what becomes an incident.
type Incident struct {
	Opens  []string      `yaml:"opened_by"` // urgencies that open one; default page
	Calm   time.Duration `yaml:"resolve_after"`
	Reopen time.Duration `yaml:"reopen_within"`
}

// Channel is a way to tell people; exactly one kind is set. Secrets are read from files, so that this file can be shown.
type Channel struct {
	PagerDuty *PagerDuty        `yaml:"pagerduty"`
	Slack     *Slack            `yaml:"slack"`
	Teams     *Hook             `yaml:"teams"`
	Email     *Email            `yaml:"email"`
	Webhook   *Webhook          `yaml:"webhook"`
	People    map[string]string `yaml:"people"` // person: Slack member id, PagerDuty user id or mail address
	Allow     []string          `yaml:"allow"`  // private addresses it may reach
	DryRun    bool              `yaml:"dry_run"`
}

// PagerDuty is Events API v2.
type PagerDuty struct {
	KeyFile string `yaml:"routing_key_file"`
	URL     string `yaml:"url"` // default PagerDuty's
	// WebhookSecretFile is of the webhook (v3) that tells of acknowledgements, sent to /api/v1/hooks/pagerduty.
	WebhookSecretFile string `yaml:"webhook_secret_file"`
}

// Hook is an incoming webhook; its address is its secret.
type Hook struct {
	URLFile string `yaml:"url_file"`
}

// Slack is an incoming webhook, and what makes its messages' button acknowledge by itself.
type Slack struct {
	URLFile           string `yaml:"url_file"`
	SigningSecretFile string `yaml:"signing_secret_file"` // of the Slack app whose interactivity is sent to /api/v1/hooks/slack
}

// Email is SMTP.
type Email struct {
	Server       string   `yaml:"server"` // host:port
	From         string   `yaml:"from"`
	To           []string `yaml:"to"`
	User         string   `yaml:"user"`
	PasswordFile string   `yaml:"password_file"`
	NoTLS        bool     `yaml:"no_tls"`
}

// Webhook is a signed POST of JSON.
type Webhook struct {
	URL        string `yaml:"url"`
	SecretFile string `yaml:"secret_file"` // key of the HMAC
}

// Tell sends the changes of incidents to a channel. Empty fields do not restrict.
type Tell struct {
	Channel   string   `yaml:"channel"`
	Severity  int      `yaml:"severity"` // 1 to 4: this one and worse
	Services  []string `yaml:"services"`
	Occasions []string `yaml:"occasions"`
	Roster    string   `yaml:"roster"`
}

// Level is one step of the escalation.
type Level struct {
	After    time.Duration `yaml:"after"`
	Channels []string      `yaml:"channels"`
	Roster   string        `yaml:"roster"`
}

// Fault is what is wrong with one setting. Path leads to it, key by key.
type Fault struct {
	Path []string
	Text string
}

func (f Fault) Error() string { return strings.Join(f.Path, ".") + ": " + f.Text }

// Complete fills in the defaults.
func (s Settings) Complete() Settings {
	s.Data = cmp.Or(s.Data, "inquest-data")
	s.Listen.Address = cmp.Or(s.Listen.Address, "127.0.0.1:7117")
	s.Backups.Folder = cmp.Or(s.Backups.Folder, filepath.Join(s.Data, "backups"))
	s.Backups.Keep = cmp.Or(s.Backups.Keep, 3)
	s.Metrics.Retention = cmp.Or(s.Metrics.Retention, 15*24*time.Hour)
	s.Logs.MaxBytes = cmp.Or(s.Logs.MaxBytes, 2<<30)
	s.Logs.MaxAge = cmp.Or(s.Logs.MaxAge, 24*time.Hour)
	s.Audit.Every = cmp.Or(s.Audit.Every, 5*time.Minute)
	s.Audit.MaxBytes = cmp.Or(s.Audit.MaxBytes, 64<<20)
	s.Rules.Interval = cmp.Or(s.Rules.Interval, 5*time.Second)
	for i := range s.In.Scrape {
		s.In.Scrape[i].Interval = cmp.Or(s.In.Scrape[i].Interval, 15*time.Second)
		s.In.Scrape[i].Path = cmp.Or(s.In.Scrape[i].Path, "/metrics")
		s.In.Scrape[i].Scheme = cmp.Or(s.In.Scrape[i].Scheme, "http")
		if a := s.In.Scrape[i].Authorization; a != nil {
			a.Type = cmp.Or(a.Type, "Bearer")
		}
	}
	return s
}

// Check says what is wrong with settings, all of it. It opens nothing.
func Check(s Settings) []Fault {
	c := &checker{}
	c.access(&s)
	c.services(&s)
	c.in(&s)
	c.people(&s)
	c.rosters(&s)
	c.audit(&s.Audit)
	c.metrics(&s.Metrics)
	c.peers(&s)
	if (s.Listen.Cert == "") != (s.Listen.Key == "") {
		c.fault("cert and key belong together; write both or none", "listen")
	}
	if s.Database != "" && s.DatabaseFile != "" {
		c.fault("database and database_file say the same thing; keep one of the two", "database_file")
	}
	if s.URL != "" {
		if u, err := url.Parse(s.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			c.fault("write how people reach the server, as in https://inquest.example.com", "url")
		}
	}
	for i, z := range s.Zones {
		if _, err := time.LoadLocation(z); err != nil {
			c.fault(fmt.Sprintf("%q is no time zone; write one such as Europe/Berlin", z), "time_zones", fmt.Sprint(i))
		}
	}
	for i, u := range s.Incident.Opens {
		if !slices.Contains([]inquest.AlertUrgency{inquest.UrgencyPage, inquest.UrgencyChat, inquest.UrgencyTicket}, inquest.AlertUrgency(u)) {
			c.fault(fmt.Sprintf("%q is none of page, chat and ticket", u), "incidents", "opened_by", fmt.Sprint(i))
		}
	}
	return c.faults
}

type checker struct{ faults []Fault }

func (c *checker) fault(text string, path ...string) {
	c.faults = append(c.faults, Fault{path, text})
}

func (c *checker) role(role string, path ...string) {
	if !slices.Contains(auth.Roles, auth.Role(role)) {
		c.fault(fmt.Sprintf("%q is none of viewer, responder and admin", role), path...)
	}
}

func (c *checker) access(s *Settings) {
	for name, u := range s.Access.Users {
		c.role(u.Role, "access", "users", name, "role")
		if !strings.HasPrefix(u.Password, "$") {
			c.fault("that is no hash; `inquest serve hash-password` makes one", "access", "users", name, "password")
		}
	}
	o := s.Access.OIDC
	if o == nil {
		return
	}
	if o.Issuer == "" || o.ClientID == "" {
		c.fault("issuer and client_id are needed", "access", "oidc")
	}
	if s.URL == "" {
		c.fault("the provider has to send people back: write url, as in https://inquest.example.com", "access", "oidc")
	}
	for value, role := range o.Roles {
		c.role(role, "access", "oidc", "roles", value)
	}
	if o.Default != "" {
		c.role(o.Default, "access", "oidc", "default_role")
	}
}

func (c *checker) services(s *Settings) {
	for name, v := range s.Services {
		if v.Revenue < 0 {
			c.fault("revenue per minute is not negative", "services", name, "revenue_per_minute")
		}
	}
}

func (c *checker) audit(a *Audit) {
	if a.Every != 0 && a.Every < time.Second {
		c.fault("less than a second; what is judged needs minutes", "audit", "every")
	}
	if _, err := auditor(a); err != nil {
		c.fault(err.Error(), "audit")
	}
}

func (c *checker) in(s *Settings) {
	for i, f := range s.In.Files {
		if f.Path == "" {
			c.fault("path is missing: which log is to be followed?", "in", "files", fmt.Sprint(i))
		} else if _, err := filepath.Match(f.Path, ""); err != nil {
			c.fault(fmt.Sprintf("%q: a bracket is open", f.Path), "in", "files", fmt.Sprint(i), "path")
		}
	}
	for i, j := range s.In.Scrape {
		at := []string{"in", "scrape", fmt.Sprint(i)}
		if j.Job == "" || len(j.Targets) == 0 {
			c.fault("job and targets are needed: what is it, and where?", at...)
		}
		if j.Interval != 0 && j.Interval < time.Second {
			c.fault("less than a second; pages of metrics are not made for that", append(at, "interval")...)
		}
		c.credentials(&j, at)
	}
	for i, l := range s.In.Syslog {
		if l.UDP == "" && l.TCP == "" {
			c.fault("udp or tcp is needed, with an address such as 127.0.0.1:5514", "in", "syslog", fmt.Sprint(i))
		}
	}
}

func (c *checker) people(s *Settings) {
	for name, ch := range s.Channels {
		kinds := 0
		for _, set := range []bool{ch.PagerDuty != nil, ch.Slack != nil, ch.Teams != nil, ch.Email != nil, ch.Webhook != nil} {
			if set {
				kinds++
			}
		}
		if kinds != 1 {
			c.fault(fmt.Sprintf("a channel is one of pagerduty, slack, teams, email and webhook; %d are set", kinds), "channels", name)
		}
	}
	known := func(name string, path ...string) {
		if _, ok := s.Channels[name]; !ok {
			c.fault(fmt.Sprintf("there is no channel %q; channels has them", name), path...)
		}
	}
	for i, t := range s.Tell {
		known(t.Channel, "tell", fmt.Sprint(i), "channel")
		if t.Severity < 0 || t.Severity > 4 {
			c.fault("severity is 1 to 4", "tell", fmt.Sprint(i), "severity")
		}
		for k, o := range t.Occasions {
			if !slices.Contains(inquest.Occasions, inquest.Occasion(o)) {
				c.fault(fmt.Sprintf("%q is none of %v", o, inquest.Occasions), "tell", fmt.Sprint(i), "occasions", fmt.Sprint(k))
			}
		}
	}
	for i, l := range s.Escalation {
		if len(l.Channels) == 0 {
			c.fault("channels is missing: who is to be told?", "escalation", fmt.Sprint(i))
		}
		for k, name := range l.Channels {
			known(name, "escalation", fmt.Sprint(i), "channels", fmt.Sprint(k))
		}
	}
}

// errorOf joins faults into one error, nil for none.
func errorOf(faults []Fault) error {
	all := make([]error, 0, len(faults))
	for _, f := range faults {
		all = append(all, f)
	}
	return errors.Join(all...)
}
