// Package remote is a metrics store elsewhere: anything that speaks Prometheus' HTTP API (Prometheus, Mimir, Thanos, VictoriaMetrics) as
// store.Querier, and its remote write, version 1, as store.Appender.
//
// https://prometheus.io/docs/prometheus/latest/querying/api/ and https://prometheus.io/docs/specs/prw/remote_write_spec/
package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/store"
)

// Config of New.
type Config struct {
	URL      string            // of the API without "/api/v1": "http://prometheus:9090", "https://mimir/prometheus"
	WriteURL string            // of remote write; "": URL + "/api/v1/write"
	Headers  map[string]string // such as Authorization, or X-Scope-OrgID of Mimir
	Client   *http.Client      // nil: one that gives up after Timeout
	Timeout  time.Duration     // 0: 1 minute
	MaxBytes int64             // of an answer; 0: 64 MB
}

// Store implements store.Querier and store.Appender. Safe for concurrent use.
type Store struct {
	cfg     Config
	dropped dropped
}

// New checks the addresses; it does not connect.
func New(cfg Config) (*Store, error) {
	if cfg.WriteURL == "" {
		cfg.WriteURL = strings.TrimSuffix(cfg.URL, "/") + "/api/v1/write"
	}
	for _, address := range []string{cfg.URL, cfg.WriteURL} {
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("metrics store: %q is no address: give one such as http://prometheus:9090", address)
		}
	}
	cfg.URL = strings.TrimSuffix(cfg.URL, "/")
	if cfg.Timeout <= 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = 64 << 20
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{Timeout: cfg.Timeout}
	}
	return &Store{cfg: cfg}, nil
}

// Instant evaluates PromQL at one time.
func (s *Store) Instant(ctx context.Context, query string, at time.Time) ([]inquest.Series, error) {
	series, err := s.ask(ctx, "query", url.Values{"query": {query}, "time": {seconds(at)}})
	if err != nil {
		return nil, err
	}
	for _, x := range series {
		if len(x.Samples) != 1 {
			return nil, fmt.Errorf("%w: %q gives a range of samples: use Range, or Raw", store.ErrQuery, query)
		}
	}
	return series, nil
}

// Range evaluates PromQL at from, from+step, ... up to and including to.
func (s *Store) Range(ctx context.Context, query string, from, to time.Time, step time.Duration) ([]inquest.Series, error) {
	if step <= 0 || to.Before(from) {
		return nil, fmt.Errorf("%w: from %s to %s every %s: the step must be above zero, and the end not before the start", store.ErrQuery, from, to, step)
	}
	return s.ask(ctx, "query_range", url.Values{"query": {query}, "start": {seconds(from)}, "end": {seconds(to)}, "step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)}})
}

// Raw returns the samples of [from, to) as they were stored. It asks for the range selector[to-from] at the end, which Prometheus 2
// begins one sample earlier than Prometheus 3 does, so that what is too early is left out here.
func (s *Store) Raw(ctx context.Context, selector string, from, to time.Time) ([]inquest.Series, error) {
	from, to = from.Truncate(time.Millisecond), to.Truncate(time.Millisecond)
	if !to.After(from) {
		return nil, nil
	}
	// An empty selector would become a bare range, a query with a range of its own a subquery: neither is a selector, and the
	// answer to both is a complaint about the brackets that the asker did not write.
	if strings.TrimSpace(selector) == "" {
		return nil, fmt.Errorf("%w: an empty selector: give one such as {service=\"checkout\"}", store.ErrQuery)
	}
	query := fmt.Sprintf("%s[%dms]", selector, to.Sub(from).Milliseconds())
	series, err := s.ask(ctx, "query", url.Values{"query": {query}, "time": {seconds(to.Add(-time.Millisecond))}})
	if err != nil {
		return nil, err
	}
	out := series[:0]
	for _, x := range series {
		for len(x.Samples) > 0 && x.Samples[0].Time.Before(from) {
			x.Samples = x.Samples[1:]
		}
		if len(x.Samples) > 0 {
			out = append(out, x)
		}
	}
	return out, nil
}

func seconds(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

// reply is what every endpoint of the API answers.
type reply struct {
	Status    string `json:"status"`
	ErrorType string `json:"errorType"`
	Error     string `json:"error"`
	Data      struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

func (s *Store) ask(ctx context.Context, endpoint string, form url.Values) ([]inquest.Series, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.URL+"/api/v1/"+endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("metrics store: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	body, status, err := s.do(req)
	if err != nil {
		return nil, err
	}
	var r reply
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, fmt.Errorf("metrics store %s answered %d with something else than Prometheus' JSON (%w): is it the address of a Prometheus?", s.cfg.URL, status, err)
	}
	switch {
	case r.Status == "success":
		return decode(r.Data.ResultType, r.Data.Result)
	case r.ErrorType == "bad_data", r.ErrorType == "execution":
		return nil, fmt.Errorf("%w: %s", store.ErrQuery, r.Error)
	case r.ErrorType == "timeout":
		return nil, fmt.Errorf("%w: %s: ask for less time, or fewer series", store.ErrQuery, r.Error)
	}
	return nil, fmt.Errorf("metrics store %s: status %d, %s: %s", s.cfg.URL, status, r.ErrorType, r.Error)
}

// do sends a request and returns the whole answer.
func (s *Store) do(req *http.Request) ([]byte, int, error) {
	for k, v := range s.cfg.Headers {
		req.Header.Set(k, v)
	}
	res, err := s.cfg.Client.Do(req)
	if err != nil {
		var timeout interface{ Timeout() bool }
		if errors.As(err, &timeout) && timeout.Timeout() {
			return nil, 0, fmt.Errorf("metrics store %s: no answer in time: %w", s.cfg.URL, err)
		}
		return nil, 0, fmt.Errorf("metrics store %s: %w", s.cfg.URL, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, s.cfg.MaxBytes+1))
	if err != nil {
		return nil, 0, fmt.Errorf("metrics store %s: %w", s.cfg.URL, err)
	}
	if int64(len(body)) > s.cfg.MaxBytes {
		return nil, 0, fmt.Errorf("metrics store %s answered more than %d bytes: ask for less time, or fewer series", s.cfg.URL, s.cfg.MaxBytes)
	}
	if res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden {
		return nil, 0, fmt.Errorf("metrics store %s answered %s: set its Authorization header", s.cfg.URL, res.Status)
	}
	return body, res.StatusCode, nil
}

// point is [unix seconds, "value"].
type point [2]json.RawMessage

func (p point) sample() (inquest.Sample, error) {
	var at float64
	var text string
	if err := errors.Join(json.Unmarshal(p[0], &at), json.Unmarshal(p[1], &text)); err != nil {
		return inquest.Sample{}, err
	}
	v, err := strconv.ParseFloat(text, 64) // reads NaN and +Inf as Prometheus writes them
	if err != nil {
		return inquest.Sample{}, err
	}
	ms := int64(at*1000 + 0.5)
	return inquest.Sample{Time: time.UnixMilli(ms).UTC(), Value: v}, nil
}

func decode(kind string, result json.RawMessage) ([]inquest.Series, error) {
	switch kind {
	case "scalar":
		var p point
		if err := json.Unmarshal(result, &p); err != nil {
			return nil, fmt.Errorf("metrics store: %w", err)
		}
		x, err := p.sample()
		if err != nil {
			return nil, fmt.Errorf("metrics store: %w", err)
		}
		return []inquest.Series{{Samples: []inquest.Sample{x}}}, nil
	case "vector", "matrix":
	default:
		return nil, fmt.Errorf("%w: it gives a %s: ask for numbers", store.ErrQuery, kind)
	}
	var rows []struct {
		Metric map[string]string `json:"metric"`
		Value  *point            `json:"value"`
		Values []point           `json:"values"`
	}
	if err := json.Unmarshal(result, &rows); err != nil {
		return nil, fmt.Errorf("metrics store: %w", err)
	}
	out := make([]inquest.Series, 0, len(rows))
	for _, r := range rows {
		s := inquest.Series{Name: r.Metric["__name__"]}
		delete(r.Metric, "__name__")
		if len(r.Metric) > 0 {
			s.Labels = r.Metric
		}
		if r.Value != nil {
			r.Values = []point{*r.Value}
		}
		for _, p := range r.Values {
			x, err := p.sample()
			if err != nil {
				return nil, fmt.Errorf("metrics store: %s: %w", s.Name, err)
			}
			s.Samples = append(s.Samples, x)
		}
		if len(s.Samples) > 0 { // native histograms have no one value
			out = append(out, s)
		}
	}
	return out, nil
}

var (
	_ store.Appender = (*Store)(nil)
	_ store.Querier  = (*Store)(nil)
)
