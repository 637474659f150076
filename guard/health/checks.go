package health

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest/guard/metric"
	"github.com/inquesthq/inquest/guard/policy"
)

// Ping makes a check of a function that reaches a dependency, such as a SELECT 1 or [sql.DB.PingContext]. Its error is told as one
// word.
func Ping(name string, f func(ctx context.Context) error) Check {
	return Check{Name: name, Run: func(ctx context.Context) Result {
		if err := f(ctx); err != nil {
			return Result{Status: Fail, Output: string(policy.ErrorReason(err))}
		}
		return Result{Status: Pass}
	}}
}

// Usage makes a check of a share that is used, from 0 to 1: warn from warnAt, fail from failAt (0 for the defaults, 0.80
// and 0.95: at four fifths there is time to act, at 95% the next burst is refused).
func Usage(name string, warnAt, failAt float64, f func() (used float64, err error)) Check {
	if warnAt == 0 {
		warnAt = 0.80
	}
	if failAt == 0 {
		failAt = 0.95
	}
	return Check{Name: name, Run: func(context.Context) Result {
		used, err := f()
		if err != nil {
			return Result{Status: Warn, Output: "cannot be measured"}
		}
		res := Result{Status: Pass, Value: float64(int(used*1000+0.5)) / 10, Unit: "percent"}
		if used > failAt {
			res.Status, res.Output = Fail, fmt.Sprintf("more than %.0f%% used", failAt*100)
		} else if used > warnAt {
			res.Status, res.Output = Warn, fmt.Sprintf("more than %.0f%% used", warnAt*100)
		}
		return res
	}}
}

// Pool makes a check of the connections of db in use, and tells them to o, which may be nil. A pool without a limit
// warns: it opens connections until the database refuses them, to everybody.
func Pool(name string, db *sql.DB, warnAt, failAt float64, o metric.Observer) Check {
	usage := Usage(name, warnAt, failAt, func() (float64, error) {
		s := db.Stats()
		return float64(s.InUse) / float64(s.MaxOpenConnections), nil
	})
	inner := usage.Run
	usage.Run = func(ctx context.Context) Result {
		s := db.Stats()
		ObservePool(name, s, o)
		if s.MaxOpenConnections == 0 {
			return Result{Status: Warn, Output: "the pool has no limit: set one with SetMaxOpenConns"}
		}
		return inner(ctx)
	}
	return usage
}

// ObservePool tells the state of a pool to o, under OpenTelemetry's names.
func ObservePool(name string, s sql.DBStats, o metric.Observer) {
	if o == nil {
		return
	}
	pool := metric.Attr{Key: "db.client.connection.pool.name", Value: name}
	state := func(v string) metric.Attrs { return metric.Attrs{pool, {Key: "db.client.connection.state", Value: v}} }
	o.Observe(metric.ConnectionCount, float64(s.InUse), state("used"))
	o.Observe(metric.ConnectionCount, float64(s.Idle), state("idle"))
	o.Observe(metric.ConnectionMax, float64(s.MaxOpenConnections), metric.Attrs{pool})
	o.Observe(metric.ConnectionWaits, float64(s.WaitCount), metric.Attrs{pool})
}

// Breakers makes a check of circuit breakers: one that is open warns, one that stays open for longer than after fails (default
// 5 min: ten probes in a row found the dependency down, so it is no hiccup).
func Breakers(name string, after time.Duration, list func() []*policy.Breaker) Check {
	if after == 0 {
		after = 5 * time.Minute
	}
	return Check{Name: name, Run: func(context.Context) Result {
		var open, long []string
		for _, b := range list() {
			since, isOpen := b.OpenSince()
			if !isOpen {
				continue
			}
			open = append(open, b.Name())
			if time.Since(since) > after {
				long = append(long, b.Name())
			}
		}
		switch {
		case len(long) > 0:
			return Result{Status: Fail, Output: "open for longer than " + after.String() + ": " + strings.Join(long, ", ")}
		case len(open) > 0:
			return Result{Status: Warn, Output: "open: " + strings.Join(open, ", ")}
		}
		return Result{Status: Pass}
	}}
}

// Settings makes a check that fails while one of the named settings is missing or empty; get looks one up, as [os.LookupEnv] does.
func Settings(name string, get func(string) (string, bool), names ...string) Check {
	return Check{Name: name, Run: func(context.Context) Result {
		var missing []string
		for _, n := range names {
			if v, ok := get(n); !ok || v == "" {
				missing = append(missing, n)
			}
		}
		if len(missing) > 0 {
			return Result{Status: Fail, Output: strconv.Itoa(len(missing)) + " settings are missing"}
		}
		return Result{Status: Pass}
	}}
}

// Memory makes a check of the memory in use: of the container (cgroup v2) where it has a limit, else of the machine.
// The page cache counts as free, since it is given back on demand.
func Memory(name string, warnAt, failAt float64) Check {
	return Usage(name, warnAt, failAt, func() (float64, error) { return memoryUsed("/sys/fs/cgroup", "/proc/meminfo") })
}

func memoryUsed(cgroup, meminfo string) (float64, error) {
	if most, err := number(cgroup + "/memory.max"); err == nil && most > 0 {
		current, err := number(cgroup + "/memory.current")
		if err != nil {
			return 0, err
		}
		cache, err := field(cgroup+"/memory.stat", "inactive_file")
		if err != nil {
			return 0, err
		}
		return (current - min(cache, current)) / most, nil
	}
	total, err := field(meminfo, "MemTotal:")
	if err != nil {
		return 0, err
	}
	available, err := field(meminfo, "MemAvailable:")
	if err != nil {
		return 0, err
	}
	return 1 - available/total, nil
}

func number(path string) (float64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
}

// field reads the number behind a word at the beginning of a line.
func field(path, word string) (float64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == word {
			return strconv.ParseFloat(f[1], 64)
		}
	}
	return 0, fmt.Errorf("health: %s has no %s", path, word)
}
