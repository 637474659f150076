package parse

import (
	"bytes"
	"io"
	"math"
	"time"
)

// Prometheus' HTTP API: what `curl …/api/v1/query_range` or promtool saved. Mimir, Thanos and VictoriaMetrics answer
// alike.
func promAPIFormat() format {
	return format{name: "prometheus-api", kind: KindLog, read: readPromAPI, score: func(sample []byte) float64 {
		return keysScore(sample, `"resultType"`, `"result"`)
	}}
}

// keysScore is 1 when the sample starts like JSON and has all keys in its first 4 KB.
func keysScore(sample []byte, keys ...string) float64 {
	s := bytes.TrimLeft(sample, " \t\r\n")
	if len(s) == 0 || s[0] != '{' && s[0] != '[' {
		return 0
	}
	s = s[:min(len(s), 4096)]
	for _, k := range keys {
		if !bytes.Contains(s, []byte(k)) {
			return 0
		}
	}
	return 1
}

func readPromAPI(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (int, error) {
	n := 0
	err := jsonValues(r, skip, func(value []byte, line int) error {
		p := &pull{b: value}
		q := promResult{file: file, sink: sink}
		p.object(func(key []byte) {
			switch string(key) {
			case "data":
				q.data(p)
			case "result": // the data object on its own
				q.result(p)
			case "resultType":
				q.kind = p.str()
			case "error":
				q.failed = p.str()
			}
		})
		switch {
		case q.failed != "":
			skip(line, "the API answered with an error: "+q.failed)
		case p.bad:
			skip(line, errJSON.Error())
		case q.kind == "streams":
			skip(line, "log streams of Loki in API form are not read: export them as lines")
		case q.n == 0:
			skip(line, "a query result without samples")
		}
		n += q.n
		return nil
	})
	return n, err
}

// promResult reads data{resultType, result[{metric{}, value[t,"v"] | values[[t,"v"]...]}]}.
type promResult struct {
	file   string
	sink   Sink
	kind   string
	failed string
	n      int
}

func (q *promResult) data(p *pull) {
	p.object(func(key []byte) {
		switch string(key) {
		case "resultType":
			q.kind = p.str()
		case "result":
			q.result(p)
		}
	})
}

func (q *promResult) result(p *pull) {
	p.array(func() {
		if p.peek() != '{' { // scalar: [t, "v"]
			p.skip()
			return
		}
		name, labels, points := "query", map[string]string{}, []point(nil)
		p.object(func(key []byte) {
			switch string(key) {
			case "metric":
				p.object(func(label []byte) {
					k := unescapeJSON(label)
					v := p.str()
					if k == "__name__" {
						name = v
					} else {
						labels[k] = v
					}
				})
			case "value":
				points = q.point(p, points)
			case "values":
				p.array(func() { points = q.point(p, points) })
			}
		})
		if p.bad || len(points) == 0 {
			return
		}
		q.n += len(points)
		q.sink.Signal(Signal{Series: newSeries(q.file, name, "", labels, points, false)})
	})
}

func (q *promResult) point(p *pull, points []point) []point {
	t, v, i, good := 0.0, 0.0, 0, true
	p.array(func() {
		x, ok := p.num()
		good = good && ok
		if i == 0 {
			t = x
		} else if i == 1 {
			v = x
		}
		i++
	})
	if !good || i != 2 || v != v || math.IsInf(t, 0) {
		return points
	}
	ns := secondsOrLess(t)
	if ns == noTime {
		return points
	}
	return append(points, point{ns, v})
}

// AWS CloudWatch: `aws cloudwatch get-metric-data` and `get-metric-statistics`.
func cloudWatchFormat() format {
	return format{name: "cloudwatch", kind: KindLog, read: readCloudWatch, score: func(sample []byte) float64 {
		return max(keysScore(sample, `"MetricDataResults"`), keysScore(sample, `"Datapoints"`))
	}}
}

func readCloudWatch(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (int, error) {
	n := 0
	err := jsonValues(r, skip, func(value []byte, line int) error {
		p := &pull{b: value}
		c := cloudWatch{file: file, sink: sink}
		p.object(func(key []byte) {
			switch string(key) {
			case "MetricDataResults":
				p.array(func() { c.metricData(p) })
			case "Datapoints":
				p.array(func() { c.datapoint(p) })
			case "Label":
				c.label = p.str()
			}
		})
		c.flush()
		if p.bad {
			skip(line, errJSON.Error())
		} else if c.n == 0 {
			skip(line, "a CloudWatch answer without values")
		}
		n += c.n
		return nil
	})
	return n, err
}

type cloudWatch struct {
	file  string
	sink  Sink
	label string
	unit  string
	stats map[string][]point // get-metric-statistics: one series a statistic
	n     int
}

// metricData reads {Id, Label, Timestamps[], Values[]}; CloudWatch answers newest first.
func (c *cloudWatch) metricData(p *pull) {
	labels := map[string]string{}
	name := ""
	var times []int64
	var values []float64
	p.object(func(key []byte) {
		switch string(key) {
		case "Id":
			labels["id"] = p.str()
		case "Label":
			name = p.str()
		case "Timestamps":
			p.array(func() { times = append(times, awsTime(p)) })
		case "Values":
			p.array(func() {
				v, ok := p.num()
				if !ok {
					v = math.NaN()
				}
				values = append(values, v)
			})
		}
	})
	if name == "" {
		name = labels["id"]
	}
	var points []point
	for i := 0; i < len(times) && i < len(values); i++ {
		if times[i] != noTime && values[i] == values[i] {
			points = append(points, point{times[i], values[i]})
		}
	}
	if len(points) == 0 || p.bad {
		return
	}
	c.n += len(points)
	c.sink.Signal(Signal{Series: newSeries(c.file, name, "gauge", labels, points, false)})
}

// datapoint reads {Timestamp, Average, Maximum, …, Unit}.
func (c *cloudWatch) datapoint(p *pull) {
	t := int64(noTime)
	vals := map[string]float64{}
	p.object(func(key []byte) {
		switch k := string(key); k {
		case "Timestamp":
			t = awsTime(p)
		case "Unit":
			c.unit = p.str()
		case "Average", "Sum", "Minimum", "Maximum", "SampleCount":
			if v, ok := p.num(); ok {
				vals[k] = v
			}
		case "ExtendedStatistics":
			p.object(func(stat []byte) {
				if v, ok := p.num(); ok {
					vals[string(stat)] = v
				}
			})
		}
	})
	if t == noTime || p.bad {
		return
	}
	if c.stats == nil {
		c.stats = map[string][]point{}
	}
	for k, v := range vals {
		c.stats[k] = append(c.stats[k], point{t, v})
	}
}

func (c *cloudWatch) flush() {
	for _, stat := range sortedKeys(c.stats) {
		labels := map[string]string{"stat": stat}
		if c.unit != "" && c.unit != "None" {
			labels["unit"] = c.unit
		}
		name := c.label
		if name == "" {
			name = "datapoints"
		}
		c.n += len(c.stats[stat])
		c.sink.Signal(Signal{Series: newSeries(c.file, name, "gauge", labels, c.stats[stat], false)})
	}
}

// awsTime reads RFC 3339 (CLI version 2) or Unix seconds (version 1, SDKs).
func awsTime(p *pull) int64 {
	if p.peek() != '"' {
		if v, ok := p.num(); ok {
			return secondsOrLess(v)
		}
		return noTime
	}
	t, err := time.Parse(time.RFC3339, p.str())
	if err != nil {
		return noTime
	}
	return t.UnixNano()
}
