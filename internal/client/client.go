// Package client asks a running server through its JSON interface (/api/v1), and turns what goes wrong into errors that say the remedy. It knows
// addresses, tokens and problems (RFC 9457), and nothing of what is asked for.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/redact"
)

// DefaultURL is where a server listens that was started without settings.
const DefaultURL = "http://127.0.0.1:7117"

// mostAnswer bounds what is read of an answer: the longest is an incident with its report.
const mostAnswer = 64 << 20

// Config says whom to ask. The zero value asks the server on this machine, without a token.
type Config struct {
	URL   string // "https://inquest.example.com"; "" is DefaultURL
	Token string // made on the server's page Tokens; "" for none
	Agent string // "inquest/1.0"
}

// Client asks one server. Safe for concurrent use.
type Client struct {
	base  *url.URL
	token string
	agent string
	http  *http.Client
}

// Error is a refusal by the server.
type Error struct {
	Status int
	Detail string // what the server says, and the remedy
}

func (e *Error) Error() string { return e.Detail }

// ErrUnreachable says that no server answers.
var ErrUnreachable = errors.New("no server answers")

// New checks the address. It connects to nothing.
func New(cfg Config) (*Client, error) {
	if cfg.URL == "" {
		cfg.URL = DefaultURL
	}
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is no address of a server: write it as %s", redact.Clean(cfg.URL, 200), DefaultURL)
	}
	if u.User != nil {
		return nil, errors.New("the server's address holds a password: servers take tokens, in INQUEST_TOKEN")
	}
	return &Client{base: u, token: strings.TrimSpace(cfg.Token), agent: cfg.Agent, http: &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a token goes to the server that was named, nowhere else
	}}}, nil
}

// Clear reports whether the token would go over a network that anybody may read along.
func (c *Client) Clear() bool {
	host := c.base.Hostname()
	ip := net.ParseIP(host)
	return c.token != "" && c.base.Scheme == "http" && host != "localhost" && (ip == nil || !ip.IsLoopback())
}

// Page is the address of a page of the server, for people.
func (c *Client) Page(path string) string { return c.base.JoinPath(path).String() }

// Get asks for path below /api/v1 and reads the answer into out.
func (c *Client) Get(ctx context.Context, path string, query url.Values, out any) error {
	return c.do(ctx, http.MethodGet, path, query, nil, out)
}

// Post sends in as JSON to path below /api/v1 and reads the answer into out, unless it is nil.
func (c *Client) Post(ctx context.Context, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	return c.do(ctx, http.MethodPost, path, nil, b, out)
}

func (c *Client) do(ctx context.Context, method, path string, query url.Values, body []byte, out any) error {
	u := c.base.JoinPath("/api/v1", path)
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the request: %w", err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", c.agent)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("%s: the answer broke off: %w", c.base.Host, err)
	case len(b) > mostAnswer:
		return fmt.Errorf("%s: the answer is longer than %d MiB; ask for less", c.base.Host, mostAnswer>>20)
	case resp.StatusCode != http.StatusOK:
		return c.refused(resp, b)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return c.stranger(resp)
	}
	return nil
}

// unreachable says why nobody answered, and what to try.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	remedy := "is it running (`inquest serve`), and is this its address (--server, INQUEST_SERVER)?"
	if strings.Contains(err.Error(), "x509:") || strings.Contains(err.Error(), "tls:") {
		remedy = "is its certificate signed by somebody that this machine trusts? SSL_CERT_FILE names a file with another authority"
	}
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("%w at %s: %w; %s", ErrUnreachable, c.base, err, remedy)
}

// refused reads a problem; an answer without one comes from something else than a server of ours.
func (c *Client) refused(resp *http.Response, body []byte) error {
	var p struct {
		Title, Detail string
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case strings.HasSuffix(kind, "json") && json.Unmarshal(body, &p) == nil:
	case kind == "text/plain" && resp.StatusCode != http.StatusNotFound && len(body) < 4096: // the ways in for signals answer so
		p.Detail = redact.Lines(string(body), 1000)
	default:
		if resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusForbidden {
			return c.stranger(resp)
		}
	}
	e := &Error{Status: resp.StatusCode, Detail: strings.TrimSpace(p.Detail)}
	if e.Detail == "" {
		e.Detail = fmt.Sprintf("%s answered %s", c.base.Host, resp.Status)
	}
	switch {
	case resp.StatusCode == http.StatusUnauthorized && c.token == "":
		e.Detail = fmt.Sprintf("%s wants to know who asks: put a token into INQUEST_TOKEN; an administrator makes one on its page %s", c.base.Host, c.Page("tokens"))
	case resp.StatusCode == http.StatusUnauthorized:
		e.Detail = fmt.Sprintf("%s does not take the token in INQUEST_TOKEN: it is mistyped, revoked or expired", c.base.Host)
	case resp.StatusCode == http.StatusForbidden:
		e.Detail += "; another token (INQUEST_TOKEN) may be allowed to"
	case resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") != "":
		e.Detail += fmt.Sprintf("; try again in %s s", redact.Clean(resp.Header.Get("Retry-After"), 20))
	}
	return e
}

func (c *Client) stranger(resp *http.Response) error {
	hint := ""
	if to := resp.Header.Get("Location"); to != "" {
		hint = ", which leads to " + redact.Clean(to, 200)
	}
	return fmt.Errorf("what answers at %s is no Inquest server: %s, %s%s; name its address with --server or INQUEST_SERVER", c.base, resp.Status, redact.Clean(resp.Header.Get("Content-Type"), 80), hint)
}
