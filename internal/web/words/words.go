// Package words writes figures as people read them: shares that are never rounded away, durations in their largest unit. It is pure.
package words

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Number is a measured value; NaN, which JSON cannot say, becomes null.
type Number float64

// MarshalJSON writes null for what is not known.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Known() {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(n), 'g', -1, 64), nil
}

// UnmarshalJSON reads null as what is not known.
func (n *Number) UnmarshalJSON(b []byte) error {
	f := math.NaN()
	if string(b) != "null" {
		var err error
		if f, err = strconv.ParseFloat(string(b), 64); err != nil {
			return fmt.Errorf("%.40q is no number", b)
		}
	}
	*n = Number(f)
	return nil
}

// Known reports whether it was measured.
func (n Number) Known() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// NumberOf takes what templates hold a figure in; anything else is not known.
func NumberOf(v any) Number {
	switch n := v.(type) {
	case Number:
		return n
	case float64:
		return Number(n)
	case int:
		return Number(n)
	}
	return Number(math.NaN())
}

// Percent writes a share; it never rounds a failure away to 0% nor a remnant up to 100%.
func Percent(n Number) string {
	p := float64(n) * 100
	switch {
	case !n.Known():
		return "–"
	case p <= 0:
		return "0%"
	case p < 0.01:
		return "<0.01%"
	case p < 1:
		return strconv.FormatFloat(p, 'f', 2, 64) + "%"
	case p < 10:
		return strconv.FormatFloat(p, 'f', 1, 64) + "%"
	case p > 99 && p < 100: // 99.9 and 99.99 are worlds apart
		return strconv.FormatFloat(math.Floor(p*100+1e-6)/100, 'f', -1, 64) + "%"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + "%"
}

// Scaled writes a figure with three digits at most.
func Scaled(n Number, unit string) string {
	f := float64(n)
	switch {
	case !n.Known():
		return "–"
	case f == 0:
		return "0" + unit
	case f >= 1e6:
		return fmt.Sprintf("%.3gM", f/1e6) + unit
	case f >= 1e4:
		return fmt.Sprintf("%.3gk", f/1e3) + unit
	case f >= 100:
		return Count(int(math.Round(f))) + unit
	case f < 0.01:
		return "<0.01" + unit
	}
	return strconv.FormatFloat(f, 'g', 3, 64) + unit
}

// Seconds writes a duration given in seconds.
func Seconds(n Number) string {
	f := float64(n)
	switch {
	case !n.Known():
		return "–"
	case f < 1:
		return fmt.Sprintf("%.0f ms", 1000*f)
	}
	return fmt.Sprintf("%.3g s", f)
}

// Count has separators: 12,345.
func Count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Bytes is an amount of data.
func Bytes(n int64) string {
	f, unit := float64(n), "B"
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if f < 1024 {
			break
		}
		f, unit = f/1024, u
	}
	if f >= 100 {
		return strconv.FormatFloat(f, 'f', 0, 64) + " " + unit
	}
	return strconv.FormatFloat(f, 'g', 3, 64) + " " + unit
}

// Span is a duration in its largest unit or two.
func Span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		if m := int(d.Minutes()) % 60; m > 0 {
			return fmt.Sprintf("%d h %d min", int(d.Hours()), m)
		}
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}
