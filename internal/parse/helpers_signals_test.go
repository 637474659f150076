package parse_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

// unsafeString views b as a string, as readers do with their buffers.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// kept keeps everything a file gave.
type kept struct {
	records []*parse.Record
	series  []*inquest.Series
	spans   []*inquest.Span
	changes []*inquest.Change
	edges   []*inquest.Edge
	hints   []*inquest.Hint
	rep     parse.FileReport
}

func (k *kept) Log(r *parse.Record) { k.records = append(k.records, r.Clone()) }

func (k *kept) Signal(s parse.Signal) {
	switch {
	case s.Series != nil:
		k.series = append(k.series, s.Series)
	case s.Span != nil:
		k.spans = append(k.spans, s.Span)
	case s.Change != nil:
		k.changes = append(k.changes, s.Change)
	case s.Edge != nil:
		k.edges = append(k.edges, s.Edge)
	case s.Hint != nil:
		k.hints = append(k.hints, s.Hint)
	}
}

// readText reads a text as the file "in" of a case, by one worker, and checks the format it is taken for.
func readText(t testing.TB, format, text string) *kept {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	k := &kept{}
	k.rep = parse.ReadFile(context.Background(), dir, "in", parse.Options{Workers: 1, AllFields: true}, func() parse.Sink { return k })
	if k.rep.Err != nil {
		t.Fatal(k.rep.Err)
	}
	if k.rep.Format != format {
		t.Fatalf("taken for %q, want %q", k.rep.Format, format)
	}
	return k
}

// fuzzDocument reads s as the named formats and checks what holds for any input: the line of every skip exists.
func fuzzDocument(t *testing.T, s string, formats ...string) *kept {
	t.Helper()
	k := &kept{}
	lines := strings.Count(s, "\n") + 1
	for _, f := range formats {
		parse.DocumentScore(f, []byte(s))
		_, err := parse.ReadDocument(f, strings.NewReader(s), k, func(line int, reason string) {
			if line < 1 || line > lines || reason == "" {
				t.Fatalf("%s: skipped line %d of %d: %q", f, line, lines, reason)
			}
		})
		if err != nil {
			t.Fatalf("%s: reading from memory failed: %v", f, err)
		}
	}
	return k
}
