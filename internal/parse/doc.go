// Package parse turns bytes into signals: log records, metric series, spans, changes, topology edges, alert hints.
//
// Formats are recognised by content, never by file name. Every format is one file with one `format` value in the
// explicit table of table.go. Reading streams: memory does not grow with the file. Every line is accounted for:
// parsed, joined to the record before it, or counted as skipped with an example, see FileReport.
//
// Records handed to a Sink point into the read buffer and are valid only during the call; Clone keeps one.
package parse
