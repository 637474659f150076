// Package browsertest opens pages in a real Chromium for tests, hears what its console says and lets axe look for what keeps people out. Nothing
// but tests imports it.
package browsertest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed axe/axe.min.js
var axeSource string

// Start starts Chromium for one test; tabs are children of what it returns.
func Start(t *testing.T) context.Context {
	t.Helper()
	var opts []chromedp.ExecAllocatorOption
	for _, name := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync", "hide-scrollbars", "disable-dev-shm-usage"} {
		opts = append(opts, chromedp.Flag(name, true))
	}
	opts = append(opts, chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute))
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, stop := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Error("end the browser:", err)
		}
		stop()
		cancel()
	})
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal("chromium does not start (make setup installs it):", err)
	}
	return ctx
}

// Tab is one page of a browser that hears what the console says. Its methods end the test when what they wait for does not come.
type Tab struct {
	T   *testing.T // who is told; a subtest may put itself here
	ctx context.Context
	url string

	mu     sync.Mutex
	errors []string
}

// NewTab opens a tab; paths are opened below url.
func NewTab(browser context.Context, t *testing.T, url string) *Tab {
	ctx, cancel := chromedp.NewContext(browser)
	ctx, stop := context.WithTimeout(ctx, 8*time.Minute)
	t.Cleanup(func() { stop(); cancel() })
	b := &Tab{T: t, ctx: ctx, url: url}
	say := func(format string, args ...any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.errors = append(b.errors, fmt.Sprintf(format, args...))
	}
	chromedp.ListenTarget(ctx, func(e any) {
		switch e := e.(type) {
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning || e.Type == runtime.APITypeAssert {
				say("console.%s: %s", e.Type, e.Args[0].Value)
			}
		case *runtime.EventExceptionThrown:
			say("exception: %s", e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
				say("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
			}
		case *page.EventJavascriptDialogOpening:
			go func() { _ = chromedp.Run(ctx, page.HandleJavaScriptDialog(true)) }()
		}
	})
	b.Run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{still()}))
	return b
}

// still keeps pages from gliding: a click would land where its button was a moment ago.
func still() *emulation.MediaFeature {
	return &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"}
}

// Heard is what the console said since the last time.
func (b *Tab) Heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.errors
	b.errors = nil
	return out
}

// Run runs actions of chromedp.
func (b *Tab) Run(actions ...chromedp.Action) {
	b.T.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		var where, text string
		_ = chromedp.Run(b.ctx, chromedp.Location(&where), chromedp.Text("main", &text))
		b.T.Fatalf("%v at %s\n%.600s", err, where, text)
	}
}

// Open opens a path.
func (b *Tab) Open(path string) { b.T.Helper(); b.Run(chromedp.Navigate(b.url + path)) }

// Click clicks what a selector finds.
func (b *Tab) Click(selector string) { b.T.Helper(); b.Run(chromedp.Click(selector, chromedp.ByQuery)) }

// rests waits until what a selector finds has stayed where it is for a moment, as people do: a page that has just been opened reads itself anew.
func (b *Tab) rests(selector string) {
	b.T.Helper()
	was, same := "", 0
	for end := time.Now().Add(10 * time.Second); same < 3 && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		now := ""
		if err := chromedp.Run(b.ctx, chromedp.Evaluate(`JSON.stringify(document.querySelector(`+strconv.Quote(selector)+`)?.getBoundingClientRect() ?? "")`, &now)); err != nil {
			now = "" // between two pages
		}
		if same++; now == "" || now != was {
			same = 0
		}
		was = now
	}
}

// Press clicks a button and waits until the page that it leads to is there.
func (b *Tab) Press(selector string) {
	b.T.Helper()
	b.rests(selector)
	b.Run(chromedp.Evaluate(`window.before = true`, nil))
	click := chromedp.Click(selector, chromedp.ByQuery)
	for range 20 { // a live page may put another button in its place between the look and the click: a person clicks again
		err := chromedp.Run(b.ctx, click)
		if err == nil {
			break
		}
		if !strings.Contains(err.Error(), "node") {
			b.Run(click)
		}
	}
	b.Until(`window.before !== true && document.readyState === "complete"`)
}

// Fill writes into a field.
func (b *Tab) Fill(selector, text string) {
	b.T.Helper()
	b.Run(chromedp.SetValue(selector, text, chromedp.ByQuery))
}

// Until waits until a JavaScript condition holds. While the tab goes from one page to the next there is nothing to ask: that is no failure.
func (b *Tab) Until(condition string) {
	b.T.Helper()
	last := errors.New("it was not asked")
	for range 200 {
		holds := false
		if last = chromedp.Run(b.ctx, chromedp.Evaluate("!!("+condition+")", &holds)); last == nil && holds {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	var text string
	_ = chromedp.Run(b.ctx, chromedp.Text("body", &text))
	b.T.Fatalf("%s does not come true: %v\n%.800s", condition, last, text)
}

// Says waits until the page contains a text.
func (b *Tab) Says(text string) {
	b.T.Helper()
	b.Until(fmt.Sprintf(`document.body.textContent.includes(%q)`, text))
}

// Serious are the serious and critical violations that axe finds on the page.
func (b *Tab) Serious() []string {
	b.T.Helper()
	var found []string
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	b.Run(chromedp.Evaluate(axeSource+";0", nil), chromedp.Evaluate(`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations
		.filter(v => ["serious", "critical"].includes(v.impact)).flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 200) + " " + (n.failureSummary || "").slice(0, 300))))`, &found, await))
	return found
}

// Look sets the width of the page and the scheme of its colours, "light" or "dark".
func (b *Tab) Look(width int, scheme string) {
	b.T.Helper()
	b.Run(chromedp.EmulateViewport(int64(width), 900), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, still()}))
}

// Shoot writes a picture of the whole page to a file.
func (b *Tab) Shoot(file string) {
	b.T.Helper()
	var png []byte
	b.Run(chromedp.FullScreenshot(&png, 100))
	if err := os.WriteFile(file, png, 0o600); err != nil {
		b.T.Fatal(err)
	}
}
