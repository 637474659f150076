package parse

import "bytes"

// token is one part of a line whose parts are separated by blanks: bare, "quoted", or [bracketed].
type token struct {
	text  []byte // without quotes or brackets
	quote byte   // '"', '[' or 0
}

// tokens splits line into at most len(into) parts and returns how many there are and what is left.
func tokens(line []byte, into []token) (n int, rest []byte) {
	for n < len(into) {
		for len(line) > 0 && line[0] == ' ' {
			line = line[1:]
		}
		if len(line) == 0 {
			break
		}
		t := &into[n]
		t.quote = 0
		switch line[0] {
		case '"', '[':
			end := 0
			if line[0] == '"' {
				end = quoteEnd(line[1:])
			} else {
				end = bytes.IndexByte(line[1:], ']')
			}
			if end < 0 {
				return n, line
			}
			t.quote, t.text, line = line[0], line[1:1+end], line[end+2:]
		default:
			end := bytes.IndexByte(line, ' ')
			if end < 0 {
				end = len(line)
			}
			t.text, line = line[:end], line[end:]
		}
		n++
	}
	return n, line
}

// dash reports whether the part says "nothing".
func dash(p []byte) bool { return len(p) == 0 || len(p) == 1 && p[0] == '-' }

// add adds a part as an extra field unless it is a dash.
func add(r *Record, name string, p []byte) {
	if !dash(p) {
		r.Add(name, str(p))
	}
}

// addNumber is add for numbers.
func addNumber(r *Record, name string, p []byte) {
	if !dash(p) {
		r.AddNum(name, str(p))
	}
}

// whole reads a whole number, an optional minus or plus before it.
func whole(p []byte) (v int64, ok bool) {
	neg := len(p) > 0 && p[0] == '-'
	if neg || len(p) > 0 && p[0] == '+' {
		p = p[1:]
	}
	if len(p) == 0 || len(p) > 18 {
		return 0, false
	}
	for _, c := range p {
		if c-'0' > 9 {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	if neg {
		v = -v
	}
	return v, true
}

// code3 reads an HTTP status: three digits, 0 and 000 for none.
func code3(p []byte) (int, bool) {
	v, ok := whole(p)
	if !ok || v != 0 && (v < 100 || v > 999) {
		return 0, false
	}
	return int(v), true
}

// host cuts the port off "10.0.0.1:443" or "[::1]:443".
func hostOf(p []byte) (host, port []byte) {
	i := bytes.LastIndexByte(p, ':')
	if i <= 0 {
		return p, nil
	}
	if _, ok := whole(p[i+1:]); !ok {
		return p, nil
	}
	return bytes.Trim(p[:i], "[]"), p[i+1:]
}

// requestMethod reports whether p has the form of an HTTP method: upper-case letters, which WebDAV's many have too.
func requestMethod(p []byte) bool {
	for _, c := range p {
		if (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return len(p) >= 3 && len(p) <= 24
}
