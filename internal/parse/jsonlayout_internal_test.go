package parse

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// layoutLines are lines of programs as the loggers lay them out, two or more of each layout.
var layoutLines = []string{
	`{"level":"info","time":"2026-01-15T08:00:00.001Z","pid":6,"hostname":"c-51e","service":"catalog","trace_id":"9db2","req":{"method":"GET","path":"/a?x=1"},"status":200,"duration_ms":20.75,"msg":"request completed"}`,
	`{"level":"info","time":"2026-01-15T08:00:01.001Z","pid":7,"hostname":"c-51e","service":"catalog","trace_id":"9db3","req":{"method":"POST","path":"/b"},"status":503,"duration_ms":1,"msg":"request completed"}`,
	`{"level":"info","time":"2026-01-15T08:00:01.001Z","pid":7,"hostname":"c-51e","service":"catalog","trace_id":"9db3","req":{"method":"POST","path":"/b"},"status":"failed","duration_ms":1,"msg":"request completed"}`,
	`{"level":"info","time":"2026-01-15T08:00:01.001Z","pid":7,"hostname":"c-51e","service":"","trace_id":"9db3","req":{"method":"","path":"/\"b\""},"status":200,"duration_ms":1e3,"msg":"request \n completed"}`,
	`{"level":"info","time":"2026-01-15T08:00:02.001Z","pid":7,"hostname":"c-51e","service":"catalog","trace_id":"9db4","msg":"cache hit","key":"k:1","elapsed_ms":0.25}`,
	`{"level":"info","time":"2026-01-15T08:00:00Z","method":"GET","path":"/a","status":200,"retry_after":null,"sent":{"retry_after":""},"msg":"ok"}`,
	`{"level":"info","time":"2026-01-15T08:00:00Z","method":"GET","path":"/a","status":200,"retry_after":null,"sent":{"retry_after":"7"},"msg":"ok"}`,
	`{"level":30,"time":1764347521000,"pid":1,"hostname":"h","req":{"id":1,"method":"GET","url":"/x","headers":{}},"res":{"statusCode":200},"responseTime":3,"msg":"request completed"}`,
	`{"level":50,"time":1764347521001,"pid":1,"hostname":"h","req":{"id":2,"method":"GET","url":"/y","headers":{}},"res":{"statusCode":500},"responseTime":4,"msg":"request errored"}`,
	`{"ts": "2026-01-15T08:00:00Z", "level": "INFO", "ok": true, "user": null, "tags": ["a","b"], "msg": "done"}`,
	`{"ts": "2026-01-15T08:00:01Z", "level": "INFO", "ok": false, "user": null, "tags": [], "msg": "done"}`,
	`{"ts": "2026-01-15T08:00:01Z", "level": "INFO", "ok": true, "user": "eve", "tags": "none", "msg": "done"}`,
	`{"msg":"cut off in the mid`,
	`{"msg":"more behind the object","level":"warn"} trailing`,
	`{"a":{"b":{"c":1}},"msg":"nested","level":"error"}`,
	`{"a":{"b":{"c":1,"d":"x"}},"msg":"nested","level":"error"}`,
	`{"":1,"msg":"a key without a name","level":"error"}`,
	`{}`,
}

// parsed is what a parser makes of lines, one after the other; thorough keeps it from learning layouts.
func parsed(thorough, lean bool, lines []string) []*Record {
	p := newJSON(&jsonVariant{name: "json"})(nil).(*jsonParser)
	p.allFields(!lean)
	if thorough {
		p.scan.vain = maxVainTries
	}
	var out []*Record
	for _, l := range lines {
		var r Record
		r.Reset()
		if !p.parse([]byte(l), &r) {
			out = append(out, nil)
			continue
		}
		out = append(out, r.Clone())
	}
	return out
}

func TestALineOfAKnownLayoutReadsAsTheThoroughWay(t *testing.T) {
	for _, lean := range []bool{false, true} {
		for _, a := range layoutLines {
			for _, b := range layoutLines {
				lines := []string{a, b, a, b}
				if d := cmp.Diff(parsed(true, lean, lines), parsed(false, lean, lines)); d != "" {
					t.Errorf("%s\n%s\n(-thorough +by layout)\n%s", a, b, d)
				}
			}
		}
	}
}

func TestLayoutsAreFollowed(t *testing.T) {
	s := newJSONScanner(func(*jsonKey) {})
	follow := func(line string) bool { leaf, _ := s.follow([]byte(line)); return leaf != nil }
	learn := func(line string) {
		b := []byte(line)
		if end, whole := s.scan(b); whole {
			s.learn(b, end)
		}
	}
	if follow(layoutLines[0]) {
		t.Error("a layout is known before a line was read")
	}
	learn(layoutLines[0])
	if !follow(layoutLines[0]) || !follow(layoutLines[1]) {
		t.Error("the layout of a line is not known on the next one")
	}
	if follow(layoutLines[2]) || follow(layoutLines[4]) || follow(layoutLines[0][:100]) {
		t.Error("a line of another layout, or half a line, is taken")
	}
	for i := range 10_000 { // every line with keys of its own
		line := `{"level":"info","` + strings.Repeat("k", 1+i%700) + `":1,"msg":"x"}`
		if !follow(line) {
			learn(line)
		}
	}
	if s.grown > maxLayouts || s.vain < maxVainTries {
		t.Errorf("%d nodes, %d vain tries: layouts are learnt without end", s.grown, s.vain)
	}
}

func FuzzLayouts(f *testing.F) {
	for i, l := range layoutLines {
		f.Add(l, layoutLines[(i+1)%len(layoutLines)])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		lines := []string{a, b, a, b}
		if d := cmp.Diff(parsed(true, true, lines), parsed(false, true, lines)); d != "" {
			t.Errorf("(-thorough +by layout)\n%s", d)
		}
	})
}
