package mem

import (
	"strings"
)

// foldRoute writes the route of a path into dst: the query cut off, variable segments replaced by {id}. A segment is
// variable when it is a number, a UUID, a hexadecimal of eight digits or more, or mixes letters with four or more digits:
// such names are made by machines, routes are named by people.
func foldRoute(dst []byte, url string) []byte {
	if i := strings.IndexByte(url, '?'); i >= 0 {
		url = url[:i]
	}
	if i := strings.Index(url, "://"); i >= 0 && i < 8 { // absolute form (RFC 9112 3.2.2)
		rest := url[i+3:]
		if j := strings.IndexByte(rest, '/'); j >= 0 {
			url = rest[j:]
		} else {
			url = "/"
		}
	}
	for len(url) > 0 {
		if url[0] == '/' {
			dst = append(dst, '/')
			url = url[1:]
			continue
		}
		seg := url
		if i := strings.IndexByte(url, '/'); i >= 0 {
			seg = url[:i]
		}
		url = url[len(seg):]
		if end, ok := variable(seg); ok {
			dst = append(dst, "{id}"...)
			dst = append(dst, seg[end:]...)
		} else {
			dst = append(dst, seg...)
		}
		if len(dst) > 200 {
			return append(dst, "..."...)
		}
	}
	return dst
}

// variable reports whether a path segment is an identifier; end is where a file extension begins, which is kept.
func variable(seg string) (end int, ok bool) {
	end = len(seg)
	if i := strings.IndexByte(seg, '.'); i > 0 {
		end = i
	}
	digits, hex, other, dashes := 0, 0, 0, 0
	for i := 0; i < end; i++ {
		switch c := seg[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			hex++
		case c == '-' || c == '_':
			dashes++
		case c == '%':
			other += 2
		default:
			other++
		}
	}
	switch {
	case digits == 0:
		return end, false
	case hex == 0 && other == 0: // 17, 2026-11-20
		return end, true
	case other == 0 && digits+hex >= 8: // hash, UUID
		return end, true
	}
	return end, digits >= 4
}
