package parse

import (
	"bytes"
	"sort"
)

// learn tells the unnamed columns of the tail apart by what the sample has in them.
func (t *tail) learn(sample []byte, tailOf func(line []byte) ([]byte, bool)) {
	var cols []tailColumn
	lines := 0
	for len(sample) > 0 && lines < sampleHead {
		i := bytes.IndexByte(sample, '\n')
		line := sample
		if i >= 0 {
			line, sample = sample[:i], sample[i+1:]
		} else {
			sample = nil
		}
		if p, ok := tailOf(trimEnd(line)); ok {
			cols = addTail(cols, p)
			lines++
		}
	}
	t.columns = assign(cols)
}

// tailColumn is what was seen in one unnamed column.
type tailColumn struct {
	n       int // values but dashes
	forms   [formCount]int
	numbers []float64
}

// form is what a value looks like.
type form int

const (
	formOther form = iota
	formInteger
	formDecimal // 0.012, and lists of them
	formUnit    // 12ms
	formStatus  // 100 to 599, and lists of them
	formAddress // 10.0.0.1:8080, unix:/run/x.sock, and lists of them
	formIP      // 10.0.0.1, and lists of them
	formID      // UUID or long hexadecimal
	formCache   // HIT, MISS, ...
	formCount
)

// addTail adds one tail to the columns.
func addTail(cols []tailColumn, p []byte) []tailColumn {
	for col := 0; col < 20; {
		if p = bytes.TrimLeft(p, " "); len(p) == 0 {
			break
		}
		var v []byte
		if k, n := keyAt(p); n > 0 {
			_, p = value(p[n:], k.quoted)
			continue
		}
		v, p = part(p)
		if col == len(cols) {
			cols = append(cols, tailColumn{})
		}
		if len(v) > 0 && string(v) != "-" {
			c := &cols[col]
			c.n++
			f := formOf(v)
			c.forms[f]++
			if x, n := decimal(v); n == len(v) {
				c.numbers = append(c.numbers, x)
			}
		}
		col++
	}
	return cols
}

// formOf classifies one value; of a list, its first element.
func formOf(v []byte) form {
	if i := bytes.IndexAny(v, ", "); i > 0 {
		v = v[:i]
	}
	x, n := decimal(v)
	switch {
	case n == len(v) && bytes.IndexByte(v, '.') >= 0:
		return formDecimal
	case n == len(v) && n == 3 && x >= 100 && x < 600:
		return formStatus
	case n == len(v):
		return formInteger
	case n > 0 && seconds(v) >= 0:
		return formUnit
	case looksLikeIP(v):
		return formIP
	case bytes.HasPrefix(v, []byte("unix:")), bytes.HasPrefix(v, []byte("http://")), bytes.HasPrefix(v, []byte("https://")):
		return formAddress
	}
	if i := bytes.LastIndexByte(v, ':'); i > 0 && i < len(v)-1 && allIn(str(v[i+1:]), "0123456789") {
		return formAddress
	}
	if len(v) >= 16 && allIn(str(v), "0123456789abcdefABCDEF-") {
		return formID
	}
	switch string(v) {
	case "HIT", "MISS", "EXPIRED", "BYPASS", "STALE", "UPDATING", "REVALIDATED":
		return formCache
	}
	return formOther
}

// main returns the form of more than half of a column's values. A column of integers that are all statuses is one
// only next to an address, see assign.
func (c *tailColumn) main() form {
	for f, n := range c.forms {
		if n*2 > c.n {
			return form(f)
		}
	}
	if c.n > 0 && c.forms[formInteger]+c.forms[formStatus] == c.n {
		return formInteger
	}
	return formOther
}

// assign gives each column its use. Times come in the order in which nginx's documentation lists them (request time
// first, the upstream's response time last); of two, the longer one is the request's.
func assign(cols []tailColumn) []tailUse {
	uses := make([]tailUse, len(cols))
	var times, integers []int
	address := false
	for i := range cols {
		switch f := cols[i].main(); f {
		case formDecimal, formUnit:
			times = append(times, i)
		case formAddress:
			uses[i], address = useUpstream, true
		case formStatus:
			if address || i+1 < len(cols) && cols[i+1].main() == formAddress {
				uses[i] = useUpstreamStatus
				continue
			}
			integers = append(integers, i)
		case formInteger:
			integers = append(integers, i)
		case formIP:
			uses[i] = useForwarded
		case formID:
			uses[i] = useRequestID
		case formCache:
			uses[i] = useCache
		}
	}
	assignTimes(cols, uses, times)
	assignIntegers(cols, uses, integers, len(times) > 0)
	return uses
}

func assignTimes(cols []tailColumn, uses []tailUse, times []int) {
	if len(times) == 0 {
		return
	}
	first, last := times[0], times[len(times)-1]
	// Upstream time is part of request time, so if the last column is the larger, the order was the other way.
	if len(times) > 1 && sum(cols[last].numbers) > sum(cols[first].numbers) {
		first, last = last, first
	}
	uses[first] = useDuration
	if last != first {
		uses[last] = useUpstreamDuration
	}
}

func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

// assignIntegers finds the duration among integer columns when no decimal one is there: Apache's %D (microseconds) or
// %T (seconds), Tomcat's %D (milliseconds). One or three columns end in it (%I %O before it are bytes in and out);
// two are the bytes alone, as in Apache's combinedio.
func assignIntegers(cols []tailColumn, uses []tailUse, ints []int, timed bool) {
	switch {
	case timed && len(ints) > 0:
		uses[ints[0]] = useRequestBytes
	case len(ints) == 2:
		uses[ints[0]] = useRequestBytes
	case len(ints) == 1 || len(ints) == 3:
		last := ints[len(ints)-1]
		uses[last] = unitOf(cols[last].numbers)
		if len(ints) == 3 {
			uses[ints[0]] = useRequestBytes
		}
	}
}

// unitOf guesses the unit of whole-numbered request times. In seconds nearly all are 0. In microseconds none is below
// 20 (a request takes longer than that even when it is served from memory), which in milliseconds every static file
// is; and in milliseconds none is beyond ten minutes.
func unitOf(x []float64) tailUse {
	if len(x) == 0 {
		return useNone
	}
	sort.Float64s(x)
	median, largest := x[len(x)/2], x[len(x)-1]
	switch {
	case median == 0 && largest <= 600 && x[len(x)*9/10] <= 10:
		return useDuration
	case largest > 600_000, median >= 2000, x[0] >= 20 && len(x) >= 5:
		return useDurationUS
	}
	return useDurationMS
}
