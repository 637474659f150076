package parse_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/inquesthq/inquest/internal/parse"
)

// memory keeps every record.
type memory struct {
	mu      sync.Mutex
	records []*parse.Record
}

func (m *memory) Log(r *parse.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = append(m.records, r.Clone())
}

func (m *memory) Signal(parse.Signal) {}

func (m *memory) sorted() []*parse.Record {
	sort.Slice(m.records, func(i, j int) bool { return m.records[i].Line < m.records[j].Line })
	return m.records
}

// read writes data to a file and reads it, and checks that every line is accounted for.
func read(t testing.TB, data []byte, opts parse.Options) ([]*parse.Record, parse.FileReport) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.log"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	m := &memory{}
	rep := parse.ReadFile(context.Background(), dir, "a.log", opts, func() parse.Sink { return m })
	lines := 0
	for _, r := range m.records {
		lines += r.Lines
	}
	if rep.Records+rep.Joined+rep.Skipped != rep.Lines {
		t.Errorf("lines not accounted for: %d records + %d joined + %d skipped, %d lines", rep.Records, rep.Joined, rep.Skipped, rep.Lines)
	}
	return m.sorted(), rep
}

const combined = `10.1.2.3 - - [20/Nov/2026:16:12:03 +0000] "GET /cart?id=%d HTTP/1.1" 200 612 "-" "curl/8.5.0" rt=0.120 urt="0.118" ua="10.0.0.7:8080" us="200"`

func combinedLines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, combined+"\n", i)
	}
	return b.Bytes()
}

func TestLinesAreAccountedFor(t *testing.T) {
	plain := combinedLines(3)
	for name, tt := range map[string]struct {
		data    []byte
		format  string
		lines   int
		records []int // first lines of records
		note    string
		err     string
	}{
		"plain lines are records":                      {plain, "combined", 3, []int{1, 2, 3}, "", ""},
		"a last line without an ending counts":         {plain[:len(plain)-1], "combined", 3, []int{1, 2, 3}, "", ""},
		"carriage returns are no part of a line":       {bytes.ReplaceAll(plain, []byte("\n"), []byte("\r\n")), "combined", 3, []int{1, 2, 3}, "", ""},
		"a byte order mark is no part of a line":       {append([]byte("\xef\xbb\xbf"), plain...), "combined", 3, []int{1, 2, 3}, "", ""},
		"UTF-16 as Windows writes it is text":          {utf16LE(plain), "combined", 3, []int{1, 2, 3}, "UTF-16", ""},
		"gzip is unpacked":                             {gz(t, plain), "combined", 3, []int{1, 2, 3}, "", ""},
		"zstd is unpacked":                             {zst(t, plain), "combined", 3, []int{1, 2, 3}, "", ""},
		"gzip of several members is one stream":        {append(gz(t, plain), gz(t, plain)...), "combined", 6, []int{1, 2, 3, 4, 5, 6}, "", ""},
		"blank lines are counted":                      {append([]byte("\n\n"), plain...), "combined", 5, []int{3, 4, 5}, "", ""},
		"NUL bytes between lines are dropped":          {append(append(plain[:len(plain):len(plain)], make([]byte, 99)...), plain...), "combined", 6, []int{1, 2, 3, 4, 5, 6}, "NUL", ""},
		"an empty file says so":                        {nil, "", 0, nil, "empty", ""},
		"a torn line is skipped, not lost":             {append(plain[:len(plain):len(plain)], "10.1.2.3 - - [20/Nov/2026:16:1"...), "combined", 4, []int{1, 2, 3}, "", ""},
		"binary data is refused":                       {append([]byte("\x7fELF"), bytes.Repeat([]byte{1, 2, 0, 3}, 400)...), "", 0, nil, "", "binary"},
		"xz names its remedy":                          {[]byte("\xfd7zXZ\x00 and so on"), "", 0, nil, "", "unxz"},
		"text of no known form is counted and skipped": {[]byte("\x01\x02\n\x03\n"), "", 0, nil, "", "binary"},
	} {
		t.Run(name, func(t *testing.T) {
			got, rep := read(t, tt.data, parse.Options{Workers: 2})
			var lines []int
			for _, r := range got {
				lines = append(lines, r.Line)
			}
			if d := cmp.Diff(tt.records, lines); d != "" {
				t.Errorf("first lines of records (-want +got):\n%s", d)
			}
			if rep.Format != tt.format || rep.Lines != tt.lines {
				t.Errorf("format %q, %d lines; want %q, %d", rep.Format, rep.Lines, tt.format, tt.lines)
			}
			if !strings.Contains(strings.Join(rep.Notes, "\n"), tt.note) {
				t.Errorf("notes %q do not mention %q", rep.Notes, tt.note)
			}
			if (rep.Err == nil) != (tt.err == "") || rep.Err != nil && !strings.Contains(rep.Err.Error(), tt.err) {
				t.Errorf("error %v, want one with %q", rep.Err, tt.err)
			}
		})
	}
}

func utf16LE(p []byte) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(string(p))) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

func gz(t testing.TB, p []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(p); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zst(t testing.TB, p []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(p, nil)
}

func TestTruncatedGzipKeepsWhatWasReadable(t *testing.T) {
	whole := gz(t, combinedLines(50_000))
	got, rep := read(t, whole[:len(whole)*2/3], parse.Options{})
	if len(got) < 1000 {
		t.Errorf("only %d records before the break", len(got))
	}
	if rep.Err == nil || !strings.Contains(rep.Err.Error(), "breaks off") || !strings.Contains(rep.Err.Error(), "line ") {
		t.Errorf("error does not say where the stream breaks off: %v", rep.Err)
	}
}

func TestWorkersAndBlocksDoNotChangeTheOutcome(t *testing.T) {
	// Several blocks of records over many lines: a cut within one would show.
	var b bytes.Buffer
	line := 1
	var want []string
	for i := 0; b.Len() < 5<<20; i++ {
		msg := fmt.Sprintf(combined, i)
		fmt.Fprintln(&b, msg)
		want = append(want, fmt.Sprintf("%d /cart?id=%d", line, i))
		line++
	}
	for _, workers := range []int{1, 2, 7} {
		got, rep := read(t, b.Bytes(), parse.Options{Workers: workers})
		if rep.Records != len(want) {
			t.Fatalf("%d workers: %d records, want %d", workers, rep.Records, len(want))
		}
		for i, r := range got {
			if s := fmt.Sprintf("%d %s", r.Line, r.URL); s != want[i] {
				t.Fatalf("%d workers: record %d is %q, want %q", workers, i, s, want[i])
			}
		}
	}
}

func TestTracesAreNotCutByBlocks(t *testing.T) {
	var b bytes.Buffer
	var want []int
	for i, line := 0, 1; b.Len() < 4<<20; i++ {
		fmt.Fprintf(&b, "2026-11-20T16:12:03.204Z stderr F 2026-11-20 16:12:03,%03d ERROR [main] com.acme.Cart - failed %d\n", i%1000, i)
		frames := i % 90
		for k := range frames {
			fmt.Fprintf(&b, "2026-11-20T16:12:03.204Z stderr F \tat com.acme.Cart.total(Cart.java:%d)\n", k)
		}
		want = append(want, 1+frames)
		line += 1 + frames
	}
	for _, workers := range []int{1, 3} {
		got, rep := read(t, b.Bytes(), parse.Options{Workers: workers})
		if rep.Wrapper != "cri" {
			t.Fatalf("wrapper %q, want cri", rep.Wrapper)
		}
		var lines []int
		for _, r := range got {
			lines = append(lines, r.Lines)
		}
		if d := cmp.Diff(want, lines); d != "" {
			t.Fatalf("%d workers: lines of records (-want +got):\n%.2000s", workers, d)
		}
	}
}

func TestOverlongLineIsCutAndReported(t *testing.T) {
	data := append(combinedLines(2), bytes.Repeat([]byte("x"), 10<<20)...)
	data = append(data, '\n')
	data = append(data, combinedLines(2)...)
	got, rep := read(t, data, parse.Options{})
	if rep.Lines != 5 || got[len(got)-1].Line != 5 {
		t.Errorf("%d lines, last record at %d; want 5 and 5", rep.Lines, got[len(got)-1].Line)
	}
	if !strings.Contains(strings.Join(rep.Notes, " "), "line 3: longer than 1 MB") {
		t.Errorf("notes %q do not name line 3", rep.Notes)
	}
}

func TestSpecialFilesAreRefusedWithoutWaiting(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, l := range [][2]string{{"loop", "loop"}, {"nowhere", "missing"}} {
		if err := os.Symlink(l[1], filepath.Join(dir, l[0])); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"pipe": "named pipe", "loop": "circle", "nowhere": "not found", ".": "directory"} {
		done := make(chan parse.FileReport, 1)
		go func() {
			done <- parse.ReadFile(context.Background(), dir, name, parse.Options{}, func() parse.Sink { return &memory{} })
		}()
		select {
		case rep := <-done:
			if rep.Err == nil || !strings.Contains(rep.Err.Error(), want) || !strings.HasPrefix(rep.Err.Error(), name) {
				t.Errorf("%s: error %v, want one that says %q", name, rep.Err, want)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%s: reading it waits", name)
		}
	}
}

func TestCancelledContextStopsReading(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.log"), combinedLines(10), 0o600); err != nil {
		t.Fatal(err)
	}
	rep := parse.ReadFile(ctx, dir, "a.log", parse.Options{}, func() parse.Sink { return &memory{} })
	if rep.Err == nil || rep.Records != 0 {
		t.Errorf("%d records and error %v after cancellation", rep.Records, rep.Err)
	}
}

func TestProgressEndsAtTheSizeOfTheFile(t *testing.T) {
	dir := t.TempDir()
	data := combinedLines(30_000)
	if err := os.WriteFile(filepath.Join(dir, "a.log"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var most, total int64
	opts := parse.Options{Progress: func(read, of int64) {
		mu.Lock()
		defer mu.Unlock()
		most, total = max(most, read), of
	}}
	parse.ReadFile(context.Background(), dir, "a.log", opts, func() parse.Sink { return &memory{} })
	if most != int64(len(data)) || total != int64(len(data)) {
		t.Errorf("progress reached %d of %d, the file has %d", most, total, len(data))
	}
}

func TestWrappersAreTakenOff(t *testing.T) {
	type rec struct {
		Line, Lines                    int
		Status                         int
		Service, Instance, Stream, URL string
	}
	inner := fmt.Sprintf(combined, 1)
	for name, tt := range map[string]struct {
		in      string
		wrapper string
		want    []rec
	}{
		"CRI, with a line in three parts": {
			"2026-11-20T16:12:03.204Z stdout P " + inner[:40] + "\n2026-11-20T16:12:03.205Z stdout P " + inner[40:60] +
				"\n2026-11-20T16:12:03.206Z stdout F " + inner[60:] + "\n2026-11-20T16:12:04Z stdout F " + inner + "\n",
			"cri", []rec{{1, 3, 200, "", "", "stdout", "/cart?id=1"}, {4, 1, 200, "", "", "stdout", "/cart?id=1"}},
		},
		"Docker's json-file driver": {
			`{"log":` + fmt.Sprintf("%q", inner+"\n") + `,"stream":"stdout","time":"2026-11-20T16:12:03.204Z"}` + "\n",
			"docker", []rec{{1, 1, 200, "", "", "stdout", "/cart?id=1"}},
		},
		"docker compose logs, two services interleaved": {
			"web-1    | " + inner + "\nproxy-2  | " + inner + "\n",
			"compose", []rec{{1, 1, 200, "web", "web-1", "", "/cart?id=1"}, {2, 1, 200, "proxy", "proxy-2", "", "/cart?id=1"}},
		},
		"docker compose logs with time stamps": {
			"web-1  | 2026-11-20T16:12:03.204123456Z " + inner + "\nweb-1  | 2026-11-20T16:12:03.304Z " + inner + "\n",
			"compose", []rec{{1, 1, 200, "web", "web-1", "", "/cart?id=1"}, {2, 1, 200, "web", "web-1", "", "/cart?id=1"}},
		},
		"kubectl logs --prefix": {
			"[pod/checkout-7d9f8b6c5d-x2z9z/app] " + inner + "\n",
			"kubectl", []rec{{1, 1, 200, "checkout", "checkout-7d9f8b6c5d-x2z9z", "", "/cart?id=1"}},
		},
		"kubectl logs --timestamps": {
			"2026-11-20T16:12:03.204123456Z " + inner + "\n",
			"timestamps", []rec{{1, 1, 200, "", "", "", "/cart?id=1"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			recs, rep := read(t, []byte(tt.in), parse.Options{Workers: 1})
			var got []rec
			for _, r := range recs {
				got = append(got, rec{r.Line, r.Lines, r.Status, r.Service, r.Instance, r.Get("stream"), r.URL})
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("records (-want +got):\n%s", d)
			}
			if rep.Wrapper != tt.wrapper {
				t.Errorf("wrapper %q, want %q", rep.Wrapper, tt.wrapper)
			}
		})
	}
}

func TestPlainTextBetweenRequestsIsKept(t *testing.T) {
	in := string(combinedLines(20)) + "panic: runtime error: index out of range [3]\n\ngoroutine 7 [running]:\nmain.handle(0xc000010)\n\t/app/main.go:31 +0x1d\nexit status 2\n" + string(combinedLines(2))
	got, rep := read(t, []byte(in), parse.Options{Workers: 1})
	if rep.Records != 23 {
		t.Fatalf("%d records, want 22 requests and a panic", rep.Records)
	}
	p := got[20]
	if p.Line != 21 || p.Lines != 6 || !strings.HasPrefix(p.Message, "panic: ") || !strings.HasSuffix(p.Message, "exit status 2") {
		t.Errorf("the panic became line %d, %d lines, %q", p.Line, p.Lines, p.Message)
	}
	if p.Clock != parse.ClockNone {
		t.Errorf("clock %v of a line without a time", p.Clock)
	}
}
