package probe

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest/guard/answer"
)

// mostChecked is how much of a body is read by Check: all of what an API answers, none of what fills the memory.
const mostChecked = 8 << 20

// Want says which answers pass.
type Want struct {
	Times    int           // how often the URL is asked, 1 to MaxURLs
	Status   []int         // any of these; empty: any 2xx
	Within   time.Duration // longest time to the last byte; 0: Config.Timeout
	Contains string        // text that the body holds
	Fields   []string      // that a JSON body has, and not as null: "items", "data.total"
	Header   http.Header   // sent along

	Between func(ctx context.Context, done int) error // called after each request but the last, to wait or to show how far it is; may be nil
}

// Checked is what became of all requests.
type Checked struct {
	URL             string
	Asked, Failed   int
	Median, Slowest time.Duration // of those that were answered
	Answers         []Answer      // by status and reason, the most frequent first
}

// Answer is so many answers that were alike.
type Answer struct {
	Status int    // 0: none came
	Why    string // it does not pass, "" when it does
	Count  int
}

// Check asks one URL several times by GET and judges each answer: its status, its time, and whether its body says what the status says. A 2xx whose body
// tells of an error fails, as does a body that is not the JSON that its type says: users are not served by a status. Each request has a connection of its
// own, so that a balancer spreads them over all instances. What cannot be judged fails. It is an error if nothing could be asked at all.
func Check(ctx context.Context, cfg Config, url string, want Want) (*Checked, error) {
	client, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	if want.Times < 1 || want.Times > MaxURLs {
		return nil, fmt.Errorf("probe: %d requests: 1 to %d are sent in one go", want.Times, MaxURLs)
	}
	if err := valid(url); err != nil {
		return nil, err
	}
	judge, err := answer.New(answer.Config{})
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	c := &checker{cfg: cfg, want: want, judge: judge, client: client}
	out := &Checked{URL: url}
	var times []time.Duration
	for i := range want.Times {
		if i > 0 && want.Between != nil {
			if err := want.Between(ctx, i); err != nil {
				return nil, err
			}
		}
		a, took := c.ask(ctx, url)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		out.add(a)
		if a.Status != 0 {
			times = append(times, took)
		}
	}
	slices.SortStableFunc(out.Answers, func(a, b Answer) int { return b.Count - a.Count })
	if slices.Sort(times); len(times) > 0 {
		out.Median, out.Slowest = times[len(times)/2], times[len(times)-1]
	}
	return out, nil
}

func (c *Checked) add(a Answer) {
	c.Asked++
	if a.Why != "" {
		c.Failed++
	}
	for i := range c.Answers {
		if x := &c.Answers[i]; x.Status == a.Status && x.Why == a.Why {
			x.Count++
			return
		}
	}
	a.Count = 1
	c.Answers = append(c.Answers, a)
}

type checker struct {
	cfg    Config
	want   Want
	judge  *answer.Judge
	client *http.Client
}

// ask sends one request and judges what comes, and says how long it took to the last byte.
func (c *checker) ask(ctx context.Context, url string) (Answer, time.Duration) {
	req, err := c.cfg.request(ctx, url)
	if err != nil {
		return Answer{Why: err.Error()}, 0
	}
	for name, values := range c.want.Header {
		req.Header[name] = values
	}
	if host := req.Header.Get("Host"); host != "" { // net/http takes it from here, not from the header
		req.Host = host
	}
	req.Close = true
	began := c.cfg.Now()
	resp, err := c.client.Do(req)
	if err != nil {
		return Answer{Why: reason(err)}, 0
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostChecked+1))
	took := c.cfg.Now().Sub(began)
	if err != nil {
		return Answer{Status: resp.StatusCode, Why: "the answer broke off: " + reason(err)}, took
	}
	return Answer{Status: resp.StatusCode, Why: c.fails(resp, body, took)}, took
}

// reason is an error without the URL, so that equal ones are counted together.
func reason(err error) string {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "no whole answer within the time"
	}
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// fails says why an answer does not pass; "" when it does.
func (c *checker) fails(resp *http.Response, body []byte, took time.Duration) string {
	within := cmp.Or(c.want.Within, c.cfg.Timeout)
	switch {
	case len(c.want.Status) > 0 && !slices.Contains(c.want.Status, resp.StatusCode), len(c.want.Status) == 0 && resp.StatusCode/100 != 2:
		return "another status is wanted"
	case took > within:
		return fmt.Sprintf("took longer than %s", within)
	case len(body) > mostChecked:
		return fmt.Sprintf("the body is larger than %d MiB and was not checked", mostChecked>>20)
	}
	// Only the beginning is judged by its words: error envelopes are short.
	v := c.judge.Status(answer.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body[:min(len(body), answer.Limit)], Whole: len(body) <= answer.Limit})
	if v.Changed() {
		return fmt.Sprintf("the body tells of a %d (%s)", v.Status, v.Rule)
	}
	if c.want.Contains != "" && !bytes.Contains(body, []byte(c.want.Contains)) {
		return fmt.Sprintf("the body does not hold %q", c.want.Contains)
	}
	return c.form(resp, body)
}

// form says what is wrong with a body that is or should be JSON.
func (c *checker) form(resp *http.Response, body []byte) string {
	bodyless := len(body) == 0 && (resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusResetContent || resp.StatusCode == http.StatusNotModified)
	if len(c.want.Fields) == 0 && (bodyless || !isJSON(resp.Header.Get("Content-Type"))) {
		return ""
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return "the body is no JSON: it is cut off, or another thing"
	}
	for _, f := range c.want.Fields {
		at := v
		for name := range strings.SplitSeq(f, ".") {
			m, _ := at.(map[string]any) // what is no object has no fields
			at = m[name]
		}
		if at == nil {
			return fmt.Sprintf("the body has no %q", f)
		}
	}
	return ""
}

// isJSON knows the types of one JSON text (RFC 8259, RFC 6839), not those of several in a row.
func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (t == "application/json" || strings.HasSuffix(t, "+json") && t != "application/stream+json")
}
