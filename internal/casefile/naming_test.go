package casefile_test

import (
	"testing"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/casefile"
)

// writers are names of log files with their formats, and whose logs they are.
var writers = []struct{ file, format, want string }{
	{"checkout.log", "pino", "checkout"},
	{"nginx-access.log", "combined", "nginx"},
	{"nginx-error.log", "nginx-error", "nginx"},
	// rotation and compression
	{"nginx-access.log.1", "combined", "nginx"},
	{"nginx-access.log.2.gz", "combined", "nginx"},
	{"access.log.14.gz", "nginx-json", "nginx"},
	{"access_log.3", "combined", "gateway"},
	{"checkout.log.2026-11-20", "logback", "checkout"},
	{"checkout-2026-11-20.log", "logback", "checkout"},
	{"checkout.2026-11-20.log.gz", "logback", "checkout"},
	{"checkout.log-20261120.gz", "logback", "checkout"},
	{"postgresql-2026-11-20_101500.log", "postgresql", "postgresql"},
	{"haproxy.log.3.zst", "haproxy", "haproxy"},
	{"kern.log.1", "dmesg", "kern"},
	{"syslog.1", "syslog", "syslog"},
	{"gateway-20261121.error.log", "nginx-error", "gateway"},
	{"php8.2-error.log", "php-error", "php8.2"},
	// instances
	{"checkout-2.log", "pino", "checkout-2"},
	{"checkout-2.log.1", "pino", "checkout-2"},
	{"api_01.log", "pino", "api_01"},
	{"checkout-7d9f8b6c54-x2xkz.log", "pino", "checkout"},
	// digits that belong to the name
	{"web1.log", "pino", "web1"},
	{"s3.log", "json", "s3"},
	{"auth0.log", "json", "auth0"},
	{"php8.2-fpm.log", "php-error", "php8.2-fpm"},
	// roles
	{"api.stdout", "pino", "api"},
	{"api-stderr.log", "pino", "api"},
	{"payments.json.log", "json", "payments"},
	{"mysql-slow.log", "mysql-slow", "mysql"},
	{"redis-server.log", "redis", "redis"},
	{"checkout.access.log", "combined", "checkout"},
	{"access-checkout.log", "combined", "checkout"},
	{"node-app-out.log", "winston", "node-app"},
	{"errors-api-main.log", "json", "api"},
	{"login.log", "json", "login"},       // "log" stands in it, not as a word
	{"outbound.log", "json", "outbound"}, // nor "out"
	{"error-reporter.log", "json", "reporter"},
	// nothing but a role: the folder
	{"nginx/access.log", "combined", "nginx"},
	{"shop/checkout/error.log", "json", "checkout"},
	{"orders/app.log", "json", "orders"},
	{"orders/logs/app.log", "json", "orders"},
	{"orders/2026-11-20/server.log", "json", "orders"},
	{"pods/cart/0.log", "json", "cart"},
	// segments of a spool: whoever sent them or the settings said it
	{"gateway%2Fgateway-access.log.log/gateway_gateway-access.log-20261129T175654.log", "json", "gateway"},
	{"logs/orders-db%2Fpostgres.log.log/orders-db_postgres.log-20261129T175715.log", "postgresql", "orders-db"},
	{"nginx%2Faccess.log.access/nginx_access.log-20261129T143000.log", "combined", "nginx"},
	{"shop%20two%2Fapp.log.log/shop_two_app.log-20261129T143000.log", "pino", "shop two"},
	{"%zz%2Fapp.log/checkout.log", "pino", "checkout"},
	// neither: the software, or an application without a name
	{"access.log", "combined", "gateway"},
	{"access.log", "haproxy", "haproxy"},
	{"error.log", "nginx-error", "nginx"},
	{"app.log", "pino", "app"},
	{"application.log", "logback", "app"},
	{"server.log", "json", "app"},
	{"2026-11-20.log", "tomcat", "tomcat"},
	{"logs", "", "unknown"},
}

func TestTheWriterIsNamedByItsFile(t *testing.T) {
	for _, c := range writers {
		if got := casefile.ServiceOf(c.file, c.format); got != c.want {
			t.Errorf("%s (%s): %q, want %q", c.file, c.format, got, c.want)
		}
	}
}

func TestTheLayerOfAFile(t *testing.T) {
	for _, c := range []struct {
		file, format string
		want         inquest.Layer
	}{
		{"access.log", "combined", inquest.LayerResponse},
		{"error.log", "nginx-error", inquest.LayerResponse},
		{"haproxy.log", "haproxy", inquest.LayerResponse},
		{"checkout.log", "pino", inquest.LayerApplication},
		{"spans.jsonl", "otlp-traces", inquest.LayerApplication},
		{"postgresql.log", "postgresql", inquest.LayerInfrastructure},
		{"db.log", "json", inquest.LayerInfrastructure},
		{"redis.log", "redis", inquest.LayerInfrastructure},
		{"kern.log", "dmesg", inquest.LayerInfrastructure},
		{"metrics.om", "openmetrics", inquest.LayerInfrastructure},
		{"supervisord.log", "timed-text", inquest.LayerInfrastructure},
		{"changes.jsonl", "changes", inquest.LayerChange},
		{"log.txt", "git-log", inquest.LayerChange},
		{"topology.jsonl", "topology", ""},
		{"incident.json", "incident", ""},
	} {
		if got := casefile.LayerOf(c.file, c.format); got != c.want {
			t.Errorf("%s (%s): %q, want %q", c.file, c.format, got, c.want)
		}
	}
}
