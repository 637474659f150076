package parse

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// Times are read by hand: the standard library's layouts cost ten times as much per line and cannot say how much of a
// point in time was there. Nothing here allocates.

// noYear is the placeholder year of a time without one (ClockNoYear): a leap year, so that 29 February exists.
// The engine puts in the right year with atYear.
const noYear = 1972

const daySeconds = 86400

// parseTime reads the time at the very start of b, in any layout seen in logs, with its zone if there is one.
// It returns Unix nanoseconds, how many bytes the time took (0: there is none), and what kind of clock it is.
// A time of day without a date gives n > 0 with ClockNone.
func parseTime(b []byte) (ns int64, n int, c Clock) {
	if len(b) < 8 {
		return 0, 0, ClockNone
	}
	if !isDigit(b[0]) {
		return parseNamedDate(b)
	}
	digits := 1
	for digits < len(b) && digits < 20 && isDigit(b[digits]) {
		digits++
	}
	if digits == len(b) {
		return parseEpochStart(b, digits)
	}
	switch sep := b[digits]; {
	case digits == 4 && (sep == '-' || sep == '/' || sep == '.'):
		return parseISO(b)
	case digits <= 2 && sep == '/':
		if digits == 2 && len(b) > 3 && isAlpha(b[3]) {
			return parseCLF(b)
		}
		return parseSlashDate(b)
	case digits <= 2 && (sep == '-' || sep == ' ') && len(b) > digits+4 && isAlpha(b[digits+1]):
		return parseDayMonth(b)
	case digits == 2 && sep == '.':
		return parseDotted(b)
	case digits == 2 && sep == ':':
		if _, k, _ := readClock(b); k > 0 {
			return 0, k, ClockNone
		}
	case (digits == 6 || digits == 8) && (sep == ' ' || sep == 'T' || sep == '-'):
		return parseCompact(b, digits)
	case digits >= 9:
		return parseEpochStart(b, digits)
	}
	return 0, 0, ClockNone
}

// parseISO reads 2026-11-20T16:12:03 in its many forms: blank or T or a colon between date and time, '-', '/' or '.'
// in the date, fraction behind a dot or comma, then a zone.
func parseISO(b []byte) (ns int64, n int, c Clock) {
	if len(b) < 19 {
		return 0, 0, ClockNone
	}
	y, m, d := two(b, 0)*100+two(b, 2), two(b, 5), two(b, 8)
	if b[4] != b[7] || (b[4] != '-' && b[4] != '/' && b[4] != '.') {
		return 0, 0, ClockNone
	}
	at := 11
	switch b[10] {
	case 'T', 't', ' ', ':', '_':
		if b[10] == ' ' && b[11] == '-' && b[12] == ' ' { // Gin: 2026/11/20 - 16:12:03
			at = 13
		}
	default:
		return 0, 0, ClockNone
	}
	days, ok := civilDays(y, m, d)
	if !ok {
		return 0, 0, ClockNone
	}
	t, k, ok := readClock(b[at:])
	if !ok {
		return 0, 0, ClockNone
	}
	return withZone(b, at+k, days*daySeconds*int64(time.Second)+t)
}

// parseCLF reads 20/Nov/2026:16:12:03 +0000 of the common log format, with or without fraction and zone.
func parseCLF(b []byte) (ns int64, n int, c Clock) {
	if len(b) < 20 || b[2] != '/' || b[6] != '/' || (b[11] != ':' && b[11] != ' ') {
		return 0, 0, ClockNone
	}
	days, ok := civilDays(two(b, 7)*100+two(b, 9), month3(b[3:]), two(b, 0))
	if !ok {
		return 0, 0, ClockNone
	}
	t, k, ok := readClock(b[12:])
	if !ok {
		return 0, 0, ClockNone
	}
	return withZone(b, 12+k, days*daySeconds*int64(time.Second)+t)
}

// parseSlashDate reads 17/06/09 20:10:40 (Hadoop and Spark: two-digit year first) and 11/20/2026 16:12:03. Of day and
// month, the one above 12 is the day; if neither is, the month comes first, as loggers with an English locale write.
func parseSlashDate(b []byte) (ns int64, n int, c Clock) {
	p, n1 := leadingInt(b, 2)
	if n1 >= len(b) {
		return 0, 0, ClockNone
	}
	q, n2 := leadingInt(b[n1+1:], 2)
	i := n1 + 1 + n2
	if n2 == 0 || i >= len(b) || b[i] != '/' {
		return 0, 0, ClockNone
	}
	r, n3 := leadingInt(b[i+1:], 4)
	i += 1 + n3
	y, m, d := r, p, q
	switch {
	case n3 == 2:
		y, m, d = 2000+p, q, r
	case n3 != 4:
		return 0, 0, ClockNone
	case p > 12:
		m, d = q, p
	}
	return dateAndClock(b, i, y, m, d)
}

// parseDotted reads 20.11.2026 16:12:03.
func parseDotted(b []byte) (ns int64, n int, c Clock) {
	if len(b) < 19 || b[5] != '.' {
		return 0, 0, ClockNone
	}
	return dateAndClock(b, 10, two(b, 6)*100+two(b, 8), two(b, 3), two(b, 0))
}

// parseCompact reads 20261120 16:12:03, 20261120T161203Z, 20261120-16:12:03 and MySQL's 261120  9:12:03.
func parseCompact(b []byte, digits int) (ns int64, n int, c Clock) {
	y, at := 2000+two(b, 0), 2
	if digits == 8 {
		y, at = two(b, 0)*100+two(b, 2), 4
	}
	m, d := two(b, at), two(b, at+2)
	i := digits + 1
	if len(b) >= i+6 && isDigit(b[i+2]) && two(b, i) >= 0 && two(b, i+2) >= 0 && two(b, i+4) >= 0 {
		days, ok := civilDays(y, m, d)
		h, mi, s := two(b, i), two(b, i+2), two(b, i+4)
		if !ok || h > 23 || mi > 59 || s > 60 {
			return 0, 0, ClockNone
		}
		t := int64(h*3600+mi*60+s) * int64(time.Second)
		f, k := subSecond(b[i+6:])
		return withZone(b, i+6+k, days*daySeconds*int64(time.Second)+t+f)
	}
	if len(b) > digits && b[digits] == '-' {
		if t, k := looseClock(b[digits+1:]); k > 0 {
			if days, ok := civilDays(y, m, d); ok {
				return withZone(b, digits+1+k, days*daySeconds*int64(time.Second)+t)
			}
		}
	}
	return dateAndClock(b, digits, y, m, d)
}

// looseClock reads 0:7:20:44, as programs write it that print hours, minutes, seconds and milliseconds as plain numbers.
func looseClock(b []byte) (t int64, n int) {
	var part [4]int
	k := 0
	for k < 4 {
		v, w := leadingInt(b[n:], 3)
		if w == 0 || k < 3 && w > 2 {
			return 0, 0
		}
		part[k] = v
		k++
		n += w
		if k == 4 || n >= len(b) || b[n] != ':' {
			break
		}
		n++
	}
	if k < 4 || part[0] > 23 || part[1] > 59 || part[2] > 60 || n < len(b) && isDigit(b[n]) {
		return 0, 0
	}
	return int64(part[0]*3600+part[1]*60+part[2])*int64(time.Second) + int64(part[3])*int64(time.Millisecond), n
}

// parseDayMonth reads 20 Nov 2026 16:12:03.123 (Redis), 20 Nov 16:12:03.123 (Redis before 4),
// 20-Nov-2026 16:12:03.123 (Tomcat, PHP) and 20-Nov-2026::16:12:03 (RabbitMQ before 3.7).
func parseDayMonth(b []byte) (ns int64, n int, c Clock) {
	d, i := leadingInt(b, 2)
	sep := b[i]
	m := month3(b[i+1:])
	i += 4
	if i+1 >= len(b) || b[i] != sep {
		return 0, 0, ClockNone
	}
	if y, k := leadingInt(b[i+1:], 4); k == 4 {
		return dateAndClock(b, i+5, y, m, d)
	}
	ns, n, c = dateAndClock(b, i, noYear, m, d)
	return ns, n, yearless(c)
}

// parseNamedDate reads dates that begin with the name of a month or of a day of the week.
func parseNamedDate(b []byte) (ns int64, n int, c Clock) {
	if len(b) < 15 || !isAlpha(b[0]) || !isAlpha(b[1]) || !isAlpha(b[2]) {
		return 0, 0, ClockNone
	}
	if month3(b) > 0 && b[3] == ' ' {
		return parseMonthDay(b)
	}
	if !isWeekday(b) {
		return 0, 0, ClockNone
	}
	i := 3
	if b[i] == ',' {
		i++
	}
	if b[i] != ' ' {
		return 0, 0, ClockNone
	}
	i++
	if isDigit(b[i]) { // Fri, 20 Nov 2026 16:12:03 GMT
		ns, n, c = parseDayMonth(b[i:])
	} else if month3(b[i:]) > 0 { // Fri Nov 20 16:12:03.123456 2026
		ns, n, c = parseMonthDay(b[i:])
	}
	if n > 0 {
		n += i
	}
	return ns, n, c
}

// parseMonthDay reads Nov 20 16:12:03 (syslog), the same followed by a zone and a year (asctime, date(1), Apache),
// Nov 20 2026 16:12:03 and Nov 20, 2026 4:12:03 PM (java.util.logging).
func parseMonthDay(b []byte) (ns int64, n int, c Clock) {
	if len(b) < 15 || b[3] != ' ' {
		return 0, 0, ClockNone
	}
	m, i := month3(b), 4
	if b[i] == ' ' {
		i++
	}
	d, k := leadingInt(b[i:], 2)
	if m == 0 || k == 0 {
		return 0, 0, ClockNone
	}
	i += k
	if b[i] == ',' {
		i++
	}
	if y, k := leadingInt(b[min(i+1, len(b)):], 4); k == 4 && b[i] == ' ' {
		return dateAndClock(b, i+5, y, m, d)
	}
	ns, n, c = dateAndClock(b, i, noYear, m, d)
	if n == 0 || n >= len(b) || b[n] != ' ' {
		return ns, n, yearless(c)
	}
	y, k := leadingInt(b[n+1:], 4)
	if k != 4 || y < 1970 || (n+5 < len(b) && isWord(b[n+5])) {
		return ns, n, yearless(c)
	}
	days, ok := civilDays(y, m, d)
	placeholder, _ := civilDays(noYear, m, d)
	if !ok {
		return 0, 0, ClockNone
	}
	return ns + (days-placeholder)*daySeconds*int64(time.Second), n + 5, c
}

// yearless turns the clock of a time with a guessed year into ClockNoYear.
func yearless(c Clock) Clock {
	if c == ClockNone {
		return c
	}
	return ClockNoYear
}

// parseKlog reads 1120 16:12:03.123456 of klog and glog, the part behind the level letter; glog since 0.6 writes
// 20261120 there.
func parseKlog(b []byte) (ns int64, n int, c Clock) {
	if len(b) < 13 {
		return 0, 0, ClockNone
	}
	if b[4] == ' ' {
		ns, n, c = dateAndClock(b, 4, noYear, two(b, 0), two(b, 2))
		return ns, n, yearless(c)
	}
	if b[8] == ' ' {
		return dateAndClock(b, 8, two(b, 0)*100+two(b, 2), two(b, 4), two(b, 6))
	}
	return 0, 0, ClockNone
}

// dateAndClock reads the time of day behind a date that ends at i; between them stands one blank (a second one pads
// the hour), a T, or one or two colons.
func dateAndClock(b []byte, i, y, m, d int) (ns int64, n int, c Clock) {
	days, ok := civilDays(y, m, d)
	if !ok || i+1 >= len(b) {
		return 0, 0, ClockNone
	}
	switch b[i] {
	case ' ', 'T', ':', '-':
		i++
	default:
		return 0, 0, ClockNone
	}
	for i < len(b) && (b[i] == ' ' || b[i] == ':') {
		i++
	}
	t, k, ok := readClock(b[i:])
	if !ok {
		return 0, 0, ClockNone
	}
	return withZone(b, i+k, days*daySeconds*int64(time.Second)+t)
}

// readClock reads 16:12:03 with a fraction and AM or PM. It returns the nanoseconds since midnight.
func readClock(b []byte) (t int64, n int, ok bool) {
	h, k := 0, 0
	if len(b) >= 8 && b[2] == ':' {
		h, k = two(b, 0), 2
	} else if len(b) >= 7 && b[1] == ':' && isDigit(b[0]) {
		h, k = int(b[0]-'0'), 1
	} else {
		return 0, 0, false
	}
	m, s := two(b, k+1), two(b, k+4)
	if b[k+3] != ':' || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60 {
		return 0, 0, false
	}
	n = k + 6
	f, fn := subSecond(b[n:])
	n += fn
	if len(b) > n+2 && (b[n] == ' ') && b[n+2] == 'M' && (b[n+1] == 'P' || b[n+1] == 'A') && h <= 12 {
		h %= 12
		if b[n+1] == 'P' {
			h += 12
		}
		n += 3
	}
	return int64(h*3600+m*60+s)*int64(time.Second) + f, n, true
}

// subSecond reads .123456 as nanoseconds. Behind a comma or colon only three, six or nine digits count, because both
// also separate fields.
func subSecond(b []byte) (ns int64, n int) {
	if len(b) < 2 || (b[0] != '.' && b[0] != ',' && b[0] != ':') || !isDigit(b[1]) {
		return 0, 0
	}
	i := 1
	for i < len(b) && isDigit(b[i]) {
		if i <= 9 {
			ns = ns*10 + int64(b[i]-'0')
		}
		i++
	}
	if b[0] != '.' && i != 4 && i != 7 && i != 10 {
		return 0, 0
	}
	for k := i; k < 10; k++ {
		ns *= 10
	}
	return ns, i
}

// withZone reads the zone behind a wall clock that ends at n and turns it into an instant.
func withZone(b []byte, n int, wall int64) (int64, int, Clock) {
	off, k, c := readZone(b[n:])
	if k > 0 {
		n += k
	}
	return wall - int64(off)*int64(time.Second), n, c
}

// readZone reads Z, +01:00, +0100, +01, UTC or another abbreviation, directly or behind one blank.
func readZone(b []byte) (offset, n int, c Clock) {
	if len(b) == 0 {
		return 0, 0, ClockLocal
	}
	i := 0
	if b[0] == ' ' {
		i = 1
		if len(b) == 1 {
			return 0, 0, ClockLocal
		}
	}
	switch {
	case b[i] == 'Z' && i == 0 && (len(b) == 1 || !isWord(b[1])):
		return 0, 1, ClockUTC
	case b[i] == '+' || b[i] == '-':
		if off, k := readOffset(b[i:], i == 1); k > 0 {
			return off, i + k, ClockUTC
		}
	case b[i] >= 'A' && b[i] <= 'Z':
		if off, k, c := readAbbreviation(b[i:]); k > 0 {
			return off, i + k, c
		}
	}
	return 0, 0, ClockLocal
}

// readOffset reads +01:00, +0100 or +01. Behind a blank the short form must end at a blank or bracket, or the text
// "-10 items" would be a zone.
func readOffset(b []byte, blank bool) (offset, n int) {
	if len(b) < 3 {
		return 0, 0
	}
	h, m, n := two(b, 1), 0, 3
	switch {
	case len(b) >= 6 && b[3] == ':' && two(b, 4) >= 0:
		m, n = two(b, 4), 6
	case len(b) >= 5 && two(b, 3) >= 0:
		m, n = two(b, 3), 5
	case blank && len(b) > 3 && b[3] != ' ' && b[3] != ']' && b[3] != ',':
		return 0, 0
	}
	if h < 0 || h > 18 || m > 59 || (len(b) > n && isDigit(b[n])) {
		return 0, 0
	}
	offset = h*3600 + m*60
	if b[0] == '-' {
		offset = -offset
	}
	return offset, n
}

// readAbbreviation reads the name of a zone. Names that mean different offsets in different countries are consumed
// but give ClockLocal.
func readAbbreviation(b []byte) (offset, n int, c Clock) {
	for n < len(b) && b[n] >= 'A' && b[n] <= 'Z' {
		n++
	}
	if n < 3 || n > 4 || (n < len(b) && isWord(b[n])) {
		return 0, 0, ClockLocal
	}
	const hour = 3600
	switch string(b[:n]) {
	case "UTC", "GMT":
		if n+5 <= len(b) && (b[n] == '+' || b[n] == '-') { // JavaScript: GMT+0100
			if off, k := readOffset(b[n:], false); k > 0 {
				return off, n + k, ClockUTC
			}
		}
		return 0, n, ClockUTC
	case "WET":
		return 0, n, ClockUTC
	case "CET", "WEST":
		return hour, n, ClockUTC
	case "CEST", "EET":
		return 2 * hour, n, ClockUTC
	case "EEST", "MSK":
		return 3 * hour, n, ClockUTC
	case "EST":
		return -5 * hour, n, ClockUTC
	case "EDT":
		return -4 * hour, n, ClockUTC
	case "CDT":
		return -5 * hour, n, ClockUTC
	case "MDT":
		return -6 * hour, n, ClockUTC
	case "PST":
		return -8 * hour, n, ClockUTC
	case "PDT":
		return -7 * hour, n, ClockUTC
	case "JST", "KST":
		return 9 * hour, n, ClockUTC
	case "AEST":
		return 10 * hour, n, ClockUTC
	case "AEDT":
		return 11 * hour, n, ClockUTC
	case "NZST":
		return 12 * hour, n, ClockUTC
	case "NZDT":
		return 13 * hour, n, ClockUTC
	case "IST", "CST", "BST", "MST", "AST", "SST", "ADT", "WIB", "HKT", "SGT", "PKT", "BRT", "ART", "SAST", "WAT",
		"EAT", "CAT", "GST", "ICT", "PHT", "ACST", "ACDT", "AWST", "HST", "AKST", "AKDT", "LMT":
		// Ambiguous (India, Israel and Ireland are all IST) or rare: the wall clock is all we claim.
		return 0, n, ClockLocal
	}
	return 0, 0, ClockLocal
}

// parseEpochStart reads a Unix time written as a number of at least nine digits at the start of a line.
func parseEpochStart(b []byte, digits int) (ns int64, n int, c Clock) {
	n = digits
	if n < len(b) && b[n] == '.' {
		n++
		for n < len(b) && isDigit(b[n]) {
			n++
		}
	}
	ns, ok := parseEpoch(b[:n])
	if !ok {
		return 0, 0, ClockNone
	}
	return ns, n, ClockUTC
}

// parseEpoch reads a Unix time written as a number, fraction allowed, in seconds, milliseconds, microseconds or
// nanoseconds: the four are three digits apart and cannot be confused between 1973 and 5138.
func parseEpoch(b []byte) (ns int64, ok bool) {
	var v int64
	i := 0
	for i < len(b) && isDigit(b[i]) {
		if i >= 19 {
			return 0, false
		}
		v = v*10 + int64(b[i]-'0')
		i++
	}
	unit := int64(0)
	switch {
	case i < 9 || v < 0:
		return parseEpochFloat(b)
	case v < 1e11:
		unit = 1e9
	case v < 1e14:
		unit = 1e6
	case v < 1e17:
		unit = 1e3
	default:
		unit = 1
	}
	if v > math.MaxInt64/unit-1 {
		return 0, false
	}
	ns = v * unit
	if i == len(b) {
		return ns, true
	}
	if b[i] != '.' {
		return parseEpochFloat(b)
	}
	for i++; i < len(b) && isDigit(b[i]); i++ {
		unit /= 10
		ns += int64(b[i]-'0') * unit
	}
	if i < len(b) {
		return parseEpochFloat(b)
	}
	return ns, true
}

// parseEpochFloat reads the exponent form 1.7638e9 that some JSON encoders write.
func parseEpochFloat(b []byte) (int64, bool) {
	if len(b) > 32 || !bytes.ContainsAny(b, "eE") {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || f < 1e8 || f > 9e18 {
		return 0, false
	}
	for f < 1e17 && f >= 1e11 {
		f *= 1e3
	}
	if f < 1e11 {
		f *= 1e9
	}
	if f >= math.MaxInt64 {
		return 0, false
	}
	return int64(f), true
}

// atYear replaces the placeholder year of a ClockNoYear time by the latest year that does not put it after latest
// (the last change of the file, or a time found near it) by more than a day. So a log that runs over New Year gets
// both years right.
func atYear(t, latest int64) int64 {
	w := time.Unix(0, t).UTC()
	limit := latest + daySeconds*int64(time.Second)
	for y := time.Unix(0, limit).UTC().Year(); y > 1970; y-- {
		days, ok := civilDays(y, int(w.Month()), w.Day())
		if !ok { // 29 February
			continue
		}
		v := days*daySeconds*int64(time.Second) + t - floorDay(t)
		if v <= limit {
			return v
		}
	}
	return t
}

func floorDay(t int64) int64 {
	const d = daySeconds * int64(time.Second)
	r := t % d
	if r < 0 {
		r += d
	}
	return t - r
}
