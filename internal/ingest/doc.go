// Package ingest holds what all ways in share: how many bytes may be in flight, how large and how slow a body may be, who is counted as a
// source, and what is answered when there is no room. The ways in are rooms of their own: tail (files), otlp (OpenTelemetry), prom
// (Prometheus: scrape and remote write), syslog, hook (changes, Alertmanager, plain lines over HTTP).
//
// Promises of every way in: what was acknowledged is on the disk; memory is bounded whatever is sent; what is not taken is counted,
// by source and signal, and the sender is told whether, and when, to send again.
//
// What they will not do: judge what they take. Lines are kept as they came and read by internal/parse when somebody asks.
package ingest
