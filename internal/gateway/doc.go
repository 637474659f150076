// Package gateway is the reverse proxy that keeps a failure contained and honest: it answers the status that is true, leaks
// nothing, gives every failure an id, and keeps one sick upstream from taking the rest along. It stands on net/http and
// httputil.ReverseProxy. It promises that whatever it changes or answers itself is in its access log under the id that the client
// got, with the reason in one word. It takes a Config as a value; package
// config reads the file it is written in.
package gateway
