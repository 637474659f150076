// Package audit finds, in what a service and its gateway logged or answered, the places where failures are hidden, mislabelled
// or told to the wrong people: a 200 that lies, a 500 that should be a 429, a 503 without Retry-After, a POST that was sent
// twice, a stack trace in a body, a health check that said fine while requests failed, a log that nobody can search.
//
// It promises: the same findings for the same input, however it was split among readers; each finding counted, with its
// route and the first examples by file and line; each rule with its reason, its source and what to do. A rule whose evidence
// the logs do not hold is listed as unchecked, never as passed. It will not judge what it cannot see: that a status is right
// is no claim that it makes.
//
// The data come as everywhere else: parse reads, mem counts. A Collector stands beside mem's and looks at single requests
// and records; Judge sets both together.
package audit
