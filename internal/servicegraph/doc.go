// Package servicegraph answers two questions about a system of many services: who calls whom, and in which
// component did a disturbance begin.
//
// It promises: Rank is a pure function of its input (no clock, no I/O), its answer does not depend on the order in
// which series, edges, spans and log statements were handed over, and it returns nothing when nothing deviates.
// It knows no system: metric families are recognised by naming conventions (OpenMetrics units, OpenTelemetry words),
// never by a name of one application. It will not name a mechanism; that is the business of a diagnosis.
//
// docs/suspects.md explains the method and its limits.
package servicegraph
