package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const pgBin = "/usr/lib/postgresql/15/bin"

// Postgres is a PostgreSQL 15 server of the system.
type Postgres struct {
	Name   string // part and host name, default db-1
	IP     string
	DB     string // database and its owner
	Pass   string // when set, TCP connections need it (scram)
	Log    string // default postgresql.log
	Wrap   string
	Conf   map[string]string
	CPU    float64
	Schema string // run at the start
	DiskMB int    // when set, the data directory lies on a file system of this size
	Export bool   // run postgres_exporter beside it
}

// Postgres starts the server, makes the database and runs the schema.
func (e *Env) Postgres(p Postgres) {
	if p.Name == "" {
		p.Name = "db-1"
	}
	if p.Log == "" {
		p.Log = "postgresql.log"
	}
	data := "/var/lib/postgresql/15"
	must(os.MkdirAll(data, 0o777), "mkdir")
	if p.DiskMB > 0 {
		must(syscall.Mount("tmpfs", data, "tmpfs", 0, fmt.Sprintf("size=%dm", p.DiskMB)), "mount %s", data)
	}
	e.Run("cp", "-a", e.Work+"/pgtemplate", data+"/main")
	e.Run("chown", "postgres:postgres", "/var/lib/postgresql", data, "/run/pg")
	conf := map[string]string{"listen_addresses": "'*'", "unix_socket_directories": "'/run/pg'", "log_timezone": "'" + e.S.TZ + "'",
		"log_line_prefix": "'%m [%p] %q%u@%d '", "shared_buffers": "'64MB'", "fsync": "off", "log_checkpoints": "off",
		"max_connections": "60", "jit": "off", "max_parallel_workers_per_gather": "0", "max_wal_size": "'256MB'", "autovacuum_naptime": "'20s'"}
	for k, v := range p.Conf {
		conf[k] = v
	}
	var sb strings.Builder
	for k, v := range conf {
		fmt.Fprintf(&sb, "%s = %s\n", k, v)
	}
	e.Write(data+"/main/postgresql.conf", sb.String())
	hba := "local all all trust\nhost all postgres all trust\nhost all exporter all trust\nhost all all all trust\n"
	if p.Pass != "" {
		hba = "local all all trust\nhost all postgres all trust\nhost all exporter all trust\nhost all all all scram-sha-256\n"
	}
	e.Write(data+"/main/pg_hba.conf", hba)
	e.Host(p.Name, p.IP)
	e.Start(Part{Name: p.Name, Argv: []string{pgBin + "/postgres", "-D", data + "/main", "-h", p.IP}, User: "postgres", Log: p.Log, Wrap: p.Wrap, CPU: p.CPU})
	e.WaitPort(p.IP+":5432", 20*time.Second)
	e.Run("sh", "-c", "for i in $(seq 100); do "+pgBin+"/pg_isready -q -h /run/pg && exit 0; sleep 0.2; done; exit 1") // the port opens before the server is up
	e.SQLAs("postgres", fmt.Sprintf(`create role %s login password '%s'`, p.DB, p.Pass))
	e.SQLAs("postgres", fmt.Sprintf(`create database %s owner %s`, p.DB, p.DB))
	e.SQLAs("postgres", `create role exporter login in role pg_monitor`)
	if p.Schema != "" {
		e.SQL(p.DB, p.Schema)
	}
	if p.Export {
		e.Start(Part{Name: p.Name + "-exporter", Argv: []string{"prometheus-postgres-exporter", "--web.listen-address=" + p.IP + ":9187",
			"--disable-settings-metrics", "--no-collector.bgwriter"}, Env: []string{"DATA_SOURCE_NAME=postgresql://exporter@" + p.IP + ":5432/" + p.DB + "?sslmode=disable"}})
		e.Scrape("postgres", p.Name+":9187", "http://"+p.IP+":9187/metrics")
	}
}

// SQL runs statements as the database's owner.
// The server's log keeps silent about it: people do such work through other channels than the service does.
func (e *Env) SQL(db, sql string) {
	e.psql("postgres", db, "set log_min_duration_statement = -1; set log_min_messages = 'panic'; set role "+db+";\n"+sql)
}

// SQLLogged runs statements as the owner, logged as the server is told to.
func (e *Env) SQLLogged(db, sql string) { e.psql(db, db, sql) }

// SQLAs runs statements in the maintenance database.
func (e *Env) SQLAs(user, sql string) { e.psql(user, "postgres", sql) }

func (e *Env) psql(user, db, sql string) {
	cmd := exec.Command(pgBin+"/psql", "-h", "/run/pg", "-U", user, "-d", db, "-v", "ON_ERROR_STOP=1", "-q", "-f", "-")
	cmd.Stdin = strings.NewReader(sql)
	out, err := cmd.CombinedOutput()
	must(err, "psql %s: %s", sql, out)
}

// Redis starts a Redis server without persistence.
func (e *Env) Redis(name, ip string) {
	e.Host(name, ip)
	e.Start(Part{Name: name, Argv: []string{"redis-server", "--bind", ip, "--port", "6379", "--save", "", "--dir", "/var/tmp", "--maxmemory", "64mb",
		"--protected-mode", "no"}, Log: "redis.log"})
	e.WaitPort(ip+":6379", 10*time.Second)
	e.Start(Part{Name: name + "-exporter", Argv: []string{"prometheus-redis-exporter", "-redis.addr", "redis://" + ip + ":6379", "-web.listen-address", ip + ":9121"}})
	e.Scrape("redis", name+":9121", "http://"+ip+":9121/metrics")
}

// NodeExporter reads CPU, memory, file systems and descriptors of the machine; only the given file system's series are kept.
func (e *Env) NodeExporter(ip, mount string) {
	e.Start(Part{Name: "node-exporter", Argv: []string{"prometheus-node-exporter", "--web.listen-address=" + ip + ":9100",
		"--collector.disable-defaults", "--collector.filesystem", "--collector.meminfo", "--collector.loadavg", "--collector.filefd", "--collector.cpu",
		"--collector.filesystem.fs-types-exclude=^(proc|sysfs|cgroup.*|devtmpfs|devpts|mqueue|overlay)$",
		"--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|mnt|run|etc|var/tmp|var/log|work|tmp).*"}, User: "root"})
	e.Scrape("node", e.S.Host+":9100", "http://"+ip+":9100/metrics")
}
