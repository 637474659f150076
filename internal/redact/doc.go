// Package redact makes text from the outside fit to be shown: Text takes secrets out, Clean and Lines take away the
// power of control characters over a terminal, a page or a reader's eyes, and bound the length.
//
// It promises: linear time, the same output for the same input, and that a second application changes nothing. It
// leaves request and trace ids, hashes, UUIDs, template ids, timestamps and counts alone, because an investigation
// lives on them. It will not find a secret that has neither a telling key beside it, nor a known format, nor a URL
// around it: guessing by entropy alone would black out every id in a log.
package redact
