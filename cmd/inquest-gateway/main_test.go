package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The test binary is the gateway too: with this variable it runs main.
const asGateway = "INQUEST_GATEWAY_TEST_RUNS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asGateway) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestUsageAndExitCodes(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	write(t, good, "listen: [{address: \":0\"}]\nupstreams: {a: {servers: [\"http://127.0.0.1:1\"]}}\nroutes: [{upstream: a}]\n")
	write(t, bad, "routes: [{upstream: a}]\n")
	for _, c := range []struct {
		args        []string
		code        int
		out, talked string
	}{
		{nil, 2, "", "Usage: inquest-gateway"}, {[]string{"-h"}, 0, "", "Exit codes:"}, {[]string{"-x"}, 2, "", "flag provided but not defined"},
		{[]string{"check", good}, 0, "nothing is wrong", ""}, {[]string{"check", bad}, 1, "", "bad.yaml:1: upstream: there is no upstream"},
		{[]string{bad}, 1, "", "there is no upstream"}, {[]string{"check"}, 1, "", "no such file"}, {[]string{"a", "b", "c"}, 2, "", "Usage"},
	} {
		var out, talk bytes.Buffer
		if code := run(t.Context(), c.args, &out, &talk); code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(talk.String(), c.talked) {
			t.Errorf("%v: exit code %d, %q, %q", c.args, code, &out, &talk)
		}
	}
}

// A gateway that is killed and started again under load answers nothing wrongly: what it answered was whole and right, and what it was
// killed under ended with the connection.
func TestKilledAndStartedAgainUnderLoadNothingIsAnsweredWrongly(t *testing.T) {
	const body = "exactly this and nothing else"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(2 * time.Millisecond)
		_, _ = io.WriteString(w, body)
	}))
	defer s.Close()
	dir, addr := t.TempDir(), free(t)
	file, log := filepath.Join(dir, "gw.yaml"), filepath.Join(dir, "access.log")
	write(t, file, fmt.Sprintf("listen: [{address: %q}]\nadmin: unix:%s/admin.sock\naccess_log: {file: %s}\nupstreams: {a: {servers: [%q]}}\nroutes: [{upstream: a}]\n", addr, dir, log, s.URL))
	gw := launch(t, file, addr)
	var answered, broken atomic.Int64
	var mu sync.Mutex
	var wrong []string
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: 5 * time.Second}
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, err := client.Get("http://" + addr + "/")
				if err != nil {
					broken.Add(1)
					time.Sleep(5 * time.Millisecond)
					continue
				}
				b, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				switch {
				case err != nil:
					broken.Add(1)
				case resp.StatusCode != http.StatusOK || string(b) != body:
					mu.Lock()
					wrong = append(wrong, fmt.Sprintf("%d %q", resp.StatusCode, b))
					mu.Unlock()
				default:
					answered.Add(1)
				}
			}
		})
	}
	for range 3 {
		time.Sleep(300 * time.Millisecond)
		if err := gw.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = gw.Wait() // it was killed
		gw = launch(t, file, addr)
	}
	time.Sleep(300 * time.Millisecond)
	close(stop)
	wg.Wait()
	if len(wrong) > 0 || answered.Load() < 20 {
		t.Errorf("%d answered, %d broken off, wrong: %.300q", answered.Load(), broken.Load(), wrong)
	}
	// Many lines are one write. A kill costs at most the second before it; the kernel may let go of the write between two pages, and
	// then leaves one line cut, with which no other is lost.
	cut := 0
	for i, l := range lines(t, log) {
		if json.Valid(l) {
			continue
		}
		if cut++; cut > 3 || bytes.Count(l, []byte(`{"time"`)) > 1 {
			t.Errorf("line %d of the log is broken: %s", i, l)
		}
	}
}

// launch starts the gateway and waits until it listens.
func launch(t *testing.T, file, addr string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], file)
	cmd.Env = append(os.Environ(), asGateway+"=1")
	var talk bytes.Buffer
	cmd.Stderr = &talk
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for range 400 {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return cmd
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("it does not listen: %s", &talk)
	return nil
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func lines(t *testing.T, path string) [][]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out [][]byte
	for s := bufio.NewScanner(f); s.Scan(); {
		out = append(out, bytes.Clone(s.Bytes()))
	}
	return out
}
