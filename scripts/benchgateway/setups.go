package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

func (b *bench) file(name, text string) (string, error) {
	path := filepath.Join(b.dir, name)
	return path, os.WriteFile(path, []byte(text), 0o644)
}

// upstream is nginx with an answer of 1 kB from memory.
func (b *bench) upstream() (*proxy, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	conf, err := b.file("upstream.conf", fmt.Sprintf(`daemon off; worker_processes 1; pid %[1]s/upstream.pid; error_log %[1]s/upstream.err;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
server { listen %[2]s; location / { default_type application/json; return 200 '{"items":"%[3]s"}'; } } }
`, b.dir, addr, strings.Repeat("x", 1012)))
	if err != nil {
		return nil, err
	}
	return b.launch("upstream", addr, "nginx", "-c", conf)
}

// start launches the proxies.
func (b *bench) start(upstream, gw, caddy string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	type setup struct {
		name string
		args func(addr string) ([]string, error)
	}
	list := []setup{
		{"inquest gateway, all policies", func(addr string) ([]string, error) {
			conf, err := b.file("gateway.yaml", gatewayConf(b.dir, addr, upstream))
			return []string{gw, conf}, err
		}},
		{"bare ReverseProxy, tuned", func(addr string) ([]string, error) {
			return []string{self, "-bare", addr, upstream, filepath.Join(b.dir, "bare.log")}, nil
		}},
		{"nginx", func(addr string) ([]string, error) {
			conf, err := b.file("nginx.conf", nginxConf(b.dir, addr, upstream))
			return []string{"nginx", "-c", conf}, err
		}},
	}
	if path, err := exec.LookPath(caddy); err == nil {
		if path, err = filepath.Abs(path); err != nil {
			return err
		}
		list = append(list, setup{"Caddy", func(addr string) ([]string, error) {
			conf, err := b.file("Caddyfile", caddyConf(b.dir, addr, upstream))
			return []string{path, "run", "--adapter", "caddyfile", "--config", conf}, err
		}})
	}
	if _, err := exec.LookPath("haproxy"); err == nil {
		list = append(list, setup{"HAProxy", func(addr string) ([]string, error) {
			conf, err := b.file("haproxy.cfg", haproxyConf(addr, upstream))
			return []string{"haproxy", "-f", conf}, err
		}})
	}
	for _, s := range list {
		addr, err := freeAddr()
		if err != nil {
			return err
		}
		args, err := s.args(addr)
		if err != nil {
			return err
		}
		p, err := b.launch(s.name, addr, args...)
		if err != nil {
			return err
		}
		b.proxies = append(b.proxies, p)
	}
	return nil
}

// gatewayConf has every policy on.
func gatewayConf(dir, addr, upstream string) string {
	return fmt.Sprintf(`listen: [{address: "%[2]s"}]
admin: unix:%[1]s/admin.sock
access_log: {file: %[1]s/gateway.log}
reports: {file: %[1]s/reports.log}
trusted_proxies: [10.0.0.0/8]
upstreams:
  web:
    servers: ["http://%[3]s"]
    timeouts: {connect: 3s, response: 5s, stall: 5s}
    retry_budget: {ratio: 0.2}
    breaker: {failures: 5, open_for: 30s}
    bulkhead: {in_flight: 256, queue: 64}
    adaptive_limit: {min: 64, max: 1000, initial: 256}
    health: {path: /, interval: 5s}
routes:
  - name: web
    path: /
    upstream: web
    max_body: 10MB
    rate_limit: {requests: 1000000, per: 1s, by: client}
`, dir, addr, upstream)
}

func nginxConf(dir, addr, upstream string) string {
	return fmt.Sprintf(`daemon off; worker_processes 1; pid %[1]s/nginx.pid; error_log %[1]s/nginx.err;
events { worker_connections 1024; }
http { log_format j escape=json '{"time":"$time_iso8601","status":$status,"request_time":$request_time,"uri":"$request_uri","upstream":"$upstream_addr","upstream_status":"$upstream_status","id":"$request_id"}';
access_log %[1]s/nginx.log j buffer=64k flush=1s; keepalive_requests 100000000; client_body_temp_path %[1]s/n1; proxy_temp_path %[1]s/n2; fastcgi_temp_path %[1]s/n3; uwsgi_temp_path %[1]s/n4; scgi_temp_path %[1]s/n5;
upstream u { server %[3]s; keepalive 256; keepalive_requests 100000000; }
server { listen %[2]s; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Request-Id $request_id; proxy_set_header X-Forwarded-For $remote_addr; } } }
`, dir, addr, upstream)
}

func caddyConf(dir, addr, upstream string) string {
	return fmt.Sprintf(`{
	admin off
	auto_https off
}
http://%[2]s {
	log {
		output file %[1]s/caddy.log
		format json
	}
	reverse_proxy %[3]s {
		transport http {
			dial_timeout 3s
			response_header_timeout 5s
			keepalive_idle_conns_per_host 256
		}
	}
}
`, dir, addr, upstream)
}

func haproxyConf(addr, upstream string) string {
	return fmt.Sprintf(`global
  log stdout format raw local0
  nbthread 1
defaults
  mode http
  log global
  timeout connect 3s
  timeout client 30s
  timeout server 5s
  http-reuse always
  log-format '{"status":%%ST,"time":%%Ta,"flags":"%%ts","upstream":"%%s","path":"%%HPO"}'
frontend f
  bind %s
  default_backend b
backend b
  server s %s
`, addr, upstream)
}

// serveBare is what the gateway is measured against: a ReverseProxy with a pool of buffers, many kept connections, and a JSON access
// log written through a buffer; no policy, no ids.
func serveBare(addr, upstream, logFile string) error {
	target, err := url.Parse("http://" + upstream)
	if err != nil {
		return err
	}
	f, err := os.Create(logFile)
	if err != nil {
		return err
	}
	out := &lineLog{w: bufio.NewWriterSize(f, 64<<10)}
	go func() {
		for range time.Tick(time.Second) {
			out.flush()
		}
	}()
	p := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
		Transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext, MaxIdleConnsPerHost: 256, DisableCompression: true,
			ResponseHeaderTimeout: 5 * time.Second,
		},
		BufferPool: &pool{},
		ErrorLog:   log.New(io.Discard, "", 0),
	}
	return http.ListenAndServe(addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		rec := &recorder{ResponseWriter: w}
		p.ServeHTTP(rec, r)
		out.write(begun, r, rec)
	}))
}

type recorder struct {
	http.ResponseWriter
	status int
	n      int64
}

func (r *recorder) WriteHeader(s int) { r.status = s; r.ResponseWriter.WriteHeader(s) }

func (r *recorder) Write(b []byte) (int, error) {
	n, err := r.ResponseWriter.Write(b)
	r.n += int64(n)
	return n, err
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

type lineLog struct {
	mu sync.Mutex
	w  *bufio.Writer
	b  []byte
}

func (l *lineLog) write(begun time.Time, r *http.Request, rec *recorder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := append(l.b[:0], `{"time":"`...)
	b = begun.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","status":`...)
	b = strconv.AppendInt(b, int64(rec.status), 10)
	b = append(b, `,"method":`...)
	b = strconv.AppendQuote(b, r.Method)
	b = append(b, `,"uri":`...)
	b = strconv.AppendQuote(b, r.RequestURI)
	b = append(b, `,"bytes":`...)
	b = strconv.AppendInt(b, rec.n, 10)
	b = append(b, `,"duration_s":`...)
	b = strconv.AppendFloat(b, time.Since(begun).Seconds(), 'f', 6, 64)
	l.b = append(b, '}', '\n')
	_, _ = l.w.Write(l.b) // the measurement goes on
}

func (l *lineLog) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.w.Flush() // the measurement goes on
}

type pool struct{ p sync.Pool }

func (p *pool) Get() []byte {
	if b, ok := p.p.Get().(*[32 << 10]byte); ok {
		return b[:]
	}
	return make([]byte, 32<<10)
}

func (p *pool) Put(b []byte) { p.p.Put((*[32 << 10]byte)(b)) }
