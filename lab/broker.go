package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// RabbitMQ starts a broker whose data lie on a file system of the given size; it may be used until free (such as "60MB") is left.
func (e *Env) RabbitMQ(name, ip string, diskMB int, free, wrap string) {
	e.Host(name, ip)
	data := "/var/lib/rabbitmq"
	must(syscall.Mount("tmpfs", data, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=755", diskMB)), "mount %s", data)
	must(mkdir("/var/log/rabbitmq"), "mkdir")
	e.Run("chown", "rabbitmq:rabbitmq", data, "/var/log/rabbitmq")
	e.Write("/srv/"+name+"/rabbitmq.conf", fmt.Sprintf("listeners.tcp.1 = %s:5672\nprometheus.tcp.ip = %s\nprometheus.tcp.port = 15692\ndisk_free_limit.absolute = %s\nloopback_users = none\nlog.console = true\nlog.console.level = info\nlog.file = false\n", ip, ip, free))
	e.Write("/srv/"+name+"/enabled_plugins", "[rabbitmq_prometheus].\n")
	e.Start(Part{Name: name, User: "rabbitmq", Argv: []string{"/usr/lib/rabbitmq/bin/rabbitmq-server"}, Log: "rabbitmq.log", Wrap: wrap, Ident: "rabbitmq",
		Env: []string{"HOME=" + data, "RABBITMQ_NODENAME=rabbit@" + e.S.Host, "RABBITMQ_CONFIG_FILE=/srv/" + name + "/rabbitmq.conf", "RABBITMQ_ENABLED_PLUGINS_FILE=/srv/" + name + "/enabled_plugins",
			"RABBITMQ_LOGS=-", "RABBITMQ_MNESIA_BASE=" + data + "/mnesia", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none", "LC_ALL=C.UTF-8"}})
	e.WaitPort(ip+":5672", 90*time.Second)
	e.ScrapeOnly("rabbitmq", name+":15692", "http://"+ip+":15692/metrics",
		`^rabbitmq_(connections|channels|queues|disk_space_available_\w*|alarms_\w+|process_open_fds|process_resident_memory_bytes|queue_messages(_ready|_unacked|_published_total)?|global_messages_(received|confirmed)_total|identity_info)(\{| )`)
}

// Memcached starts a memcached server.
func (e *Env) Memcached(name, ip string) {
	e.Host(name, ip)
	e.Start(Part{Name: name, User: "memcache", Argv: []string{"memcached", "-l", ip, "-p", "11211", "-m", "32", "-U", "0"}, Log: "memcached.log"})
	e.WaitPort(ip+":11211", 10*time.Second)
}

// fillDisk writes zeros below dir, some megabytes a second, until nothing more fits or it was told how much.
func (e *Env) fillDisk(path string, megabytes int, pause time.Duration) {
	chunk := strings.Repeat("\x00", 1<<20)
	e.Background(func() {
		f, err := os.Create(path)
		must(err, "create %s", path)
		defer f.Close()
		for range megabytes {
			if _, err := f.WriteString(chunk); err != nil {
				e.Note("fill %s: %v", path, err)
				return
			}
			time.Sleep(pause)
		}
	})
}
