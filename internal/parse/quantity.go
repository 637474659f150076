package parse

import (
	"bytes"
	"strconv"
)

// Units of a duration.
const (
	unitNone uint8 = iota // the source does not say
	unitS
	unitMs
	unitUs
	unitNs
)

// perSecond divides: 23.65/1e3 is the nearest number to 0.02365, 23.65*1e-3 is not.
var perSecond = [...]float64{1, 1, 1e3, 1e6, 1e9}

// plainDecimal reads a plain decimal number that fills b.
func plainDecimal(b []byte) (float64, bool) { return decimalOver(b, 1) }

// decimalOver reads a plain decimal number that fills b and divides it by per, rounding once.
func decimalOver(b []byte, per float64) (float64, bool) {
	var v int64
	i, neg := 0, false
	if len(b) > 1 && b[0] == '-' {
		i, neg = 1, true
	}
	from, scale := i, per
	for ; i < len(b) && isDigit(b[i]); i++ {
		v = v*10 + int64(b[i]-'0')
	}
	if i < len(b) && b[i] == '.' {
		for i++; i < len(b) && isDigit(b[i]); i++ {
			v = v*10 + int64(b[i]-'0')
			scale *= 10
		}
	}
	if i == from {
		return 0, false
	}
	if i != len(b) || i-from > 17 {
		f, err := strconv.ParseFloat(str(b), 64)
		return f / per, err == nil
	}
	f := float64(v) / scale
	if neg {
		f = -f
	}
	return f, true
}

// duration reads a duration that fills b as seconds: a number in unit, or one with its own unit or units: 12ms, 1.5 s,
// 1m2.5s, 350µs, .NET's 00:00:01.5. The parts of a list are added up ("3.000, 0.020" of nginx, one a try; "1m 30s").
func duration(b []byte, unit uint8) (seconds float64, ok bool) {
	if v, ok := decimalOver(b, perSecond[unit]); ok {
		return v, v >= 0
	}
	if i := bytes.LastIndexAny(b, ", "); i >= 0 && i+1 < len(b) && (isDigit(b[i+1]) || b[i+1] == '-') {
		return listed(b, unit)
	}
	total, n := 0.0, 0
	for len(b) > 0 {
		v, k := quantity(b)
		if k == 0 {
			return timeSpan(b, n)
		}
		total += v
		n++
		b = b[k:]
	}
	return total, n > 0
}

// listed adds up the durations of a list. A dash is a try without an answer, a colon sets groups of tries apart.
func listed(b []byte, unit uint8) (total float64, ok bool) {
	for part := range bytes.FieldsFuncSeq(b, func(c rune) bool { return c == ' ' || c == ',' }) {
		if dash(part) || string(part) == ":" {
			continue
		}
		v, good := duration(part, unit)
		if !good {
			return 0, false
		}
		total, ok = total+v, true
	}
	return total, ok
}

// timeSpan reads hh:mm:ss.fff.
func timeSpan(b []byte, before int) (float64, bool) {
	t, n, ok := readClock(b)
	if !ok || n != len(b) || before > 0 {
		return 0, false
	}
	return float64(t) / 1e9, true
}

// quantity reads a number with a unit of time at the start of b as seconds; n is how many bytes it took.
func quantity(b []byte) (seconds float64, n int) {
	for n < len(b) && (isDigit(b[n]) || b[n] == '.') {
		n++
	}
	if n == 0 || n > 20 {
		return 0, 0
	}
	num := b[:n]
	if n < len(b) && b[n] == ' ' {
		n++
	}
	from := n
	for n < len(b) && (isAlpha(b[n]) || b[n] >= 0x80) {
		n++
	}
	per := 1.0
	switch string(b[from:n]) {
	case "ns":
		per = 1e9
	case "us", "µs", "μs":
		per = 1e6
	case "ms", "msec", "millis", "milliseconds":
		per = 1e3
	case "s", "sec", "secs", "seconds":
	case "m", "min":
		per = 1.0 / 60
	case "h":
		per = 1.0 / 3600
	default:
		return 0, 0
	}
	v, ok := decimalOver(num, per)
	if !ok {
		return 0, 0
	}
	return v, n
}

// statusCode reads a number from 100 to 599.
func statusCode(b []byte) int {
	if len(b) != 3 || b[0] < '1' || b[0] > '5' || !isDigit(b[1]) || !isDigit(b[2]) {
		return 0
	}
	return int(b[0]-'0')*100 + int(b[1]-'0')*10 + int(b[2]-'0')
}

// wholeNumber reads a non-negative integer, -1 if b is none.
func wholeNumber(b []byte) int64 {
	if len(b) == 0 || len(b) > 18 {
		return -1
	}
	var v int64
	for _, c := range b {
		if !isDigit(c) {
			return -1
		}
		v = v*10 + int64(c-'0')
	}
	return v
}
