package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// httpClient posts to addresses that people configured. It reaches no address of the inside of a network unless that was allowed, whatever the
// name resolves to; it follows no redirect, uses no proxy, and reads little of an answer.
type httpClient struct {
	client *http.Client
	allow  []netip.Prefix
}

func newHTTP(allow []netip.Prefix) *httpClient {
	h := &httpClient{allow: allow}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: h.check}
	h.client = &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConns: 2, IdleConnTimeout: 30 * time.Second,
			TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return h
}

func (h *httpClient) close() { h.client.CloseIdleConnections() }

// inside are networks that net/netip has no word for.
func inside() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),      // this host (RFC 6890)
		netip.MustParsePrefix("100.64.0.0/10"),  // carrier-grade NAT (RFC 6598), used inside of clouds
		netip.MustParsePrefix("192.0.0.0/24"),   // protocol assignments
		netip.MustParsePrefix("198.18.0.0/15"),  // benchmarks (RFC 2544)
		netip.MustParsePrefix("240.0.0.0/4"),    // reserved, with broadcast
		netip.MustParsePrefix("64:ff9b::/96"),   // an IPv4 address behind NAT64 (RFC 6052)
		netip.MustParsePrefix("64:ff9b:1::/48"), // the same, local (RFC 8215)
		netip.MustParsePrefix("2002::/16"),      // an IPv4 address behind 6to4 (RFC 3056)
	}
}

// errInside is given for an address that must not be reached.
var errInside = errors.New("is inside of the network")

// check refuses addresses of the inside. It sees the address that is really dialled: a name that resolves to something else the second time gains nothing.
func (h *httpClient) check(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return permanent(fmt.Errorf("%q is no address", address))
	}
	ip := ap.Addr().Unmap().WithZone("")
	within := func(p netip.Prefix) bool { return p.Contains(ip) }
	switch {
	case slices.ContainsFunc(h.allow, within):
		return nil
	case ip.IsPrivate(), ip.IsLoopback(), ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip.IsUnspecified(), slices.ContainsFunc(inside(), within):
		return permanent(fmt.Errorf("%s %w; if it is meant, list it under allow of the channel", ip, errInside))
	}
	return nil
}

// post sends v as JSON and reports what a person has to know about the answer.
func (h *httpClient) post(ctx context.Context, to string, v any, header http.Header) error {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return permanent(fmt.Errorf("write the message: %w", err))
	}
	return h.postBytes(ctx, to, bytes.TrimRight(body.Bytes(), "\n"), header)
}

func (h *httpClient) postBytes(ctx context.Context, to string, body []byte, header http.Header) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return permanent(err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "inquest")
	resp, err := h.client.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the address, which may be a secret
		}
		return err
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // what it says is a help, not needed
	return judge(resp, answer)
}

// judge says what an answer means: taken, try again, or never.
func judge(resp *http.Response, answer []byte) error {
	code := resp.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	said := strings.TrimSpace(string(answer[:min(len(answer), 200)]))
	if said != "" {
		said = ": " + said
	}
	err := fmt.Errorf("it answered %d%s", code, said)
	switch {
	case code >= 300 && code < 400:
		return permanent(fmt.Errorf("it answered %d; redirects are not followed, configure the address it points at", code))
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		return &failure{err: err, after: askedToWait(resp.Header, time.Now())}
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code >= 500:
		return err
	}
	return permanent(err)
}
