// Package rates counts what is read of the spool while it arrives: requests, failures, durations, upstreams and log levels as series
// of the metrics store, kinds of log lines ("patterns") and changes as records. Rules and charts live on these counts.
//
// Counter and Patterns are pure: records in, series out, the clock an argument, so that a replay of old logs counts as the server
// does. Follower is the loop around them.
//
// What it will not do: judge. And it counts as failed only what one record shows: a 5xx, or a 2xx that broke off. An answer 200 to a
// request whose own service logged an error under the same request id ("lying") is found by putting logs together, which the
// diagnosis does over the window of an incident (internal/casefile); its number of failed requests is therefore the larger one.
package rates
