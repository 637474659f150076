package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// count writes n with thousands separators: 12,345.
func count(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// plural is "1 request", "12,345 requests".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}

// percent writes a ratio. It never rounds a failure away to 0% nor a remnant up to 100%.
func percent(r float64) string {
	switch p := r * 100; {
	case math.IsNaN(p):
		return "unknown"
	case p <= 0:
		return "0%"
	case p < 0.01:
		return "<0.01%"
	case p < 1:
		return strconv.FormatFloat(p, 'f', 2, 64) + "%"
	case p >= 100:
		return "100%"
	case p > 99.9:
		return ">99.9%"
	case p < 10:
		return strconv.FormatFloat(p, 'f', 1, 64) + "%"
	default:
		return strconv.FormatFloat(p, 'f', 0, 64) + "%"
	}
}

// score writes a confidence or a score, which are never known to a decimal.
func score(f float64) string {
	if math.IsNaN(f) {
		return "unknown"
	}
	return fmt.Sprintf("%.0f%%", 100*f)
}

// span writes a duration in its two largest units.
func span(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return strings.TrimSuffix(strconv.FormatFloat(d.Seconds(), 'f', 1, 64), ".0") + " s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return two(d, time.Minute, "min", time.Second, "s")
	case d < 48*time.Hour:
		return two(d, time.Hour, "h", time.Minute, "min")
	default:
		return two(d, 24*time.Hour, "d", time.Hour, "h")
	}
}

func two(d, big time.Duration, bigName string, small time.Duration, smallName string) string {
	s := fmt.Sprintf("%d %s", d/big, bigName)
	if rest := d % big / small; rest > 0 {
		s += fmt.Sprintf(" %d %s", rest, smallName)
	}
	return s
}

// number writes a measured value with at most three significant decimals, "no data" when it is none.
func number(f float64) string {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return "no data"
	case f == math.Trunc(f) && math.Abs(f) < 1e12:
		return count(int(f))
	}
	return strconv.FormatFloat(f, 'g', 3, 64)
}

var classNames = map[inquest.Class]string{
	inquest.ClassException:  "unhandled exception",
	inquest.ClassDatabase:   "database",
	inquest.ClassConfig:     "misconfiguration",
	inquest.ClassResource:   "resource exhaustion",
	inquest.ClassDeploy:     "bad deploy",
	inquest.ClassDependency: "dependency failure",
}

var levelNames = map[inquest.VerdictLevel]string{
	inquest.Established: "established",
	inquest.Probable:    "probable",
	inquest.Open:        "open",
}

// levelMeanings says what a level allows to conclude.
var levelMeanings = map[inquest.VerdictLevel]string{
	inquest.Established: "seen in two layers or directly, uncontested",
	inquest.Probable:    "the best explanation, but not the only one left",
	inquest.Open:        "the evidence does not suffice to name a cause",
}

var spreadNames = map[inquest.Spread]string{
	inquest.SpreadClient:     "one client",
	inquest.SpreadRoute:      "one route",
	inquest.SpreadService:    "one service",
	inquest.SpreadEverything: "everything",
}

var layerNames = map[inquest.Layer]string{
	inquest.LayerResponse:       "HTTP response",
	inquest.LayerApplication:    "application",
	inquest.LayerInfrastructure: "infrastructure",
	inquest.LayerChange:         "changes",
}

// layerFetch says what to bring for a layer that was missing.
var layerFetch = map[inquest.Layer]string{
	inquest.LayerResponse:       "Access logs of the gateway or load balancer, from an hour before the first failure on.",
	inquest.LayerApplication:    "Logs of the failing services with stack traces, at level WARN or finer.",
	inquest.LayerInfrastructure: "Metrics of pools, memory, disk, CPU and the database, and the database's own log.",
	inquest.LayerChange:         "The record of changes (changes.jsonl, or the output of git log) of the last 24 hours.",
}

// statusOwner says whose fault a failing status is, as RFC 9110 assigns it: 500 is the server's own unexpected
// condition, 502 and 504 are said by a gateway about what stands behind it, 503 is said of a lack of capacity.
func statusOwner(status int) string {
	switch {
	case status == 502 || status == 504:
		return "what stands behind the gateway"
	case status == 503:
		return "capacity or a dependency"
	case status >= 500:
		return "the server itself"
	case status >= 200 && status < 300:
		return "the server, hidden behind a success"
	case status == 499: // nginx: closed by the client; counted only where it had waited in vain
		return "the server: clients gave up waiting"
	}
	return "not a server failure"
}

// humanize makes words of a name in a catalogue: "pool-exhausted" is "Pool exhausted".
func humanize(name string) string {
	s := strings.ReplaceAll(name, "-", " ")
	if s == "" || s[0] >= 0x80 {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// evidenceKind says what kind of evidence e is: "application log", "change".
func evidenceKind(e inquest.Evidence) string {
	name, ok := layerNames[e.Layer]
	switch {
	case !ok:
		name = string(e.Layer)
	case e.Layer == inquest.LayerChange:
		return "change"
	}
	return strings.TrimSpace(name + " " + e.Kind)
}
