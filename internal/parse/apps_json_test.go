package parse

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// flat renders what the scanner found as path=value pairs.
func flat(s *jsonScanner) string {
	var out []string
	for i := range s.vals {
		out = append(out, fmt.Sprintf("%s=%s", s.vals[i].key.path, s.text(&s.vals[i])))
	}
	return strings.Join(out, " ")
}

func TestJSONScanner(t *testing.T) {
	for name, c := range map[string]struct {
		in, want string
		whole    bool
	}{
		"values of every kind":             {`{"a":"x","b":-1.5e3,"c":true,"d":null,"e":[1,{"f":"]"}]}`, `a=x b=-1.5e3 c=true d= e=[1,{"f":"]"}]`, true},
		"nested objects become paths":      {`{"req":{"method":"GET","h":{"x":1}},"s":2}`, `req.method=GET req.h.x=1 s=2`, true},
		"blanks anywhere":                  {" { \"a\" : 1 ,\t\"b\" : { } , \"c\":\"z\" } ", `a=1 c=z`, true},
		"escapes":                          {`{"a":"x\n\"y\"\u00e9\ud83d\ude00\/"}`, "a=x\n\"y\"é😀/", true},
		"a lone surrogate":                 {`{"a":"\ud83dx"}`, "a=\ufffdx", true},
		"a backslash before the quote":     {`{"a":"x\\","b":1}`, `a=x\ b=1`, true},
		"a line cut inside a string":       {`{"a":1,"b":"xy`, `a=1 b=xy`, false},
		"a line cut inside a key":          {`{"a":1,"b`, `a=1`, false},
		"a line cut inside an array":       {`{"a":1,"b":[1,2`, `a=1 b=[1,2`, false},
		"a broken value":                   {`{"a":1,"b":oops,"c":2}`, `a=1`, false},
		"an empty object":                  {`{}`, ``, true},
		"text behind the object":           {`{"a":1} trailing`, `a=1`, true},
		"no object":                        {`[1,2]`, ``, false},
		"Python's NaN":                     {`{"a":NaN,"b":1}`, `a= b=1`, true},
		"very deep objects stay text":      {`{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}`, `a.a.a.a.a.a.a={"a":1}`, true},
		"the same key twice in one object": {`{"a":1,"a":2}`, `a=1 a=2`, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newJSONScanner(func(*jsonKey) {})
			for range 2 { // the second time with the order of keys known
				_, whole := s.scan([]byte(c.in))
				if got := flat(s); got != c.want || whole != c.whole {
					t.Errorf("scan(%s) = %q, %v; want %q, %v", c.in, got, whole, c.want, c.whole)
				}
			}
		})
	}
}

func TestJSONScannerIsBoundedWhenKeysAreIDs(t *testing.T) {
	s := newJSONScanner(func(*jsonKey) {})
	for i := range 3 * maxJSONKeys {
		line := fmt.Sprintf(`{"id%d":{"n":1},"last":"x"}`, i)
		s.scan([]byte(line))
		if n := len(s.vals); n == 0 || s.text(&s.vals[n-1]) != "x" {
			t.Fatalf("line %d read as %q", i, flat(s))
		}
	}
	if len(s.index) > maxJSONKeys {
		t.Errorf("remembers %d keys, want at most %d", len(s.index), maxJSONKeys)
	}
}

func TestJSONScannerDoesNotAllocateOnKnownLines(t *testing.T) {
	line := []byte(`{"level":"info","time":"2026-01-15T08:00:00.000Z","req":{"method":"GET","path":"/x"},"status":200}`)
	p := newJSON(&jsonVariant{name: "json"})(nil)
	var r Record
	p.parse(line, &r)
	if n := testing.AllocsPerRun(100, func() { r.Reset(); p.parse(line, &r) }); n != 0 {
		t.Errorf("%v allocations a line", n)
	}
}

// FuzzJSONScanner holds the scanner against encoding/json: what that takes, the scanner takes whole.
func FuzzJSONScanner(f *testing.F) {
	for _, s := range []string{`{"a":"x\u00e9\n","b":{"c":[1,2,{"d":null}]},"e":-1.5e-3}`, `{"a":1,"a":"\ud83d"}`, `{"":""}`, `{"a":tru`, `{ }`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newJSONScanner(func(*jsonKey) {})
		s.scan(b)
		end, whole := s.scan(b)
		if end < 0 || end > len(b)+1 {
			t.Fatalf("ended at %d of %d", end, len(b))
		}
		for i := range s.vals {
			s.text(&s.vals[i])
		}
		var m map[string]json.RawMessage
		if json.Unmarshal(b, &m) == nil && m != nil && !whole {
			t.Fatalf("encoding/json takes %q, the scanner stopped at %d", b, end)
		}
	})
}
