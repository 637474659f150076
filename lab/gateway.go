package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// GW is a gateway in front of the services: nginx, haproxy, apache or caddy.
type GW struct {
	Kind   string
	Name   string // part name, default the kind
	IP     string
	Port   int        // default 80
	Routes []Upstream // first match wins; the last should have the prefix "/"
	Format string     // nginx: combined, timed, json, variables (JSON keyed by nginx' own names), plain; apache: combined, common, timed
	Access string     // file of the access log, default access.log
	Errors string     // file of the error log, default error.log
	Wrap   string     // haproxy's stdout wrapper
	HTTP   string     // further lines: nginx http{}, haproxy defaults, apache server, caddy site
	Exact  string     // caddy: global options
	Server string     // nginx: server_name, default none
}

// Upstream sends a prefix to servers ("ip:port params").
type Upstream struct {
	Name    string
	Prefix  string
	Servers []string
	Opts    string // nginx: inside location; haproxy: inside backend; apache: ProxyPass parameters; caddy: inside reverse_proxy
	Pool    string // nginx: inside upstream{}
}

// Gateway starts a gateway.
func (e *Env) Gateway(g GW) {
	g = g.defaults()
	for _, f := range []string{g.Access, g.Errors} {
		must(mkdir(filepath.Dir(filepath.Join(e.Logs, f))), "mkdir")
	}
	conf := e.gatewayConf(g)
	path := "/etc-lab"
	argv := []string{}
	user := "root"
	dir := "/srv/gateway"
	must(os.MkdirAll(dir, 0o755), "mkdir")
	switch g.Kind {
	case "nginx":
		path = dir + "/nginx.conf"
		argv = []string{"nginx", "-c", path, "-g", "daemon off;"}
	case "haproxy":
		path = dir + "/haproxy.cfg"
		argv = []string{"haproxy", "-W", "-db", "-f", path}
	case "apache":
		path = dir + "/httpd.conf"
		argv = []string{"apache2", "-f", path, "-DFOREGROUND"}
	case "caddy":
		path = dir + "/Caddyfile"
		argv = []string{"caddy", "run", "--config", path, "--adapter", "caddyfile"}
	}
	e.Write(path, conf)
	e.gws[g.Name] = path
	e.gates[g.Name] = g
	log := map[string]string{"nginx": "", "haproxy": g.Access, "apache": "", "caddy": ""}[g.Kind]
	wrap := g.Wrap
	e.Start(Part{Name: g.Name, Argv: argv, User: user, Log: log, Wrap: wrap, Ident: g.Kind, Env: []string{"XDG_DATA_HOME=/var/tmp", "XDG_CONFIG_HOME=/var/tmp"}})
	e.WaitPort(fmt.Sprintf("%s:%d", g.IP, g.Port), 10*time.Second)
	switch g.Kind {
	case "nginx":
		e.Scrape("nginx", g.Name+":8099", "http://"+g.IP+":8099/stub_status")
	case "haproxy":
		e.Scrape("haproxy", g.Name+":8404", "http://"+g.IP+":8404/metrics")
	}
}

// Regate changes the configuration of a running gateway and reloads it.
func (e *Env) Regate(name string, edit func(*GW)) {
	g := e.gates[name]
	g.Routes = append([]Upstream(nil), g.Routes...)
	edit(&g)
	e.gates[name] = g
	e.Write(e.gws[name], e.gatewayConf(g))
	switch g.Kind {
	case "nginx":
		e.Signal(name, syscall.SIGHUP)
	case "haproxy":
		e.Signal(name, syscall.SIGUSR2)
	case "apache":
		e.Signal(name, syscall.SIGUSR1)
	case "caddy":
		e.Run("caddy", "reload", "--config", e.gws[name], "--adapter", "caddyfile", "--force")
	}
}

func (g GW) defaults() GW {
	if g.Name == "" {
		g.Name = g.Kind
	}
	if g.Port == 0 {
		g.Port = 80
	}
	if g.Format == "" {
		g.Format = "timed"
	}
	if g.Access == "" {
		g.Access = "access.log"
	}
	if g.Errors == "" {
		g.Errors = "error.log"
	}
	return g
}

func (e *Env) gatewayConf(g GW) string {
	access, errors := filepath.Join(e.Logs, g.Access), filepath.Join(e.Logs, g.Errors)
	switch g.Kind {
	case "nginx":
		return nginxConf(g, access, errors)
	case "haproxy":
		return haproxyConf(g)
	case "apache":
		return apacheConf(g, access, errors)
	}
	return caddyConf(g, access, errors)
}

var nginxFormats = map[string]string{
	"combined": `log_format edge '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';`,
	"timed": `log_format edge '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" '
    'rt=$request_time uct="$upstream_connect_time" urt="$upstream_response_time" ua="$upstream_addr" us="$upstream_status" rid=$request_id';`,
	"plain": `log_format edge '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" '
    '$request_time $upstream_response_time $upstream_addr $upstream_status $request_id';`,
	"variables": `log_format edge escape=json '{"time":"$time_iso8601","remote_addr":"$remote_addr","request_method":"$request_method","request_uri":"$request_uri","status":$status,"body_bytes_sent":$body_bytes_sent,'
    '"request_time":$request_time,"upstream_addr":"$upstream_addr","upstream_status":"$upstream_status","upstream_response_time":"$upstream_response_time","http_user_agent":"$http_user_agent","request_id":"$request_id"}';`,
	"json": `log_format edge escape=json '{"ts":"$time_iso8601","client":"$remote_addr","method":"$request_method","uri":"$request_uri","status":$status,'
    '"bytes":$body_bytes_sent,"duration":$request_time,"upstream":"$upstream_addr","upstream_status":"$upstream_status","upstream_time":"$upstream_response_time","request_id":"$request_id","ua":"$http_user_agent"}';`,
}

func nginxConf(g GW, access, errors string) string {
	var up, loc strings.Builder
	for _, r := range g.Routes {
		if len(r.Servers) > 0 {
			fmt.Fprintf(&up, "  upstream %s {\n", r.Name)
			for _, s := range r.Servers {
				fmt.Fprintf(&up, "    server %s;\n", s)
			}
			fmt.Fprintf(&up, "    %s\n  }\n", r.Pool)
		}
		fmt.Fprintf(&loc, "    location %s {\n", r.Prefix)
		if len(r.Servers) > 0 {
			fmt.Fprintf(&loc, "      proxy_pass http://%s;\n", r.Name)
		}
		fmt.Fprintf(&loc, "      %s\n    }\n", r.Opts)
	}
	return fmt.Sprintf(`user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log %s notice;
events { worker_connections 2048; }
http {
  %s
  access_log %s edge;
  client_body_temp_path /var/tmp/nginx/b; proxy_temp_path /var/tmp/nginx/p; fastcgi_temp_path /var/tmp/nginx/f; uwsgi_temp_path /var/tmp/nginx/u; scgi_temp_path /var/tmp/nginx/s;
  default_type application/json;
  proxy_set_header Host $host;
  proxy_set_header X-Request-Id $request_id;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  %s
%s  server {
    listen %s:%d backlog=1024;
    %s
%s  }
  server { listen %s:8099; access_log off; location = /stub_status { stub_status; } }
}
`, errors, nginxFormats[g.Format], access, g.HTTP, up.String(), g.IP, g.Port, serverName(g), loc.String(), g.IP)
}

func serverName(g GW) string {
	if g.Server == "" {
		return ""
	}
	return "server_name " + g.Server + ";"
}

func haproxyConf(g GW) string {
	var front, back strings.Builder
	for _, r := range g.Routes {
		if r.Prefix == "/" {
			fmt.Fprintf(&front, "  default_backend %s\n", r.Name)
		} else {
			fmt.Fprintf(&front, "  use_backend %s if { path_beg %s }\n", r.Name, r.Prefix)
		}
		fmt.Fprintf(&back, "backend %s\n", r.Name)
		if r.Opts != "" {
			fmt.Fprintf(&back, "  %s\n", r.Opts)
		}
		for i, s := range r.Servers {
			fmt.Fprintf(&back, "  server %s-%d %s\n", r.Name, i+1, s)
		}
	}
	return fmt.Sprintf(`global
  log stdout format raw local0 info
  maxconn 4000
  stats socket /run/haproxy.sock mode 600
defaults
  mode http
  log global
  option httplog
  option forwardfor
  timeout connect 2s
  timeout client 60s
  timeout server 30s
  unique-id-format %%{+X}o%%ci%%cp%%Ts%%rt
  unique-id-header X-Request-Id
  %s
frontend fe_public
  bind %s:%d
%sfrontend metrics
  bind %s:8404
  no log
  http-request use-service prometheus-exporter if { path /metrics }
%s`, g.HTTP, g.IP, g.Port, front.String(), g.IP, back.String())
}

var apacheFormats = map[string]string{
	"combined": `LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" edge`,
	"common":   `LogFormat "%h %l %u %t \"%r\" %>s %b" edge`,
	"timed":    `LogFormat "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" %D %{BALANCER_WORKER_NAME}e" edge`,
}

func apacheConf(g GW, access, errors string) string {
	var sb strings.Builder
	for _, m := range []string{"mpm_event", "authz_core", "proxy", "proxy_http", "proxy_fcgi", "proxy_balancer", "lbmethod_byrequests", "slotmem_shm", "setenvif",
		"headers", "unique_id", "mime", "dir", "rewrite", "env"} {
		fmt.Fprintf(&sb, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", m, m)
	}
	fmt.Fprintf(&sb, "ServerName gateway\nServerRoot /srv/gateway\nDefaultRuntimeDir /run\nPidFile /run/apache.pid\nUser www-data\nGroup www-data\nTypesConfig /etc/mime.types\nMutex file:/run/lock default\nListen %s:%d\n"+
		"LogLevel warn\nErrorLog %s\n%s\nCustomLog %s edge\nStartServers 1\nMaxRequestWorkers 400\nServerLimit 16\nThreadsPerChild 25\nKeepAliveTimeout 2\nProxyTimeout 30\nProxyPreserveHost On\nRequestHeader set X-Request-Id \"%%{UNIQUE_ID}e\"\n",
		g.IP, g.Port, errors, apacheFormats[g.Format], access)
	sb.WriteString(g.HTTP + "\n")
	for _, r := range g.Routes {
		if len(r.Servers) == 0 {
			sb.WriteString(r.Opts + "\n")
			continue
		}
		if len(r.Servers) == 1 {
			fmt.Fprintf(&sb, "ProxyPass %s http://%s%s %s\n", r.Prefix, r.Servers[0], r.Prefix, r.Opts)
			continue
		}
		fmt.Fprintf(&sb, "<Proxy balancer://%s>\n", r.Name)
		for _, s := range r.Servers {
			fmt.Fprintf(&sb, "  BalancerMember http://%s %s\n", s, r.Opts)
		}
		fmt.Fprintf(&sb, "</Proxy>\nProxyPass %s balancer://%s%s\n", r.Prefix, r.Name, r.Prefix)
	}
	return sb.String()
}

func caddyConf(g GW, access, errors string) string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "{\n  admin 127.0.0.1:2019\n  auto_https off\n  log default {\n    output file %s\n    level WARN\n  }\n  %s\n}\nhttp://:%d {\n  bind %s\n  log {\n    output file %s\n  }\n  %s\n",
		errors, g.Exact, g.Port, g.IP, access, g.HTTP)
	for _, r := range g.Routes {
		match := r.Prefix + "*"
		if r.Prefix == "/" {
			match = "/*"
		}
		if len(r.Servers) == 0 {
			fmt.Fprintf(&sb, "  handle %s {\n    %s\n  }\n", match, r.Opts)
			continue
		}
		fmt.Fprintf(&sb, "  handle %s {\n    reverse_proxy %s {\n      %s\n    }\n  }\n", match, strings.Join(r.Servers, " "), r.Opts)
	}
	sb.WriteString("}\n")
	return sb.String()
}
