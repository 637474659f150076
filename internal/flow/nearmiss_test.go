package flow_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/flow"
)

const clues = "../diagnose/mechanism/testdata/clues"

// clue is one line of a mechanism's clue file: "+ text" speaks for it, "- text" looks like it and does not; "[proxy] " in
// front says who writes it, an application if nothing stands there.
type clue struct{ sign, origin, text string }

func cluesOf(t *testing.T, id inquest.MechanismID) []clue {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(clues, filepath.FromSlash(string(id))+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	var out []clue
	for line := range strings.Lines(string(b)) {
		sign, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if sign != "+" && sign != "-" {
			continue
		}
		c := clue{sign, "app", text}
		if name, rest, ok := strings.Cut(strings.TrimPrefix(text, "["), "] "); ok && strings.HasPrefix(text, "[") && origins[name] != nil {
			c.origin, c.text = name, rest
		}
		out = append(out, c)
	}
	return out
}

// origins write a line as the log of whom it is from does, into the file of theirs.
var origins = map[string]func(at time.Time, id, text string) (file, line string){
	"app": func(at time.Time, id, text string) (string, string) {
		return "orders.log", fmt.Sprintf("%s ERROR [worker-1] shop.Orders - %s request_id=%s\n", at.Format("2006-01-02T15:04:05.000Z07:00"), text, id)
	},
	"proxy": func(at time.Time, id, text string) (string, string) {
		return "nginx-error.log", fmt.Sprintf("%s [error] 31#31: *7 %s, client: 10.0.0.9, server: shop, request: \"POST /orders HTTP/1.1\", upstream: \"http://10.0.0.5:8080/orders\", host: \"shop\"\n", at.Format("2006/01/02 15:04:05"), text)
	},
	"database": func(at time.Time, id, text string) (string, string) {
		return "postgresql.log", fmt.Sprintf("%s UTC [4711] app@shop %s\n", at.Format("2006-01-02 15:04:05.000"), severity(text))
	},
	"kernel": func(at time.Time, id, text string) (string, string) {
		return "kern.log", fmt.Sprintf("%s host kernel: %s\n", at.Format("2006-01-02T15:04:05.000000Z07:00"), text)
	},
	"supervisor": func(at time.Time, id, text string) (string, string) {
		return "supervisord.log", fmt.Sprintf("%s WARN %s\n", at.Format("2006-01-02 15:04:05,000"), text)
	},
}

func severity(text string) string {
	for _, s := range []string{"FATAL", "ERROR", "LOG", "PANIC", "WARNING"} {
		if strings.HasPrefix(text, s+":") {
			return s + ":  " + strings.TrimSpace(text[len(s)+1:])
		}
	}
	return "ERROR:  " + text
}

// shopSaying is a shop behind nginx of which one route fails from the sixth minute on, and then someone says the text.
func shopSaying(t *testing.T, c clue) string {
	t.Helper()
	files := map[string]*bytes.Buffer{"nginx-access.log": {}, "orders.log": {}}
	start := time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC)
	for i := range 1200 {
		at, route, status := start.Add(time.Duration(i)*500*time.Millisecond), []string{"GET /items", "GET /cart", "POST /orders"}[i%3], 200
		id := fmt.Sprintf("7cab%028x", 7919*i)
		if i%3 == 2 && i > 720 {
			status = 500
			name, line := origins[c.origin](at.Add(-5*time.Millisecond), id, c.text)
			if files[name] == nil {
				files[name] = &bytes.Buffer{}
			}
			files[name].WriteString(line)
		} else {
			fmt.Fprintf(files["orders.log"], "%s INFO  [worker-1] shop.Http - %s answered request_id=%s\n", at.Format("2006-01-02T15:04:05.000Z07:00"), route, id)
		}
		fmt.Fprintf(files["nginx-access.log"], "10.1.0.%d - - [%s] \"%s HTTP/1.1\" %d 120 \"-\" \"curl/8\" rt=0.012 ua=\"10.0.0.5:8080\" us=\"%d\" rid=%s\n", i%200, at.Format("02/Jan/2006:15:04:05 -0700"), route, status, status, id)
	}
	dir := t.TempDir()
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// silent are the mechanisms whose words do not suffice in a shop that goes on answering, with the reason.
var silent = map[inquest.MechanismID]string{
	"bad-deploy/startup-crash": "who answers 500 has started: the mechanism asks for a process that is away",
}

// A mechanism's own words name it, and what only looks like them does not: all the way from the files to the verdict.
func TestWordsLeadToTheirMechanismAndNearMissesElsewhere(t *testing.T) {
	if testing.Short() {
		t.Skip("some hundred investigations: make test-full")
	}
	for _, m := range mechanism.All() {
		t.Run(string(m.ID), func(t *testing.T) {
			t.Parallel()
			named, tried := 0, 0
			for _, c := range cluesOf(t, m.ID) {
				if origins[c.origin] == nil {
					continue
				}
				out, err := flow.Investigate(context.Background(), shopSaying(t, c), flow.Options{Workers: 1})
				if err != nil {
					t.Fatal(err)
				}
				v := verdictOf(out.Diagnosis)
				switch c.sign {
				case "+":
					if tried++; v.Mechanism == m.ID {
						named++
					}
				case "-":
					if v.Mechanism == m.ID {
						t.Errorf("near miss %q of %s gives %s with %.2f", c.text, c.origin, v.Level, v.Confidence)
					}
				}
			}
			if why := silent[m.ID]; why != "" && named == 0 {
				return
			}
			if named*2 < tried {
				t.Errorf("%d of %d lines that speak for it make a verdict of it", named, tried)
			}
		})
	}
}
