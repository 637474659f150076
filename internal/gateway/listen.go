package gateway

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// WithDefaults returns the configuration with what it leaves out towards clients.
func (c Config) WithDefaults() Config {
	s := &c.Server
	s.HeaderTimeout = ifZero(s.HeaderTimeout, 10*time.Second)
	s.IdleTimeout = ifZero(s.IdleTimeout, 75*time.Second)
	s.StallTimeout = ifZero(s.StallTimeout, 30*time.Second)
	s.DrainTimeout = ifZero(s.DrainTimeout, 30*time.Second)
	if s.MaxHeader == 0 {
		s.MaxHeader = 64 << 10
	}
	return c
}

// checkListen looks at the addresses, certificates and the place for operators.
func (c *Config) checkListen() []Fault {
	var faults []Fault
	seen := map[string]bool{}
	for i := range c.Listen {
		l := &c.Listen[i]
		fault := func(key, format string, args ...any) {
			faults = append(faults, Fault{[]string{"listen", itoa(i), key}, fmt.Sprintf(format, args...)})
		}
		if !validAddress(l.Address) {
			fault("address", "%q is no address; write :8080 or 127.0.0.1:8080", l.Address)
		}
		if seen[l.Address] {
			fault("address", "%s is listed twice; keep one of the two", l.Address)
		}
		seen[l.Address] = true
		switch {
		case (l.Cert == "") != (l.Key == ""):
			fault("cert", "cert and key go together; give both or none")
		case l.Cert != "" && l.ACME != nil:
			fault("acme", "there are cert and key already; keep one of the two ways")
		case l.Cert != "":
			if _, err := tls.LoadX509KeyPair(l.Cert, l.Key); err != nil {
				fault("cert", "%v", err)
			}
		case l.ACME != nil && len(l.ACME.Domains) == 0:
			fault("acme", "no domains; list the names to get certificates for")
		case l.ACME != nil && l.ACME.Dir == "":
			fault("acme", "no dir; name a folder that lasts, or each start asks for new certificates")
		}
	}
	if !validAdmin(c.Admin) {
		faults = append(faults, Fault{[]string{"admin"}, fmt.Sprintf("%q: the admin API asks for no password; write unix:/path/to/socket or a loopback address such as 127.0.0.1:9901", c.Admin)})
	}
	return faults
}

func validAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 0 && n < 1<<16
}

func validAdmin(s string) bool {
	if s == "" || strings.HasPrefix(s, "unix:/") {
		return true
	}
	host, _, err := net.SplitHostPort(s)
	ip := net.ParseIP(host)
	return err == nil && validAddress(s) && (host == "localhost" || ip != nil && ip.IsLoopback())
}
