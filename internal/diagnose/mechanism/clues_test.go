package mechanism_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// The files testdata/clues/<class>/<mechanism>.txt hold a line of a log each:
//
//   - text            the mechanism is the best hit, or as good as the best
//   - text            the mechanism is no hit at all
//     < 0.3 text        the mechanism weighs at most that much: everyday noise
//   - [proxy] text    who says it: app (default), proxy, database, cache, broker, kernel, supervisor
const (
	wantPositive = 6
	wantNearMiss = 4
)

var origins = map[string]mechanism.Origin{"app": mechanism.OriginApp, "proxy": mechanism.OriginProxy, "database": mechanism.OriginDatabase,
	"cache": mechanism.OriginCache, "broker": mechanism.OriginBroker, "kernel": mechanism.OriginKernel, "supervisor": mechanism.OriginSupervisor}

type clueLine struct {
	sign string
	most float64
	text mechanism.Text
}

func TestCluesOfEachMechanism(t *testing.T) {
	matcher := mechanism.New(mechanism.All())
	for _, m := range mechanism.All() {
		t.Run(string(m.ID), func(t *testing.T) {
			lines := readClues(t, filepath.Join("testdata", "clues", filepath.FromSlash(string(m.ID))+".txt"))
			positive, near := 0, 0
			for _, l := range lines {
				var own, best float64
				var names []string
				for _, h := range matcher.Match(l.text) {
					best = max(best, h.Weight)
					if h.Mechanism == m.ID {
						own = h.Weight
					}
					names = append(names, string(h.Mechanism))
				}
				switch {
				case l.sign == "+":
					positive++
					if own == 0 || own < best {
						t.Errorf("+ %s\n  weighs %.1f here, best is %.1f of %v", l.text.Message, own, best, names)
					}
				case l.sign == "-":
					near++
					if own > 0 {
						t.Errorf("- %s\n  weighs %.1f here, should be nothing", l.text.Message, own)
					}
				default:
					near++
					if own == 0 || own > l.most {
						t.Errorf("< %.1f %s\n  weighs %.1f here", l.most, l.text.Message, own)
					}
				}
			}
			if positive < wantPositive || near < wantNearMiss {
				t.Errorf("%d positive lines and %d near misses, want %d and %d", positive, near, wantPositive, wantNearMiss)
			}
		})
	}
}

func readClues(t *testing.T, path string) []clueLine {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("every mechanism needs its positive lines and near misses: %v", err)
	}
	defer f.Close()
	var out []clueLine
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		line := sc.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		sign, rest, ok := strings.Cut(line, " ")
		if !ok || !strings.Contains("+-<", sign) {
			t.Fatalf("%s: %q begins with neither + nor - nor <", path, line)
		}
		l := clueLine{sign: sign}
		if sign == "<" {
			var n string
			n, rest, _ = strings.Cut(rest, " ")
			l.most = float64(n[len(n)-1]-'0') / 10
		}
		if strings.HasPrefix(rest, "[") {
			name, after, _ := strings.Cut(rest[1:], "] ")
			if o, ok := origins[name]; ok {
				l.text.Origin, rest = o, after
			}
		}
		l.text.Message = rest
		out = append(out, l)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
