package guard

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/inquesthq/inquest/guard/answer"
	"github.com/inquesthq/inquest/guard/metric"
	"github.com/inquesthq/inquest/guard/policy"
	"github.com/inquesthq/inquest/guard/problem"
	"github.com/inquesthq/inquest/guard/record"
	"github.com/inquesthq/inquest/guard/trace"
)

// Config is the configuration of a [Guard]. The zero value is usable: records are JSON lines on standard error.
type Config struct {
	Service     string        // name of the service, for records
	Sink        record.Sink   // where records of failures go (default JSON lines on standard error)
	Notifier    Notifier      // told once per kind of failure and window; nil tells nobody
	NotifyEvery time.Duration // that window (default 10 min)
	Observer    metric.Observer

	// Fields are the names of the business context that records may hold (default userId and cartId), set with
	// [Annotate]. Anything else is dropped: it is personal data until somebody decided otherwise. Values are cut at 200 bytes.
	Fields []string
	// Hash are those of Fields that are kept as a keyed hash: one user's failures can be found, the user cannot.
	Hash []string
	// HashKey is the key of these hashes; required with Hash. Keep it as long as the records should be comparable.
	HashKey []byte

	// Rates, if set, limits the requests per key; Key says whose request it is (default the address of the peer).
	Rates *policy.KeyedRateLimiter
	Key   func(*http.Request) string
	// Capacity, if set, sheds requests beyond what is served at the usual latency: 503.
	Capacity *policy.AdaptiveLimiter

	RetryAfter time.Duration // told with a 503 that names no time (default 5 s)
	Off        []string      // IDs of the rules about answers that are switched off: see [answer.Rules]
	ReportPath string        // where the page's form "report this" is sent to (default none)

	// Environment is where the service runs. In "production" (or prod, live) verbose answers are refused.
	Environment string
	// VerboseUntil adds the text of the error to 5xx answers until then, at most a day ahead: for a search in staging.
	VerboseUntil time.Time
}

// Guard answers failures. It is safe for concurrent use.
type Guard struct {
	cfg      Config
	judge    *answer.Judge
	redactor *record.Redactor
	sink     *record.Safe
	errorIDs problem.IDs
	ids      trace.IDs
	alerts   alerts
	lost     atomic.Int64
}

// New returns a guard, or says what is wrong with cfg.
func New(cfg Config) (*Guard, error) {
	g := &Guard{cfg: cfg, redactor: record.NewRedactor()}
	if err := g.check(); err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	judge, err := answer.New(answer.Config{Off: cfg.Off})
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	g.judge = judge
	if g.cfg.Sink == nil {
		g.cfg.Sink = record.NewLines(os.Stderr)
	}
	const waiting = 1000 // records that wait in memory while the sink fails: minutes of failures, about a megabyte
	g.sink = record.NewSafe(g.cfg.Sink, waiting)
	g.alerts.every, g.alerts.notifier = g.cfg.NotifyEvery, g.cfg.Notifier
	return g, nil
}

func (g *Guard) check() error {
	c := &g.cfg
	if c.Fields == nil {
		c.Fields = []string{"userId", "cartId"}
	}
	for _, name := range c.Fields {
		if name == "" || slices.Contains([]string{"method", "url", "userAgent", "message", "stack", "errorId", "errorClass", "timestamp", "level", "service", "endpoint", "status", "durationMs", "request"}, name) {
			return fmt.Errorf("the field %q is taken: give the business context a name of its own", name)
		}
	}
	for _, name := range c.Hash {
		if !slices.Contains(c.Fields, name) {
			return fmt.Errorf("the field %q is to be hashed but is not among Fields", name)
		}
	}
	if len(c.Hash) > 0 && len(c.HashKey) < 16 {
		return errors.New("hashed fields need a HashKey of at least 16 bytes: a hash without a secret can be undone by trying all users")
	}
	if c.NotifyEvery < 0 || c.RetryAfter < 0 {
		return errors.New("a negative time; leave it 0 for the default")
	}
	if c.NotifyEvery == 0 {
		c.NotifyEvery = 10 * time.Minute
	}
	if c.RetryAfter == 0 {
		c.RetryAfter = 5 * time.Second
	}
	if c.Key == nil {
		c.Key = peer
	}
	if c.VerboseUntil.IsZero() {
		return nil
	}
	switch strings.ToLower(c.Environment) {
	case "":
		return errors.New("verbose answers need an Environment, to be sure that it is not production")
	case "production", "prod", "live":
		return errors.New("verbose answers are refused in production: they tell strangers about the inside; look into the record instead")
	}
	if time.Until(c.VerboseUntil) > 24*time.Hour {
		return errors.New("verbose answers are for a search: let them end within a day")
	}
	return nil
}

// peer is the address of the client, without the port.
func peer(r *http.Request) string {
	if i := strings.LastIndexByte(r.RemoteAddr, ':'); i > 0 {
		return r.RemoteAddr[:i]
	}
	return r.RemoteAddr
}

// Waiting returns the records that no sink has taken yet.
func (g *Guard) Waiting() []record.Record { return g.sink.Waiting() }

// Wait returns when all notifications under way have ended. Call it after the server has shut down.
func (g *Guard) Wait() { g.alerts.running.Wait() }

// HandlerFunc is a handler that returns its failure instead of answering it.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Handle returns a handler that calls f under the guard, and answers the error that f returns: see [Guard.Wrap]. A nil
// error is an answer that f has written.
func (g *Guard) Handle(f HandlerFunc) http.Handler {
	return g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			g.Fail(w, r, err)
		}
	}))
}

// Fail answers err. It is for handlers within [Guard.Wrap] that cannot return it. An error after the header was sent
// cannot be told any more: the connection is cut, so that the client does not take half an answer for a whole one.
func (g *Guard) Fail(w http.ResponseWriter, r *http.Request, err error) {
	if st, ok := r.Context().Value(stateKey{}).(*state); ok && st.guard == g {
		st.fail(r, err, "")
		return
	}
	g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.Fail(w, r, err) })).ServeHTTP(w, r)
}

// Annotate adds business context to the request of ctx, for the record of a failure. Names that are not among
// [Config].Fields are dropped.
func Annotate(ctx context.Context, name, value string) {
	if st, ok := ctx.Value(stateKey{}).(*state); ok && slices.Contains(st.guard.cfg.Fields, name) {
		st.annotate(name, st.guard.field(name, value))
	}
}

// RequestID returns the id of the request of ctx, or "" outside of a guard.
func RequestID(ctx context.Context) string {
	if st, ok := ctx.Value(stateKey{}).(*state); ok {
		return st.id[0]
	}
	return ""
}

// field bounds and, where it is configured, hashes a value.
func (g *Guard) field(name, value string) string {
	if slices.Contains(g.cfg.Hash, name) {
		mac := hmac.New(sha256.New, g.cfg.HashKey)
		mac.Write([]byte(value))
		return hex.EncodeToString(mac.Sum(nil)[:12])
	}
	const most = 200
	if len(value) > most {
		value = value[:most]
	}
	return strings.ToValidUTF8(g.redactor.Text(value), "")
}

// Notifier tells people of a failure: a pager, a chat, an error tracker. It is called in a goroutine of its own.
type Notifier interface {
	Notify(ctx context.Context, a Alert) error
}

// Alert is the first failure of its kind within a window.
type Alert struct {
	Fingerprint string        // of class, status, endpoint and place, not of what it says: the same for the same bug
	Record      record.Record // of this failure
	Suppressed  int           // failures of the same kind that were not told since the alert before
}

// alerts lets one alert through per fingerprint and window.
type alerts struct {
	notifier Notifier
	every    time.Duration
	running  sync.WaitGroup
	mu       sync.Mutex
	told     map[string]*told
}

type told struct {
	at         time.Time
	suppressed int
}

// maxFingerprints bounds the memory of alerts; beyond, the oldest are forgotten, which at worst tells one twice.
const maxFingerprints = 1000

func (a *alerts) raise(r record.Record) {
	if a.notifier == nil {
		return
	}
	fp := fingerprint(r)
	a.mu.Lock()
	if a.told == nil {
		a.told = map[string]*told{}
	}
	now := time.Now()
	t := a.told[fp]
	if t != nil && now.Sub(t.at) < a.every {
		t.suppressed++
		a.mu.Unlock()
		return
	}
	alert := Alert{Fingerprint: fp, Record: r}
	if t != nil {
		alert.Suppressed = t.suppressed
	}
	if len(a.told) >= maxFingerprints {
		a.forget()
	}
	a.told[fp] = &told{at: now}
	a.mu.Unlock()
	a.running.Go(func() {
		const patience = 10 * time.Second // a pager that hangs must not gather goroutines
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		defer func() { _ = recover() }()  // a notifier that panics must not end the service that it reports on
		_ = a.notifier.Notify(ctx, alert) // the record is the truth; who could be told that telling failed?
	})
}

func (a *alerts) forget() {
	oldest := ""
	for fp, t := range a.told {
		if oldest == "" || t.at.Before(a.told[oldest].at) {
			oldest = fp
		}
	}
	delete(a.told, oldest)
}

// fingerprint is the same for failures of the same class, status and rule at the same endpoint and place. What they say
// is no part of it: it names orders, users and addresses.
func fingerprint(r record.Record) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{r.ErrorClass, strconv.Itoa(r.Status), r.Rule, shape(r.Endpoint), place(r.Stack)}, "\n")))
	return hex.EncodeToString(sum[:8])
}

// shape leaves out the segments of a path that have digits: where no pattern of a mux is known they are ids.
func shape(endpoint string) string {
	segments := strings.Split(endpoint, "/")
	for i, s := range segments {
		if strings.ContainsAny(s, "0123456789") {
			segments[i] = "*"
		}
	}
	return strings.Join(segments, "/")
}

// place is file and line of the first frame of a Go stack, without the arguments above and the offset behind; or "".
func place(stack string) string {
	for line := range strings.SplitSeq(stack, "\n") {
		if strings.HasPrefix(line, "\t") && strings.Contains(line, ".go:") {
			at, _, _ := strings.Cut(line, " ")
			return at
		}
	}
	return ""
}
