// Package serve is the process around the gateway's handler: it listens, reads the configuration again when it is told to or the
// file changes, keeps the logs, answers operators, and ends without cutting what is under way. It promises that a reload drops no
// request and that a configuration that is wrong changes nothing.
package serve
