// Package archtest_test holds the rules of the house that a compiler does not: which room may import which, who may
// know a heavy library, who may read the clock or the environment, and how long a function may get. docs/architecture.md
// draws the picture; this is the law. To change a rule, change it here and say why.
package archtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"sort"
	"strings"
	"testing"

	_ "github.com/inquesthq/inquest/guard" // keeps guard's module among those that go list looks through
)

const module = "github.com/inquesthq/inquest"

// floors: a room imports lower floors only. A room that is not listed fails the test, so that everyone who builds one
// decides where it stands.
var floors = map[string]int{
	"":                            1, // the nouns
	"internal/pattern":            1,
	"internal/stat":               1,
	"internal/redact":             1,
	"internal/resident":           1, // knows the process, not what it does
	"guard":                       1, // a module of its own: nothing of ours may become its user's dependency
	"guard/policy":                1,
	"guard/metric":                1,
	"internal/gateway/accesslog":  1,
	"guard/answer":                1,
	"guard/problem":               1,
	"guard/trace":                 1,
	"guard/record":                1,
	"guard/health":                1,
	"guard/preflight":             1,
	"guard/maintenance":           1,
	"guard/otelguard":             2, // a module of its own once more, for the library that it knows
	"internal/parse":              2,
	"internal/gateway":            2,
	"internal/gateway/upstream":   2,
	"internal/store":              2, // contracts only
	"internal/servicegraph":       2,
	"internal/diagnose/mechanism": 2,
	"internal/report":             2,
	"internal/explain":            2,
	"internal/gateway/serve":      3, // the process around the handler
	"internal/gateway/acme":       3, // certificates by themselves
	"internal/probe":              3,
	"internal/audit":              3,
	"internal/casefile":           3,
	"internal/diagnose/symptom":   3,
	"internal/diagnose":           3,
	"internal/store/mem":          3,
	"internal/spool":              2, // raw signals on disk
	"internal/notify":             3,
	"internal/roster":             2, // who is on call when
	"internal/runbook":            3,
	"internal/postmortem":         3, // keeps its texts in the store
	"internal/store/storetest":    3, // the suite of every store
	"internal/store/sqlrecords":   3, // the SQL that sqlite and postgres share
	"internal/store/pgtest":       3, // a PostgreSQL of the tests' own
	"internal/store/promtest":     4, // a Prometheus and an Alertmanager of the tests' own
	"internal/store/sqlite":       3,
	"internal/store/postgres":     3,
	"internal/store/tsdb":         3,
	"internal/store/remote":       3,
	"internal/ingest":             2, // what all ways in share
	"internal/ingest/tail":        3,
	"internal/ingest/otlp":        3,
	"internal/ingest/prom":        3,
	"internal/ingest/syslog":      3,
	"internal/ingest/hook":        3,
	"internal/rates":              3,
	"internal/detect":             3,
	"internal/incident":           3,
	"internal/auth":               3,
	"internal/web":                3,
	"internal/web/wire":           2,
	"internal/web/browsertest":    4, // a Chromium of the tests' own
	"internal/client":             2, // asks a running server
	"internal/web/words":          1,
	"internal/server":             4, // the process: wires the rooms of inquest serve
	"internal/server/certificate": 1, // TLS from files that are renewed
	"internal/server/backup":      1, // one a day, of a file
	"internal/server/acks":        4, // acknowledgements given elsewhere
	"internal/server/arrivals":    4, // what comes in, and what does not
	"internal/server/peers":       4, // what other servers have received
	"internal/server/pages":       4, // the seam between the pages and the rooms behind them
	"internal/flow":               4,
	"internal/replay":             4, // rules over old logs
	"internal/config":             4,
	"internal/config/serverfile":  4, // the server, and how a file is read
	"internal/casestest":          4, // judges diagnoses, for tests and scripts
	"internal/conformance":        4, // judges gateways, for tests and scripts
	"internal/archtest":           4,
	"cmd/inquest":                 5,
	"cmd/inquest-gateway":         5, // the gateway alone
	"scripts":                     5,
}

// sameFloor lists the imports on one floor that are allowed, with the reason.
var sameFloor = map[string]string{
	"guard -> guard/policy":                          "the middleware stands on its own parts; only within guard's module",
	"guard -> guard/metric":                          "the same",
	"guard -> guard/answer":                          "the same",
	"guard -> guard/problem":                         "the same",
	"guard -> guard/record":                          "the same",
	"guard -> guard/trace":                           "the same",
	"guard/health -> guard/policy":                   "breakers are looked at, and the reasons of errors have their words there",
	"guard/health -> guard/metric":                   "pools tell their numbers",
	"guard/maintenance -> guard/problem":             "it answers with a problem",
	"guard/problem -> guard/policy":                  "a problem says when to come back, in the seconds that policies count",
	"internal/config/serverfile -> internal/server":  "a file of settings becomes the settings of the process",
	"internal/config/serverfile -> internal/config":  "one way to read a file of settings",
	"internal/server -> internal/server/acks":        "a part of the server",
	"internal/server -> internal/server/arrivals":    "the same",
	"internal/server -> internal/server/peers":       "the same",
	"internal/server -> internal/server/pages":       "it is the server's own seam",
	"internal/server/peers -> internal/flow":         "it shows what was found of a request",
	"internal/server -> internal/flow":               "the server hands what it keeps to the line that investigates a folder: there is no second one",
	"internal/gateway -> internal/gateway/upstream":  "upstream is a room inside the gateway: one exchange, without a word about clients and their answers",
	"internal/rates -> internal/store/mem":           "routes and patterns go by the same names in counters and in reports; the store has the names",
	"internal/audit -> internal/store/mem":           "as for casefile: the store is the value that the rules work on",
	"internal/pattern -> internal/stat":              "novelty of a pattern is a comparison of two rates; both rooms are pure and stat knows no pattern",
	"internal/web -> internal/auth":                  "who asks and what they may is auth's; pages that had roles and identities of their own would need a second matrix of them",
	"internal/report -> internal/explain":            "the report says what a status means in the words that `inquest explain` uses; explain imports nouns only",
	"internal/diagnose -> internal/diagnose/symptom": "symptom is a room inside the stage diagnose: the stage is the two together, and nobody else imports it but flow",
	"internal/casefile -> internal/store/mem":        "the store is the value that casefile works on, as a reader works on bytes; a contract with one implementation would only rename it (until a second store exists)",

	"internal/store/sqlite -> internal/store/sqlrecords":   "sqlrecords is the part that the two SQL stores share; nobody else imports it",
	"internal/store/postgres -> internal/store/sqlrecords": "the same",
}

// floorOneMayKnow: rooms of floor 1 import the standard library and these.
var floorOneMayKnow = map[string][]string{
	"internal/pattern":  {"internal/stat"},
	"guard":             {"guard/policy", "guard/metric", "guard/answer", "guard/problem", "guard/record", "guard/trace"},
	"guard/problem":     {"guard/policy"},
	"guard/health":      {"guard/policy", "guard/metric"},
	"guard/maintenance": {"guard/problem"},
}

// guests: third-party modules and the only rooms that may import them outside of tests.
var guests = map[string][]string{
	"github.com/klauspost/compress":    {"internal/parse", "internal/store/remote", "internal/ingest", "internal/ingest/prom"}, // zstd, and gzip at twice the speed; snappy of remote write
	"github.com/rivo/uniseg":           {"internal/report", "internal/redact"},                                                 // the width of what a terminal shows
	"golang.org/x/net":                 {"internal/conformance"},                                                               // frames of HTTP/2, to misbehave with
	"github.com/caddyserver/certmagic": {"internal/gateway/acme"},                                                              // not linked into inquest-gateway
	"go.uber.org/zap":                  {"internal/gateway/acme"},                                                              // certmagic's logger, to silence it
	"github.com/spf13/cobra":           {"cmd/inquest"},
	"github.com/spf13/pflag":           {"cmd/inquest"},
	"go.opentelemetry.io/otel":         {"guard/otelguard"}, // interfaces; the SDK is the service's choice
	"golang.org/x/term":                {"cmd/inquest"},
	"go.yaml.in/yaml/v3":               {"internal/config", "internal/detect"}, // the user's own mechanisms; SLOs and tests of rules

	"github.com/prometheus/prometheus":     {"internal/store/tsdb", "internal/store/remote", "internal/detect"}, // docs/adr/0010
	"github.com/prometheus/common":         {"internal/store/tsdb", "internal/store/remote", "internal/detect"},
	"github.com/prometheus/client_golang":  {"internal/store/tsdb", "internal/store/remote", "internal/detect"},
	"github.com/oklog/ulid/v2":             {"internal/store/tsdb"}, // names of Prometheus' blocks
	"modernc.org/sqlite":                   {"internal/store/sqlite"},
	"github.com/jackc/pgx/v5":              {"internal/store/postgres"},
	"github.com/google/go-cmp":             {"internal/store/storetest"}, // a suite for tests
	"github.com/chromedp/chromedp":         {"internal/web/browsertest"}, // for tests
	"github.com/chromedp/cdproto":          {"internal/web/browsertest"},
	"github.com/prometheus/otlptranslator": {"internal/ingest/otlp"}, // the names of metrics
	"google.golang.org/genproto":           {"internal/ingest/otlp"}, // RetryInfo
	"google.golang.org/grpc":               {"internal/ingest/otlp"},
	"google.golang.org/protobuf":           {"internal/ingest/otlp", "internal/ingest/prom"}, // the wire format alone: requests are read without being built
	"github.com/coreos/go-oidc/v3":         {"internal/auth"},
	"golang.org/x/oauth2":                  {"internal/auth"},
	"golang.org/x/crypto":                  {"internal/auth"},
	"github.com/yuin/goldmark":             {"internal/postmortem"}, // what people write in Markdown, as HTML
}

// testGuests may be imported by any test.
var testGuests = []string{
	"go.opentelemetry.io", // the SDK and the generated messages as a sender
	"github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "github.com/yuin/goldmark", "golang.org/x/net",
	"go.uber.org/goleak", "go.yaml.in/yaml", "github.com/chromedp/", // a real browser looks at the pages
}

// offline rooms neither touch files, processes or the network nor draw numbers: the same input gives the same output.
var offline = []string{
	"", "internal/pattern", "internal/stat", "internal/redact", "internal/servicegraph", "internal/diagnose",
	"internal/diagnose/symptom", "internal/diagnose/mechanism", "internal/explain", "internal/report", "internal/casefile", "internal/store/mem", "internal/audit",
}

var forbiddenOffline = []string{"os", "os/exec", "os/signal", "io/fs", "io/ioutil", "net/http", "syscall", "plugin", "math/rand", "math/rand/v2", "crypto/rand", "log", "log/slog"}

type pkg struct {
	ImportPath, Dir           string
	Imports                   []string
	TestImports, XTestImports []string
	GoFiles, TestGoFiles      []string
	XTestGoFiles              []string
}

// room is the path below the module; scripts are one room.
func (p *pkg) room() string { return roomOf(p.ImportPath) }

func roomOf(path string) string {
	r := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	if strings.HasPrefix(r, "scripts/") {
		return "scripts"
	}
	return r
}

func ours(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func packages(t *testing.T) []pkg {
	t.Helper()
	all := list(t, ".", module+"/...")
	all = append(all, list(t, "../../guard/otelguard", "./...")...) // a module that none of ours requires
	if len(all) < 10 {
		t.Fatalf("go list found %d packages: the rules would hold by seeing nothing", len(all))
	}
	return all
}

func list(t *testing.T, dir, pattern string) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,TestImports,XTestImports,GoFiles,TestGoFiles,XTestGoFiles", pattern)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list in %s: %v\n%s", dir, err, &stderr)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestRoomsImportLowerFloorsOnly(t *testing.T) {
	used := map[string]bool{}
	for _, p := range packages(t) {
		floor, ok := floors[p.room()]
		if !ok {
			t.Errorf("%s stands on no floor: say in archtest on which", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if !ours(imp) || roomOf(imp) == p.room() {
				continue
			}
			edge := p.room() + " -> " + roomOf(imp)
			used[edge] = true
			switch target := floors[roomOf(imp)]; {
			case target > floor, target == floor && sameFloor[edge] == "":
				t.Errorf("%s (floor %d) imports %s (floor %d)", p.room(), floor, roomOf(imp), target)
			case strings.HasPrefix(p.room(), "guard") && !strings.HasPrefix(roomOf(imp), "guard"):
				t.Errorf("%s imports %s: guard is a module of its own", p.room(), imp)
			case floor == 1 && imp != module && !slices.Contains(floorOneMayKnow[p.room()], roomOf(imp)):
				t.Errorf("%s (floor 1) imports %s", p.room(), imp)
			}
		}
	}
	for edge := range sameFloor {
		if !used[edge] && edge != "internal/report -> internal/explain" {
			t.Errorf("the exception %q is not needed any more: take it out", edge)
		}
	}
}

func TestNounsAndFloorOneUseTheStandardLibraryOnly(t *testing.T) {
	for _, p := range packages(t) {
		if floors[p.room()] != 1 {
			continue
		}
		for _, imp := range p.Imports {
			if !standard(imp) && !ours(imp) {
				t.Errorf("%s imports %s", p.room(), imp)
			}
			if p.ImportPath == module && ours(imp) {
				t.Errorf("the nouns import %s", imp)
			}
		}
	}
}

func TestThirdPartiesStayBehindTheirWall(t *testing.T) {
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			if standard(imp) || ours(imp) {
				continue
			}
			if !slices.ContainsFunc(modulesOf(imp), func(m string) bool { return slices.Contains(guests[m], p.room()) }) {
				t.Errorf("%s imports %s: name the room and the reason in archtest's guests, and write an ADR when it binds others", p.room(), imp)
			}
		}
		for _, imp := range append(slices.Clone(p.TestImports), p.XTestImports...) {
			if standard(imp) || ours(imp) || len(modulesOf(imp)) > 0 {
				continue
			}
			if !slices.ContainsFunc(testGuests, func(m string) bool { return strings.HasPrefix(imp, m) }) {
				t.Errorf("tests of %s import %s, which is not in testGuests", p.room(), imp)
			}
		}
	}
}

// notInTheGateway are what inquest-gateway must not link, not even through a room that it means no harm with: it is to stay
// small in memory and on disk, and with few doors.
var notInTheGateway = []string{
	"github.com/prometheus/", "modernc.org/", "github.com/jackc/", "google.golang.org/", "github.com/spf13/", "github.com/caddyserver/", "go.uber.org/zap",
	"go.opentelemetry.io/", "github.com/coreos/go-oidc", "github.com/klauspost/compress", "golang.org/x/net",
	module + "/internal/server", module + "/internal/web", module + "/internal/store", module + "/internal/ingest", module + "/internal/auth",
	module + "/internal/detect", module + "/internal/flow", module + "/internal/parse", module + "/internal/gateway/acme",
}

func TestTheGatewayAloneLinksNoEngine(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", module+"/cmd/inquest-gateway")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	linked := strings.Fields(string(out))
	if !slices.Contains(linked, module+"/internal/gateway") {
		t.Fatalf("%d packages without the gateway itself: the rule would hold by seeing nothing", len(linked))
	}
	for _, p := range linked {
		for _, no := range notInTheGateway {
			if strings.HasPrefix(p, no) {
				t.Errorf("inquest-gateway links %s: find by 'go list -deps' which import brings it, and move what the gateway needs out of that room", p)
			}
		}
	}
}

func modulesOf(imp string) []string {
	var out []string
	for m := range guests {
		if imp == m || strings.HasPrefix(imp, m+"/") {
			out = append(out, m)
		}
	}
	sort.Strings(out)
	return out
}

func TestOfflineRoomsDoNoInputOrOutput(t *testing.T) {
	for _, p := range packages(t) {
		if !slices.Contains(offline, p.room()) {
			continue
		}
		for _, imp := range p.Imports {
			if slices.Contains(forbiddenOffline, imp) {
				t.Errorf("%s imports %s: pass in what it needs as a value", p.room(), imp)
			}
		}
	}
}

func TestOurImportsAreFew(t *testing.T) {
	const most = 8
	for _, p := range packages(t) {
		if p.room() == "internal/flow" || p.room() == "internal/config" || p.room() == "internal/server" || p.room() == "cmd/inquest" {
			continue // they wire
		}
		n := 0
		for _, imp := range p.Imports {
			if ours(imp) {
				n++
			}
		}
		if n > most {
			t.Errorf("%s imports %d rooms, at most %d", p.room(), n, most)
		}
	}
}
