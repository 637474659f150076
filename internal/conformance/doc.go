// Package conformance holds what a gateway must do when an upstream misbehaves: a list of behaviours, each with an upstream that
// does it on the wire, a client that looks at the bytes, and the answer that is right. It runs against any gateway that the caller
// starts, and says for each behaviour what was expected and what was observed. It judges; it mends nothing.
package conformance
