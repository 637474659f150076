package symptom_test

import (
	"strings"
	"testing"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
)

// peers are texts as clients, drivers and servers print them, and whom each is about.
var peers = map[string]string{
	// Go
	"dial tcp 10.0.4.7:5432: connect: connection refused":                            "10.0.4.7:5432",
	"dial tcp [::1]:6379: connect: connection refused":                               "[::1]:6379",
	"dial tcp: lookup rates.partner.example on 10.0.0.2:53: no such host":            "rates.partner.example",
	`Get "http://inventory:8080/stock/17": context deadline exceeded`:                "inventory:8080",
	`Post "https://api.pay.example/v1/charges": net/http: TLS handshake timeout`:     "api.pay.example",
	"rpc error: code = Unavailable desc = connection error: dial tcp 10.1.2.3:50051": "10.1.2.3:50051",
	"read tcp 10.0.0.5:41234->10.0.0.9:5432: read: connection reset by peer":         "10.0.0.9:5432",
	"failed to connect to `host=db-1 user=shop database=shop`: dial error (timeout)": "db-1",
	"dial tcp ledger.internal:9000: i/o timeout":                                     "ledger.internal:9000",
	// Node
	"connect ECONNREFUSED 127.0.0.1:6379":                                 "127.0.0.1:6379",
	"Error: getaddrinfo ENOTFOUND cache.internal":                         "cache.internal",
	"getaddrinfo EAI_AGAIN geo-service":                                   "geo-service",
	"connect ETIMEDOUT 203.0.113.9:443":                                   "203.0.113.9:443",
	"Redis connection to redis:6379 failed - connect ECONNREFUSED":        "redis:6379",
	"request to http://pricing:3000/quote failed, reason: socket hang up": "pricing:3000",
	// Python
	"TimeoutError: timed out; while calling PASSCHECK_URL":                                    "passcheck",
	"TimeoutError: timed out; while calling FARE_RULES_SERVICE_URL":                           "fare-rules",
	`connection to server at "db.internal" (10.0.0.4), port 5432 failed: Connection refused`:  "db.internal:5432",
	"HTTPSConnectionPool(host='api.tax.example', port=443): Read timed out. (read timeout=5)": "api.tax.example:443",
	"HTTPConnectionPool(host='stock', port=8080): Max retries exceeded with url: /x":          "stock:8080",
	"Error 111 connecting to localhost:6379. Connection refused.":                             "localhost:6379",
	"could not translate host name \"pg-main\" to address: Name or service not known":         "pg-main",
	"(2003, \"Can't connect to MySQL server on 'mysql' ([Errno 111] Connection refused)\")":   "mysql",
	"NoBrokersAvailable: kafka:9092":                                                          "kafka:9092",
	// Java
	"Connection to db-2:5432 refused. Check that the hostname and port are correct":         "db-2:5432",
	"java.net.UnknownHostException: rates.partner.example":                                  "rates.partner.example",
	"I/O error on GET request for \"http://catalog:8081/items/5\": Connection refused":      "catalog:8081",
	"finishConnect(..) failed: Connection refused: /10.3.0.8:8443":                          "10.3.0.8:8443",
	"Connect to search.internal:9200 [search.internal/10.0.7.7] failed: Connection refused": "search.internal:9200",
	"org.springframework.web.client.ResourceAccessException: I/O error: Read timed out":     "",
	// Ruby, PHP, .NET, Rust, Elixir
	"Failed to open TCP connection to mail.internal:587 (Connection refused - connect(2))":       "mail.internal:587",
	"cURL error 28: Operation timed out for https://crm.example/api/contacts":                    "crm.example",
	"php_network_getaddresses: getaddrinfo for warehouse.internal failed: Name does not resolve": "warehouse.internal",
	"No connection could be made because the target machine actively refused it. (billing:7000)": "",
	"error sending request for url (http://geo.internal:7070/lookup): connection refused":        "geo.internal:7070",
	"amqp://guest:secret@rabbit.internal:5672 closed: CONNECTION_FORCED":                         "rabbit.internal:5672",
	"mongodb://u:p@mongo-0.mongo:27017: server selection timeout":                                "mongo-0.mongo:27017",
	// proxies
	`connect() failed (111: Connection refused) while connecting to upstream, upstream: "http://10.0.0.3:8080/cart"`: "10.0.0.3:8080",
	// nobody
	"at Server.handle (server.js:65:23)":                                "",
	"    at /app/node_modules/express/lib/router/layer.js:95:5":         "",
	"Cart.total(Cart.java:86)":                                          "",
	"File \"/srv/app/views.py\", line 120, in checkout":                 "",
	"main.go:120 +0x1d":                                                 "",
	"2026-11-20 10:15:30 ERROR request failed":                          "",
	"at 10:15:30.123 the job stopped":                                   "",
	"nginx/1.25.3 started, OpenSSL 3.0.11":                              "",
	"postgres (PostgreSQL) 16.4 on x86_64":                              "",
	"rss 512:1024 of heap":                                              "",
	"retry 3/10 after 250ms":                                            "",
	"pool exhausted: max=10 active=10 pending=47":                       "",
	"undefined method `price' for nil:NilClass":                         "",
	"ratio 16:9 is not supported":                                       "",
	"java.lang.NullPointerException: null at com.acme.Cart.total":       "",
	"TypeError: Cannot read properties of undefined (reading 'name')":   "",
	"duplicate key value violates unique constraint \"orders_pkey\"":    "",
	"SQLSTATE[42S22]: Column not found: 1054 Unknown column 'o.region'": "",
	"commit 3f2a9c1: 120 files changed":                                 "",
	"":                                                                  "",
}

func TestPeerIsWhomTheTextNames(t *testing.T) {
	for text, want := range peers {
		if got := symptom.Peer(text, nil); got != want {
			t.Errorf("%q\n\t got %q, want %q", text, got, want)
		}
	}
}

func TestFieldsNameThePeerWhereTheTextDoesNot(t *testing.T) {
	for _, c := range []struct {
		name, text string
		fields     map[string]string
		want       string
	}{
		{"address and port of a Node error", "connect failed", map[string]string{"address": "10.0.0.1", "port": "6379"}, "10.0.0.1:6379"},
		{"OpenTelemetry", "timeout", map[string]string{"server.address": "db.internal"}, "db.internal"},
		{"an nginx upstream wins over the client's address", "upstream timed out, client: 10.9.9.9:4", map[string]string{"upstream": "http://10.0.0.3:8080/cart"}, "10.0.0.3:8080"},
		{"the dependency's name before its address", `Post "http://127.0.0.1:9001/charges": circuit breaker is open after: dial tcp 127.0.0.1:9001: connection refused`, map[string]string{"dependency": "payment"}, "payment"},
		{"OpenTelemetry's name of the other service", "dial tcp 10.0.0.9:80: connection refused", map[string]string{"peer.service": "billing"}, "billing"},
		{"an upstream that names no address says nothing", "down", map[string]string{"upstream": "backend"}, ""},
	} {
		if got := symptom.Peer(c.text, c.fields); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestComponentsAreFoundByAnyOfTheirNames(t *testing.T) {
	r := symptom.NewResolver(&inquest.Case{Components: []inquest.Component{
		{Name: "db-1", Kind: inquest.KindDatabase, Aliases: []string{"10.0.0.4", "postgresql"}},
		{Name: "checkout", Kind: inquest.KindApp, Aliases: []string{"10.0.0.7:8080", "checkout-2"}},
		{Name: "cart", Kind: inquest.KindApp, Aliases: []string{"127.0.0.1:9001", "db-1"}},
	}})
	for name, want := range map[string]string{
		"db-1": "db-1", "DB-1": "db-1", "db-1:5432": "db-1", "10.0.0.4:5432": "db-1", "postgresql": "db-1", "db-1.prod.svc.cluster.local": "db-1", "db-1.prod.svc:5432": "db-1",
		"checkout": "checkout", "10.0.0.7:8080": "checkout", "10.0.0.7:9999": "10.0.0.7:9999", "127.0.0.1:9001": "cart", "127.0.0.1:9002": "127.0.0.1:9002",
		"be_checkout/checkout-2": "checkout", "unknown": "unknown", "": "",
	} {
		if got := r.Name(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	if k := r.Kind("postgresql"); k != inquest.KindDatabase {
		t.Errorf("postgresql is a %q", k)
	}
	if k := r.Kind("stranger"); k != "" {
		t.Errorf("a stranger is a %q", k)
	}
}

func FuzzPeer(f *testing.F) {
	for _, s := range []string{"dial tcp 10.0.0.1:5432: refused", "at x (server.js:65:23)", "getaddrinfo ENOTFOUND a.b", "http://u:p@[::1]:80/", `server at "x" (1::2), port 5`, "[]:99", "\x00:12345"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, text, up string) {
		got := symptom.Peer(text, map[string]string{"upstream": up})
		if got == "" {
			return
		}
		host, _, _ := strings.Cut(strings.TrimPrefix(got, "["), ":")
		host, _, _ = strings.Cut(host, "]")
		said := strings.ReplaceAll(strings.ToLower(text), "_", "-") // a setting names whom it is about
		if !strings.Contains(text, host) && !strings.Contains(up, host) && !strings.Contains(said, host) {
			t.Errorf("Peer(%q, %q) = %q, which nobody said", text, up, got)
		}
	})
}
