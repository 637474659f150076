package casefile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
)

// softwareWords tell what a component is by the software that its name, or the format of its log, names: "pg-main" is a
// database whatever else is in the name.
var softwareWords = []kindWord{
	{inquest.KindDatabase, []string{"postgres", "postgresql", "pg", "pgsql", "mysql", "mysqld", "mariadb", "mongo", "mongod", "mongodb", "mssql", "oracle", "cockroach", "elasticsearch", "opensearch", "cassandra", "clickhouse", "dynamodb", "rds"}},
	{inquest.KindCache, []string{"redis", "valkey", "memcached", "memcache"}},
	{inquest.KindBroker, []string{"kafka", "rabbitmq", "rabbit", "nats", "activemq", "pulsar", "sqs", "zookeeper"}},
	{inquest.KindProxy, []string{"nginx", "haproxy", "envoy", "istio", "traefik", "caddy", "kong", "apache", "apache2", "httpd", "alb", "elb", "iis", "litespeed", "cloudflare", "varnish"}},
	{inquest.KindSupervisor, []string{"supervisord", "systemd", "kubelet", "k8s", "pm2", "containerd", "dockerd"}},
	{inquest.KindKernel, []string{"dmesg"}},
	{inquest.KindHost, []string{"syslog", "journald", "cron", "crond", "anacron"}},
}

// roleWords tell what a component is by the role that it is named after. They are words of every day as well: a service may be
// called "events" or "order-queue-api". They count as the name's noun only (kindOf), and yield to what the component was seen
// to do (kindOfWriter).
var roleWords = []kindWord{
	{inquest.KindDatabase, []string{"db", "database", "sql"}},
	{inquest.KindCache, []string{"cache"}},
	{inquest.KindBroker, []string{"broker", "mq", "queue"}},
	{inquest.KindProxy, []string{"gateway", "gw", "ingress", "proxy", "lb", "loadbalancer", "balancer", "edge"}},
	{inquest.KindSupervisor, []string{"supervisor", "events"}},
	{inquest.KindKernel, []string{"kernel", "kern"}},
	{inquest.KindHost, []string{"node", "host", "journal", "snapshot"}},
}

type kindWord struct {
	kind  inquest.ComponentKind
	words []string
}

// ranks tell the copies of one thing apart; behind the noun they do not change what it is: "db-primary" is a database.
var ranks = map[string]bool{"primary": true, "main": true, "master": true, "leader": true, "replica": true, "secondary": true, "standby": true, "follower": true,
	"reader": true, "writer": true, "prod": true, "production": true, "staging": true, "test": true, "internal": true, "external": true, "public": true, "private": true,
	"a": true, "b": true, "c": true, "eu": true, "us": true, "east": true, "west": true, "north": true, "south": true, "central": true}

// kindOf guesses the kind of a component from its name, "" when nothing tells: software named anywhere in it, else the role
// that is the noun, which English puts last ("card-gateway" is a gateway, "gateway-billing" is not).
func kindOf(name string) inquest.ComponentKind {
	tokens := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') })
	for _, t := range tokens {
		if k := kindIn(softwareWords, t); k != "" {
			return k
		}
	}
	for i, t := range slices.Backward(tokens) {
		bare := strings.TrimRight(t, "0123456789")
		if bare == "" || i > 0 && ranks[bare] {
			continue
		}
		if strings.HasSuffix(bare, "db") { // ordersdb, userdb
			return inquest.KindDatabase
		}
		return kindIn(roleWords, t)
	}
	return ""
}

func kindIn(list []kindWord, token string) inquest.ComponentKind {
	token = strings.TrimRight(token, "0123456789")
	for _, k := range list {
		for _, w := range k.words {
			if token != "" && token == strings.TrimRight(w, "0123456789") {
				return k.kind
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

// kindOfWriter tells what wrote a log: by its format, which only the software itself writes, else by its name. A name that speaks
// of a role yields to what the component was seen to do: who answers requests itself, or is deployed, is an application.
func (b *builder) kindOfWriter(name, format string) inquest.ComponentKind {
	k := cmp.Or(kindOfFormat(format), kindOf(name))
	if k == "" || kindOfFormat(format) != "" || softwareOf(name) != "" {
		return k
	}
	if library, _, _ := strings.Cut(format, "-"); slices.Contains(libraries, library) {
		return inquest.KindApp
	}
	for _, s := range b.st.Streams() {
		if s.Observer == name {
			if s.Proxy || b.writesProxyFormat(name) {
				return inquest.KindProxy
			}
			return inquest.KindApp
		}
	}
	base, _ := group(name)
	if slices.ContainsFunc(b.st.Changes(), func(c inquest.Change) bool {
		return c.Kind == inquest.ChangeDeploy && (strings.EqualFold(c.Service, name) || strings.EqualFold(c.Service, base))
	}) {
		return inquest.KindApp
	}
	return k
}

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
