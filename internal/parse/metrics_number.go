package parse

import (
	"bytes"
	"math"
	"strconv"
)

// pow10 holds the powers of ten that a float64 represents exactly.
var pow10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
	1e19, 1e20, 1e21, 1e22}

// cutFloat reads a number and returns what follows it. Up to 15 digits with a small exponent are exact in one division
// (Clinger), everything else goes to strconv.
func cutFloat(b []byte) (v float64, rest []byte, ok bool) {
	i := 0
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	b = b[i:]
	i = 0
	neg := i < len(b) && b[i] == '-'
	if neg {
		i++
	}
	var m uint64
	first, dot := i, -1
	for ; i < len(b); i++ {
		c := b[i]
		if c >= '0' && c <= '9' {
			if i-first > 16 {
				return slowFloat(b)
			}
			m = m*10 + uint64(c-'0')
		} else if c == '.' && dot < 0 {
			dot = i
		} else {
			break
		}
	}
	n := i - first
	frac := 0
	if dot >= 0 {
		n--
		frac = i - dot - 1
	}
	if n == 0 || n > 15 || i < len(b) && b[i] != ' ' && b[i] != '\t' {
		return slowFloat(b)
	}
	v = float64(m)
	if frac > 0 {
		v /= pow10[frac]
	}
	if neg {
		v = -v
	}
	return v, b[i:], true
}

func slowFloat(b []byte) (float64, []byte, bool) {
	i := bytes.IndexAny(b, " \t")
	if i < 0 {
		i = len(b)
	}
	if i == 0 || i > 64 {
		return 0, b, false
	}
	v, err := strconv.ParseFloat(string(b[:i]), 64)
	if err != nil && !(math.IsInf(v, 0)) {
		return 0, b, false
	}
	return v, b[i:], true
}

// expoTime reads a timestamp to Unix nanoseconds without going through a float. OpenMetrics counts seconds, the older
// text format milliseconds; no file says which for sure, but the magnitudes cannot be mistaken: 1e11 seconds is the
// year 5138, 1e11 milliseconds is 1973. The same holds for micro- and nanoseconds, which some exporters write.
func expoTime(b []byte) (int64, bool) {
	i := 0
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		i++
	}
	var whole, frac int64
	start := i
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		if i-start >= 19 {
			return 0, false
		}
		whole = whole*10 + int64(b[i]-'0')
	}
	if i == start {
		return 0, false
	}
	digits := 0
	if i < len(b) && b[i] == '.' {
		for i++; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
			if digits < 9 {
				frac = frac*10 + int64(b[i]-'0')
				digits++
			}
		}
	}
	if i < len(b) && b[i] != ' ' && b[i] != '\t' {
		v, _, ok := slowFloat(b) // "1.7e9"
		if !ok || v != v || math.Abs(v) > 9e18 {
			return 0, false
		}
		t := secondsOrLess(v)
		return t, t != noTime
	}
	for ; digits < 9; digits++ {
		frac *= 10
	}
	var t int64
	switch {
	case whole < maxUnixSeconds:
		t = whole*1e9 + frac
	case whole < 1e11:
		return 0, false
	case whole < maxUnixSeconds*1e3:
		t = whole*1e6 + frac/1e3
	case whole < 1e14:
		return 0, false
	case whole < maxUnixSeconds*1e6:
		t = whole * 1e3
	case whole < 1e17:
		return 0, false
	default:
		t = whole
	}
	if neg {
		t = -t
	}
	return t, true
}

// maxUnixSeconds is the last second that Unix nanoseconds in 64 bits can hold, in the year 2262.
const maxUnixSeconds = 9_223_372_036

// secondsOrLess is expoTime for a number that is a float already.
func secondsOrLess(v float64) int64 {
	switch a := math.Abs(v); {
	case a < maxUnixSeconds:
		return int64(math.Round(v*1e6)) * 1e3 // a float64 of this size holds microseconds
	case a >= 1e11 && a < maxUnixSeconds*1e3:
		return int64(math.Round(v*1e3)) * 1e3
	case a >= 1e14 && a < maxUnixSeconds*1e6:
		return int64(v) * 1e3
	case a >= 1e17 && a < 9.2e18:
		return int64(v)
	}
	return noTime
}
