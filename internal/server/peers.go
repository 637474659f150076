package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/server/peers"
)

// openPeers gets ready to read what other servers have received. Copies of it take as much room again as this server's own lines may.
func (p *process) openPeers(context.Context) error {
	s, folder := p.Settings.Peers, filepath.Join(p.Settings.Data, "peers")
	if err := os.RemoveAll(folder); err != nil { // of a process before this one, perhaps with other settings; a copy of it may end anywhere
		return fmt.Errorf("peers: %w", err)
	}
	tls, err := (&TLSConfig{CAFile: s.CAFile}).open()
	if err != nil {
		return fmt.Errorf("peers.ca_file: %w", err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig, transport.Proxy = tls, nil                       // raw lines go to nobody else
	transport.DialContext = (&net.Dialer{Timeout: 2 * time.Second}).DialContext // who investigates does not wait for a dead host
	p.closing(func() error { transport.CloseIdleConnections(); return nil })
	p.id = rand.Text()
	p.lines = &peers.Group{Own: p.spool, Find: p.trace}
	known := new(peers.Known)
	for i, at := range s.Servers {
		other, err := peers.New(peers.Config{URL: at, Name: strconv.Itoa(i + 1), Self: p.id, Known: known, Folder: folder, MaxBytes: p.Settings.Logs.MaxBytes / int64(len(s.Servers)), Transport: transport, Now: p.Now,
			Token: func() (string, error) { return secret(s.TokenFile) }, Log: p.Log})
		if err != nil {
			return err
		}
		p.lines.Others = append(p.lines.Others, other)
		p.closing(other.Close)
		p.also("copies of other servers' lines", func(ctx context.Context) error {
			return p.every(ctx, time.Minute, "peers", func() error { other.Sweep(ctx); return nil })
		})
	}
	return nil
}

// sharePeers shows other servers what this one has received.
func (p *process) sharePeers() {
	(&peers.Shared{ID: p.id, Spool: p.spool, Find: p.trace, Mount: p.mount, Log: p.Log, May: func(r *http.Request) error {
		who, err := p.auth.Authenticate(r)
		if err == nil && (who.Role != auth.Admin || who.Via == auth.ViaPassword || who.Via == auth.ViaOIDC) { // raw lines hold what pages do not show
			err = fmt.Errorf("%w: raw lines are for a token with the role admin", auth.ErrForbidden)
		}
		return err
	}}).Open()
}

func (c *checker) peers(s *Settings) {
	if len(s.Peers.Servers) == 0 {
		return
	}
	if s.Database == "" && s.DatabaseFile == "" {
		c.fault("other servers share incidents through PostgreSQL; write database_file too", "peers")
	}
	if s.Peers.TokenFile == "" && (len(s.Access.Users) > 0 || s.Access.OIDC != nil) {
		c.fault("token_file is missing: the other servers ask for a token, `inquest tokens create peers --role admin --days 0` makes one", "peers")
	}
	hosts := map[string]bool{}
	for i, at := range s.Peers.Servers {
		u, err := url.Parse(strings.TrimSpace(at))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
			c.fault(fmt.Sprintf("%q is no address of a server; write one such as https://inquest-b:7117", at), "peers", "servers", fmt.Sprint(i))
			continue
		}
		if hosts[u.Host] {
			c.fault("this server is listed twice", "peers", "servers", fmt.Sprint(i))
		}
		hosts[u.Host] = true
	}
}
