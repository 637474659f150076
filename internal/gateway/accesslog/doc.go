// Package accesslog writes one line of JSON a request, to a file that is rotated, without ever holding up the request: lines are
// gathered in memory and written at least every second, and a disk that is full costs lines, which are counted, never answers.
// The names of the fields are those that Inquest's own reader, and most others, already know.
package accesslog
