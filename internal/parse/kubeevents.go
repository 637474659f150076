package parse

import "bytes"

// kubeEvents reads what `kubectl get events` prints: columns set apart by two or more blanks, ages instead of times.
type kubeEvents struct{}

func newKubeEvents([]byte) lineParser { return kubeEvents{} }

func (kubeEvents) parse(line []byte, r *Record) bool {
	var cols [12][]byte
	n := 0
	for b := line; len(b) > 0 && n < len(cols); {
		v, rest := cutColumn(b)
		if len(v) > 0 {
			cols[n] = v
			n++
		}
		b = rest
	}
	// [namespace] age type reason object ... message
	at := -1
	for i := 1; i <= 3 && i < n; i++ {
		if w := string(cols[i]); w == "Normal" || w == "Warning" {
			at = i
			break
		}
	}
	if at < 1 || at+3 >= n || !isAge(cols[at-1]) {
		return false
	}
	if at >= 2 {
		r.Add("namespace", str(cols[at-2]))
	}
	r.Add("age", str(cols[at-1]))
	setLevel(r, cols[at])
	if cols[at][0] == 'N' {
		r.Level = levelOf([]byte("info"))
		r.Add("level", "Normal")
	}
	r.Add("reason", str(cols[at+1]))
	object := cols[at+2]
	r.Add("object", str(object))
	if i := bytes.IndexByte(object, '/'); i > 0 && (bytes.HasPrefix(object, []byte("pod/")) || bytes.HasPrefix(object, []byte("Pod/"))) {
		r.Instance = str(object[i+1:])
	}
	// With -o wide, the message stands before first seen, count and name; it is the longest of the rest.
	msg := cols[at+3]
	for _, c := range cols[at+4 : n] {
		if len(c) > len(msg) && bytes.IndexByte(c, ' ') > 0 {
			msg = c
		}
	}
	r.Message = str(msg)
	return true
}

// header takes the line of column names.
func (kubeEvents) header(line []byte) bool {
	return bytes.Contains(line, []byte("LAST SEEN")) && bytes.Contains(line, []byte("REASON"))
}

// cutColumn cuts b at a tab or at two blanks.
func cutColumn(b []byte) (v, rest []byte) {
	for i := range b {
		if b[i] == '\t' || b[i] == ' ' && i+1 < len(b) && b[i+1] == ' ' {
			return b[:i], bytes.TrimLeft(b[i:], " \t")
		}
	}
	return bytes.TrimRight(b, " "), nil
}

// isAge reports whether b is an age as kubectl prints it: 5m12s, 3d, "2m (x5 over 10m)", <unknown>.
func isAge(b []byte) bool {
	if string(b) == "<unknown>" {
		return true
	}
	d, k := digitsAt(b, 0)
	return len(d) > 0 && k < len(b) && (b[k] == 's' || b[k] == 'm' || b[k] == 'h' || b[k] == 'd' || b[k] == 'y')
}
