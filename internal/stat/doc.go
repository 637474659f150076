// Package stat holds the arithmetic behind "it rose": histograms with bounded error, and the scan for the interval in which
// a ratio rose the most. It is pure, knows no log and no request, and allocates nothing on the hot path.
package stat
