package mem

import (
	"math/bits"
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
// such names are made by machines, routes are named by people. It runs on every request, hence it looks at segments with a
// digit only, and copies what lies between two variable ones at once.
func foldRoute(dst []byte, url string) []byte {
	if len(url) == 0 || url[0] != '/' {
		url = originForm(url)
	}
	base, from := len(dst), 0
	i := digitOrQuery(url, 0)
	for i < len(url) && url[i] != '?' {
		start := i
		for start > from && url[start-1] != '/' {
			start--
		}
		if len(dst)+start-from > base+maxRoute {
			break
		}
		var is bool
		if i, is = segment(url, start); is {
			dst = append(append(dst, url[from:start]...), "{id}"...)
			from = i // a file extension is kept
		}
		for i < len(url) && url[i] != '/' && url[i] != '?' {
			i++
		}
		i = digitOrQuery(url, i)
	}
	if dst = append(dst, url[from:i]...); len(dst) > base+maxRoute {
		dst = append(dst[:base+maxRoute], "..."...)
	}
	return dst
}

// digitOrQuery returns where the first digit or '?' of s from i on stands, len(s) if there is none.
func digitOrQuery(s string, i int) int {
	const ones, highs, halves = 0x0101010101010101, 0x8080808080808080, 0xf0f0f0f0f0f0f0f0
	for ; i+8 <= len(s); i += 8 {
		// Digits and '?' are among the sixteen signs whose upper half is 3.
		x := word(s[i:])&halves ^ 0x30*ones
		for m := (x - ones) &^ x & highs; m != 0; m &= m - 1 {
			k := i + bits.TrailingZeros64(m)>>3
			if c := s[k]; c-'0' <= 9 || c == '?' {
				return k
			}
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c-'0' <= 9 || c == '?' {
			break
		}
	}
	return i
}

// segment returns where the name of the segment at i ends, before its extension, and whether it is variable.
func segment(url string, i int) (end int, is bool) {
	sum := uint64(0)
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
	digits := int(uint16(sum))
	return i, digits > 0 && variable(digits, int(uint16(sum>>16)), int(uint16(sum>>32)))
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
