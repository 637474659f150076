// Package answer reads what an HTTP answer really says, whatever its status says: which status would have been right
// ([Judge.Status]), which internals it gives away ([Judge.Leaks]), and which error it reports ([Extract]).
//
// It works on values and does no input or output, so that the middleware, the gateway and the audit of recorded answers
// judge alike. Every rule has an ID and a reason, and can be switched off. What is unclear is left as it is: a wrong
// correction is worse than none.
package answer
