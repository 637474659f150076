package casefile

import (
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
)

// kindWords tell what a component is by the words of its name or of its log's format. They are names of software and
// of roles that are in general use.
var kindWords = []struct {
	kind  inquest.ComponentKind
	words []string
}{
	{inquest.KindDatabase, []string{"postgres", "postgresql", "pg", "pgsql", "mysql", "mysqld", "mariadb", "mongo", "mongod", "mongodb", "db", "database", "sql", "mssql", "oracle", "cockroach", "elasticsearch", "opensearch", "cassandra", "clickhouse", "dynamodb", "rds"}},
	{inquest.KindCache, []string{"redis", "valkey", "memcached", "memcache", "cache"}},
	{inquest.KindBroker, []string{"kafka", "rabbitmq", "rabbit", "nats", "activemq", "pulsar", "broker", "mq", "queue", "sqs", "zookeeper"}},
	{inquest.KindProxy, []string{"nginx", "haproxy", "envoy", "istio", "traefik", "caddy", "kong", "gateway", "ingress", "proxy", "lb", "loadbalancer", "balancer", "edge", "apache", "apache2", "httpd", "alb", "elb", "iis", "litespeed", "cloudflare", "varnish"}},
	{inquest.KindSupervisor, []string{"supervisord", "supervisor", "systemd", "kubelet", "k8s", "events", "pm2", "containerd", "dockerd"}},
	{inquest.KindKernel, []string{"kernel", "dmesg", "kern"}},
	{inquest.KindHost, []string{"node", "host", "syslog", "journal", "journald", "snapshot"}},
}

// kindOf guesses the kind of a component from its name, "" when nothing tells.
func kindOf(name string) inquest.ComponentKind {
	tokens := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') })
	for _, k := range kindWords {
		for _, t := range tokens {
			t = strings.TrimRight(t, "0123456789")
			for _, w := range k.words {
				if t == w || t == strings.TrimRight(w, "0123456789") {
					return k.kind
				}
			}
		}
	}
	return ""
}

// KindOf tells what wrote a log: by its format where only one software writes that, "" for an application. A name tells less: a
// queue-worker that logs by an application's library is no queue.
func KindOf(service, format string) inquest.ComponentKind {
	library, _, _ := strings.Cut(format, "-")
	if k := kindOfFormat(format); (k != "" || slices.Contains(libraries, library)) && library != "combined" { // which many application servers write
		return k
	}
	if k := kindOf(service); k != inquest.KindHost {
		return k
	}
	return ""
}

// libraries are the first parts of formats that applications' logging libraries write.
var libraries = []string{"pino", "bunyan", "winston", "zap", "zerolog", "slog", "serilog", "logback", "log4j2", "monolog", "python", "ruby", "rust", "dotnet"}

// kindOfFormat tells the kind from the format of a log: only the software itself writes it.
func kindOfFormat(format string) inquest.ComponentKind {
	switch {
	case format == "":
		return ""
	case isProxyFormat(format):
		return inquest.KindProxy
	}
	if k := kindOf(format); k != inquest.KindHost {
		return k
	}
	return ""
}

// softwareOf names the software behind a database, cache or proxy, so that a log and an exporter can be matched.
func softwareOf(name string) string {
	n := strings.ToLower(name)
	for _, s := range []struct{ word, software string }{
		{"postgres", "postgresql"}, {"pgsql", "postgresql"}, {"pg_", "postgresql"}, {"mysql", "mysql"}, {"maria", "mysql"}, {"mongo", "mongodb"},
		{"redis", "redis"}, {"valkey", "redis"}, {"memcache", "memcached"}, {"kafka", "kafka"}, {"rabbit", "rabbitmq"}, {"nats", "nats"},
		{"nginx", "nginx"}, {"ingress", "nginx"}, {"haproxy", "haproxy"}, {"envoy", "envoy"}, {"traefik", "traefik"}, {"caddy", "caddy"},
		{"apache", "apache"}, {"httpd", "apache"}, {"elasticsearch", "elasticsearch"},
	} {
		if strings.Contains(n, s.word) {
			return s.software
		}
	}
	return ""
}
