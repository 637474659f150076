package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/server"
)

// serving [users]: a real server on a folder of the script, which follows served/*.log; INQUEST_SERVER is its address. With "users" people have to sign in there, and VIEWER,
// RESPONDER, ADMIN and SHOP are tokens: of the roles, and of the source "shop".
func serving(ts *testscript.TestScript, _ bool, args []string) {
	s := server.Settings{Data: ts.MkAbs("data"), In: server.In{Files: []server.File{{Path: ts.MkAbs("served") + "/*.log"}}}, Audit: server.Audit{Every: time.Second}}
	at, stop := launch(ts, s)
	ts.Setenv("INQUEST_SERVER", at)
	if len(args) == 0 {
		ts.Defer(stop)
		return
	}
	for name, body := range map[string]string{"VIEWER": `{"name":"v","role":"viewer"}`, "RESPONDER": `{"name":"ada","role":"responder"}`, "ADMIN": `{"name":"root","role":"admin"}`, "SHOP": `{"name":"shop","source":"shop"}`} {
		resp, err := http.Post(at+"/api/v1/tokens", "application/json", strings.NewReader(body))
		ts.Check(err)
		var made struct{ Key string }
		ts.Check(json.NewDecoder(resp.Body).Decode(&made))
		ts.Check(resp.Body.Close())
		ts.Setenv(name, made.Key)
	}
	stop()
	hash, err := auth.HashPassword(rand.Reader, "correct horse battery")
	ts.Check(err)
	s.Access.Users = map[string]server.User{"ada": {Password: hash, Role: "admin"}}
	at, stop = launch(ts, s)
	ts.Defer(stop)
	ts.Setenv("INQUEST_SERVER", at)
}

// launch runs a server until stop is called.
func launch(ts *testscript.TestScript, s server.Settings) (at string, stop func()) {
	s.Listen.Address = "127.0.0.1:0"
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, server.Options{Settings: s, Version: "test", Now: time.Now, Ready: func(a []string) { ready <- a[0] }})
	}()
	stop = func() {
		cancel()
		ts.Check(<-ended)
	}
	select {
	case at = <-ready:
		return at, stop
	case err := <-ended:
		cancel()
		ts.Fatalf("the server did not begin: %v", err)
	case <-time.After(2 * time.Minute):
		cancel()
		ts.Fatalf("the server did not begin within two minutes")
	}
	return "", nil
}

// remember VAR REGEXP FILE: the variable becomes what the first group, or the whole, matches in the file.
func remember(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile(args[2]))
	if m == nil {
		ts.Fatalf("%s has no %s", args[2], args[1])
	}
	ts.Setenv(args[0], m[len(m)-1])
}

// edit FILE FROM TO...: each text in the file is replaced by the one behind it, everywhere; it must be there.
func edit(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	for i := 1; i+1 < len(args); i += 2 {
		from, to := unquote(ts, args[i]), unquote(ts, args[i+1])
		if !strings.Contains(text, from) {
			ts.Fatalf("%s has no %q", args[0], from)
		}
		text = strings.ReplaceAll(text, from, to)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// narrow FILE: no line is wider than 80, except commands that are to be copied ("$ ...") and addresses.
func narrow(ts *testscript.TestScript, _ bool, args []string) {
	for i, line := range bytes.Split([]byte(ts.ReadFile(args[0])), []byte("\n")) {
		t := strings.TrimSpace(string(line))
		if n := len([]rune(string(line))); n > 80 && !strings.HasPrefix(t, "$ ") && !strings.HasPrefix(t, "http") {
			ts.Fatalf("%s:%d is %d wide: %s", filepath.Base(args[0]), i+1, n, line)
		}
	}
}

// traffic DIR ID: the logs in DIR of a shop behind nginx get what thirty requests of this moment leave; the last one failed, and is called ID.
func traffic(ts *testscript.TestScript, _ bool, args []string) {
	var access, app bytes.Buffer
	now := time.Now().UTC()
	for i := range 30 {
		id, status := fmt.Sprintf("7cab%028x", now.UnixNano()+int64(i)), 200
		if i == 29 {
			id, status = args[1], 500
			fmt.Fprintf(&app, "%s ERROR [worker-1] shop.Orders - Order failed, request_id=%s: the warehouse does not answer\n", now.Format("2006-01-02T15:04:05.000Z07:00"), id)
		}
		fmt.Fprintf(&access, "10.1.0.9 - - [%s] \"GET /cart HTTP/1.1\" %d 312 \"-\" \"curl/8\" rt=0.012 rid=%s\n", now.Format("02/Jan/2006:15:04:05 -0700"), status, id)
	}
	for name, lines := range map[string][]byte{"nginx.log": access.Bytes(), "shop.log": app.Bytes()} {
		f, err := os.OpenFile(filepath.Join(ts.MkAbs(args[0]), name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		ts.Check(err)
		_, err = f.Write(lines)
		ts.Check(err)
		ts.Check(f.Close())
	}
}

// eventually PATTERN command...: the command is tried until its output has the pattern; half a minute is the limit.
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile("(?m)" + args[0])
	for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		cmd := command(ts, args[1:])
		cmd.Env = append(cmd.Env, "INQUEST_SERVER="+ts.Getenv("INQUEST_SERVER"), "INQUEST_TOKEN="+ts.Getenv("INQUEST_TOKEN"))
		out, err := cmd.CombinedOutput()
		if err == nil && want.Match(out) {
			return
		}
		if time.Since(began) > 30*time.Second {
			ts.Fatalf("%v: no match for %s in %s", err, want, out)
		}
	}
}
