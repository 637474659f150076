package report_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rivo/uniseg"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// renderings are all ways to write a diagnosis.
var renderings = map[string]func(io.Writer, *inquest.Diagnosis) error{
	"json": func(w io.Writer, d *inquest.Diagnosis) error { return report.JSON(w, d, report.JSONOptions{}) },
	"txt": func(w io.Writer, d *inquest.Diagnosis) error {
		return report.Terminal(w, d, report.TerminalOptions{Name: "blackfriday"})
	},
	"md": func(w io.Writer, d *inquest.Diagnosis) error {
		return report.Markdown(w, d, report.PageOptions{Name: "blackfriday"})
	},
	"html": func(w io.Writer, d *inquest.Diagnosis) error {
		return report.HTML(w, d, report.PageOptions{Name: "blackfriday"})
	},
	"ascii.txt": func(w io.Writer, d *inquest.Diagnosis) error {
		return report.Terminal(w, d, report.TerminalOptions{Width: 60, ASCII: true})
	},
}

var samples = map[string]func() *inquest.Diagnosis{"rich": rich, "healthy": healthy, "open": open}

func render(t testing.TB, how string, d *inquest.Diagnosis) string {
	t.Helper()
	var b bytes.Buffer
	if err := renderings[how](&b, d); err != nil {
		t.Fatalf("%s: %v", how, err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for name, sample := range samples {
		for how := range renderings {
			if how == "html" { // a page is checked by selectors: its looks may change
				continue
			}
			t.Run(name+"."+how, func(t *testing.T) {
				got := render(t, how, sample())
				file := filepath.Join("testdata", name+"."+how+".golden")
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("differs from %s (-want +got):\n%s", file, diff)
				}
			})
		}
	}
}

func TestRenderingsAreDeterministicAndLeaveTheDiagnosisAlone(t *testing.T) {
	for how := range renderings {
		d := rich()
		first := render(t, how, d)
		if second := render(t, how, d); first != second {
			t.Errorf("%s: two renderings of one value differ", how)
		}
		if diff := cmp.Diff(rich(), d, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s changed its input:\n%s", how, diff)
		}
	}
}

func TestTerminalKeepsItsWidth(t *testing.T) {
	for name, sample := range samples {
		for _, width := range []int{0, 20, 40, 60, 80, 100, 160} {
			for _, ascii := range []bool{false, true} {
				var b bytes.Buffer
				if err := report.Terminal(&b, sample(), report.TerminalOptions{Width: width, ASCII: ascii}); err != nil {
					t.Fatal(err)
				}
				limit := max(40, width)
				if width == 0 {
					limit = 80
				}
				for i, l := range strings.Split(b.String(), "\n") {
					if w := uniseg.StringWidth(l); w > limit {
						t.Errorf("%s at width %d: line %d is %d wide: %q", name, width, i+1, w, l)
					}
				}
				if ascii && strings.IndexFunc(b.String(), func(r rune) bool { return r > 0x7e }) >= 0 {
					t.Errorf("%s at width %d: ASCII output holds other characters", name, width)
				}
			}
		}
	}
}

func TestColourOnlyWhenAskedAndWithoutEffectOnTheText(t *testing.T) {
	plain := render(t, "txt", rich())
	if strings.Contains(plain, "\x1b") {
		t.Error("escape sequences without Color")
	}
	var b bytes.Buffer
	if err := report.Terminal(&b, rich(), report.TerminalOptions{Name: "blackfriday", Color: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\x1b[1;31m") {
		t.Error("no colour with Color")
	}
	if diff := cmp.Diff(plain, stripColour(b.String())); diff != "" {
		t.Errorf("colour changes the text:\n%s", diff)
	}
}

func stripColour(s string) string {
	for {
		from := strings.Index(s, "\x1b[")
		if from < 0 {
			return s
		}
		s = s[:from] + s[from+strings.IndexByte(s[from:], 'm')+1:]
	}
}

var pages = flag.String("pages", "", "write the sample pages into this folder, to look at them")

func TestPagesToLookAt(t *testing.T) {
	for name, sample := range samples {
		got := render(t, "html", sample())
		if !strings.HasSuffix(strings.TrimSpace(got), "</html>") && !strings.Contains(got, "</html>") {
			t.Errorf("%s: the page has no end", name)
		}
		if *pages == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(*pages, name+".html"), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
