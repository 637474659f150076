package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store/pgtest"
)

// shop is everything that runs: the gateway before checkout before its database and two services, and the server that watches them.
type shop struct {
	options
	dir                string
	database           *pgtest.Server
	payment, warehouse *standIn
	receiver           *receiver
	load               *load
	service            *process // the running release of checkout
	servicePort, admin int
	gatewayPort        int
	closers            []func()
}

func (s *shop) closing(f func()) { s.closers = append(s.closers, f) }

func (s *shop) close() {
	for _, f := range slices.Backward(s.closers) {
		f()
	}
}

func (s *shop) file(name string) string { return filepath.Join(s.dir, name) }

func (s *shop) url() string { return "http://" + s.at }

// loggedFrom is how long a statement takes that PostgreSQL logs, as operators set it who want to see slow queries.
const loggedFrom = 50 * time.Millisecond

// openDatabase starts PostgreSQL with a year of orders: as many as the scenario needs on this machine.
func (s *shop) openDatabase(ctx context.Context) error {
	var err error
	s.database, err = pgtest.StartWith("fsync=off", "shared_buffers=256MB", "max_wal_size=4GB", "max_parallel_workers_per_gather=0", "log_line_prefix=%m [%p] %u@%d ",
		fmt.Sprintf("log_min_duration_statement=%d", loggedFrom.Milliseconds()), "session_preload_libraries=auto_explain", fmt.Sprintf("auto_explain.log_min_duration=%d", loggedFrom.Milliseconds()), "auto_explain.sample_rate=0.2")
	if err != nil {
		return err
	}
	s.closing(func() {
		if err := s.database.Close(); err != nil {
			s.say("PostgreSQL did not end well: %v", err)
		}
	})
	if err := os.Chmod(filepath.Dir(s.database.Log()), 0o711); err != nil { // the log is read by its name
		return err
	}
	if _, err := s.database.SQL("CREATE DATABASE shop"); err != nil {
		return err
	}
	migrate, err := start("checkout migrate", s.dir, s.file("migrate.log"), s.environment(), s.file("checkout"), "migrate")
	if err != nil {
		return err
	}
	select {
	case <-migrate.ended:
	case <-ctx.Done():
		migrate.stop()
		return ctx.Err()
	}
	if migrate.err != nil {
		return fmt.Errorf("checkout migrate: %w: %s", migrate.err, lastLines(s.file("migrate.log")))
	}
	for had := 0; ; had += s.orders {
		if _, err := s.database.SQL(fmt.Sprintf(`\c shop
INSERT INTO orders (id, cart_id, user_id, transaction_id, cents, created_at)
SELECT 'old_'||g, 'c'||g%%10000, 'u'||g%%4000, 'txn_'||g, 1000+g%%9000, to_char(now() - (g%%365)*interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM generate_series(%d, %d) g;
VACUUM ANALYZE orders;`, had+1, had+s.orders)); err != nil {
			return err
		}
		took, err := s.scanTime()
		if err != nil || took >= s.scenario.scan || had > 20*s.orders {
			return err
		}
	}
}

var executionTime = regexp.MustCompile(`Execution Time: ([0-9.]+) ms`)

// scanTime is how long it takes to read all orders for one customer's.
func (s *shop) scanTime() (time.Duration, error) {
	plan, err := s.database.SQL(`\c shop
SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;
EXPLAIN (ANALYZE, TIMING OFF) SELECT count(*), sum(cents) FROM orders WHERE user_id = 'u55' AND created_at > '2000';`)
	if err != nil {
		return 0, err
	}
	m := executionTime.FindStringSubmatch(plan)
	if m == nil {
		return 0, fmt.Errorf("PostgreSQL did not say how long a query took: %s", plan)
	}
	ms, err := strconv.ParseFloat(m[1], 64)
	return time.Duration(ms * float64(time.Millisecond)), err
}

func (s *shop) environment() []string {
	return []string{"DATABASE_URL=" + s.database.URL("shop"), "PAYMENT_URL=http://" + s.payment.at, "INVENTORY_URL=http://" + s.warehouse.at, "PORT=" + strconv.Itoa(s.servicePort),
		"ADMIN_PORT=" + strconv.Itoa(s.admin), "RATE_LIMIT=100000"} // all come from the gateway
}

// openService starts the release of checkout that is in the file.
func (s *shop) openService(ctx context.Context, file string) error {
	var err error
	if s.service, err = start("checkout", s.dir, s.file("checkout.log"), s.environment(), file); err != nil {
		return err
	}
	return s.service.answers(ctx, fmt.Sprintf("http://127.0.0.1:%d/livez", s.servicePort))
}

// deploy stops the running release and starts another one.
func (s *shop) deploy(ctx context.Context, release, version string) error {
	file := s.file("checkout-" + version)
	if err := build(ctx, s.checkout, file, release); err != nil {
		return err
	}
	s.service.stop()
	return s.openService(ctx, file)
}

const gatewaySettings = `# The gateway before checkout; docs/gateway.md has every key.
listen: [{address: "127.0.0.1:%d"}]
access_log: {file: %q}
event_log: {file: %q}
trusted_proxies: [127.0.0.0/8]
upstreams:
  checkout:
    servers: ["http://127.0.0.1:%d"]
    timeouts: {connect: 1s, response: 20s}
    retries: 0
routes:
  - {name: checkout, path: /, upstream: checkout}
`

const serverSettings = `# What the server is told of the shop; docs/serve.md has every key.
data: %q
listen: {address: %q}
url: %q
services:
  gateway: {critical: true, calls: [checkout]}
  checkout: {calls: [orders-db, payment, inventory]}
in:
  files:
    - {path: %q, service: gateway}
    - {path: %q, service: gateway}
    - {path: %q, service: checkout}
    - {path: %q, service: orders-db}
  scrape:
    - {job: checkout, targets: ["127.0.0.1:%d"], interval: 2s}
channels:
  on-call: {webhook: {url: %q}, allow: [127.0.0.0/8]}
tell:
  - {channel: on-call}
`

// openGateway starts `inquest gateway`.
func (s *shop) openGateway(ctx context.Context) error {
	text := fmt.Sprintf(gatewaySettings, s.gatewayPort, s.file("gateway-access.log"), s.file("gateway-events.log"), s.servicePort)
	return s.openInquest(ctx, "gateway", text, fmt.Sprintf("http://127.0.0.1:%d/livez", s.gatewayPort))
}

// openServer starts `inquest serve`.
func (s *shop) openServer(ctx context.Context) error {
	text := fmt.Sprintf(serverSettings, s.file("data"), s.at, s.url(), s.file("gateway-access.log"), s.file("gateway-events.log"), s.file("checkout.log"), s.database.Log(), s.admin, s.receiver.url)
	return s.openInquest(ctx, "serve", text, s.url()+"/api/v1/incidents")
}

func (s *shop) openInquest(ctx context.Context, command, settings, url string) error {
	file := s.file(command + ".yaml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return err
	}
	p, err := start("inquest "+command, s.dir, s.file(command+".log"), nil, s.inquest, command, file)
	if err != nil {
		return err
	}
	s.closing(p.stop)
	return p.answers(ctx, url)
}

// change tells the server of a change, as a script of deployment does.
func (s *shop) change(ctx context.Context, kind inquest.ChangeKind, service, version, summary string) error {
	body, err := json.Marshal(map[string]string{"kind": string(kind), "service": service, "version": version, "summary": summary})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url()+"/api/v1/changes", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		return errors.New("the change was not taken: " + string(text))
	}
	return nil
}
