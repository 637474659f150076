package parse

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// topologyFormat reads the call graph, one edge a line: {"from": caller, "to": callee}. caller/callee, source/target
// and parent/child (Jaeger's dependencies) are understood.
func topologyFormat() format {
	return format{name: "topology", kind: KindLog, read: readTopology, score: scoreTopology}
}

func readEdge(p *pull) (e inquest.Edge, keys int) {
	p.object(func(key []byte) {
		keys++
		to := &e.To
		switch string(key) {
		case "from", "caller", "source", "parent":
			to = &e.From
		case "to", "callee", "target", "destination", "child":
		default:
			return
		}
		if p.peek() == '"' {
			*to = p.str()
		}
	})
	return e, keys
}

func readTopology(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (int, error) {
	n := 0
	err := jsonValues(r, skip, func(value []byte, line int) error {
		p := &pull{b: value}
		one := func() {
			e, _ := readEdge(p)
			if e.From == "" || e.To == "" {
				if !p.bad {
					skip(line, `an edge needs "from" and "to"`)
				}
				return
			}
			n++
			sink.Signal(Signal{Edge: &e})
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

// scoreTopology asks that nearly every object is an edge and holds little else.
func scoreTopology(sample []byte) float64 {
	good, bad := 0, 0
	eachValue(sample, func(value []byte) {
		p := &pull{b: value}
		one := func() {
			if e, keys := readEdge(p); e.From != "" && e.To != "" && keys <= 5 {
				good++
			} else if !p.bad {
				bad++
			}
		}
		if p.peek() == '[' {
			p.array(one)
		} else {
			one()
		}
	})
	if good == 0 || bad > good/4 {
		return 0
	}
	return float64(good) / float64(good+bad)
}

// incidentFormat reads incident.json: what the alert said.
func incidentFormat() format {
	return format{name: "incident", kind: KindLog, read: readIncident, score: func(sample []byte) float64 {
		n := 0
		for _, k := range [...]string{`"target"`, `"window"`, `"baseline"`, `"metric"`} {
			if keysScore(sample, `"time"`, k) > 0 {
				n++
			}
		}
		if n < 2 || bytes.Contains(sample, []byte(`"level"`)) {
			return 0
		}
		return 1
	}}
}

// looseTime accepts RFC 3339, other full dates and Unix seconds or milliseconds.
type looseTime struct{ time.Time }

func (t *looseTime) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if s == "" || s == "null" {
		return nil
	}
	if b[0] != '"' {
		if ns, ok := expoTime(b); ok {
			t.Time = time.Unix(0, ns).UTC()
			return nil
		}
		return errJSON
	}
	v, ok := textTime(s)
	if !ok {
		return errJSON
	}
	t.Time = v
	return nil
}

func readIncident(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (int, error) {
	n := 0
	err := jsonValues(r, skip, func(value []byte, line int) error {
		type window struct{ From, To looseTime }
		var in struct {
			Time             looseTime
			Target, Metric   string
			Window, Baseline window
		}
		if err := json.Unmarshal(value, &in); err != nil {
			skip(line, `the alert could not be read: want {"time", "target", "metric", "window": {"from", "to"}, "baseline"} with RFC 3339 times`)
			return nil //nolint:nilerr // skip has told it; the next value may be well
		}
		n++
		sink.Signal(Signal{Hint: &inquest.Hint{Time: in.Time.Time, Target: in.Target, Metric: in.Metric,
			Window:   inquest.Window{From: in.Window.From.Time, To: in.Window.To.Time},
			Baseline: inquest.Window{From: in.Baseline.From.Time, To: in.Baseline.To.Time}}})
		return nil
	})
	return n, err
}

// webhookFormat reads deployment webhooks of GitHub and GitLab as their receivers log them, one JSON object each.
func webhookFormat() format {
	return format{name: "deploy-webhook", kind: KindLog, read: readWebhook, score: func(sample []byte) float64 {
		return max(keysScore(sample, `"object_kind"`, `"deployment"`), keysScore(sample, `"deployment"`, `"repository"`),
			keysScore(sample, `"deployment"`, `"sha"`, `"environment"`))
	}}
}

func readWebhook(r io.Reader, file string, sink Sink, skip func(line int, reason string)) (int, error) {
	n := 0
	err := jsonValues(r, skip, func(value []byte, line int) error {
		type named struct {
			Name string `json:"name"`
		}
		var h struct {
			Deployment json.RawMessage `json:"deployment"`
			Repository named           `json:"repository"`
			Status     string          `json:"status"`
			ChangedAt  string          `json:"status_changed_at"`
			ShortSHA   string          `json:"short_sha"`
			Title      string          `json:"commit_title"`
			Env        string          `json:"environment"`
			Project    named           `json:"project"`
		}
		var d struct {
			SHA         string `json:"sha"`
			Ref         string `json:"ref"`
			Environment string `json:"environment"`
			Description string `json:"description"`
			CreatedAt   string `json:"created_at"`
		}
		// GitLab's Status is a word; GitHub sends objects for other keys of no interest: type errors there do not matter.
		_ = json.Unmarshal(value, &h)
		_ = json.Unmarshal(h.Deployment, &d)
		c := inquest.Change{Kind: inquest.ChangeDeploy, Service: h.Repository.Name, Version: shortSHA(d.SHA), Summary: d.Description,
			Source: inquest.Source{File: file, Line: line}}
		at, env := d.CreatedAt, d.Environment
		if h.ChangedAt != "" {
			at, env, c.Service, c.Version, c.Summary = h.ChangedAt, h.Env, h.Project.Name, h.ShortSHA, h.Title
		}
		t, ok := gitDate(at)
		if !ok {
			skip(line, "no deployment with a time in it")
			return nil
		}
		if c.Time = t; c.Summary == "" {
			c.Summary = strings.TrimSpace("deploy " + c.Service + " " + d.Ref)
		}
		if env != "" {
			c.Summary += " (" + env + ")"
		}
		if h.Status == "failed" {
			c.Summary += ", failed"
		}
		n++
		sink.Signal(Signal{Change: &c})
		return nil
	})
	return n, err
}
