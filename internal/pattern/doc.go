// Package pattern turns a log message into its template: the words stay, the values that differ from one occurrence to
// the next become <*>. Messages with equal templates are one pattern, and the pattern's ID is a hash of the template.
//
// The promise that everything else rests on: Template and Hash are pure functions of the line. Nothing is learnt from
// other lines, so an ID is the same in every run, process, order of lines and split of a file, and an ID quoted in a
// postmortem a year ago still names the same message (see docs/format/patterns.md for the stability promise).
//
// The rules speak about the shape of tokens (a word with a digit in it, a path, a quoted name, what follows key=) and
// hold for any program's log. There are no masks for particular systems. A word in plain position stays literal, so
// that two different error messages never share a pattern.
//
// What it will not do: keep lines (the caller keeps examples), read formats (a reader takes headers off first, though
// one left in front does no great harm), or look beyond the first line of a record.
package pattern
