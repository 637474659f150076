package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "rewrite what scripts compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"inquest": main})
}

// TestScripts runs testdata/script: one file per behaviour of the command line.
func TestScripts(t *testing.T) {
	example, err := filepath.Abs("../../examples/black-friday")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLE", example)
			e.Setenv("LANG", "C.UTF-8")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":       code,
			"shop":       shop,
			"gzip":       gzipFile,
			"cut":        cutFile,
			"put":        put,
			"rawname":    rawName,
			"mkfifo":     mkfifo,
			"halves":     halves,
			"plainuser":  plainUser,
			"leave":      leave,
			"sameanswer": sameAnswer,
			"want":       want,
			"printable":  printable,
			"freeport":   freePort,
			"expand":     expand,
			"fetch":      fetch,
			"service":    service,
			"errorid":    errorID,
			"gatewaylog": gatewayLog,
			"guarded":    guarded,
			"serving":    serving,
			"remember":   remember,
			"edit":       edit,
			"narrow":     narrow,
			"traffic":    traffic,
			"eventually": eventually,
		},
	})
}

// A command that nobody can find out how to use is of no use: each has a long text, its exit codes, and an example.
func TestEveryCommandExplainsItself(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		t.Run(c.CommandPath(), func(t *testing.T) {
			if c.Short == "" || len(c.Long) < 60 {
				t.Error("no text that says what it does")
			}
			if !strings.Contains(c.Long, "Exit codes:") {
				t.Error("its help does not list the exit codes")
			}
			if c.Example == "" {
				t.Error("no example")
			}
			for _, line := range strings.Split(c.Long+"\n"+c.Example, "\n") {
				if len(line) > 140 {
					t.Errorf("a line of %d characters: %q", len(line), line)
				}
			}
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
}

// What a user types comes back in messages, and what he types he may have copied.
func TestErrorsSteerNoTerminal(t *testing.T) {
	const evil = "a\x1b[31mb\u202ec\x07"
	for _, args := range [][]string{
		{"investigate", evil}, {"triage", evil}, {"parse", evil}, {"patterns", evil}, {"error", evil, t.TempDir()}, {"explain", evil},
		{"investigate", t.TempDir(), "--format", evil}, {"parse", t.TempDir(), "--format", evil}, {"patterns", t.TempDir(), "--format", evil},
		{"investigate", t.TempDir(), "--zone", evil}, {"investigate", t.TempDir(), "--output", evil + "/x"}, {evil}, {"parse", "--" + evil},
	} {
		var out, talk bytes.Buffer
		if code := run(t.Context(), args, &out, &talk); code == exitOK {
			t.Errorf("%q: no error", args)
		}
		if said := talk.String(); strings.ContainsAny(said, "\x1b\u202e\x07") || said == "" {
			t.Errorf("%q: said %q", args, said)
		}
	}
}

func TestInterruptedIsToldFromFailed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.log"), []byte("2026-11-20T16:12:03Z ERROR boom\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, command := range []string{"investigate", "triage", "patterns"} {
		var out, talk bytes.Buffer
		if code := run(ctx, []string{command, dir}, &out, &talk); code != exitInterrupted {
			t.Errorf("%s: exit code %d, want %d", command, code, exitInterrupted)
		}
		if out.Len() > 0 || !strings.Contains(talk.String(), "interrupted") {
			t.Errorf("%s: wrote %q, said %q", command, &out, &talk)
		}
	}
}

// code N command...: the command ends with exit code N; its output is for stdout and stderr.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command [args...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// shop DIR [healthy] [app-shift=DURATION] [note=TEXT]: the logs of a small shop behind nginx over twelve minutes. From the
// eighth on, one of its routes throws after a deploy, unless healthy. note is quoted in the message of the exception and
// in the agent of the failed requests.
func shop(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: shop DIR [healthy] [app-shift=DURATION] [note=TEXT]")
	}
	var access, app bytes.Buffer
	failing, shift, note := true, time.Duration(0), "none"
	for _, a := range args[1:] {
		key, value, _ := strings.Cut(a, "=")
		switch key {
		case "healthy":
			failing = false
		case "app-shift":
			d, err := time.ParseDuration(value)
			ts.Check(err)
			shift = d
		case "note":
			note = unquote(ts, value)
		}
	}
	start := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	r := rand.New(rand.NewPCG(7, 7))
	routes := []string{"GET /products", "GET /products/%d", "GET /cart", "POST /orders"}
	for i := range 12 * 60 * 4 { // four requests a second
		id := fmt.Sprintf("7cab%028x", 7919*i)
		at := start.Add(time.Duration(i) * 250 * time.Millisecond)
		route := routes[i%4]
		if strings.Contains(route, "%d") {
			route = fmt.Sprintf(route, 1+r.IntN(900))
		}
		status, agent := 200, "Mozilla/5.0"
		if failing && i%4 == 3 && at.Sub(start) > 8*time.Minute {
			status, agent = 500, note
			fmt.Fprintf(&app, "%s ERROR [worker-%d] shop.Orders - Order failed, request_id=%s: %s\njava.lang.NullPointerException: Cannot invoke \"Address.zip()\" because \"address\" is null (%s)\n\tat shop.Shipping.cost(Shipping.java:41)\n\tat shop.Orders.place(Orders.java:88)\n",
				at.Add(shift).Format("2006-01-02T15:04:05.000Z07:00"), 1+r.IntN(8), id, note, note)
		} else {
			fmt.Fprintf(&app, "%s INFO  [worker-%d] shop.Http - %s answered in %d ms\n", at.Add(shift).Format("2006-01-02T15:04:05.000Z07:00"), 1+r.IntN(8), route, 5+r.IntN(40))
		}
		fmt.Fprintf(&access, "10.1.%d.%d - - [%s] \"%s HTTP/1.1\" %d %d \"-\" \"%s\" rt=0.0%d rid=%s\n", r.IntN(4), 1+r.IntN(250), at.Format("02/Jan/2006:15:04:05 -0700"), route, status, 200+r.IntN(900), agent, 10+r.IntN(80), id)
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, "nginx-access.log"), access.Bytes(), 0o644))
	ts.Check(os.WriteFile(filepath.Join(dir, "shop.log"), app.Bytes(), 0o644))
	ts.Check(os.WriteFile(filepath.Join(dir, "changes.jsonl"), []byte(`{"time":"2026-03-14T09:07:52Z","kind":"deploy","service":"shop","version":"2.4.0","summary":"shipping by zone"}`+"\n"), 0o644))
}

// gzip FILE: FILE becomes FILE.gz.
func gzipFile(ts *testscript.TestScript, _ bool, args []string) {
	for _, a := range args {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		_, err := w.Write([]byte(ts.ReadFile(a)))
		ts.Check(err)
		ts.Check(w.Close())
		ts.Check(os.WriteFile(ts.MkAbs(a)+".gz", z.Bytes(), 0o644))
		ts.Check(os.Remove(ts.MkAbs(a)))
	}
}

// cut FILE PERCENT: only so much of the file's bytes stay.
func cutFile(ts *testscript.TestScript, _ bool, args []string) {
	st, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	percent, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), st.Size()*percent/100))
}

// unquote reads Go's escapes; double quotes need none.
func unquote(ts *testscript.TestScript, s string) string {
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	ts.Check(err)
	return text
}

// put FILE GOSTRING [TIMES]: appends the bytes of the string with Go's escapes to the file, so many times.
func put(ts *testscript.TestScript, _ bool, args []string) {
	text := unquote(ts, args[1])
	times := 1
	if len(args) > 2 {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		times = n
	}
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	ts.Check(err)
	_, err = f.WriteString(strings.Repeat(text, times))
	ts.Check(err)
	ts.Check(f.Close())
}

// rawname FILE GOSTRING: the file gets a name, in its folder, that may hold any byte.
func rawName(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	ts.Check(os.Rename(path, filepath.Join(filepath.Dir(path), unquote(ts, args[1]))))
}

func mkfifo(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(syscall.Mkfifo(ts.MkAbs(args[0]), 0o644))
}

// halves FILE: FILE.1 gets the older half of the lines, as log rotation leaves them; only for logs of one line a record.
func halves(ts *testscript.TestScript, _ bool, args []string) {
	lines := strings.SplitAfter(ts.ReadFile(args[0]), "\n")
	old := strings.Join(lines[:len(lines)/2], "")
	ts.Check(os.WriteFile(ts.MkAbs(args[0])+".1", []byte(old), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(lines[len(lines)/2:], "")), 0o644))
}

// plainuser N OUT ERR inquest...: runs inquest as a user for whom permissions count and wants exit code N.
func plainUser(ts *testscript.TestScript, _ bool, args []string) {
	var out, talk bytes.Buffer
	cmd := command(ts, args[3:])
	cmd.Stdout, cmd.Stderr = &out, &talk
	if os.Getuid() == 0 { // root reads everything: become nobody, who must be let to the folders on the way
		for _, p := range []string{cmd.Path, cmd.Dir} {
			for ; p != os.TempDir() && len(p) > 1; p = filepath.Dir(p) {
				ts.Check(os.Chmod(p, 0o755))
			}
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	err := cmd.Run()
	if cmd.ProcessState == nil {
		ts.Fatalf("%v", err)
	}
	if got := strconv.Itoa(cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code %s, want %s: %s", got, args[0], &talk)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.Bytes(), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), talk.Bytes(), 0o644))
}

func command(ts *testscript.TestScript, args []string) *exec.Cmd {
	path, err := exec.LookPath(args[0])
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, args[0]); err != nil || path == "" {
			if _, serr := os.Stat(p); serr == nil {
				path, err = p, nil
			}
		}
	}
	ts.Check(err)
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + ts.Getenv("TMPDIR"), "LANG=C.UTF-8"}
	return cmd
}

// leave inquest...: the reader of standard output leaves before the first byte. The command must end without a word.
func leave(ts *testscript.TestScript, _ bool, args []string) {
	r, w, err := os.Pipe()
	ts.Check(err)
	ts.Check(r.Close())
	defer w.Close()
	var talk bytes.Buffer
	cmd := command(ts, args)
	cmd.Stdout, cmd.Stderr = w, &talk
	err = cmd.Run()
	state, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	killed := state.Signaled() && state.Signal() == syscall.SIGPIPE
	if err != nil && !killed || talk.Len() > 0 {
		ts.Fatalf("with nobody reading: %v, said %q", err, &talk)
	}
}

// told is the part of a report that does not depend on how the files are laid out.
type told struct {
	Incident bool   `json:"incident"`
	Onset    string `json:"onset"`
	Verdict  *struct {
		Level      string          `json:"level"`
		Mechanism  string          `json:"mechanism"`
		Culprit    string          `json:"culprit"`
		Confidence float64         `json:"confidence"`
		Trigger    json.RawMessage `json:"trigger"`
	} `json:"verdict"`
}

func answerOf(ts *testscript.TestScript, file string) told {
	var a told
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &a))
	return a
}

// sameanswer A.json B.json: the verdicts are the same.
func sameAnswer(ts *testscript.TestScript, neg bool, args []string) {
	diff := cmp.Diff(answerOf(ts, args[0]), answerOf(ts, args[1]))
	if neg == (diff == "") {
		ts.Fatalf("answers of %s and %s: %s", args[0], args[1], diff)
	}
}

// want FILE.json LEVEL MECHANISM: the verdict; - for no incident.
func want(ts *testscript.TestScript, _ bool, args []string) {
	a := answerOf(ts, args[0])
	got := "-"
	if a.Incident && a.Verdict != nil {
		got = a.Verdict.Level + " " + a.Verdict.Mechanism
	}
	if got != strings.Join(args[1:], " ") {
		ts.Fatalf("verdict %q, want %q", got, strings.Join(args[1:], " "))
	}
}

// printable FILE: no control characters but the end of the line, and valid UTF-8.
func printable(ts *testscript.TestScript, _ bool, args []string) {
	for i, line := range strings.Split(strings.ToValidUTF8(ts.ReadFile(args[0]), "\x00"), "\n") {
		for _, c := range line {
			if c < 0x20 || c >= 0x7f && c < 0xa0 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
				ts.Fatalf("%s:%d: %U in %q", args[0], i+1, c, line)
			}
		}
	}
}
