// Package upstream holds one exchange with an upstream: pick a server, send the request, read the answer, and say in one word
// why it failed if it did. It is strict about the wire (RFC 9110, 9112, 9113): what net/http's client lets pass but a proxy must
// not hand on is a failure here. It promises that no request is sent twice unless that is safe, that every wait has a limit, and
// that a body that ends early is told apart from one that ends. It writes no answer to a client: package gateway does.
package upstream
