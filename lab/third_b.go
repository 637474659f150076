package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"strings"
	"time"
)

// late is an incident of the third round: recorded by somebody who had not read the rules, and held out as a whole.
func late(name, class, mechanism, title string, t Truth) Scenario {
	t.Split = "held-out"
	s := inc(name, class, mechanism, title, t)
	s.Baseline, s.Fault = 125*time.Second, 75*time.Second
	return s
}

func uvicornPart(name, dir, ip string, env ...string) Part {
	return Part{Name: name, Dir: dir, Log: name + ".log", Restart: 3 * time.Second, Ident: "uvicorn",
		Argv: []string{"/usr/bin/python3", "/usr/bin/uvicorn", "main:app", "--host", ip, "--port", "8000", "--no-use-colors", "--backlog", "256"},
		Env:  append([]string{"PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1"}, env...)}
}

// tomcatPart is the cover service in an embedded Tomcat, with the log lines that Tomcat writes by default.
func tomcatPart(name, dir, ip, db string, env ...string) Part {
	scratch := dir + "/tomcat"
	must(os.MkdirAll(scratch, 0o755), "mkdir")
	must(os.Chmod(scratch, 0o777), "chmod")
	return Part{Name: name, Dir: dir, Log: name + ".log", Restart: 3 * time.Second, Ident: name,
		Argv: []string{"java", "-Xmx160m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k", "-Djava.util.logging.config.file=" + dir + "/logging.properties", "-Djavax.net.ssl.trustStore=/srv/trust.p12", "-Djavax.net.ssl.trustStorePassword=changeit",
			"-cp", dir + "/classes:" + tomcatJars + ":/usr/share/java/HikariCP.jar:/usr/share/java/slf4j-api.jar", "cover.Main"},
		Env: append(append([]string{"HOST=" + ip, "PORT=8080", "CATALINA_BASE=" + scratch, "APP_VERSION=" + base(dir), "JDBC_URL=jdbc:mariadb://" + db + ":3306/cover"}, mariaEnv(db, "cover")...), env...)}
}

// apachePHP sends everything to one PHP-FPM.
func apachePHP(service, ip string) string {
	return "DocumentRoot /srv\nProxyFCGIBackendType FPM\nProxyPassMatch ^/(.*)$ fcgi://" + ip + ":9000/srv/" + service + "/current/index.php\n"
}

// Chain makes a root, an intermediate and a server certificate: chain.pem holds the last two, as it should be served, leaf.pem
// the last alone, and /srv/trust.p12 the root for Java.
func (e *Env) Chain(dir, name string) {
	newKey := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err, "key")
		return k
	}
	template := func(serial int64, cn string, ca bool) *x509.Certificate {
		c := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: cn}, NotBefore: time.Now().Add(-240 * time.Hour), NotAfter: time.Now().Add(2000 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature}
		if ca {
			c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
			return c
		}
		c.DNSNames, c.ExtKeyUsage = []string{name}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		return c
	}
	sign := func(c, parent *x509.Certificate, k, by *ecdsa.PrivateKey) string {
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &k.PublicKey, by)
		must(err, "certificate")
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	rootKey, middleKey, leafKey := newKey(), newKey(), newKey()
	root, middle, leaf := template(1, "Example Trust Root R5", true), template(2, "Example Issuing CA 7", true), template(3, name, false)
	rootPEM, middlePEM, leafPEM := sign(root, root, rootKey, rootKey), sign(middle, root, middleKey, rootKey), sign(leaf, middle, leafKey, middleKey)
	keyDER, err := x509.MarshalECPrivateKey(leafKey)
	must(err, "key")
	e.Write(dir+"/root.pem", rootPEM)
	e.Write(dir+"/cert.pem", leafPEM+middlePEM)
	e.Write(dir+"/leaf.pem", leafPEM)
	e.Write(dir+"/key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})))
	e.Run("keytool", "-importcert", "-noprompt", "-alias", "root", "-file", dir+"/root.pem", "-keystore", "/srv/trust.p12", "-storetype", "PKCS12", "-storepass", "changeit")
}

// cutLog ends a log file as a rotation does: what was written so far gets the name of a rotated file, the rest goes on elsewhere.
func (e *Env) cutLog(file, rotated string) {
	e.Run("cp", e.Logs+"/"+file, e.Logs+"/"+rotated)
	must(os.Truncate(e.Logs+"/"+file, 0), "truncate %s", file)
}

func coverRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /quotes", URL: gw + "/quotes?age={n:18-90}", Weight: 4},
		Route{Name: "GET /policies/{id}", URL: gw + "/policies/{n:1-3010}", Weight: 3},
		Route{Name: "POST /policies", Method: "POST", URL: gw + "/policies", Body: `{"age":{n:18-90}}`, Weight: 1.5})
}

func ferryRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /sailings", URL: gw + "/sailings?port={pick:north|south|island|reef}", Weight: 3},
		Route{Name: "GET /sailings/{id}", URL: gw + "/sailings/{n:1-604}", Weight: 3},
		Route{Name: "GET /terminals/{id}/sync", URL: gw + "/terminals/{n:1-40}/sync", Weight: 2, Agent: "QuayKiosk/4.8.2", Clients: "203.0.113."},
		Route{Name: "POST /bookings", Method: "POST", URL: gw + "/bookings", Body: `{"sailing":{n:1-600},"terminal":{n:1-40},"passengers":{n:1-5},"vehicle_cm":{pick:0|0|390|460}}`, Weight: 2},
		Route{Name: "GET /bookings/{id}", URL: gw + "/bookings/{n:1-60000}", Weight: 2})
}

func showRoutes(gw string) []Route {
	return append(scanner(gw),
		Route{Name: "GET /shows", URL: gw + "/shows", Weight: 3},
		Route{Name: "GET /shows/{id}", URL: gw + "/shows/{n:1-404}", Weight: 4},
		Route{Name: "POST /shows/{id}/bookings", Method: "POST", URL: gw + "/shows/{n:1-400}/bookings", Body: `{"customer":{n:1-900},"seats":{n:1-4}}`, Weight: 1.5},
		Route{Name: "GET /customers/{id}/bookings", URL: gw + "/customers/{n:1-900}/bookings", Weight: 2})
}

// bursts is traffic that comes in short bursts every ten seconds: terminals that synchronise by the clock.
func bursts(since time.Duration) float64 {
	if s := int((since + time.Hour).Seconds()); s%10 == 0 {
		return 5
	}
	return 0.4
}

// ferryUp brings up MariaDB and one uvicorn below a network.
func ferryUp(e *Env, service, version, net, dbHost, wrap string, rename []string, export bool) {
	e.MariaDB(MariaDB{Name: dbHost, IP: net + "30", DB: "ferry", Schema: e.schema("python/ferry", rename...), Export: export})
	dir := e.Release(service, "python/ferry", version, rename)
	p := uvicornPart(service, dir, net+"11", mariaEnv(dbHost, "ferry")...)
	p.Wrap = wrap
	e.up(p, net+"11:8000")
}

func caddyFor(name, net, port string) GW {
	return GW{Kind: "caddy", Name: name, IP: net + "2", Access: "caddy-access.json", Errors: "caddy.log", Routes: []Upstream{{Name: "all", Prefix: "/", Servers: []string{net + "11" + port}}}}
}

func servers(net, port, params string, n int) []string {
	var out []string
	for i := 1; i <= n; i++ {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s1%d%s %s", net, i, port, params)))
	}
	return out
}
