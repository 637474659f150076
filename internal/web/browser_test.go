package web_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/inquesthq/inquest/internal/web/browsertest"
)

var shots = flag.String("shots", "", "folder to write screenshots of every page to")

var everyPage = map[string]string{
	"overview": "/", "incidents": "/incidents", "incident": "/incidents/" + openIncident, "undiagnosed": "/incidents/INC-20261121-2F8X", "reviewed": "/incidents/" + beforeIncident,
	"revision": "/incidents/" + openIncident + "?revision=1", "alerts": "/alerts", "errors": "/errors", "error": "/errors?id=" + knownError, "unknown-error": "/errors?id=ERR-000000000", "patterns": "/patterns", "changes": "/changes",
	"slos": "/slos", "audit": "/audit", "postmortem": "/incidents/" + openIncident + "/postmortem", "postmortems": "/postmortems", "postmortem-edit": "/incidents/" + openIncident + "/postmortem?edit=1", "settings": "/settings", "signals": "/signals", "stats": "/stats",
	"tokens": "/tokens", "log": "/log", "report": "/report",
}

// TestEveryPageInABrowser opens each page once and looks at it in both sizes and both schemes.
func TestEveryPageInABrowser(t *testing.T) {
	tab := browsertest.NewTab(browsertest.Start(t), t, newWorld(t, nil, nil).serve(t).URL)
	for name, path := range everyPage {
		if testing.Short() && !slices.Contains([]string{"overview", "incidents", "error", "settings"}, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			tab.T = t
			tab.Look(1440, "light")
			tab.Open(path)
			tab.Until(`document.readyState === "complete"`)
			for _, s := range tab.Heard() {
				t.Errorf("the console says: %s", s)
			}
			for _, view := range []struct {
				width  int
				scheme string
			}{{1440, "light"}, {1440, "dark"}, {390, "dark"}, {390, "light"}} {
				if testing.Short() && (view.width == 1440) != (view.scheme == "light") {
					continue
				}
				tab.Look(view.width, view.scheme)
				var width int
				tab.Run(chromedp.Evaluate(`document.documentElement.scrollWidth`, &width))
				if width > view.width {
					t.Errorf("%v: the page is %d wide and has to be pushed sideways", view, width)
				}
				if (view.width == 1440) == (view.scheme == "light") { // colours do not depend on the width
					for _, s := range tab.Serious() {
						t.Errorf("%v: axe: %s", view, s)
					}
				}
				if *shots != "" {
					tab.Shoot(filepath.Join(*shots, fmt.Sprintf("%s-%d-%s.png", name, view.width, view.scheme)))
				}
			}
		})
	}
}

func TestAnIncidentInABrowser(t *testing.T) {
	w := newWorld(t, nil, nil)
	tab := browsertest.NewTab(browsertest.Start(t), t, w.serve(t).URL)
	tab.Open("/")
	tab.Press(`a[href="/incidents/` + openIncident + `"]`)
	tab.Says("Slow queries at db-1")
	tab.Press(`form[action$="/acknowledge"] button`)
	tab.Says("local has it")
	tab.Fill("#note", "cancelled the longest queries")
	tab.Press(".note button")
	tab.Says("cancelled the longest queries")
	tab.Fill(".steps li:first-child select", "helped")
	tab.Fill(".steps li:first-child input[name=note]", "eleven of them, 40 s old")
	tab.Press(".steps li:first-child form button")
	tab.Says("eleven of them, 40 s old")
	tab.Run(chromedp.Click("details.fold summary", chromedp.ByQuery))
	tab.Fill(`form[action$="/severity"] select`, "2")
	tab.Press(`form[action$="/severity"] button`)
	tab.Says("severity SEV-2")
	for action, field := range map[string]string{"identify": "an index is missing", "waive": "it is a drill"} {
		tab.Run(chromedp.Click("details.fold summary", chromedp.ByQuery))
		tab.Fill(`form[action$="/`+action+`"] input[name=text]`, field)
		tab.Press(`form[action$="/` + action + `"] button`)
		tab.Says(field)
	}
	tab.Run(chromedp.Click("details.fold summary", chromedp.ByQuery), chromedp.Click(`input[value="bug"]`, chromedp.ByQuery))
	tab.Press(`form[action$="/factors"] button`)
	tab.Until(`[...document.querySelectorAll(".outage .chip")].some(c => c.textContent === "bug")`)
	tab.Press(`form[action$="/mitigate"] button`)
	for _, s := range tab.Heard() {
		t.Error("the console says:", s)
	}
	tab.Press(`.acts form[action$="/resolve"] button`) // an alert still fires: refused, and the browser notes the 409
	tab.Says("alerts still fire")
	tab.Heard()
	tab.Open("/incidents/" + openIncident)
	tab.Run(chromedp.Click("details.fold summary", chromedp.ByQuery))
	tab.Fill(`form[action$="/resolve"].inline input[name=text]`, "the rule is wrong")
	tab.Press(`form[action$="/resolve"].inline button`)
	tab.Until(`document.querySelector(".outage .st-resolved")`)
	tab.Press(`form[action$="/reopen"] button`)
	tab.Until(`document.querySelector(".outage .st-open")`)
	w.desk.quiet()
	tab.Press(`.acts form[action$="/resolve"] button`)
	tab.Press(`form[action$="/review"] button`)
	tab.Until(`document.querySelector(".outage .st-reviewed")`)
	for _, s := range tab.Heard() {
		t.Error("the console says:", s)
	}
}

func TestTheOtherFormsInABrowser(t *testing.T) {
	w := newWorld(t, nil, nil)
	tab := browsertest.NewTab(browsertest.Start(t), t, w.serve(t).URL)
	tab.Open("/")
	tab.Run(chromedp.Click("details.fold summary", chromedp.ByQuery))
	tab.Fill("input[name=title]", "customers cannot log in")
	tab.Fill(`input[name=services]`, "login, accounts")
	tab.Press(`form[action="/incidents"] button`)
	tab.Says("customers cannot log in")
	tab.Says("login, accounts")

	tab.Open("/settings")
	tab.Fill("input[name=match]", `{service="search"}`)
	tab.Fill(`form[action="/silences"] input[name=why]`, "load test")
	tab.Press(`form[action="/silences"] button`)
	tab.Says("load test")
	tab.Press(`form[action="/silences/S2/end"] button`)
	tab.Until(`!document.querySelector('form[action="/silences/S2/end"]')`)

	tab.Says("Nothing is under maintenance")
	tab.Fill(`form[action="/maintenance"] input[name=services]`, "checkout, db-1")
	tab.Run(chromedp.SetValue(`form[action="/maintenance"] input[name=from]`, "2026-12-01T22:00", chromedp.ByQuery))
	tab.Fill(`form[action="/maintenance"] input[name=why]`, "a new disk")
	tab.Press(`form[action="/maintenance"] button`)
	tab.Says("a new disk")
	tab.Says("from 12-01 22:00 until 12-02 00:00")
	for _, s := range tab.Serious() {
		t.Error("axe:", s)
	}
	tab.Press(`form[action="/maintenance/MW1/end"] button`)
	tab.Until(`!document.querySelector('form[action="/maintenance/MW1/end"]')`)

	tab.Open("/tokens")
	tab.Fill("input[name=name]", "pipeline")
	tab.Fill("select[name=role]", "responder")
	tab.Press(`form[action="/tokens"] button`)
	tab.Says("inq_")
	tab.Run(chromedp.Click("[data-copy]", chromedp.ByQuery))
	tab.Until(`["Copied", "Selected"].includes(document.querySelector("[data-copy]").textContent)`)
	tab.Press(`a.button`)
	tab.Says("pipeline")
	tab.Press(`form[action$="/revoke"] button`)
	tab.Says("revoked")
	tab.Open("/log")
	tab.Says("token revoked")

	tab.Open("/incidents/" + openIncident + "/postmortem?edit=1")
	tab.Fill("textarea[name=markdown]", "# Checkout\n\nowner: ann")
	tab.Press(`form[action$="/postmortem"] button`)
	tab.Says("owner: ann")
	tab.Says("The lint has nothing to say")
	tab.Press(`form[action$="/postmortem/publish"] button`)
	tab.Says("published")

	tab.Open("/report?id=" + knownError)
	tab.Fill("textarea[name=text]", "I cannot pay")
	tab.Press(`form[action="/report"] button`)
	tab.Says("Thank you")
	for _, s := range tab.Heard() {
		t.Error("the console says:", s)
	}
}

func TestKeys(t *testing.T) {
	w := newWorld(t, nil, nil)
	tab := browsertest.NewTab(browsertest.Start(t), t, w.serve(t).URL)
	tab.Open("/")
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
			tab.Run(down, up)
		}
	}
	at := func(path string) {
		t.Helper()
		tab.Until(fmt.Sprintf("location.pathname === %q && document.readyState === 'complete'", path))
	}
	keys("?")
	tab.Until(`document.getElementById("help").open`)
	keys("\x1b")
	tab.Until(`!document.getElementById("help").open`)
	keys("j")
	keys("j")
	keys("k")
	tab.Until(`document.activeElement.getAttribute("href") === "/incidents/` + openIncident + `"`)
	keys("\r")
	at("/incidents/" + openIncident)
	keys("n")
	tab.Until(`document.activeElement.id === "note"`)
	keys("j?") // written, not done
	tab.Until(`document.getElementById("note").value === "j?" && !document.getElementById("help").open`)
	keys("\x1b")
	for key, path := range map[string]string{"i": "/incidents", "l": "/alerts", "e": "/errors", "p": "/patterns", "c": "/changes", "s": "/slos", "a": "/audit", "t": "/settings", "o": "/"} {
		keys("g")
		keys(key)
		at(path)
	}
	keys("/")
	tab.Until(`document.activeElement.id === "find"`)
	keys(knownError + "\r")
	at("/errors")
	tab.Says("access.log:8127")
}

func TestAPageShowsWhatOthersDoWithoutBeingReloaded(t *testing.T) {
	w := newWorld(t, nil, nil)
	tab := browsertest.NewTab(browsertest.Start(t), t, w.serve(t).URL)
	tab.Open("/incidents/" + openIncident)
	tab.Run(chromedp.Evaluate(`window.stays = true`, nil), chromedp.SendKeys("#note", "half a sentence", chromedp.ByQuery))
	for i := range 5 { // the page may still be connecting
		if _, err := w.desk.Act(t.Context(), openIncident, actNote(fmt.Sprintf("ben looks at the plan %d", i))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
	}
	tab.Says("ben looks at the plan 4")
	tab.Until(`window.stays && document.getElementById("note").value === "half a sentence"`)
	for _, s := range tab.Heard() {
		t.Error("the console says:", s)
	}
}

func TestSigningInInABrowser(t *testing.T) {
	w := newWorld(t, users(), nil)
	tab := browsertest.NewTab(browsertest.Start(t), t, w.serve(t).URL)
	tab.Open("/incidents/" + openIncident)
	tab.Until(`location.pathname === "/login"`)
	for _, s := range tab.Serious() {
		t.Error("axe:", s)
	}
	enter := func(password string) {
		tab.Fill("input[name=name]", "vic")
		tab.Fill("input[name=password]", password)
		tab.Press("form[action='/login'] button")
	}
	enter("guess")
	tab.Says("name or password are wrong")
	tab.Heard() // the browser notes the 401
	enter("vic has a long password")
	tab.Until(`location.pathname === "/incidents/` + openIncident + `"`)
	tab.Says("Slow queries at db-1")
	tab.Until(`!document.querySelector(".acts")`) // a viewer has no buttons
	var cookies string
	tab.Run(chromedp.Evaluate(`document.cookie`, &cookies))
	if strings.Contains(cookies, "inquest") {
		t.Errorf("scripts can read the session: %q", cookies)
	}
	tab.Run(chromedp.Click(".menu summary", chromedp.ByQuery))
	tab.Press("form[action='/logout'] button")
	tab.Until(`location.pathname === "/login"`)
	for _, s := range tab.Heard() {
		t.Error("the console says:", s)
	}
}
