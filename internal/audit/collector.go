package audit

import (
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// Collector looks at the records of one worker of one file; it is a parse.Sink.
type Collector struct {
	rules    []rule
	file     int32
	shift    time.Duration
	tallies  tallies
	holdings holdings
	logs     map[logKey]*logTally
	x        exchange
	route    []byte
	from, to int64
}

// NewCollector returns a collector for one worker of a file, by its number in Input.Files. shift is added to times without a zone.
func (a *Auditor) NewCollector(file int, shift time.Duration) *Collector {
	return &Collector{rules: a.rules, file: int32(file), shift: shift, tallies: newTallies(), logs: map[logKey]*logTally{}, x: exchange{judge: a.judge}}
}

// Signal ignores what is no record.
func (c *Collector) Signal(parse.Signal) {}

// Log takes one record.
func (c *Collector) Log(r *parse.Record) {
	at := r.Time
	if at != 0 && r.Clock != parse.ClockUTC {
		at += int64(c.shift)
	}
	if at != 0 {
		if c.from == 0 || at < c.from {
			c.from = at
		}
		c.to = max(c.to, at)
	}
	if r.Kind != parse.KindAccess || r.Status == 0 {
		c.record(r, at)
		c.limitLogged(r, at)
		return
	}
	x := &c.x
	x.look(r)
	c.hold(x)
	c.mapping(x, at)
	for i := range c.rules {
		if judge := c.rules[i].request; judge != nil {
			judge(x, func(detail string) {
				c.count(tallyKey{service: r.Service, rule: c.rules[i].ID, detail: detail}, x, at)
			})
		}
	}
}

// count counts one occurrence on the exchange's route.
func (c *Collector) count(k tallyKey, x *exchange, at int64) { c.countText(k, x, at, x.text) }

// countText is count with another text for the example.
func (c *Collector) countText(k tallyKey, x *exchange, at int64, text func() string) {
	c.route = append(append(c.route[:0], x.Method...), ' ')
	k.route = strings.TrimLeft(string(mem.AppendRoute(c.route, x.URL)), " ")
	k.service = strings.Clone(k.service)
	t := c.tallies.get(k)
	t.at(at, 1)
	if t.wants(c.file, int32(x.Line)) {
		t.keep(example{file: c.file, line: int32(x.Line), time: at, text: text()})
	}
}

func (c *Collector) hold(x *exchange) {
	h := &c.holdings
	h.requests++
	told := len(x.tries) > 0 || x.others > 0
	if told {
		h.attempts++
	}
	if !idempotent(x.Method) {
		h.nonIdem++
		if told || x.Get("retries") != "" {
			h.nonIdemTries++
		}
	}
	if x.said != "" {
		h.bodies++
	}
	if x.Status == 503 || x.Status == 429 {
		if x.Status == 503 {
			h.unavailable++
		} else {
			h.limited++
		}
		if _, told := x.retryAfter(); told {
			h.retryAfter++
		}
	}
}
