package answer

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// Limit is how much of a body is worth having: error envelopes are short. A successful answer that is longer is
// no error in disguise, and an error that is longer is a dump.
const Limit = 64 << 10

// Answer is an HTTP answer, or as much of it as there is.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // as it was sent, up to [Limit]
	Whole  bool   // Body is all of it
}

// mediaType returns the media type in lower case, guessed from the first bytes where the header names none.
func (a *Answer) mediaType(body []byte) string {
	ct := a.Header.Get("Content-Type")
	if t, _, err := mime.ParseMediaType(ct); err == nil || errors.Is(err, mime.ErrInvalidMediaParameter) {
		return t
	}
	body = bytes.TrimLeft(body, " \t\r\n\ufeff")
	switch {
	case len(body) == 0:
	case body[0] == '{' || body[0] == '[':
		return "application/json"
	case bytes.HasPrefix(body, []byte("<?xml")):
		return "application/xml"
	case body[0] == '<':
		return "text/html"
	}
	return "text/plain"
}

// problem reports whether the answer speaks problem details (RFC 9457): its author thought about what to tell.
func problem(mediaType string) bool {
	return mediaType == "application/problem+json" || mediaType == "application/problem+xml"
}

// isJSON knows application/json, the many types that end in +json, and Amazon's application/x-amz-json-1.1.
func isJSON(mediaType string) bool { return strings.Contains(mediaType, "json") }

// errOpaque: the content coding is one that the standard library cannot undo.
var errOpaque = errors.New("answer: content coding not known")

// plain returns the body with its content coding undone, up to [Limit]. A body that ends early gives what there is.
func (a *Answer) plain() ([]byte, error) {
	coding := strings.ToLower(strings.TrimSpace(a.Header.Get("Content-Encoding")))
	var r io.Reader
	var err error
	switch coding {
	case "", "identity":
		return a.Body, nil
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(bytes.NewReader(a.Body))
	case "deflate":
		if r, err = zlib.NewReader(bytes.NewReader(a.Body)); err != nil { // some send it without the zlib header
			r, err = flate.NewReader(bytes.NewReader(a.Body)), nil
		}
	default:
		return nil, errOpaque
	}
	if err != nil {
		return nil, errOpaque
	}
	b, err := io.ReadAll(io.LimitReader(r, Limit))
	if err != nil && len(b) == 0 {
		return nil, errOpaque
	}
	return b, nil
}
