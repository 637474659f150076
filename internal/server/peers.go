package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/server/peers"
)

// openPeers gets ready to read what other servers have received. They share the room of this server's own lines.
func (p *process) openPeers(context.Context) error {
	s := p.Settings.Peers
	tls, err := (&TLSConfig{CAFile: s.CAFile}).open()
	if err != nil {
		return fmt.Errorf("peers.ca_file: %w", err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = tls
	p.closing(func() error { transport.CloseIdleConnections(); return nil })
	p.lines = &peers.Group{Own: p.spool, Find: p.trace}
	for _, at := range s.Servers {
		other, err := peers.New(peers.Config{URL: at, Self: p.name, Folder: filepath.Join(p.Settings.Data, "peers"), MaxBytes: p.Settings.Logs.MaxBytes / int64(len(s.Servers)), Transport: transport, Now: p.Now,
			Token: func() (string, error) { return secret(s.TokenFile) }})
		if err != nil {
			return err
		}
		p.lines.Others = append(p.lines.Others, other)
		p.closing(other.Close)
	}
	return nil
}

// sharePeers shows other servers what this one has received.
func (p *process) sharePeers() {
	(&peers.Shared{Name: p.name, Spool: p.spool, Find: p.trace, Mount: p.mount, Log: p.Log, May: func(r *http.Request) error {
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
	for i, at := range s.Peers.Servers {
		at := strings.TrimSpace(at)
		if u, err := url.Parse(at); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
			c.fault(fmt.Sprintf("%q is no address of a server; write one such as https://inquest-b:7117", at), "peers", "servers", fmt.Sprint(i))
		}
	}
}
