package mem

import (
	"strings"
)

// maxRoute bounds the name of a route: longer ones are scans and data in the path, which nobody reads to the end.
const maxRoute = 200

// What foldRoute wants to know of a byte: counters of four kinds side by side in one word, so that a segment is summed up
// with one addition a byte, and where it has to stop.
const (
	digitOne = 1
	hexOne   = 1 << 16 // a to f
	otherOne = 1 << 32 // neither, nor a dash
	stops    = 1 << 63 // '/', '?', '.'
)

// byteClasses is indexed by byte.
var byteClasses = func() (t [256]uint64) {
	for c := range t {
		t[c] = otherOne
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = digitOne
	}
	for c := 'a'; c <= 'f'; c++ {
		t[c], t[c-'a'+'A'] = hexOne, hexOne
	}
	t['-'], t['_'] = 0, 0
	t['%'] = 2 * otherOne
	t['/'], t['?'], t['.'] = stops, stops, stops
	return t
}()

// AppendRoute appends the name under which the store counts the requests for a URL: foldRoute, for whoever names routes beside it.
func AppendRoute(dst []byte, url string) []byte { return foldRoute(dst, url) }

// foldRoute appends the route of a path to dst: the query cut off, variable segments replaced by {id}. A segment is
// variable when it is a number, a UUID, a hexadecimal of eight digits or more, or mixes letters with four or more digits:
// such names are made by machines, routes are named by people. It runs on every request, hence one pass and copies only
// of what lies between two variable segments.
func foldRoute(dst []byte, url string) []byte {
	if len(url) == 0 || url[0] != '/' {
		url = originForm(url)
	}
	base, from, i := len(dst), 0, 0
	for i < len(url) && url[i] != '?' {
		if url[i] == '/' {
			i++
			continue
		}
		start, sum := i, uint64(0)
		if url[i] == '.' { // no extension but part of the name
			sum = otherOne
			i++
		}
		for i < len(url) {
			k := byteClasses[url[i]]
			if k >= stops {
				break
			}
			sum += k
			i++
		}
		// More than 65535 of a kind run over into the next counter: the segment is too long to be shown whole anyway.
		if digits := int(uint16(sum)); digits > 0 && variable(digits, int(uint16(sum>>16)), int(uint16(sum>>32))) {
			dst = append(append(dst, url[from:start]...), "{id}"...)
			from = i // a file extension is kept
		}
		for i < len(url) && url[i] != '/' && url[i] != '?' {
			i++
		}
		if len(dst)+i-from > base+maxRoute {
			return append(append(dst, url[from:i]...)[:base+maxRoute], "..."...)
		}
	}
	return append(dst, url[from:i]...)
}

// originForm takes scheme and host off the absolute form of a request target (RFC 9112 3.2.2), as proxies are sent it.
func originForm(url string) string {
	if i := strings.IndexByte(url, '?'); i >= 0 {
		url = url[:i]
	}
	if i := strings.Index(url, "://"); i >= 0 && i < 8 {
		rest := url[i+3:]
		if j := strings.IndexByte(rest, '/'); j >= 0 {
			return rest[j:]
		}
		return "/"
	}
	return url
}

// variable reports whether a path segment of so many digits, letters a to f and other signs, dashes not counted, is an
// identifier.
func variable(digits, hex, other int) bool {
	switch {
	case hex == 0 && other == 0: // 17, 2026-11-20
		return true
	case other == 0 && digits+hex >= 8: // hash, UUID
		return true
	}
	return digits >= 4
}
