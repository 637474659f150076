package parse

// Time stamps of access logs and container runtimes. Both are read once a line, so they are parsed by hand and the
// common log format's is remembered: thousands of lines carry the same second.

const second = int64(1e9)

// daysBefore returns the days from 1970-01-01 to a date of the Gregorian calendar.
func daysBefore(y, m, d int) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	return int64(era*146097+yoe*365+yoe/4-yoe/100+doy) - 719468
}

// digits2 reads two digits, -1 if they are none.
func digits2(p []byte) int {
	a, b := p[0]-'0', p[1]-'0'
	if a > 9 || b > 9 {
		return -1
	}
	return int(a)*10 + int(b)
}

// digits4 reads a year, -1 if it is none.
func digits4(p []byte) int {
	a, b := digits2(p), digits2(p[2:])
	// Nanoseconds in 64 bits reach from 1678 to 2262; no log is from outside.
	if y := a*100 + b; a >= 0 && b >= 0 && y >= 1700 && y < 2262 {
		return y
	}
	return -1
}

// clock reads "15:04:05" as seconds, -1 if it is none. A leap second counts as the next minute's first.
func clockSeconds(p []byte) int {
	h, m, s := digits2(p), digits2(p[3:]), digits2(p[6:])
	if h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60 || p[2] != ':' || p[5] != ':' {
		return -1
	}
	return h*3600 + m*60 + s
}

// zone reads "+0100", "+01:00" or "-0700" as seconds.
func zone(p []byte) (sec int, n int, ok bool) {
	if len(p) < 5 || p[0] != '+' && p[0] != '-' {
		return 0, 0, false
	}
	n = 5
	mm := p[3:]
	if p[3] == ':' {
		if len(p) < 6 {
			return 0, 0, false
		}
		n, mm = 6, p[4:]
	}
	h, m := digits2(p[1:]), digits2(mm)
	if h < 0 || h > 15 || m < 0 || m > 59 {
		return 0, 0, false
	}
	sec = h*3600 + m*60
	if p[0] == '-' {
		sec = -sec
	}
	return sec, n, true
}

// monthOf reads an English month of three letters, 0 if it is none.
func monthOf(p []byte) int {
	switch string(p[:3]) {
	case "Jan":
		return 1
	case "Feb":
		return 2
	case "Mar":
		return 3
	case "Apr":
		return 4
	case "May":
		return 5
	case "Jun":
		return 6
	case "Jul":
		return 7
	case "Aug":
		return 8
	case "Sep":
		return 9
	case "Oct":
		return 10
	case "Nov":
		return 11
	case "Dec":
		return 12
	}
	return 0
}

// clfTime reads "10/Oct/2000:13:55:36 -0700", with an optional fraction of a second, without the zone too.
func clfTime(p []byte) (ns int64, c Clock, ok bool) {
	if len(p) < 20 || p[2] != '/' || p[6] != '/' || p[11] != ':' {
		return 0, 0, false
	}
	d, m, y, s := digits2(p), monthOf(p[3:]), digits4(p[7:]), clockSeconds(p[12:])
	if d < 1 || d > 31 || m == 0 || y < 0 || s < 0 {
		return 0, 0, false
	}
	ns = (daysBefore(y, m, d)*86400 + int64(s)) * second
	p = p[20:]
	f, n := fraction(p)
	ns += f
	p = p[n:]
	if len(p) == 0 {
		return ns, ClockLocal, true
	}
	if p[0] != ' ' {
		return 0, 0, false
	}
	if string(p) == " Z" || string(p) == " UTC" || string(p) == " GMT" {
		return ns, ClockUTC, true
	}
	z, n, ok := zone(p[1:])
	if !ok || n+1 != len(p) {
		return 0, 0, false
	}
	return ns - int64(z)*second, ClockUTC, true
}

// fraction reads ".123" or ",123" as nanoseconds; n is 0 when there is none.
func fraction(p []byte) (ns int64, n int) {
	if len(p) < 2 || p[0] != '.' && p[0] != ',' {
		return 0, 0
	}
	scale := second
	for n = 1; n < len(p) && p[n]-'0' <= 9; n++ {
		if scale >= 10 {
			scale /= 10
			ns += int64(p[n]-'0') * scale
		}
	}
	if n == 1 {
		return 0, 0
	}
	return ns, n
}

// isoTime reads "2026-11-20T16:12:03.204Z" from the head of p: "T" or a blank between, a fraction, "Z", an offset, or
// no zone. n is its length, 0 if there is none.
func isoTime(p []byte) (ns int64, c Clock, n int) {
	if len(p) < 19 || p[4] != '-' || p[7] != '-' || p[10] != 'T' && p[10] != ' ' {
		return 0, 0, 0
	}
	y, m, d, s := digits4(p), digits2(p[5:]), digits2(p[8:]), clockSeconds(p[11:])
	if y < 0 || m < 1 || m > 12 || d < 1 || d > 31 || s < 0 {
		return 0, 0, 0
	}
	ns = (daysBefore(y, m, d)*86400 + int64(s)) * second
	n = 19
	f, k := fraction(p[n:])
	ns += f
	n += k
	if n < len(p) && p[n] == 'Z' {
		return ns, ClockUTC, n + 1
	}
	if z, k, ok := zone(p[n:]); ok {
		return ns - int64(z)*second, ClockUTC, n + k
	}
	return ns, ClockLocal, n
}

// stampLen returns the length of the RFC 3339 time stamp with zone at the head of p.
func stampLen(p []byte) (int, bool) {
	_, c, n := isoTime(p)
	return n, n > 0 && c == ClockUTC && p[10] == 'T'
}

func stampTime(p []byte) int64 {
	ns, _, n := isoTime(p)
	if n == 0 {
		return 0
	}
	return ns
}
