// Package health answers the questions of load balancers and orchestrators: is the process alive, can it serve, and
// what is wrong. The three are different: a process is not restarted because its database is down, and it is taken out
// of rotation only if somebody else can serve.
//
// Answers are application/health+json (draft-inadarei-api-health-check-06) and come within the budget even if a
// dependency hangs. They tell reasons in single words, not the text of errors: anybody can ask.
package health

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

// Status is the result of a check, and of all together.
type Status string

// The results, from good to bad, in the words of draft-inadarei-api-health-check.
const (
	Pass Status = "pass"
	Warn Status = "warn" // serves, but somebody should look
	Fail Status = "fail"
)

// Result is what a check found.
type Result struct {
	Status Status
	Output string  // why it is not pass, for anybody to read
	Value  float64 // what was measured, if Unit is set
	Unit   string  // such as percent
}

// Check is one thing that is looked at.
type Check struct {
	Name string // component:measurement, such as database:ping; unique
	// Optional checks only warn: the service can serve without what they look at.
	Optional bool
	// Shared checks look at what all instances depend on. See [Config].Peers.
	Shared bool
	Run    func(ctx context.Context) Result // must heed ctx; one that does not is not started again until it returned
}

// Config is the configuration of a [Health].
type Config struct {
	Service string // name of the service, told in the answer
	Version string // of the service, told in the answer; empty tells none
	Checks  []Check
	// Budget is how long the checks may take together (default 400 ms: the answer is there before 500 ms).
	Budget time.Duration
	// Fresh is how old results may be (default 2 s, a fraction of the 10 s at which load balancers ask): many who ask
	// at once cost one round of checks. Negative checks each time.
	Fresh time.Duration
	// RetryAfter is told with a 503 (default 10 s).
	RetryAfter time.Duration
	// Peers, if set, is the fleet guard: it returns how many of the other instances are unready, of how many. Where
	// only Shared checks fail and most peers are unready too, this instance stays ready: taking out everybody for a
	// dependency that is down everywhere turns slow pages into none at all.
	Peers func(ctx context.Context) (unready, total int, err error)
}

// Health runs the checks. It is safe for concurrent use.
type Health struct {
	cfg Config
	one chan struct{} // one round at a time: it holds a token while one is under way
	now round
	run []running
}

type running struct {
	mu   sync.Mutex
	busy bool
}

type round struct {
	at      time.Time
	status  Status
	open    bool // ready, though failing: the fleet guard
	results []Result
}

// New returns a Health, or says what is wrong with cfg.
func New(cfg Config) (*Health, error) {
	seen := map[string]bool{}
	for _, c := range cfg.Checks {
		switch {
		case c.Name == "" || c.Run == nil:
			return nil, fmt.Errorf("health: check %q needs a name and a function", c.Name)
		case seen[c.Name]:
			return nil, fmt.Errorf("health: two checks are called %q", c.Name)
		}
		seen[c.Name] = true
	}
	if cfg.Budget < 0 || cfg.RetryAfter < 0 {
		return nil, errors.New("health: a negative time; leave it 0 for the default")
	}
	if cfg.Budget == 0 {
		cfg.Budget = 400 * time.Millisecond
	}
	if cfg.Fresh == 0 {
		cfg.Fresh = 2 * time.Second
	}
	if cfg.RetryAfter == 0 {
		cfg.RetryAfter = 10 * time.Second
	}
	return &Health{cfg: cfg, one: make(chan struct{}, 1), run: make([]running, len(cfg.Checks))}, nil
}

// Register mounts /livez, /readyz and /health.
func (h *Health) Register(mux *http.ServeMux) {
	mux.Handle("GET /livez", h.Live())
	mux.Handle("GET /readyz", h.Ready())
	mux.Handle("GET /health", h.Report())
}

// Live answers 200 as long as the process can answer at all. It asks no dependency: a restart mends none.
func (h *Health) Live() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h.write(w, http.StatusOK, map[string]any{"status": Pass})
	})
}

// Ready answers 200 if the instance can serve, else 503 with Retry-After.
func (h *Health) Ready() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := h.round(r.Context())
		if now.status == Fail && !now.open {
			h.write(w, http.StatusServiceUnavailable, map[string]any{"status": Fail})
			return
		}
		out := map[string]any{"status": now.status}
		if now.open {
			out = map[string]any{"status": Warn, "output": "a shared dependency is down everywhere; staying in rotation"}
		}
		h.write(w, http.StatusOK, out)
	})
}

// Report answers with all checks: 200 for pass and warn, 503 with Retry-After for fail.
func (h *Health) Report() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := h.round(r.Context())
		status := http.StatusOK
		if now.status == Fail {
			status = http.StatusServiceUnavailable
		}
		h.write(w, status, h.document(now))
	})
}

func (h *Health) document(now round) map[string]any {
	checks := map[string]any{}
	for i, res := range now.results {
		one := map[string]any{"status": res.Status, "time": now.at.UTC().Format("2006-01-02T15:04:05.000Z")}
		if res.Output != "" {
			one["output"] = res.Output
		}
		if res.Unit != "" {
			one["observedValue"], one["observedUnit"] = res.Value, res.Unit
		}
		checks[h.cfg.Checks[i].Name] = []any{one}
	}
	out := map[string]any{"status": now.status, "checks": checks}
	if h.cfg.Service != "" {
		out["serviceId"] = h.cfg.Service
	}
	if h.cfg.Version != "" {
		out["version"] = h.cfg.Version
	}
	return out
}

func (h *Health) write(w http.ResponseWriter, status int, doc map[string]any) {
	b, err := json.Marshal(doc)
	if err != nil { // a measured value that JSON cannot hold
		b = []byte(`{"status":"fail","output":"a check measured no number"}`)
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/health+json")
	w.Header().Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(policy.Seconds(h.cfg.RetryAfter)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(b) // whoever asked is gone
}

// Status runs the checks, or returns the latest results if they are fresh.
func (h *Health) Status(ctx context.Context) Status { return h.round(ctx).status }

// round returns fresh results. Whoever comes while checks are under way waits for those.
func (h *Health) round(ctx context.Context) round {
	h.one <- struct{}{}
	defer func() { <-h.one }()
	if !h.now.at.IsZero() && time.Since(h.now.at) < h.cfg.Fresh {
		return h.now
	}
	// One who asked and left must not spoil the answer for the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.cfg.Budget)
	defer cancel()
	h.now = h.check(ctx)
	return h.now
}

func (h *Health) check(ctx context.Context) round {
	results := make([]chan Result, len(h.cfg.Checks))
	for i := range h.cfg.Checks {
		results[i] = h.start(ctx, i)
	}
	now := round{at: time.Now(), status: Pass}
	onlyShared := true
	for i, c := range h.cfg.Checks {
		var res Result
		select {
		case res = <-results[i]:
		case <-ctx.Done():
			select {
			case res = <-results[i]: // it made it in the last moment
			default:
				res = Result{Status: Fail, Output: "no answer within " + h.cfg.Budget.String()}
			}
		}
		if res.Status == Fail && c.Optional {
			res.Status = Warn
		}
		now.results = append(now.results, res)
		if res.Status == Fail {
			now.status = Fail
			onlyShared = onlyShared && c.Shared
		} else if res.Status == Warn && now.status == Pass {
			now.status = Warn
		}
	}
	if now.status == Fail && onlyShared {
		now.open = h.everywhere()
	}
	return now
}

// everywhere asks the fleet guard. It has a short time of its own: that of the checks may be used up.
func (h *Health) everywhere() bool {
	if h.cfg.Peers == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 80*time.Millisecond)
	defer cancel()
	type reply struct{ unready, total int }
	replies := make(chan reply, 1)
	go func() {
		if unready, total, err := h.cfg.Peers(ctx); err == nil {
			replies <- reply{unready, total}
		}
	}()
	select {
	case r := <-replies:
		return r.total > 0 && 2*r.unready > r.total
	case <-ctx.Done():
		return false
	}
}

// start runs one check in a goroutine, unless it still runs from before: a dependency that hangs costs one goroutine,
// not one for each question.
func (h *Health) start(ctx context.Context, i int) chan Result {
	out := make(chan Result, 1)
	s := &h.run[i]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy {
		out <- Result{Status: Fail, Output: "no answer since an earlier check"}
		return out
	}
	s.busy = true
	go func() {
		res := Result{Status: Fail, Output: "the check itself broke"}
		defer func() {
			_ = recover() // a check that panics has failed; the service goes on
			s.mu.Lock()
			s.busy = false
			s.mu.Unlock()
			out <- res
		}()
		res = h.cfg.Checks[i].Run(ctx)
	}()
	return out
}
