package parse

import "encoding/binary"

// The small parts that times are read with.

func isDigit(c byte) bool { return c-'0' <= 9 }
func isAlpha(c byte) bool { return (c|0x20)-'a' < 26 }
func isWord(c byte) bool  { return isDigit(c) || isAlpha(c) || c == '_' }

// two reads two digits at i; a negative value that spoils every sum it enters if they are not digits.
func two(b []byte, i int) int {
	if i+1 >= len(b) {
		return -1 << 20
	}
	p, q := b[i]-'0', b[i+1]-'0'
	if p > 9 || q > 9 {
		return -1 << 20
	}
	return int(p)*10 + int(q)
}

// leadingInt reads up to limit digits.
func leadingInt(b []byte, limit int) (v, n int) {
	for n < len(b) && n < limit && isDigit(b[n]) {
		v = v*10 + int(b[n]-'0')
		n++
	}
	return v, n
}

var monthDays = [...]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// civilDays returns the days from 1970-01-01 to a date of the Gregorian calendar, after Howard Hinnant's
// days_from_civil. Years outside 1902 to 2261 do not fit into int64 nanoseconds and are refused.
func civilDays(y, m, d int) (int64, bool) {
	if m < 1 || m > 12 || d < 1 || d > monthDays[m] || y < 1902 || y > 2261 {
		return 0, false
	}
	if m == 2 && d == 29 && (y%4 != 0 || (y%100 == 0 && y%400 != 0)) {
		return 0, false
	}
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era*146097 + doe - 719468), true
}

// month3 returns 1 to 12 for an English month name's first three letters, 0 for anything else.
func month3(b []byte) int {
	if len(b) < 3 {
		return 0
	}
	switch uint32(b[0]|0x20)<<16 | uint32(b[1]|0x20)<<8 | uint32(b[2]|0x20) {
	case 'j'<<16 | 'a'<<8 | 'n':
		return 1
	case 'f'<<16 | 'e'<<8 | 'b':
		return 2
	case 'm'<<16 | 'a'<<8 | 'r':
		return 3
	case 'a'<<16 | 'p'<<8 | 'r':
		return 4
	case 'm'<<16 | 'a'<<8 | 'y':
		return 5
	case 'j'<<16 | 'u'<<8 | 'n':
		return 6
	case 'j'<<16 | 'u'<<8 | 'l':
		return 7
	case 'a'<<16 | 'u'<<8 | 'g':
		return 8
	case 's'<<16 | 'e'<<8 | 'p':
		return 9
	case 'o'<<16 | 'c'<<8 | 't':
		return 10
	case 'n'<<16 | 'o'<<8 | 'v':
		return 11
	case 'd'<<16 | 'e'<<8 | 'c':
		return 12
	}
	return 0
}

func isWeekday(b []byte) bool {
	switch string(b[:3]) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return true
	}
	return false
}

// stampCache remembers the second that the last line named. Neighbouring lines mostly share it, and comparing 19
// bytes is cheaper than reading them. It serves the layout 2026-11-20T16:12:03 with '-' or '/' and 'T' or ' '.
type stampCache struct {
	lo, mid, hi uint64 // the bytes 0-7, 8-15 and 11-18 of the last time
	wall        int64  // its wall clock, read as UTC
}

// parse is parseTime with the cache.
func (s *stampCache) parse(b []byte) (ns int64, n int, c Clock) {
	if len(b) < 20 || b[4] != b[7] || b[13] != ':' {
		return parseTime(b)
	}
	lo, mid, hi := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[11:])
	if lo != s.lo || mid != s.mid || hi != s.hi {
		ns, n, _ = parseISO(b[:19])
		if n != 19 {
			return parseTime(b)
		}
		s.lo, s.mid, s.hi, s.wall = lo, mid, hi, ns
	}
	f, k := subSecond(b[19:])
	if n = 19 + k; n < len(b) && b[n] == ' ' && n+2 < len(b) && b[n+2] == 'M' {
		return parseTime(b) // AM and PM
	}
	return withZone(b, n, s.wall+f)
}
