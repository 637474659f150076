package server_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/config/serverfile"
	"github.com/inquesthq/inquest/internal/server"
	"github.com/inquesthq/inquest/internal/store/pgtest"
)

// childFile names the settings of a server that this program is started again as, to be killed.
const childFile = "SERVER_TEST_FILE"

// child serves as `inquest serve FILE` does, until it is killed.
func child() error {
	settings, err := serverfile.Load(os.Getenv(childFile))
	if err != nil {
		return err
	}
	return server.Run(context.Background(), server.Options{Settings: settings, Version: "test", Now: time.Now,
		Log: func(text string) { fmt.Fprintln(os.Stderr, settings.Name+": "+text) }, Ready: func(at []string) { fmt.Println(at[0]) }})
}

// member is one of several servers on one database, a process of its own.
type member struct {
	t       *testing.T
	name    string
	file    string
	at      string
	process *exec.Cmd
}

// newMember writes the settings of a server and starts it.
func newMember(t *testing.T, name, database, hook string) *member {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	dir := t.TempDir()
	m := &member{t: t, name: name, file: filepath.Join(dir, "inquest.yaml"), at: "http://" + address}
	text := fmt.Sprintf("name: %s\ndata: %s\nlisten: {address: %q}\ndatabase: %q\nrules: {no_shipped: true}\nincidents: {resolve_after: 1s}\n"+
		"channels: {hook: {webhook: {url: %q}, allow: [127.0.0.0/8]}}\ntell: [{channel: hook}]\n", name, filepath.Join(dir, "data"), address, database, hook)
	if err := os.WriteFile(m.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	t.Cleanup(m.kill)
	return m
}

func (m *member) start() {
	m.t.Helper()
	m.process = exec.Command(os.Args[0])
	m.process.Env = append(os.Environ(), childFile+"="+m.file)
	m.process.Stderr = os.Stderr
	m.process.SysProcAttr = &syscall.SysProcAttr{}
	pgtest.DieWithParent(m.process.SysProcAttr)
	out, err := m.process.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	if err := m.process.Start(); err != nil {
		m.t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || strings.TrimSpace(line) != m.at {
		m.t.Fatalf("server %s does not begin: %q, %v", m.name, line, err)
	}
}

// kill is kill -9.
func (m *member) kill() {
	if m.process != nil {
		_ = m.process.Process.Kill()
		_ = m.process.Wait()
		m.process = nil
	}
}

// tell posts an alert as an Alertmanager does: to every server, and again until it is taken by one that lives.
func tell(t *testing.T, client *http.Client, members []*member, service, status string) {
	t.Helper()
	now := time.Now().UTC().Format(time.RFC3339Nano)
	ends := "0001-01-01T00:00:00Z"
	if status == "resolved" {
		ends = now
	}
	body := fmt.Sprintf(`{"version":"4","status":%q,"alerts":[{"status":%[1]q,"labels":{"alertname":"Down","service":%q,"severity":"page"},"startsAt":%q,"endsAt":%q}]}`, status, service, now, ends)
	var all sync.WaitGroup
	taken := make([]bool, len(members))
	for i, m := range members {
		all.Go(func() {
			for range 50 {
				res, err := client.Post(m.at+"/api/v1/hooks/alertmanager", "application/json", strings.NewReader(body))
				if err == nil {
					_ = res.Body.Close()
					if taken[i] = res.StatusCode == http.StatusOK; taken[i] {
						return
					}
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	all.Wait()
	if !taken[0] && !taken[1] {
		t.Errorf("nobody took that %s is %s", service, status)
	}
}

// TestServersOnOneDatabaseThatAreKilledTellOnceAndLoseNothing runs two servers as processes, which get the same alerts. In each round the one that leads is
// killed at some moment while an outage begins; the other goes on, and it comes back.
func TestServersOnOneDatabaseThatAreKilledTellOnceAndLoseNothing(t *testing.T) {
	t.Parallel()
	hook := newChannel(t)
	url := database(t, "servers")
	pg, err := pg()
	if err != nil {
		t.Fatal(err)
	}
	members := []*member{newMember(t, "a", url, hook.URL), newMember(t, "b", url, hook.URL)}
	leader := func() string {
		out, err := pg.SQL("\\c servers\nSELECT convert_from(holder, 'UTF8') FROM " + leases(t, pg) + " WHERE task = 'incidents' AND until > extract(epoch FROM clock_timestamp()) * 1000000")
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	rounds, kills := 4, 0
	if testing.Short() {
		rounds = 2
	}
	for i := range rounds {
		until(t, "somebody leads", func() bool { return leader() != "" })
		first := members[0]
		if leader() != first.name {
			first = members[1]
		}
		service := fmt.Sprintf("service-%02d", i)
		var told sync.WaitGroup
		told.Go(func() { tell(t, client, members, service, "firing") })
		time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
		first.kill()
		kills++
		told.Wait()
		until(t, "the other one leads", func() bool { l := leader(); return l != "" && l != first.name })
		first.start()
		tell(t, client, members, service, "resolved")
	}
	other := nobody(t, members[0].at)
	var all []inquest.Incident
	until(t, "all of them are resolved and people are told", func() bool {
		all = read[list](other, "/incidents").Items
		done := len(all) == rounds && len(hook.got()) >= 2*rounds
		for _, inc := range all {
			done = done && inc.State == inquest.IncidentResolved && !inc.Notified.IsZero() && inc.Revision > 0
		}
		return done
	})
	time.Sleep(2 * time.Second) // whatever would come twice
	repeated := 0
	for _, inc := range all {
		for _, occasion := range []string{"opened", "resolved"} {
			n := hook.got()[inc.ID+"/"+occasion+"-1/hook"]
			if n == 0 {
				t.Errorf("nobody was told that %s is %s: %v", inc.ID, occasion, hook.got())
			}
			repeated += max(n-1, 0)
		}
		for _, second := range []string{"opened-2", "resolved-2"} {
			if hook.got()[inc.ID+"/"+second+"/hook"] > 0 {
				t.Errorf("%s: %s", inc.ID, second)
			}
		}
	}
	if repeated > kills {
		t.Errorf("%d repetitions after %d kills: only a kill between sending and writing it down may cause one, under the same id", repeated, kills)
	}
	t.Logf("%d kills of the leader, %d incidents, %d messages, %d repeated under the same id", kills, len(all), len(hook.got()), repeated)
}

// leases is the table of leases, with its schema.
func leases(t *testing.T, pg *pgtest.Server) string {
	t.Helper()
	out, err := pg.SQL("\\c servers\nSELECT schemaname || '.' || tablename FROM pg_tables WHERE tablename LIKE '%leases'")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}
