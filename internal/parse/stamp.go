package parse

// stampLen returns the length of the RFC 3339 time stamp with zone at the head of p.
func stampLen(p []byte) (int, bool) {
	if len(p) < 20 || p[0] < '0' || p[0] > '9' || p[10] != 'T' {
		return 0, false
	}
	_, n, c := parseISO(p)
	return n, n > 0 && c == ClockUTC
}

// stampTime reads such a time stamp as Unix nanoseconds, 0 if it is none.
func stampTime(p []byte) int64 {
	if len(p) < 20 {
		return 0
	}
	ns, n, _ := parseISO(p)
	if n == 0 {
		return 0
	}
	return ns
}
