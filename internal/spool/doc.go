// Package spool keeps what arrives as it came: lines of logs, access logs and spans, appended to one growing file a source and
// acknowledged when the disk has them. The files ("segments") are a ring: the oldest go when they are too old or too many
// bytes. A Reader follows them, and an investigation reads the segments of a window as `inquest investigate` reads a folder:
// names are made so that rotation, service and kind are told from them as from any log's.
//
// Promises: what Append acknowledged outlives the process and the machine's power, whole lines only; a crash leaves at most one
// torn line, which the next Open cuts off; whatever is given up (age, size, a reader too slow) is counted. docs/format/spool.md
// has the layout.
//
// What it will not do: parse, compress, search, or keep a line twice out of the stream. A sender that was not answered sends
// again, so a line may be there twice.
package spool
