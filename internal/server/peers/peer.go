package peers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/spool"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

const (
	// patience is how long a look waits for a server: an investigation is worth more now without its lines than in minutes with them.
	patience = 30 * time.Second
	// unused is how long a copy stays that no investigation has asked for.
	unused = time.Hour
	// mostListed bounds the answer to a question, but for lines.
	mostListed = 32 << 20
)

// Config of New. All but Transport are required.
type Config struct {
	URL       string                 // of the other server, "https://inquest-b:7117"
	Self      string                 // name of this server: when it is this one that answers, its lines are not read twice
	Folder    string                 // for the copies; what is in it is removed
	MaxBytes  int64                  // of the copies, and of one look
	Token     func() (string, error) // of an admin; read each time, so that it can be replaced. "" for none
	Transport http.RoundTripper      // nil: http.DefaultTransport
	Now       func() time.Time
}

// Peer is another server. Safe for concurrent use.
type Peer struct {
	cfg    Config
	name   string // for people, and for the names of files
	client *http.Client

	mu     sync.Mutex // held during a look: a second one finds the copies of the first
	root   *os.Root
	copies map[string]*kept
}

// kept is a copy of a segment, as far as it goes.
type kept struct {
	size int64 // bytes that the segment had; the copy has them all
	used time.Time
}

// New empties the folder of copies. It asks nobody.
func New(cfg Config) (*Peer, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("peers: %q is no address of a server; write one such as https://inquest-b.example.com", cfg.URL)
	}
	p := &Peer{cfg: cfg, name: plain(u.Host), copies: map[string]*kept{}}
	p.cfg.URL = strings.TrimSuffix(cfg.URL, "/")
	p.client = &http.Client{Transport: cfg.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	folder := filepath.Join(cfg.Folder, p.name)
	if err := os.RemoveAll(folder); err != nil { // copies of a process before this one may end anywhere
		return nil, fmt.Errorf("peers: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	if p.root, err = os.OpenRoot(folder); err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	return p, nil
}

// plain is a host as the name of a folder.
func plain(host string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, host)
}

// Name is what people know it by: its address, as the name of a folder.
func (p *Peer) Name() string { return p.name }

// Close lets go of the folder.
func (p *Peer) Close() error { return p.root.Close() }

// Lines returns copies of the segments with lines that the server has received in a window, the newest first when they are more than MaxBytes, and says what
// is missing of them in people's words.
func (p *Peer) Lines(ctx context.Context, w inquest.Window) (out []spool.Segment, notes []string) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	missing := func(err error) []string {
		return []string{fmt.Sprintf("what the server %s has received could not be read: %v", p.name, err)}
	}
	var l Listing
	if err := p.ask(ctx, segmentsPath, url.Values{"from": {w.From.Format(time.RFC3339Nano)}, "to": {w.To.Format(time.RFC3339Nano)}}, &l); errors.Is(err, errSelf) {
		return nil, nil
	} else if errors.Is(err, store.ErrNotFound) {
		return nil, missing(errors.New("it is no server, or an older one: it does not know " + segmentsPath))
	} else if err != nil {
		return nil, missing(err)
	}
	slices.SortStableFunc(l.Segments, func(a, b Segment) int { return cmp.Or(b.End.Compare(a.End), strings.Compare(a.Name, b.Name)) })
	room, now := p.cfg.MaxBytes, p.cfg.Now()
	for i := range l.Segments {
		s := &l.Segments[i]
		if room -= s.Size; room < 0 {
			notes = append(notes, fmt.Sprintf("of what the server %s has received, lines before %s were left out: more than %d MiB", p.name, s.End.UTC().Format(time.RFC3339), p.cfg.MaxBytes>>20))
			break
		}
		err := p.copy(ctx, s, now)
		if errors.Is(err, store.ErrNotFound) { // deleted in between, for age
			continue
		}
		if err != nil {
			notes = append(notes, missing(err)...)
			break
		}
		out = append(out, spool.Segment{Source: spool.Source{Name: s.Source, Kind: s.Kind}, Dir: p.cfg.Folder, Name: p.name + "/" + s.Name, Start: s.Start, End: s.End, Size: s.Size})
	}
	p.forget(room, now)
	return out, notes
}

// Trace returns what the lines there say about one request, or store.ErrNotFound. It is nil when it is this server that answers.
func (p *Peer) Trace(ctx context.Context, id string) (*web.Trace, error) {
	t := new(web.Trace)
	if err := p.ask(ctx, tracePath, url.Values{"id": {id}}, t); errors.Is(err, errSelf) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	for i := range t.Lines {
		if f := &t.Lines[i].Source.File; *f != "" {
			*f = p.name + "/" + *f
		}
	}
	return t, nil
}

func (p *Peer) request(ctx context.Context, at string, query url.Values) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.cfg.URL+at+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return nil, err
	}
	token, err := p.cfg.Token()
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r, err
}

// errSelf: it is this server that answers.
var errSelf = errors.New("that is this server")

// do sends a request. Errors do not name the address, whose query says what somebody looks for.
func (p *Peer) do(r *http.Request, want int) (*http.Response, error) {
	resp, err := p.client.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, err
	}
	self := resp.Header.Get(nameHeader) == p.cfg.Self
	if resp.StatusCode == want && !self {
		return resp, nil
	}
	_ = resp.Body.Close()
	if self {
		return nil, errSelf
	}
	switch resp.StatusCode {
	case http.StatusNotFound:
		return nil, store.ErrNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, fmt.Errorf("it answered %d: peers.token_file must hold a token with the role admin", resp.StatusCode)
	}
	return nil, fmt.Errorf("it answered %d", resp.StatusCode)
}

// ask reads JSON.
func (p *Peer) ask(ctx context.Context, at string, query url.Values, into any) error {
	r, err := p.request(ctx, at, query)
	if err != nil {
		return err
	}
	resp, err := p.do(r, http.StatusOK)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, mostListed)).Decode(into); err != nil {
		return fmt.Errorf("its answer cannot be read: %w", err)
	}
	return nil
}

// copy fetches what a segment has more than its copy.
func (p *Peer) copy(ctx context.Context, s *Segment, now time.Time) error {
	if !fs.ValidPath(s.Name) || s.Name == "." || s.Size < 0 {
		return fmt.Errorf("%q, of %d bytes, is no segment", s.Name, s.Size)
	}
	k := p.copies[s.Name]
	if k == nil {
		if err := p.root.MkdirAll(path.Dir(s.Name), 0o700); err != nil {
			return err
		}
		k = new(kept)
		p.copies[s.Name] = k
	}
	k.used = now
	if k.size > s.Size { // another file of that name: its server has begun anew
		k.size = 0
	}
	if k.size == s.Size {
		return nil
	}
	if err := p.fetch(ctx, s, k.size); err != nil {
		return err
	}
	k.size = s.Size
	return nil
}

// fetch appends the bytes from on. When not all of them come, the copy stays as it was.
func (p *Peer) fetch(ctx context.Context, s *Segment, from int64) (err error) {
	r, err := p.request(ctx, linesPath, url.Values{"segment": {s.Name}})
	if err != nil {
		return err
	}
	r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, s.Size-1))
	resp, err := p.do(r, http.StatusPartialContent)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Range"); !strings.HasPrefix(got, fmt.Sprintf("bytes %d-%d/", from, s.Size-1)) {
		return fmt.Errorf("asked for the bytes from %d to %d of %s it sent %q", from, s.Size-1, s.Name, got)
	}
	f, err := p.root.OpenFile(s.Name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Truncate(from); err != nil {
		return err
	}
	n, err := io.Copy(io.NewOffsetWriter(f, from), io.LimitReader(resp.Body, s.Size-from))
	if err == nil && n != s.Size-from {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// forget removes copies that no look has asked for in a while, and more of them, those asked for longest ago first, when this look leaves less room than they take.
func (p *Peer) forget(room int64, now time.Time) {
	names := slices.SortedFunc(maps.Keys(p.copies), func(a, b string) int {
		return cmp.Or(p.copies[b].used.Compare(p.copies[a].used), strings.Compare(a, b))
	})
	for _, name := range names {
		k := p.copies[name]
		if k.used.Equal(now) { // of this look
			continue
		}
		if room -= k.size; room < 0 || now.Sub(k.used) > unused {
			if err := p.root.Remove(name); err == nil || errors.Is(err, fs.ErrNotExist) {
				delete(p.copies, name)
			}
		}
	}
}
