package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// screen is what is known of the place the answer goes to.
type screen struct {
	width   int
	color   bool
	unicode bool
}

// screenOf looks at the writer: colour and width only where a person looks, never in a pipe (https://no-color.org).
func screenOf(w io.Writer, color string) (screen, error) {
	s := screen{width: 80, unicode: isUTF8()}
	f, ok := w.(*os.File)
	tty := ok && term.IsTerminal(int(f.Fd()))
	if tty {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			s.width = min(max(n, 40), 120)
		}
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n >= 40 {
		s.width = min(n, 200)
	}
	switch color {
	case "auto":
		s.color = tty && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	case "always":
		s.color = true
	case "never":
	default:
		return s, usageError{fmt.Errorf("--color %q: say auto, always or never", color)}
	}
	return s, nil
}

func isUTF8() bool {
	for _, k := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(k); v != "" {
			v = strings.ToUpper(v)
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return true // containers set nothing and speak UTF-8
}

// progress draws a bar on stderr once the work has taken a second, and takes it away at the end.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	start time.Time
	last  time.Time
	drawn bool
}

// newProgress returns a bar for stderr; nil, which draws nothing, when nobody looks at it.
func newProgress(cmd *cobra.Command) *progress {
	f, ok := cmd.ErrOrStderr().(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &progress{w: f, start: time.Now()}
}

func (p *progress) update(done, total int64) {
	if p == nil || total <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.start) < time.Second || now.Sub(p.last) < 100*time.Millisecond {
		return
	}
	p.last, p.drawn = now, true
	share := min(1, float64(done)/float64(total))
	left := ""
	if share > 0.02 {
		left = fmt.Sprintf(", %s left", time.Duration(float64(now.Sub(p.start))*(1-share)/share).Round(time.Second))
	}
	n := int(share * 30)
	fmt.Fprintf(p.w, "\r\x1b[Kreading [%s%s] %3.0f%%%s", strings.Repeat("#", n), strings.Repeat(".", 30-n), 100*share, left)
}

func (p *progress) done() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
