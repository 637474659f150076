package tail_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/ingest/tail"
	"github.com/inquesthq/inquest/internal/spool"
)

func TestLinesAreTakenOnceWhole(t *testing.T) {
	t.Parallel()
	w := follow(t, "*.log")
	w.write("shop.log", "a1\na2\nhal")
	w.start()
	w.want("shop.log", "a1 a2")
	w.write("shop.log", "f\nb\n")
	w.want("shop.log", "a1 a2 half b")
	w.write("new.log", "n1\n") // a new file
	w.want("new.log", "n1")
}

func TestRotation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		glob string
		do   func(w *world)
		want string
	}{
		"by renaming out of the pattern, with lines that nobody had read": {"shop.log", func(w *world) {
			w.write("shop.log", "b\n")
			w.rename("shop.log", "shop.log.1")
			w.write("shop.log", "c\n")
		}, "a b c"},
		"by renaming within the pattern": {"shop.log*", func(w *world) {
			w.write("shop.log", "b\n")
			w.rename("shop.log", "shop.log.1")
			w.write("shop.log", "c\n")
		}, "a b c"},
		"by renaming, and the writer goes on in the old file for a while": {"shop.log", func(w *world) {
			w.rename("shop.log", "shop.log.1")
			w.write("shop.log.1", "b\n")
			time.Sleep(50 * time.Millisecond)
			w.write("shop.log.1", "late")
			w.want("shop.log", "a b late") // a line without an ending counts when nobody writes on
			w.write("shop.log", "c\n")
		}, "a b late c"},
		"by renaming twice, quickly": {"shop.log", func(w *world) {
			w.write("shop.log", "b\n")
			w.rename("shop.log", "shop.log.1")
			w.write("shop.log", "c\n")
			w.want("shop.log", "a b c")
			w.rename("shop.log.1", "shop.log.2")
			w.rename("shop.log", "shop.log.1")
			w.write("shop.log", "d\n")
		}, "a b c d"},
		"by copying and cutting": {"shop.log", func(w *world) {
			w.write("shop.log", "b\n")
			w.want("shop.log", "a b")
			w.copyTruncate("shop.log", "shop.log.1")
			w.write("shop.log", "c\n")
		}, "a b c"},
		"by copying and cutting, with lines that nobody had read": {"shop.log", func(w *world) {
			w.write("shop.log", "b\nc\n")
			w.copyTruncate("shop.log", "shop.log.1")
			w.write("shop.log", "d\n")
		}, "a b c d"},
		"by copying and cutting within the pattern": {"shop.log*", func(w *world) {
			w.write("shop.log", "b\nc\n")
			w.copyTruncate("shop.log", "shop.log.1")
			w.write("shop.log", "d\n")
			w.want("shop.log", "a b c d")
			w.rename("shop.log.1", "shop.log.2")
			w.write("shop.log", "e\n")
			w.copyTruncate("shop.log", "shop.log.1")
			w.write("shop.log", "f\n")
		}, "a b c d e f"},
		"by a copy that takes its time": {"shop.log*", func(w *world) {
			w.write("shop.log", strings.Repeat("x", 1000)+"\n")
			w.want("shop.log", "a "+strings.Repeat("x", 1000))
			w.write("shop.log.1", "a\n"+strings.Repeat("x", 500))
			time.Sleep(50 * time.Millisecond)
			w.write("shop.log.1", strings.Repeat("x", 500)+"\n")
			time.Sleep(50 * time.Millisecond)
			if err := os.Truncate(filepath.Join(w.dir, "shop.log"), 0); err != nil {
				w.t.Fatal(err)
			}
			w.write("shop.log", "c\n")
		}, "a " + strings.Repeat("x", 1000) + " c"},
		"by deleting": {"shop.log", func(w *world) {
			w.write("shop.log", "b\n")
			w.want("shop.log", "a b")
			if err := os.Remove(filepath.Join(w.dir, "shop.log")); err != nil {
				w.t.Fatal(err)
			}
			w.write("shop.log", "a2 is longer than what was there before\n")
		}, "a b a2 is longer than what was there before"},
		"to a packed file": {"shop.log*", func(w *world) {
			w.write("shop.log.1.gz", "\x1f\x8b\x08 packed\n")
			w.write("shop.log.old", "\x1f\x8b\x08 packed too\n")
			w.write("shop.log", "b\n")
		}, "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := follow(t, c.glob)
			w.write("shop.log", "a\n")
			w.start()
			w.want("shop.log", "a")
			c.do(w)
			w.want("shop.log", c.want)
		})
	}
}

func TestAfterARestartItGoesOn(t *testing.T) {
	t.Parallel()
	w := follow(t, "shop.log")
	w.write("shop.log", "a\nhal")
	w.start()
	w.want("shop.log", "a")
	w.end()
	w.write("shop.log", "f\nb\n")
	w.start()
	w.want("shop.log", "a half b")
	w.end()
	w.write("shop.log", "c\n")
	w.rename("shop.log", "shop.log.1") // nobody looks
	w.write("shop.log", "d\n")
	w.start()
	w.want("shop.log", "a half b c d")
	w.end()
	w.start()
	w.want("shop.log", "a half b c d")
	w.end()
	w.write("shop.log", "e\n")
	w.copyTruncate("shop.log", "shop.log.1") // nobody looks
	w.write("shop.log", "f\n")
	w.start()
	w.want("shop.log", "a half b c d e f")
}

func TestTheFirstStartReadsWhatHappensFromNowOn(t *testing.T) {
	t.Parallel()
	w := follow(t, "*.log")
	w.cfg.Targets[0].FromStart = false
	w.cfg.Targets = append(w.cfg.Targets, tail.Target{Glob: filepath.Join(w.dir, "*.whole"), FromStart: true})
	w.write("trace.whole", "old\n")
	w.write("shop.log", "old\nhal")
	w.start()
	w.until(func() bool { return w.tail.Stats().Files == 2 })
	w.want("trace.whole", "old") // of one pattern all is wanted
	w.write("shop.log", "f\nb\n")
	w.write("new.log", "n\n")
	w.want("shop.log", "half b")
	w.want("new.log", "n")
}

func TestWhatEachPatternFindsIsTold(t *testing.T) {
	t.Parallel()
	w := follow(t, "shop*.log")
	for _, glob := range []string{"nothing/*.log", "*.log*"} {
		w.cfg.Targets = append(w.cfg.Targets, tail.Target{Glob: filepath.Join(w.dir, glob), FromStart: true})
	}
	w.write("shop.log", "a\n")
	w.write("cart.log", "b\n")
	w.write("shop-empty.log", "")
	w.write("shop.log.gz", "c\n")
	w.start()
	w.want("shop.log", "a")
	w.want("cart.log", "b")
	var got []string
	for _, p := range w.tail.Stats().Patterns {
		got = append(got, fmt.Sprintf("%s: %d %d %d", filepath.Base(p.Glob), p.Matched, p.Files, p.Behind))
	}
	if want := []string{"shop*.log: 2 1 0", "*.log: 0 0 0", "*.log*: 4 1 0"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestItWaitsForASpoolThatIsFull(t *testing.T) {
	t.Parallel()
	w := follow(t, "*.log")
	w.mem.fail = fmt.Errorf("disk: %w", spool.ErrFull)
	w.write("shop.log", "a\nb\n")
	w.start()
	w.until(func() bool { return w.tail.Stats().LastError != "" })
	if s := w.tail.Stats(); !strings.Contains(s.LastError, "full") || time.Since(s.LastTime) > time.Minute || s.Patterns[0].Behind != 4 || s.Behind != 4 || !strings.HasSuffix(s.LastFile, "shop.log") {
		t.Errorf("%+v", s)
	}
	w.mem.setFail(nil)
	w.want("shop.log", "a b")
	if s := w.tail.Stats(); s.Behind != 0 {
		t.Errorf("%+v", s)
	}
}

func TestLinesLongerThanAnyAreTakenInParts(t *testing.T) {
	t.Parallel()
	w := follow(t, "*.log")
	w.cfg.Piece = 1000
	w.write("shop.log", strings.Repeat("x", 3<<20+10)+"\nb\n"+strings.Repeat("y", 5000)+"\n")
	w.start()
	w.until(func() bool { return strings.HasSuffix(w.mem.of("shop.log"), "yyy") })
	got := w.mem.of("shop.log")
	if n := strings.Count(got, "x"); n != 3<<20+10 {
		t.Errorf("%d bytes of the long line", n)
	}
	if !strings.HasSuffix(got, "x b "+strings.Repeat("y", 5000)) {
		t.Errorf("what follows the long line: %q", got[len(got)-20:])
	}
	if w.mem.most > 1<<20 {
		t.Errorf("a piece of %d bytes", w.mem.most)
	}
}

func TestThousandsOfFilesWithFewOpen(t *testing.T) {
	t.Parallel()
	const n = 3000
	w := follow(t, "*/*.log")
	w.cfg.MaxOpen, w.cfg.MaxFiles = 20, n-10
	for i := range n {
		if i%100 == 0 {
			if err := os.Mkdir(filepath.Join(w.dir, fmt.Sprint("d", i/100)), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		w.write(fmt.Sprintf("d%d/s%d.log", i/100, i), "a\nb\n")
	}
	w.start()
	w.until(func() bool { s := w.tail.Stats(); return s.Files == n-10 && s.Behind == 0 })
	s := w.tail.Stats()
	if s.Files != n-10 || s.TooMany != 10 || s.Open > 20 || s.Behind != 0 {
		t.Errorf("%+v", s)
	}
	if len(w.mem.lines) != n-10 {
		t.Errorf("%d sources", len(w.mem.lines))
	}
}

func TestSourcesAreNamedAfterTheirFiles(t *testing.T) {
	t.Parallel()
	w := follow(t, "*/*")
	intake, err := ingest.New(ingest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w.cfg.Intake = intake
	w.cfg.Targets = append(w.cfg.Targets, tail.Target{Glob: filepath.Join(w.dir, "*/*/*"), Service: "billing", FromStart: true})
	names := map[string]string{
		"shop/checkout.log": "checkout.log", "shop/checkout-2.log": "checkout-2.log", "nginx/access.log": "nginx/access.log", "shop/app.log": "shop/app.log",
		"shop/cart.log-20261129": "cart.log", "shop/catalina.2026-11-29.log": "catalina.log", "nginx/error.log.1": "nginx/error.log",
		"deep/log/x.log": "billing/x.log", "a/odd name é.log": "odd name é.log",
	}
	for file := range names {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(w.dir, file)), 0o700); err != nil {
			t.Fatal(err)
		}
		w.write(file, file+"\n")
	}
	w.start()
	for file, source := range names {
		w.want(source, file)
	}
	if len(intake.Stats()) != len(names) {
		t.Errorf("%+v", intake.Stats())
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]tail.Config{
		"no targets":         {Spool: &memory{}, Checkpoint: "x"},
		"a relative pattern": {Targets: []tail.Target{{Glob: "logs/*.log"}}, Spool: &memory{}, Checkpoint: filepath.Join(t.TempDir(), "c")},
		"a broken pattern":   {Targets: []tail.Target{{Glob: "/logs/[.log"}}, Spool: &memory{}, Checkpoint: filepath.Join(t.TempDir(), "c")},
		"no spool":           {Targets: []tail.Target{{Glob: "/logs/*.log"}}, Checkpoint: filepath.Join(t.TempDir(), "c")},
		"a negative limit":   {Targets: []tail.Target{{Glob: "/logs/*.log"}}, Spool: &memory{}, Checkpoint: filepath.Join(t.TempDir(), "c"), MaxFiles: -1},
	} {
		if _, err := tail.New(cfg); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
