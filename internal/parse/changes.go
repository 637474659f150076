package parse

import (
	"bytes"
	"io"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// changesFormat reads the change record, see docs/format/changes.md: one JSON object a line, or an array of them.
func changesFormat() format {
	return format{name: "changes", kind: KindLog, read: readChanges, score: scoreChanges}
}

// changeKeys lists the spellings that deployment tools and hand-kept records use, in order of preference. service
// comes before what may also name something else.
var changeKeys = map[string]struct {
	field string
	rank  int
}{
	"time": {"time", 9}, "timestamp": {"time", 8}, "@timestamp": {"time", 8}, "at": {"time", 7}, "ts": {"time", 7}, "when": {"time", 7},
	"date": {"time", 6}, "datetime": {"time", 6}, "created_at": {"time", 5}, "createdat": {"time", 5}, "started_at": {"time", 5},
	"start": {"time", 4}, "deployed_at": {"time", 5}, "finished_at": {"time", 3},

	"kind": {"kind", 9}, "type": {"kind", 8}, "change_type": {"kind", 8}, "changetype": {"kind", 8}, "change": {"kind", 6},
	"category": {"kind", 5}, "action": {"kind", 4}, "event": {"kind", 4}, "event_type": {"kind", 5},

	"service": {"service", 9}, "app": {"service", 8}, "application": {"service", 8}, "component": {"service", 7}, "target": {"service", 6},
	"service_name": {"service", 8}, "deployment": {"service", 5}, "resource": {"service", 5}, "project": {"service", 4},
	"repository": {"service", 3}, "repo": {"service", 3}, "host": {"service", 2},

	"version": {"version", 9}, "tag": {"version", 8}, "image": {"version", 7}, "release": {"version", 7}, "revision": {"version", 6},
	"commit": {"version", 5}, "sha": {"version", 5}, "build": {"version", 4}, "to_version": {"version", 8},

	"summary": {"summary", 9}, "message": {"summary", 8}, "msg": {"summary", 7}, "description": {"summary", 7}, "title": {"summary", 7},
	"text": {"summary", 5}, "detail": {"summary", 4}, "details": {"summary", 4}, "note": {"summary", 4}, "comment": {"summary", 4},
}

// rawChange is one object before its words are interpreted.
type rawChange struct {
	val   map[string]string
	rank  map[string]int
	log   bool // has a key that only log records have
	isNum bool // the time is a number
}

func readRawChange(p *pull) rawChange {
	c := rawChange{val: map[string]string{}, rank: map[string]int{}}
	p.object(func(key []byte) {
		k := strings.ToLower(string(key))
		switch k {
		case "level", "severity", "lvl", "loglevel", "status_code", "@l", "levelname":
			c.log = true
		}
		f, ok := changeKeys[k]
		if !ok || f.rank <= c.rank[f.field] {
			return
		}
		num := p.peek() != '"'
		if v := strings.TrimSpace(p.str()); v != "" {
			c.val[f.field], c.rank[f.field] = v, f.rank
			if f.field == "time" {
				c.isNum = num
			}
		}
	})
	return c
}

// time reads the time; without a zone it is taken as UTC, which docs/format/changes.md says.
func (c *rawChange) time() (time.Time, bool) {
	v := c.val["time"]
	if c.isNum || digits(v) {
		if ns, ok := expoTime([]byte(v)); ok && ns > 0 {
			return time.Unix(0, ns).UTC(), true
		}
		return time.Time{}, false
	}
	return textTime(v)
}

// textTime reads a date and time that fills the whole string.
func textTime(v string) (time.Time, bool) {
	ns, n, clock := parseTime([]byte(v))
	if n == 0 || clock == ClockNone || clock == ClockNoYear || strings.Trim(v[n:], " Z()UTC") != "" {
		return time.Time{}, false
	}
	return time.Unix(0, ns).UTC(), true
}

func readChanges(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (int, error) {
	n := 0
	err := jsonValues(r, skip, func(value []byte, first int) error {
		p := &pull{b: value}
		seen, line := 0, first
		one := func() {
			line += bytes.Count(value[seen:p.i], []byte("\n")) // of an array, the line where the element begins
			seen = p.i
			c := readRawChange(p)
			if p.bad {
				return
			}
			at, ok := c.time()
			if !ok {
				skip(line, "a change needs a time such as 2026-11-20T16:00:00Z")
				return
			}
			ch := c.change(at)
			ch.Source = inquest.Source{File: file, Line: line}
			n++
			sink.Signal(Signal{Change: &ch})
		}
		if p.peek() == '[' {
			p.array(one)
		} else {
			one()
		}
		if p.bad {
			skip(line, errJSON.Error())
		}
		return nil
	})
	return n, err
}

// change interprets the words. A kind that nobody knows becomes config, with the original word kept in the summary.
func (c *rawChange) change(at time.Time) inquest.Change {
	word := c.val["kind"]
	kind, known := changeKind(word)
	ch := inquest.Change{Time: at, Kind: kind, Service: c.val["service"], Version: c.val["version"], Summary: c.val["summary"]}
	if ch.Summary == "" {
		ch.Summary = strings.TrimSpace(strings.Join([]string{word, ch.Service, ch.Version}, " "))
	}
	// "rollback" is a deploy, but the reader must learn which way it went.
	low := strings.ToLower(word)
	if (!known && word != "" || strings.Contains(low, "roll")) && !strings.Contains(strings.ToLower(ch.Summary), low) {
		ch.Summary = word + ": " + ch.Summary
	}
	return ch
}

// kindWords maps the words in use to the seven kinds; the first that occurs in the word decides, so the narrow ones
// come first ("config_rollout" is a configuration change, "feature flag release" a flag).
var kindWords = [...]struct {
	word string
	kind inquest.ChangeKind
}{
	{"flag", inquest.ChangeFlag}, {"toggle", inquest.ChangeFlag}, {"experiment", inquest.ChangeFlag},
	{"migrat", inquest.ChangeMigration}, {"schema", inquest.ChangeMigration}, {"ddl", inquest.ChangeMigration},
	{"config", inquest.ChangeConfig}, {"setting", inquest.ChangeConfig}, {"secret", inquest.ChangeConfig}, {"reload", inquest.ChangeConfig},
	{"scal", inquest.ChangeScale}, {"resize", inquest.ChangeScale}, {"replica", inquest.ChangeScale},
	{"restart", inquest.ChangeRestart}, {"reboot", inquest.ChangeRestart}, {"bounce", inquest.ChangeRestart},
	{"infra", inquest.ChangeInfra}, {"maintenance", inquest.ChangeInfra}, {"network", inquest.ChangeInfra}, {"dns", inquest.ChangeInfra},
	{"cert", inquest.ChangeInfra}, {"backup", inquest.ChangeInfra}, {"failover", inquest.ChangeInfra}, {"patch", inquest.ChangeInfra},
	{"firewall", inquest.ChangeInfra}, {"terraform", inquest.ChangeInfra}, {"upgrade", inquest.ChangeInfra},
	{"deploy", inquest.ChangeDeploy}, {"release", inquest.ChangeDeploy}, {"roll", inquest.ChangeDeploy}, {"revert", inquest.ChangeDeploy},
	{"hotfix", inquest.ChangeDeploy}, {"promot", inquest.ChangeDeploy}, {"publish", inquest.ChangeDeploy}, {"commit", inquest.ChangeDeploy},
}

func changeKind(word string) (kind inquest.ChangeKind, known bool) {
	low := strings.ToLower(word)
	for _, k := range kindWords {
		if strings.Contains(low, k.word) {
			return k.kind, true
		}
	}
	return inquest.ChangeConfig, false
}

// scoreChanges: every object of the sample has a time and either a kind of ours or what a change has (version,
// service, summary), and nothing that only log records have.
func scoreChanges(sample []byte) float64 {
	if s := bytes.TrimLeft(sample, " \t\r\n"); len(s) == 0 || s[0] != '{' && s[0] != '[' {
		return 0
	}
	good, bad := 0, 0
	one := func(p *pull) {
		c := readRawChange(p)
		if p.bad {
			return // cut by the end of the sample
		}
		_, known := changeKind(c.val["kind"])
		_, timed := c.time()
		switch {
		case c.log || !timed || c.val["kind"] == "":
			bad++
		case known || c.val["service"] != "" && c.val["summary"] != "" && len(c.val["kind"]) < 30:
			good++
		default:
			bad++
		}
	}
	eachValue(sample, func(value []byte) {
		p := &pull{b: value}
		if p.peek() == '[' {
			p.array(func() { one(p) })
		} else {
			one(p)
		}
	})
	if good == 0 || bad > good/4 {
		return 0
	}
	return float64(good) / float64(good+bad)
}

// eachValue hands on the whole JSON values of a sample; an array that the sample cuts off is handed on as it is.
func eachValue(sample []byte, f func(value []byte)) {
	for n := 0; n < 100; n++ {
		sample = bytes.TrimLeft(sample, " \t\r\n,")
		scan := valueScanner{}
		end, state := scan.next(sample)
		switch {
		case state == valueBad:
			return
		case state == valueMore:
			if len(sample) > 0 && sample[0] == '[' {
				f(sample)
			}
			return
		}
		f(sample[:end])
		sample = sample[end:]
	}
}
