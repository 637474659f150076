package parse_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/inquesthq/inquest/internal/parse"
)

// pieces reads a file as a follower does: each time up to one of the places.
func pieces(t testing.TB, data []byte, known bool, places ...int) ([]*parse.Record, []parse.FileReport) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	m := &memory{}
	var reports []parse.FileReport
	opts := parse.Options{Workers: 1}
	if known {
		opts.Known = new(parse.Known)
	}
	from := int64(0)
	for _, to := range append(places, len(data)) {
		if err := os.WriteFile(path, data[:to], 0o600); err != nil { // what is not written yet is not there
			t.Fatal(err)
		}
		rep := parse.ReadRange(context.Background(), dir, "a.log", from, int64(to), opts, func() parse.Sink { return m })
		if rep.Records+rep.Joined+rep.Skipped != rep.Lines {
			t.Errorf("lines not accounted for: %d records + %d joined + %d skipped, %d lines", rep.Records, rep.Joined, rep.Skipped, rep.Lines)
		}
		reports = append(reports, rep)
		from = rep.Through
	}
	return m.sorted(), reports
}

func growing() map[string]string {
	var access, json, java strings.Builder
	for i := range 300 {
		fmt.Fprintf(&access, "10.0.0.%d - - [29/Nov/2026:14:%02d:%02d +0000] \"GET /products/%d HTTP/1.1\" 200 512 \"-\" \"curl/8\" 0.012 0.011 10.1.1.1:8080 200\n", i%250, i/60, i%60, i)
		fmt.Fprintf(&json, `{"time":"2026-11-29T14:%02d:%02dZ","level":"ERROR","msg":"pool exhausted","attempt":%d,"service":"checkout"}`+"\n", i/60, i%60, i)
		fmt.Fprintf(&java, "2026-11-29 14:%02d:%02d.000 ERROR [main] c.s.Cart : total failed\njava.lang.NullPointerException: price\n\tat com.shop.Cart.total(Cart.java:%d)\n\tat com.shop.Web.get(Web.java:7)\n", i/60, i%60, i+1)
	}
	return map[string]string{"nginx": access.String(), "slog": json.String(), "java": java.String()}
}

func TestAFileReadInPiecesIsReadAsAWhole(t *testing.T) {
	t.Parallel()
	for name, text := range growing() {
		data := []byte(text)
		whole, want := read(t, data, parse.Options{Workers: 1})
		if want.Format == "" || len(whole) != 300 {
			t.Fatalf("%s: %+v", name, want)
		}
		step := len(data)/7 + 13 // in the middle of lines
		var places []int
		for at := step; at < len(data); at += step {
			places = append(places, at)
		}
		got, reports := pieces(t, data, true, places...)
		// A record that a piece ends in keeps what was there of it.
		brief := func(all []*parse.Record) (out []string) {
			for _, r := range all {
				first, _, _ := strings.Cut(r.Message, "\n")
				out = append(out, fmt.Sprint(r.Line, r.Time, r.Status, r.Level, r.URL, first))
			}
			return out
		}
		if diff := cmp.Diff(brief(whole), brief(got)); diff != "" {
			t.Errorf("%s in pieces (-want +got):\n%s", name, diff)
		}
		lines := 0
		for _, r := range reports {
			lines += r.Lines
			if r.Format != want.Format {
				t.Errorf("%s: a piece was taken for %q, the whole for %q", name, r.Format, want.Format)
			}
		}
		if last := reports[len(reports)-1]; lines != want.Lines || last.Through != int64(len(data)) {
			t.Errorf("%s: %d lines in all pieces, want %d; %+v", name, lines, want.Lines, last)
		}
		if again, _ := pieces(t, data, false, places...); len(again) != len(whole) {
			t.Errorf("%s: %d records when the format is recognised anew for each piece, want %d", name, len(again), len(whole))
		}
	}
}

func TestALineThatIsStillWrittenIsWaitedFor(t *testing.T) {
	t.Parallel()
	data := []byte(growing()["slog"])
	first := bytes.IndexByte(data, '\n') + 1
	got, reports := pieces(t, data[:2*first], true, first-5, first, first+20)
	var through []int64
	for _, r := range reports {
		through = append(through, r.Through)
	}
	if diff := cmp.Diff([]int64{0, int64(first), int64(first), int64(2 * first)}, through); diff != "" || len(got) != 2 {
		t.Errorf("%d records, through (-want +got):\n%s", len(got), diff)
	}
}

func TestALineWithoutEndDoesNotHoldAFollowerUp(t *testing.T) {
	t.Parallel()
	line := growing()["slog"][:100]
	data := []byte(line + "\n" + strings.Repeat("x", 2<<20))
	_, reports := pieces(t, data, true)
	if reports[0].Through != 101 { // the line ending before it ends the first piece
		t.Errorf("through %d", reports[0].Through)
	}
	_, reports = pieces(t, data, true, 101)
	if last := reports[len(reports)-1]; last.Through != int64(len(data)) {
		t.Errorf("stuck at %d of %d: %+v", last.Through, len(data), last)
	}
}

func TestWhatCannotBeReadInPieces(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte("x\n")); err != nil {
		t.Fatal(err)
	}
	_ = z.Close()
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"compressed": {zipped.Bytes(), "only plain text"},
		"binary":     {[]byte("\x7fELF\x01\x01\x01\n\x02\x03\n"), "binary"},
	} {
		_, reports := pieces(t, c.data, true)
		if err := reports[0].Err; err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	rep := parse.ReadRange(context.Background(), t.TempDir(), "gone", 0, 10, parse.Options{}, func() parse.Sink { return &memory{} })
	if rep.Err == nil || rep.Through != 0 {
		t.Errorf("a file that is not there: %+v", rep)
	}
	_, reports := pieces(t, nil, true, 0, 0)
	if rep := reports[0]; rep.Err != nil || rep.Lines != 0 {
		t.Errorf("an empty file: %+v", rep)
	}
}

func TestAFileShorterThanItsRangeIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.log"), []byte(growing()["slog"][:500]), 0o600); err != nil {
		t.Fatal(err)
	}
	rep := parse.ReadRange(context.Background(), dir, "a.log", 0, 10_000, parse.Options{}, func() parse.Sink { return &memory{} })
	if rep.Err != nil || rep.Through == 0 || rep.Through > 500 {
		t.Errorf("%+v", rep)
	}
}

// rotated reads the files of one log, one after the other.
func rotated(t *testing.T, files ...string) (formats []string, records []*parse.Record) {
	t.Helper()
	dir, known, m := t.TempDir(), new(parse.Known), &memory{}
	for i, text := range files {
		name := fmt.Sprint("a.", i)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		rep := parse.ReadRange(context.Background(), dir, name, 0, int64(len(text)), parse.Options{Workers: 1, Known: known}, func() parse.Sink { return m })
		if rep.Err != nil {
			t.Fatal(rep.Err)
		}
		formats = append(formats, rep.Format)
	}
	return formats, m.records
}

func TestALogThatGoesOnInAnotherFile(t *testing.T) {
	t.Parallel()
	g := growing()
	java := g["java"]
	timed, _ := rotated(t, java)
	trace := java[strings.Index(java, "java.lang"):][:20_000]
	for name, c := range map[string]struct {
		files   []string
		formats []string
	}{
		"keeps its format, though the file begins within a trace": {[]string{java, strings.Repeat("\tat com.shop.Cart.total(Cart.java:1)\n", 300) + trace}, []string{timed[0], timed[0]}},
		"is read anew when a deploy has changed its format":       {[]string{java, g["nginx"], g["nginx"]}, []string{timed[0], "combined", "combined"}},
		"is read anew though the new file has a line only":        {[]string{g["nginx"], g["slog"][:strings.IndexByte(g["slog"], '\n')+1]}, []string{"combined", "slog"}},
		"that began with a banner is recognised by its lines":     {[]string{"Puma starting in single mode...\n* Version: 5\n", java}, []string{"plain-text", timed[0]}},
		"that nothing was known of is recognised later":           {[]string{"", g["nginx"]}, []string{"", "combined"}},
	} {
		formats, _ := rotated(t, c.files...)
		if diff := cmp.Diff(c.formats, formats); diff != "" {
			t.Errorf("a log %s (-want +got):\n%s", name, diff)
		}
	}
	_, records := rotated(t, java, g["nginx"])
	if last := records[len(records)-1]; last.Status != 200 || last.Line != 300 {
		t.Errorf("the last record is %+v", last)
	}
}

func FuzzReadRange(f *testing.F) {
	for _, text := range growing() {
		f.Add([]byte(text[:400]), uint16(100), uint16(300))
	}
	f.Add([]byte("a\n\n\x00\x00b\r\nc"), uint16(1), uint16(2))
	f.Fuzz(func(t *testing.T, data []byte, a, b uint16) {
		x, y := min(int(a), len(data)), min(int(b), len(data))
		_, reports := pieces(t, data, true, min(x, y), max(x, y))
		lines, before := 0, int64(0)
		for _, r := range reports {
			if r.Through < before || r.Through > int64(len(data)) {
				t.Errorf("went from %d to %d of %d", before, r.Through, len(data))
			}
			if before = r.Through; r.Err != nil { // binary, or it looks compressed
				return
			}
			lines += r.Lines
		}
		if want := bytes.Count(data[:before], []byte("\n")); lines != want {
			t.Errorf("%d lines, want %d", lines, want)
		}
	})
}
