package main

import (
	"os/exec"
	"time"
)

func backupKeepsTheLock() Scenario {
	net := "10.93.4."
	s := seventh("backup-keeps-the-lock", "database", "lock-contention", "the backup of the box office locks all tables for reading while it uploads them; today the store of backups takes minutes, and nobody can book: each booking waits five seconds and is given up. A release of boxoffice a quarter of a minute before is innocent", Truth{
		Culprit: "backup", Aliases: []string{"backup.py", "stage-db", "mariadb", "mysql", "database", "10.93.4.30", "cron", "store.coldline.example"},
		Trigger:   &Trigger{Kind: "restart", Summary: "the backup began its run", Recorded: true},
		NotCauses: []string{"deploy of boxoffice 5.2.1", "cards.example", "network", "database down"}, MustMention: []string{"Lost connection|Waiting for backup lock", "backup|lock"},
		Fix: "Kill the backup's session; back up with --single-transaction or from a replica, and upload after unlocking.", Difficulty: "hard"})
	s.Host, s.TZ = "stage-4", "Atlantic/Azores"
	s.Routes = showRoutes("http://" + net + "2")
	part := func(dir string) Part {
		return rubyPart("boxoffice", dir, net+"11", 20, append(mariaEnv("stage-db", "stage"), "CARDS_URL=http://cards.example")...)
	}
	patience := Edit{"lib/store.rb", "read_timeout: 15", "read_timeout: 5"}
	s.Setup = func(e *Env) {
		e.Past(6*24*time.Hour, "config", "backup", "", "backup: uploads go to store.coldline.example, it is cheaper")
		e.Past(30*time.Hour, "deploy", "boxoffice", "5.2.0", "deploy boxoffice 5.2.0: five seconds of patience with the database")
		e.partner("cards.example", "10.98.0.5")
		e.partner("store.coldline.example", "10.98.0.8")
		e.behave("store.coldline.example", behaviour{DelayMS: 400000})
		e.MariaDB(MariaDB{Name: "stage-db", IP: net + "30", DB: "stage", Schema: e.schema("ruby/boxoffice"), Export: true})
		e.MySQL("", "create user 'backup'@'%' identified by 'bk'; grant select, reload, lock tables on *.* to 'backup'@'%'")
		e.Release("backup", "python/backup", "4", nil)
		e.up(part(e.Release("boxoffice", "ruby/boxoffice", "5.2.0", nil, patience)), net+"11:9292")
		e.Gateway(GW{Kind: "apache", Name: "apache2", IP: net + "2", Format: "timed", Access: "apache2/access.log", Errors: "apache2/error.log", Routes: []Upstream{{Name: "box", Prefix: "/", Servers: []string{net + "11:9292"}, Opts: "retry=0"}}})
	}
	s.Inject = func(e *Env) {
		next := e.Release("boxoffice", "ruby/boxoffice", "5.2.1", nil, patience, Edit{"app.rb", "no such show", "this show does not exist"})
		e.Injected = time.Now()
		e.Change("deploy", "boxoffice", "5.2.1", "deploy boxoffice 5.2.1: wording")
		e.Replace(part(next), 0)
		e.WaitPort(net+"11:9292", 20*time.Second)
		e.settle(14 * time.Second)
		e.cron("cron.log", "20211", "backup", "/usr/bin/python3 /srv/backup/releases/4/backup.py")
		e.Start(Part{Name: "backup", Log: "cron.log", Wrap: "syslog", Ident: "backup[20212]", Dir: "/srv/backup", Argv: []string{"/usr/bin/python3", "/srv/backup/releases/4/backup.py"},
			Env: []string{"DB_HOST=stage-db", "DB_NAME=stage", "BACKUP_PASSWORD=bk", "STORE_URL=http://store.coldline.example"}})
		e.Sleep(55 * time.Second)
		e.Background(func() { // what the engineer on call looks at
			out, err := exec.Command("mariadb", "--no-defaults", "-S", "/run/mysqld/mysqld.sock", "-u", "root", "-e", "show full processlist").Output()
			must(err, "processlist")
			e.Write(e.Logs+"/processlist.txt", string(out))
		})
	}
	s.Fault = 85 * time.Second
	return s
}
