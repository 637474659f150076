package parse_test

import (
	"context"
	"os"
	"path/filepath"
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
	k.rep = parse.ReadFile(context.Background(), dir, "in", parse.Options{Workers: 1}, func() parse.Sink { return k })
	if k.rep.Err != nil {
		t.Fatal(k.rep.Err)
	}
	if k.rep.Format != format {
		t.Fatalf("taken for %q, want %q", k.rep.Format, format)
	}
	return k
}
