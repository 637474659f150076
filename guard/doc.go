// Package guard gives net/http services the right answer when things fail.
//
// On the side of what a service calls, a [Dependency] puts a circuit breaker, a bulkhead, a rate limit, timeouts and
// retries around an [http.RoundTripper] or a function. On the side of what calls the service, a [Guard] turns errors and
// panics into answers that are right and leak nothing, gives every failure an id, and writes one record of it.
//
// The parts stand in packages of their own: policy (decisions), answer (what an HTTP answer really says), health,
// preflight, maintenance and metric. The module needs the standard library only.
package guard
