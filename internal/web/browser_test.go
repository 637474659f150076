package web_test

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/axe/axe.min.js
var axeSource string

var shots = flag.String("shots", "", "folder to write screenshots of every page to")

// browser starts Chromium for one test; tabs are its children.
func browser(t *testing.T) context.Context {
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

// tab is one page of a browser that hears what the console says.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string

	mu     sync.Mutex
	errors []string
}

func newTab(browser context.Context, t *testing.T, url string) *tab {
	ctx, cancel := chromedp.NewContext(browser)
	ctx, stop := context.WithTimeout(ctx, 8*time.Minute)
	t.Cleanup(func() { stop(); cancel() })
	b := &tab{t: t, ctx: ctx, url: url}
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
	b.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{still}))
	return b
}

// still keeps pages from gliding: a click would land where its button was a moment ago.
var still = &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"}

// heard is what the console said since the last time.
func (b *tab) heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.errors
	b.errors = nil
	return out
}

func (b *tab) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		var where, text string
		_ = chromedp.Run(b.ctx, chromedp.Location(&where), chromedp.Text("main", &text))
		b.t.Fatalf("%v at %s\n%.600s", err, where, text)
	}
}

func (b *tab) open(path string) { b.t.Helper(); b.run(chromedp.Navigate(b.url + path)) }

// press clicks a button and waits until the page that it leads to is there.
func (b *tab) press(selector string) {
	b.t.Helper()
	b.run(chromedp.Evaluate(`window.before = true`, nil), chromedp.Click(selector, chromedp.ByQuery))
	b.until(`window.before !== true && document.readyState === "complete"`)
}

func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.run(chromedp.SetValue(selector, text, chromedp.ByQuery))
}

// until waits until a JavaScript condition holds. While the tab goes from one page to the next there is nothing to ask: that is no failure.
func (b *tab) until(condition string) {
	b.t.Helper()
	var last error
	for range 200 {
		holds := false
		if last = chromedp.Run(b.ctx, chromedp.Evaluate("!!("+condition+")", &holds)); last == nil && holds {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	var text string
	_ = chromedp.Run(b.ctx, chromedp.Text("body", &text))
	b.t.Fatalf("%s does not come true: %v\n%.800s", condition, last, text)
}

func (b *tab) says(text string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`document.body.textContent.includes(%q)`, text))
}

// serious are the serious and critical violations that axe finds on the page.
func (b *tab) serious() []string {
	b.t.Helper()
	var found []string
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	b.run(chromedp.Evaluate(axeSource+";0", nil), chromedp.Evaluate(`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations
		.filter(v => ["serious", "critical"].includes(v.impact)).flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 200) + " " + (n.failureSummary || "").slice(0, 300))))`, &found, await))
	return found
}

var everyPage = map[string]string{
	"overview": "/", "incidents": "/incidents", "incident": "/incidents/" + openIncident, "undiagnosed": "/incidents/INC-20261121-2F8X", "reviewed": "/incidents/" + beforeIncident,
	"revision": "/incidents/" + openIncident + "?revision=1", "errors": "/errors", "error": "/errors?id=" + knownError, "unknown-error": "/errors?id=ERR-000000000", "patterns": "/patterns", "changes": "/changes",
	"slos": "/slos", "audit": "/audit", "postmortem": "/incidents/" + openIncident + "/postmortem", "postmortems": "/postmortems", "postmortem-edit": "/incidents/" + openIncident + "/postmortem?edit=1", "settings": "/settings",
	"tokens": "/tokens", "log": "/log", "report": "/report",
}

// TestEveryPageInABrowser opens each page once and looks at it in both sizes and both schemes.
func TestEveryPageInABrowser(t *testing.T) {
	tab := newTab(browser(t), t, newWorld(t, nil, nil).serve(t).URL)
	for name, path := range everyPage {
		if testing.Short() && !slices.Contains([]string{"overview", "incidents", "error", "settings"}, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			tab.t = t
			tab.look(1440, "light")
			tab.open(path)
			tab.until(`document.readyState === "complete"`)
			for _, s := range tab.heard() {
				t.Errorf("the console says: %s", s)
			}
			for _, view := range []struct {
				width  int
				scheme string
			}{{1440, "light"}, {1440, "dark"}, {390, "dark"}, {390, "light"}} {
				if testing.Short() && (view.width == 1440) != (view.scheme == "light") {
					continue
				}
				tab.look(view.width, view.scheme)
				var width int
				tab.run(chromedp.Evaluate(`document.documentElement.scrollWidth`, &width))
				if width > view.width {
					t.Errorf("%v: the page is %d wide and has to be pushed sideways", view, width)
				}
				if (view.width == 1440) == (view.scheme == "light") { // colours do not depend on the width
					for _, s := range tab.serious() {
						t.Errorf("%v: axe: %s", view, s)
					}
				}
				if *shots != "" {
					tab.shoot(fmt.Sprintf("%s-%d-%s.png", name, view.width, view.scheme))
				}
			}
		})
	}
}

func (b *tab) look(width int, scheme string) {
	b.t.Helper()
	b.run(chromedp.EmulateViewport(int64(width), 900), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, still}))
}

// shoot writes a picture of the whole page to the folder of -shots.
func (b *tab) shoot(name string) {
	b.t.Helper()
	var png []byte
	b.run(chromedp.FullScreenshot(&png, 100))
	if err := os.WriteFile(filepath.Join(*shots, name), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func TestAnIncidentInABrowser(t *testing.T) {
	w := newWorld(t, nil, nil)
	tab := newTab(browser(t), t, w.serve(t).URL)
	tab.open("/")
	tab.press(`a[href="/incidents/` + openIncident + `"]`)
	tab.says("Slow queries at db-1")
	tab.press(`form[action$="/acknowledge"] button`)
	tab.says("local has it")
	tab.fill("#note", "cancelled the longest queries")
	tab.press(".note button")
	tab.says("cancelled the longest queries")
	tab.fill(".steps li:first-child select", "helped")
	tab.fill(".steps li:first-child input[name=note]", "eleven of them, 40 s old")
	tab.press(".steps li:first-child form button")
	tab.says("eleven of them, 40 s old")
	tab.run(chromedp.Click("details.fold summary", chromedp.ByQuery))
	tab.fill(`form[action$="/severity"] select`, "2")
	tab.press(`form[action$="/severity"] button`)
	tab.says("severity SEV-2")
	for action, field := range map[string]string{"identify": "an index is missing", "waive": "it is a drill"} {
		tab.run(chromedp.Click("details.fold summary", chromedp.ByQuery))
		tab.fill(`form[action$="/`+action+`"] input[name=text]`, field)
		tab.press(`form[action$="/` + action + `"] button`)
		tab.says(field)
	}
	tab.run(chromedp.Click("details.fold summary", chromedp.ByQuery), chromedp.Click(`input[value="bug"]`, chromedp.ByQuery))
	tab.press(`form[action$="/factors"] button`)
	tab.until(`[...document.querySelectorAll(".outage .chip")].some(c => c.textContent === "bug")`)
	tab.press(`form[action$="/mitigate"] button`)
	for _, s := range tab.heard() {
		t.Error("the console says:", s)
	}
	tab.press(`.acts form[action$="/resolve"] button`) // an alert still fires: refused, and the browser notes the 409
	tab.says("alerts still fire")
	tab.heard()
	tab.open("/incidents/" + openIncident)
	tab.run(chromedp.Click("details.fold summary", chromedp.ByQuery))
	tab.fill(`form[action$="/resolve"].inline input[name=text]`, "the rule is wrong")
	tab.press(`form[action$="/resolve"].inline button`)
	tab.until(`document.querySelector(".outage .st-resolved")`)
	tab.press(`form[action$="/reopen"] button`)
	tab.until(`document.querySelector(".outage .st-open")`)
	w.desk.incidents[0].Alerts = nil
	tab.press(`.acts form[action$="/resolve"] button`)
	tab.press(`form[action$="/review"] button`)
	tab.until(`document.querySelector(".outage .st-reviewed")`)
	for _, s := range tab.heard() {
		t.Error("the console says:", s)
	}
}

func TestTheOtherFormsInABrowser(t *testing.T) {
	w := newWorld(t, nil, nil)
	tab := newTab(browser(t), t, w.serve(t).URL)
	tab.open("/")
	tab.run(chromedp.Click("details.fold summary", chromedp.ByQuery))
	tab.fill("input[name=title]", "customers cannot log in")
	tab.fill(`input[name=services]`, "login, accounts")
	tab.press(`form[action="/incidents"] button`)
	tab.says("customers cannot log in")
	tab.says("login, accounts")

	tab.open("/settings")
	tab.fill("input[name=match]", `{service="search"}`)
	tab.fill("input[name=why]", "load test")
	tab.press(`form[action="/silences"] button`)
	tab.says("load test")
	tab.press(`form[action="/silences/S2/end"] button`)
	tab.until(`!document.querySelector('form[action="/silences/S2/end"]')`)

	tab.open("/tokens")
	tab.fill("input[name=name]", "pipeline")
	tab.fill("select[name=role]", "responder")
	tab.press(`form[action="/tokens"] button`)
	tab.says("inq_")
	tab.run(chromedp.Click("[data-copy]", chromedp.ByQuery))
	tab.until(`["Copied", "Selected"].includes(document.querySelector("[data-copy]").textContent)`)
	tab.press(`a.button`)
	tab.says("pipeline")
	tab.press(`form[action$="/revoke"] button`)
	tab.says("revoked")
	tab.open("/log")
	tab.says("token revoked")

	tab.open("/incidents/" + openIncident + "/postmortem?edit=1")
	tab.fill("textarea[name=markdown]", "# Checkout\n\nowner: ann")
	tab.press(`form[action$="/postmortem"] button`)
	tab.says("owner: ann")
	tab.says("The lint has nothing to say")
	tab.press(`form[action$="/postmortem/publish"] button`)
	tab.says("published")

	tab.open("/report?id=" + knownError)
	tab.fill("textarea[name=text]", "I cannot pay")
	tab.press(`form[action="/report"] button`)
	tab.says("Thank you")
	for _, s := range tab.heard() {
		t.Error("the console says:", s)
	}
}

func TestKeys(t *testing.T) {
	w := newWorld(t, nil, nil)
	tab := newTab(browser(t), t, w.serve(t).URL)
	tab.open("/")
	special := map[rune]string{'\r': "Enter", '\x1b': "Escape"}
	keys := func(all string) { // as a person does: a character comes only when the page has not taken the key
		t.Helper()
		for _, k := range all {
			down, up := input.DispatchKeyEvent(input.KeyDown).WithKey(string(k)).WithText(string(k)), input.DispatchKeyEvent(input.KeyUp).WithKey(string(k))
			if name := special[k]; name != "" {
				code := int64(k)
				down, up = input.DispatchKeyEvent(input.KeyDown).WithKey(name).WithCode(name).WithWindowsVirtualKeyCode(code), input.DispatchKeyEvent(input.KeyUp).WithKey(name).WithCode(name).WithWindowsVirtualKeyCode(code)
				if k == '\r' {
					down = down.WithText("\r")
				}
			}
			tab.run(down, up)
		}
	}
	at := func(path string) {
		t.Helper()
		tab.until(fmt.Sprintf("location.pathname === %q && document.readyState === 'complete'", path))
	}
	keys("?")
	tab.until(`document.getElementById("help").open`)
	keys("\x1b")
	tab.until(`!document.getElementById("help").open`)
	keys("j")
	keys("j")
	keys("k")
	tab.until(`document.activeElement.getAttribute("href") === "/incidents/` + openIncident + `"`)
	keys("\r")
	at("/incidents/" + openIncident)
	keys("n")
	tab.until(`document.activeElement.id === "note"`)
	keys("j?") // written, not done
	tab.until(`document.getElementById("note").value === "j?" && !document.getElementById("help").open`)
	keys("\x1b")
	for key, path := range map[string]string{"i": "/incidents", "e": "/errors", "p": "/patterns", "c": "/changes", "s": "/slos", "a": "/audit", "t": "/settings", "o": "/"} {
		keys("g")
		keys(key)
		at(path)
	}
	keys("/")
	tab.until(`document.activeElement.id === "find"`)
	keys(knownError + "\r")
	at("/errors")
	tab.says("access.log:8127")
}

func TestAPageShowsWhatOthersDoWithoutBeingReloaded(t *testing.T) {
	w := newWorld(t, nil, nil)
	tab := newTab(browser(t), t, w.serve(t).URL)
	tab.open("/incidents/" + openIncident)
	tab.run(chromedp.Evaluate(`window.stays = true`, nil), chromedp.SendKeys("#note", "half a sentence", chromedp.ByQuery))
	for i := range 5 { // the page may still be connecting
		if _, err := w.desk.Act(t.Context(), openIncident, actNote(fmt.Sprintf("ben looks at the plan %d", i))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
	}
	tab.says("ben looks at the plan 4")
	tab.until(`window.stays && document.getElementById("note").value === "half a sentence"`)
	for _, s := range tab.heard() {
		t.Error("the console says:", s)
	}
}

func TestSigningInInABrowser(t *testing.T) {
	w := newWorld(t, users(), nil)
	tab := newTab(browser(t), t, w.serve(t).URL)
	tab.open("/incidents/" + openIncident)
	tab.until(`location.pathname === "/login"`)
	for _, s := range tab.serious() {
		t.Error("axe:", s)
	}
	enter := func(password string) {
		tab.fill("input[name=name]", "vic")
		tab.fill("input[name=password]", password)
		tab.press("form[action='/login'] button")
	}
	enter("guess")
	tab.says("name or password are wrong")
	tab.heard() // the browser notes the 401
	enter("vic has a long password")
	tab.until(`location.pathname === "/incidents/` + openIncident + `"`)
	tab.says("Slow queries at db-1")
	tab.until(`!document.querySelector(".acts")`) // a viewer has no buttons
	var cookies string
	tab.run(chromedp.Evaluate(`document.cookie`, &cookies))
	if strings.Contains(cookies, "inquest") {
		t.Errorf("scripts can read the session: %q", cookies)
	}
	tab.run(chromedp.Click(".menu summary", chromedp.ByQuery))
	tab.press("form[action='/logout'] button")
	tab.until(`location.pathname === "/login"`)
	for _, s := range tab.heard() {
		t.Error("the console says:", s)
	}
}
