package policy

import (
	"fmt"
	"sync"
	"time"
)

// BudgetConfig is the configuration of a [RetryBudget].
type BudgetConfig struct {
	// Ratio is how many retries each call earns (default 0.2): a dependency in trouble then sees at most 1.2 times its
	// load. Three attempts without a budget would be three times.
	Ratio float64
	// MinPerSecond is how many retries there are a second however few calls there were (default 1): a budget of a
	// share alone never lets a rare call be repeated.
	MinPerSecond float64
	// Max is how many retries can be saved up (default 10). A larger store is spent at once when a dependency falters.
	Max int
}

// RetryBudget bounds the retries of all calls to one dependency together.
type RetryBudget struct {
	cfg    BudgetConfig
	mu     sync.Mutex
	tokens float64
	filled time.Time
}

// NewRetryBudget returns a full budget.
func NewRetryBudget(cfg BudgetConfig) (*RetryBudget, error) {
	if !(cfg.Ratio >= 0 && cfg.Ratio <= 1) || !(cfg.MinPerSecond >= 0) || cfg.Max < 0 {
		return nil, fmt.Errorf("policy: retry budget %+v: want a Ratio between 0 and 1 and nothing negative", cfg)
	}
	setDefault(&cfg.Ratio, 0.2)
	setDefault(&cfg.MinPerSecond, 1)
	setDefault(&cfg.Max, 10)
	return &RetryBudget{cfg: cfg, tokens: float64(cfg.Max), filled: time.Now()}, nil
}

// Earn notes one first attempt.
func (b *RetryBudget) Earn() {
	b.mu.Lock()
	b.tokens = min(b.tokens+b.cfg.Ratio, float64(b.cfg.Max))
	b.mu.Unlock()
}

// Spend takes one retry from the budget and reports whether there was one.
func (b *RetryBudget) Spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.tokens = min(b.tokens+now.Sub(b.filled).Seconds()*b.cfg.MinPerSecond, float64(b.cfg.Max))
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
