package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// Config of New. The zero Config is usable.
type Config struct {
	InFlight    int64            // bytes that everything that is being taken may hold together, 0: 128 MiB
	MaxBody     int64            // of one request, uncompressed, 0: 8 MiB
	BodyTimeout time.Duration    // a body must have arrived within it, 0: 30 s
	Patience    time.Duration    // how long a request waits for room before it is shed, 0: 1 s
	MaxSources  int              // sources that are kept apart, 0: 2000; the others share the name Other
	Now         func() time.Time // nil: the machine's clock
}

// Other is the source of those that are too many to be kept apart.
const Other = "(other)"

// maxSourceName is the longest name of a source, in bytes. Kubernetes' names have at most 253.
const maxSourceName = 256

// Intake is the one door behind all ways in. Safe for concurrent use.
type Intake struct {
	cfg Config

	mu      sync.Mutex
	held    int64
	freed   chan struct{} // closed and replaced whenever room was given back while somebody waited
	waiting int
	sources map[string]bool
	counts  map[countKey]*Stat
}

// New returns an Intake.
func New(cfg Config) (*Intake, error) {
	if cfg.InFlight < 0 || cfg.MaxBody < 0 || cfg.BodyTimeout < 0 || cfg.Patience < 0 || cfg.MaxSources < 0 {
		return nil, errors.New("ingest: limits must not be negative")
	}
	cfg.InFlight = cmp.Or(cfg.InFlight, 128<<20)
	cfg.MaxBody = cmp.Or(cfg.MaxBody, 8<<20)
	cfg.BodyTimeout = cmp.Or(cfg.BodyTimeout, 30*time.Second)
	cfg.Patience = cmp.Or(cfg.Patience, time.Second)
	cfg.MaxSources = cmp.Or(cfg.MaxSources, 2000)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxBody > cfg.InFlight {
		return nil, fmt.Errorf("ingest: one body may have %d bytes, but all together %d: raise the bytes in flight", cfg.MaxBody, cfg.InFlight)
	}
	return &Intake{cfg: cfg, freed: make(chan struct{}), sources: map[string]bool{}, counts: map[countKey]*Stat{}}, nil
}

// MaxBody is the largest body that is taken, uncompressed.
func (in *Intake) MaxBody() int64 { return in.cfg.MaxBody }

// Hold is memory that was set aside for one request. It is for one goroutine.
type Hold struct {
	in *Intake
	n  int64
}

// Hold sets n bytes aside, and waits for a short while if there is no room: then it is ErrBusy.
func (in *Intake) Hold(ctx context.Context, n int64) (*Hold, error) {
	var timer *time.Timer
	for {
		freed, ok := in.take(n)
		if ok {
			return &Hold{in, n}, nil
		}
		if timer == nil {
			timer = time.NewTimer(in.cfg.Patience)
			defer timer.Stop()
		}
		select {
		case <-freed:
			in.left()
		case <-timer.C:
			in.left()
			return nil, ErrBusy
		case <-ctx.Done():
			in.left()
			return nil, fmt.Errorf("the sender went away while it waited for room: %w", ctx.Err())
		}
	}
}

// TryHold is Hold for those that must not wait.
func (in *Intake) TryHold(n int64) (*Hold, error) {
	if _, ok := in.take(n); !ok {
		in.left()
		return nil, ErrBusy
	}
	return &Hold{in, n}, nil
}

func (in *Intake) take(n int64) (<-chan struct{}, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.held+n <= in.cfg.InFlight {
		in.held += n
		return nil, true
	}
	in.waiting++
	return in.freed, false
}

func (in *Intake) left() {
	in.mu.Lock()
	in.waiting--
	in.mu.Unlock()
}

// Resize sets another number of bytes aside. More are not waited for: two requests that hold half of what they need would wait for each other.
func (h *Hold) Resize(n int64) error {
	in := h.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if n > h.n && in.held+n-h.n > in.cfg.InFlight {
		return ErrBusy
	}
	in.held += n - h.n
	if n < h.n && in.waiting > 0 {
		close(in.freed)
		in.freed = make(chan struct{})
	}
	h.n = n
	return nil
}

// Release gives everything back. It may be called twice.
func (h *Hold) Release() { _ = h.Resize(0) } // less is always granted

// Held is how many bytes are set aside now.
func (in *Intake) Held() int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.held
}

// Source makes the name of a source out of what a sender calls itself: printable, of a bounded length, and Other when there are too many.
// empty stands for senders without a name.
func (in *Intake) Source(name, empty string) string {
	name = CleanName(name)
	if name == "" {
		name = empty
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.sources[name] {
		return name
	}
	if len(in.sources) >= in.cfg.MaxSources {
		return Other
	}
	in.sources[strings.Clone(name)] = true
	return name
}

// CleanName is a name without what terminals, files and pages trip over, cut to a bounded length.
func CleanName(name string) string {
	if len(name) > maxSourceName {
		name = name[:maxSourceName]
		for len(name) > 0 && !utf8.ValidString(name[max(0, len(name)-utf8.UTFMax):]) && !utf8.RuneStart(name[len(name)-1]) {
			name = name[:len(name)-1]
		}
	}
	plain := true
	for i := 0; i < len(name) && plain; i++ {
		plain = name[i] > ' ' && name[i] < 0x7f
	}
	if plain {
		return name
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, name))
}
