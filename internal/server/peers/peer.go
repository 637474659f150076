package peers

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/spool"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

const (
	// Who is there and what it has is answered within moments or not at all; a search takes as long as it is allowed to there, and lines as long as the network
	// does. Whoever investigates has a minute for all of it.
	toAnswer = 5 * time.Second
	toSearch = 11 * time.Second
	toFetch  = 20 * time.Second
	// away is how long a server that did not answer is not asked again: it would cost every investigation and every search the time to find out.
	away = 30 * time.Second
	// unused is how long a copy stays that no look has asked for; inUse is how long somebody may still be reading it.
	unused, inUse = time.Hour, 2 * time.Minute
	// mostAnswer bounds an answer in bytes, but for lines.
	mostAnswer = 32 << 20
)

// Config of New. All but Transport are required.
type Config struct {
	URL       string                 // of the other server, "https://inquest-b:7117"
	Name      string                 // unique among the peers; names the folder of the copies, and stands before the names of files. A number names no service
	Self      string                 // id of this process: its own lines are not read twice
	Known     *Known                 // shared by the peers: which servers they are
	Folder    string                 // for the copies of all peers
	MaxBytes  int64                  // of the copies, and of one look
	Token     func() (string, error) // of an admin; read each time, so that it can be replaced. "" for none
	Transport http.RoundTripper      // nil: http.DefaultTransport
	Log       func(string)           // told when the server does not answer, and when it does again
	Now       func() time.Time
}

// Peer is another server. Safe for concurrent use.
type Peer struct {
	cfg    Config
	host   string // for people
	client *http.Client

	turn   chan struct{} // holds a token while nobody looks: a second look finds the copies of the first
	root   *os.Root
	copies map[string]*kept

	health health
}

// kept is a copy of a segment.
type kept struct {
	Segment       // as it was listed last
	have    int64 // bytes of it that are here, all of them whole lines
	used    time.Time
}

// New makes the folder of the copies. It asks nobody.
func New(cfg Config) (*Peer, error) {
	cfg.URL = strings.TrimSuffix(strings.TrimSpace(cfg.URL), "/")
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("peers: %q is no address of a server; write one such as https://inquest-b.example.com", cfg.URL)
	}
	p := &Peer{cfg: cfg, host: u.Host, copies: map[string]*kept{}, turn: make(chan struct{}, 1)}
	p.turn <- struct{}{}
	p.client = &http.Client{Transport: cfg.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if !filepath.IsLocal(cfg.Name) || cfg.Name == "." || strings.ContainsAny(cfg.Name, `/\`) {
		return nil, fmt.Errorf("peers: %q is no name of a folder", cfg.Name)
	}
	folder := filepath.Join(cfg.Folder, cfg.Name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	if p.root, err = os.OpenRoot(folder); err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	return p, nil
}

// Host is what people know it by.
func (p *Peer) Host() string { return p.host }

// Close lets go of the folder.
func (p *Peer) Close() error { return p.root.Close() }

// Lines returns copies of the segments with lines that the server has received in a window, the newest when they are more than MaxBytes, and says what
// is missing of them in people's words. What was copied before is there also when the server is away.
func (p *Peer) Lines(ctx context.Context, w inquest.Window) (out []spool.Segment, notes []string) {
	ctx, stop := context.WithTimeout(ctx, toFetch)
	defer stop()
	select {
	case <-p.turn:
		defer func() { p.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, []string{p.missing(ctx.Err())}
	}
	var l Listing
	err := p.ask(ctx, segmentsPath, url.Values{"from": {w.From.Format(time.RFC3339Nano)}, "to": {w.To.Format(time.RFC3339Nano)}}, &l)
	if errors.Is(err, errSelf) {
		return nil, nil
	}
	now := p.cfg.Now()
	if err != nil {
		notes = append(notes, p.missing(err))
		l.Segments = p.listed(w)
	} else if l.DeletedTo.After(w.From) {
		notes = append(notes, fmt.Sprintf("of what the server %s has received, lines before %s were deleted there to make room", p.host, l.DeletedTo.UTC().Format(time.RFC3339)))
	}
	slices.SortStableFunc(l.Segments, func(a, b Segment) int { return cmp.Or(b.End.Compare(a.End), strings.Compare(a.Name, b.Name)) })
	room := p.cfg.MaxBytes
	for i := range l.Segments {
		if room -= l.Segments[i].Size; room < 0 {
			notes = append(notes, fmt.Sprintf("of what the server %s has received, lines before %s were left out: more than %d MiB", p.host, l.Segments[i].End.UTC().Format(time.RFC3339), p.cfg.MaxBytes>>20))
			l.Segments = l.Segments[:i]
			break
		}
	}
	p.forget(l.Segments, now)
	for i := range l.Segments {
		s := &l.Segments[i]
		gone, failed := p.copy(ctx, s, l.Server, err == nil, now)
		if failed != nil {
			notes, err = append(notes, p.missing(failed)), failed // the rest is taken as far as it is here
		}
		if k := p.copies[s.Name]; !gone && k != nil && k.have > 0 {
			out = append(out, spool.Segment{Source: spool.Source{Name: s.Source, Kind: s.Kind}, Dir: p.cfg.Folder, Name: p.cfg.Name + "/" + s.Name, Start: s.Start, End: s.End, Size: min(k.have, s.Size)})
		}
	}
	return out, notes
}

func (p *Peer) missing(err error) string {
	return missedBefore + p.host + missedBehind + err.Error()
}

// listed is what was copied of a window.
func (p *Peer) listed(w inquest.Window) (out []Segment) {
	for _, k := range p.copies {
		if k.Start.Before(w.To) && !k.End.Before(w.From) {
			out = append(out, k.Segment)
		}
	}
	return out
}

// Trace returns what the lines there say about one request, by any of its ids, or store.ErrNotFound. It is nil when it is this server that answers.
func (p *Peer) Trace(ctx context.Context, ids ...string) (*web.Trace, error) {
	t := new(web.Trace)
	if err := p.ask(ctx, tracePath, url.Values{"id": ids}, t); errors.Is(err, errSelf) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	for i := range t.Lines {
		if f := &t.Lines[i].Source.File; *f != "" {
			*f = p.cfg.Name + "/" + *f
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

// errSelf: it is this server that answers, or one that is read at another address.
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
	id := resp.Header.Get(idHeader)
	switch {
	case id != "" && (id == p.cfg.Self || !p.cfg.Known.claim(id, p.cfg.URL)):
		err = errSelf
	case resp.StatusCode == want:
		return resp, nil
	case resp.StatusCode == http.StatusNotFound && id != "":
		err = store.ErrNotFound
	case resp.StatusCode == http.StatusNotFound:
		err = errors.New("it answered 404: it is no server, or an older one, or nobody is behind its balancer")
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		err = fmt.Errorf("it answered %d: peers.token_file must hold a token with the role admin", resp.StatusCode)
	default:
		err = fmt.Errorf("it answered %d", resp.StatusCode)
	}
	_ = resp.Body.Close()
	return nil, err
}

// ask reads JSON. A server that does not say what it has is away, and so is one that cannot be reached; one that searches for too long is not.
func (p *Peer) ask(ctx context.Context, at string, query url.Values, into any) error {
	if err := p.health.away(p.cfg.Now()); err != nil {
		return err
	}
	patience := toAnswer
	if at == tracePath {
		patience = toSearch
	}
	within, stop := context.WithTimeout(ctx, patience)
	defer stop()
	r, err := p.request(within, at, query)
	if err != nil {
		return err
	}
	resp, err := p.do(r, http.StatusOK)
	if err == nil {
		defer resp.Body.Close()
		if err = json.NewDecoder(io.LimitReader(resp.Body, mostAnswer)).Decode(into); err != nil {
			err = fmt.Errorf("its answer cannot be read: %w", err)
		}
	}
	var unreachable *net.OpError
	if dead := errors.As(err, &unreachable) && unreachable.Op == "dial"; ctx.Err() == nil && (at == segmentsPath || dead) { // else it was the asker who had no time
		if err != nil && !errors.Is(err, errSelf) {
			p.cfg.Known.release(p.cfg.URL)
		}
		p.health.note(err, p.cfg.Now(), func(text string) { p.cfg.Log("peers: " + p.host + text) })
	}
	return err
}

// copy fetches what a segment has more than its copy, if it may. gone says that the server has it no longer.
func (p *Peer) copy(ctx context.Context, s *Segment, server string, may bool, now time.Time) (gone bool, err error) {
	if !fs.ValidPath(s.Name) || s.Name == "." || s.Size < 0 {
		return true, fmt.Errorf("%q, of %d bytes, is no segment", s.Name, s.Size)
	}
	k := p.copies[s.Name]
	if k == nil {
		k = new(kept)
	}
	if k.have > s.Size { // another file of that name: its server has begun anew. Who reads the old one goes on with it
		if err := p.root.Remove(s.Name); err != nil {
			return true, err
		}
		k.have = 0
	}
	k.Segment, k.used = *s, now
	p.copies[s.Name] = k
	if !may || k.have == s.Size {
		return false, nil
	}
	got, err := p.fetch(ctx, s, server, k.have)
	k.have += got
	return errors.Is(err, store.ErrNotFound), ignore(err, store.ErrNotFound)
}

// ignore drops an error of a kind.
func ignore(err, kind error) error {
	if errors.Is(err, kind) {
		return nil
	}
	return err
}

// fetch appends the bytes from on, and returns how many of whole lines came.
func (p *Peer) fetch(ctx context.Context, s *Segment, server string, from int64) (got int64, err error) {
	r, err := p.request(ctx, linesPath, url.Values{"segment": {s.Name}})
	if err != nil {
		return 0, err
	}
	r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, s.Size-1))
	resp, err := p.do(r, http.StatusPartialContent)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if id := resp.Header.Get(idHeader); id != server {
		return 0, errors.New("another server answers there by turns: write the address of each")
	}
	if got := resp.Header.Get("Content-Range"); !strings.HasPrefix(got, fmt.Sprintf("bytes %d-%d/", from, s.Size-1)) {
		return 0, fmt.Errorf("asked for the bytes from %d to %d of %s it sent %q", from, s.Size-1, s.Name, got)
	}
	if err := p.root.MkdirAll(path.Dir(s.Name), 0o700); err != nil {
		return 0, err
	}
	f, err := p.root.OpenFile(s.Name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := &wholeLines{w: io.NewOffsetWriter(f, from)}
	n, err := io.Copy(lines, io.LimitReader(resp.Body, s.Size-from))
	if err == nil && n == s.Size-from {
		return n, nil
	}
	return lines.whole, errors.Join(cmp.Or(err, io.ErrUnexpectedEOF), f.Truncate(from+lines.whole))
}

// wholeLines notes where the last line that was written ends.
type wholeLines struct {
	w        io.Writer
	n, whole int64
}

func (l *wholeLines) Write(b []byte) (int, error) {
	n, err := l.w.Write(b)
	if i := bytes.LastIndexByte(b[:n], '\n'); i >= 0 {
		l.whole = l.n + int64(i) + 1
	}
	l.n += int64(n)
	return n, err
}

// Sweep removes copies that no look has asked for in a while, also when nobody looks any more.
func (p *Peer) Sweep(ctx context.Context) {
	select {
	case <-p.turn:
		p.forget(nil, p.cfg.Now())
		p.turn <- struct{}{}
	case <-ctx.Done():
	}
}

// forget removes copies that no look has asked for in a while, and more of them, those asked for longest ago first, where the rest and what this look wants
// are more than MaxBytes. What somebody may be reading stays.
func (p *Peer) forget(wanted []Segment, now time.Time) {
	room := p.cfg.MaxBytes
	want := map[string]bool{}
	for i := range wanted {
		room -= wanted[i].Size
		want[wanted[i].Name] = true
	}
	for _, name := range slices.SortedFunc(maps.Keys(p.copies), func(a, b string) int {
		return cmp.Or(p.copies[b].used.Compare(p.copies[a].used), strings.Compare(a, b))
	}) {
		k := p.copies[name]
		if want[name] {
			continue
		}
		room -= k.have
		if idle := now.Sub(k.used); idle > unused || room < 0 && idle > inUse {
			if err := p.root.Remove(name); err == nil || errors.Is(err, fs.ErrNotExist) {
				delete(p.copies, name)
			}
		}
	}
}
