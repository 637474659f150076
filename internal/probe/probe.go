// Package probe asks URLs once and writes their answers down as access log records, so that what is judged of a log can be
// judged of a running service.
//
// It promises: one GET for each URL given and no other request; no redirect is followed, so no host is asked that was not
// named; nothing is sent but the request; bounded time, bodies and number. It will not crawl, log in, or send anything but GET.
package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/parse"
)

// MaxURLs is how many URLs are asked at most: an audit is a look, not a load test.
const MaxURLs = 200

// maxBody is how much of a body is read.
const maxBody = 64 << 10

// Config of Get.
type Config struct {
	Transport http.RoundTripper // required: how to reach the hosts
	Now       func() time.Time  // required
	Timeout   time.Duration     // of each request, body included; 0 is 10 s
	Agent     string            // User-Agent; "" is "inquest"
}

// Get asks each URL once, one after the other. notes say which could not be asked and why; it is an error if none could, or if
// a URL is none.
func Get(ctx context.Context, cfg Config, urls []string) (records []*parse.Record, notes []string, err error) {
	client, err := cfg.complete()
	if err != nil {
		return nil, nil, err
	}
	if len(urls) > MaxURLs {
		return nil, nil, fmt.Errorf("probe: %d URLs, at most %d are asked in one go", len(urls), MaxURLs)
	}
	for i, u := range urls {
		if err := valid(u); err != nil {
			return nil, nil, err
		}
		r, err := get(ctx, cfg, client, u)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			notes = append(notes, err.Error())
			continue
		}
		r.Line = i + 1
		records = append(records, r)
	}
	if len(records) == 0 && len(notes) > 0 {
		return nil, nil, fmt.Errorf("probe: no URL answered: %s", strings.Join(notes, "; "))
	}
	return records, notes, nil
}

// complete fills in the defaults and returns the client that asks, which follows no redirect.
func (c *Config) complete() (*http.Client, error) {
	if c.Transport == nil || c.Now == nil {
		return nil, errors.New("probe: a transport and a clock are required")
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Agent == "" {
		c.Agent = "inquest"
	}
	return &http.Client{Transport: c.Transport, Timeout: c.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// request is a GET as both Get and Check send it.
func (c *Config) request(ctx context.Context, raw string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, raw, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	req.Header.Set("User-Agent", c.Agent)
	req.Header.Set("Accept", "application/json, text/html;q=0.9, */*;q=0.8")
	return req, nil
}

func valid(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("probe: %q is no URL to ask: say http://host/path or https://host/path", raw)
	}
	return nil
}

func get(ctx context.Context, cfg Config, client *http.Client, raw string) (*parse.Record, error) {
	req, err := cfg.request(ctx, raw)
	if err != nil {
		return nil, err
	}
	began := cfg.Now()
	resp, err := client.Do(req)
	if err != nil {
		return nil, err // names the URL, without its password
	}
	defer resp.Body.Close()
	body, readErr := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	at := cfg.Now()
	r := new(parse.Record)
	r.Reset()
	r.Kind, r.Clock, r.Time, r.Duration = parse.KindAccess, parse.ClockUTC, at.UnixNano(), at.Sub(began).Seconds()
	r.Method, r.URL, r.Status, r.Service = http.MethodGet, req.URL.RequestURI(), resp.StatusCode, req.URL.Host
	r.Add("host", req.URL.Host)
	for name := range resp.Header {
		r.AnswerHeader(strings.ToLower(name), resp.Header.Get(name))
	}
	r.AnswerBody(string(body), true)
	if readErr != nil {
		r.Add("reason", "cut")
		r.Add("error", readErr.Error())
	}
	return r, nil
}
