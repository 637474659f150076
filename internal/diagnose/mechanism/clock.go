package mechanism

import "time"

// Clock is a time of day in UTC, as sentences name it, with the date in front when one of the times that its readers have in mind (the onset, the end of the record) lies
// on another day. What is not known (the zero Time) is in nobody's mind.
func Clock(t time.Time, mind ...time.Time) string {
	t = t.UTC()
	for _, m := range mind {
		if m = m.UTC(); !m.IsZero() && (m.YearDay() != t.YearDay() || m.Year() != t.Year()) {
			return t.Format("2 Jan 15:04:05")
		}
	}
	return t.Format("15:04:05")
}
