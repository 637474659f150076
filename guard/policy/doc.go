// Package policy holds the decisions of a guard: may this call pass, did it fail, may it be repeated?
//
// Each policy is one type in one file, safe for concurrent use, and decides without allocating: [Breaker], [Bulkhead],
// [RateLimiter] (and [KeyedRateLimiter]), [AdaptiveLimiter], [Retry] with its [RetryBudget], and [Timeouts]. What a call
// came to is an [Outcome]; why it failed is a [Reason].
//
// A refusal is an error that says when to come back: [*OpenError], [*FullError] and [*LimitError] have a RetryAfter
// method and match [ErrOpen], [ErrFull] and [ErrLimited]. A refusal never counts against the dependency.
//
// The package does no input or output. Package guard puts the policies around HTTP clients, functions and handlers.
package policy
