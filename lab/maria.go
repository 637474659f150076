package main

import (
	"fmt"
	"os"
	"os/exec"
	"sort"
	"strings"
	"syscall"
	"time"
)

// MariaDB is a MariaDB server of the system. It writes times in the zone of the recording, as it does on a host of that zone.
type MariaDB struct {
	Name   string // part and host name
	IP     string
	DB     string // database and its user
	Log    string // default mariadb.log
	Wrap   string
	Conf   map[string]string
	CPU    float64
	Schema string // run at the start
	Export bool   // run mysqld_exporter beside it
}

const mariaPassword = "pw"

// mariaSeries is what is kept of mysqld_exporter's thousand series.
const mariaSeries = `^mysql_(up|global_status_(threads_(connected|running|created)|max_used_connections|connection_errors_total|aborted_(clients|connects)|queries|slow_queries|innodb_(row_lock_(current_waits|waits|time|time_max)|deadlocks|row_ops_total)|uptime|commands_total\{[^}]*"(select|insert|update|rollback|commit|change_db)"\})|global_variables_(max_connections|wait_timeout|innodb_lock_wait_timeout|innodb_deadlock_detect))`

// MariaDB starts the server, makes the database and its user, and runs the schema.
func (e *Env) MariaDB(m MariaDB) {
	if m.Log == "" {
		m.Log = "mariadb.log"
	}
	must(syscall.Mount("tmpfs", "/var/lib/mysql", "tmpfs", 0, "size=700m,mode=755"), "mount /var/lib/mysql")
	e.Run("cp", "-a", e.Work+"/mariatemplate/.", "/var/lib/mysql")
	e.Run("chown", "mysql:mysql", "/var/lib/mysql")
	must(mkdir("/run/mysqld"), "mkdir")
	must(os.Chmod("/run/mysqld", 0o777), "chmod")
	conf := map[string]string{"datadir": "/var/lib/mysql", "socket": "/run/mysqld/mysqld.sock", "pid-file": "/run/mysqld/mysqld.pid", "bind-address": m.IP, "port": "3306", "skip-name-resolve": "ON",
		"innodb_buffer_pool_size": "64M", "innodb_flush_log_at_trx_commit": "0", "innodb_use_native_aio": "0", "character-set-server": "utf8mb4", "max_connections": "120", "performance_schema": "OFF"}
	for k, v := range m.Conf {
		conf[k] = v
	}
	keys := make([]string, 0, len(conf))
	for k := range conf {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var sb strings.Builder
	sb.WriteString("[mariadbd]\n")
	for _, k := range keys {
		fmt.Fprintf(&sb, "%s = %s\n", k, conf[k])
	}
	e.Write("/srv/"+m.Name+"/my.cnf", sb.String())
	e.Host(m.Name, m.IP)
	e.Start(Part{Name: m.Name, Argv: []string{"/usr/sbin/mariadbd", "--defaults-file=/srv/" + m.Name + "/my.cnf"}, User: "mysql", Log: m.Log, Wrap: m.Wrap, Ident: "mariadbd", CPU: m.CPU})
	e.WaitPort(m.IP+":3306", 40*time.Second)
	e.MySQL("", fmt.Sprintf("create database %s; create user '%s'@'%%' identified by '%s'; grant all on %s.* to '%s'@'%%'; create user 'exporter'@'%%'; grant process, replication client, select on *.* to 'exporter'@'%%'",
		m.DB, m.DB, mariaPassword, m.DB, m.DB))
	if m.Schema != "" {
		e.MySQL(m.DB, m.Schema)
	}
	if m.Export {
		e.Start(Part{Name: m.Name + "-exporter", Argv: []string{"prometheus-mysqld-exporter", "--web.listen-address=" + m.IP + ":9104", "--no-collect.info_schema.innodb_cmp", "--no-collect.info_schema.innodb_cmpmem", "--no-collect.info_schema.query_response_time", "--no-collect.slave_status"},
			Env: []string{"DATA_SOURCE_NAME=exporter@(" + m.IP + ":3306)/"}})
		e.ScrapeOnly("mysql", m.Name+":9104", "http://"+m.IP+":9104/metrics", mariaSeries)
	}
}

// MySQL runs statements as the administrator.
func (e *Env) MySQL(db, sql string) {
	cmd := exec.Command("mariadb", "--no-defaults", "-S", "/run/mysqld/mysqld.sock", "-u", "root", db)
	cmd.Stdin = strings.NewReader(sql)
	out, err := cmd.CombinedOutput()
	must(err, "mariadb %s: %s", sql, out)
}

// MySQLAs runs statements over the network as a user of the services does.
func (e *Env) MySQLAs(user, host, sql string) {
	cmd := exec.Command("mariadb", "--no-defaults", "-h", host, "-u", user, "-p"+mariaPassword, user)
	cmd.Stdin = strings.NewReader(sql)
	out, err := cmd.CombinedOutput()
	must(err, "mariadb %s: %s", sql, out)
}

func mariaEnv(host, db string) []string {
	return []string{"DB_HOST=" + host, "DB_USER=" + db, "DB_PASSWORD=" + mariaPassword, "DB_NAME=" + db}
}
