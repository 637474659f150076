package prom

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/store"
)

// Target is what is scraped.
type Target struct {
	URL      string            // http://checkout:8080/metrics; without a path it is /metrics
	Job      string            // the label job
	Labels   map[string]string // further labels; "instance" instead of the URL's host and port
	Interval time.Duration     // 0: 15 s
	Timeout  time.Duration     // 0: 10 s, at most the interval
	// Authorization makes the value of that header, for each scrape anew; nil: none is sent.
	Authorization func() (string, error)
	TLS           *tls.Config // of https; nil: the system's authorities are trusted
}

// ScrapeConfig of NewScraper. Targets and Appender are required.
type ScrapeConfig struct {
	Targets    []Target
	Appender   store.Appender
	Intake     *ingest.Intake    // counts; nil: nobody counts
	MaxBody    int64             // of one answer, 0: 8 MiB
	MaxSamples int               // of one answer, 0: 20,000; more are refused as a whole, as Prometheus' sample_limit does
	AtATime    int               // scrapes, 0: 10
	Transport  http.RoundTripper // nil: a transport of its own, which follows the environment's proxy settings no more than Prometheus does
}

// Scraper scrapes targets. Run it once.
type Scraper struct {
	cfg    ScrapeConfig
	client *http.Client // of targets without TLS settings
	own    map[*tls.Config]*http.Client
	room   chan struct{}

	mu    sync.Mutex
	state []TargetState
}

// TargetState is how the last scrape of a target went.
type TargetState struct {
	URL, Job string
	Up       bool
	Last     time.Time
	Took     time.Duration
	Samples  int
	Error    string // of the last scrape, "" when it went well
}

// NewScraper checks the targets.
func NewScraper(cfg ScrapeConfig) (*Scraper, error) {
	if len(cfg.Targets) == 0 || cfg.Appender == nil {
		return nil, errors.New("prom: targets and a store of metrics are needed")
	}
	cfg.Targets = slices.Clone(cfg.Targets)
	cfg.MaxBody = cmp.Or(cfg.MaxBody, 8<<20)
	cfg.MaxSamples = cmp.Or(cfg.MaxSamples, 20_000)
	cfg.AtATime = cmp.Or(cfg.AtATime, 10)
	if cfg.MaxBody < 0 || cfg.MaxSamples < 0 || cfg.AtATime < 0 {
		return nil, errors.New("prom: limits must not be negative")
	}
	if cfg.Transport == nil {
		cfg.Transport = transport(nil)
	}
	s := &Scraper{cfg: cfg, client: &http.Client{Transport: cfg.Transport}, own: map[*tls.Config]*http.Client{}, room: make(chan struct{}, cfg.AtATime)}
	for i := range cfg.Targets {
		if err := cfg.Targets[i].complete(); err != nil {
			return nil, err
		}
		if c := cfg.Targets[i].TLS; c != nil && s.own[c] == nil {
			s.own[c] = &http.Client{Transport: transport(c)}
		}
		s.state = append(s.state, TargetState{URL: cfg.Targets[i].URL, Job: cfg.Targets[i].Job})
	}
	return s, nil
}

func transport(c *tls.Config) *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: time.Minute, TLSClientConfig: c, ForceAttemptHTTP2: true}
}

func (t *Target) complete() error {
	u, err := url.Parse(t.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("prom: target %q: write it as http://host:port/metrics, credentials apart from it", t.URL)
	}
	if u.Path == "" {
		u.Path = "/metrics"
		t.URL = u.String()
	}
	t.Interval = cmp.Or(t.Interval, 15*time.Second)
	t.Timeout = min(cmp.Or(t.Timeout, 10*time.Second), t.Interval)
	if t.Interval < time.Second || t.Timeout < 0 {
		return fmt.Errorf("prom: target %s: an interval has at least a second", t.URL)
	}
	labels := maps.Clone(t.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels["job"] = cmp.Or(t.Job, labels["job"], u.Hostname())
	labels["instance"] = cmp.Or(labels["instance"], u.Host)
	t.Job, t.Labels = labels["job"], labels
	return nil
}

// Run scrapes until ctx ends, each target at a moment of its interval that hangs on its address: not all at once.
func (s *Scraper) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for i := range s.cfg.Targets {
		wg.Go(func() { s.follow(ctx, i) })
	}
	wg.Wait()
	s.client.CloseIdleConnections()
	for _, c := range s.own {
		c.CloseIdleConnections()
	}
	return nil
}

func (s *Scraper) follow(ctx context.Context, i int) {
	t := &s.cfg.Targets[i]
	h := fnv.New64a()
	h.Write([]byte(t.URL + t.Job))
	timer := time.NewTimer(time.Duration(h.Sum64() % uint64(t.Interval)))
	defer timer.Stop()
	last := map[string]inquest.Series{} // series of the last scrape that went well, without samples
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		timer.Reset(t.Interval)
		select {
		case s.room <- struct{}{}:
		case <-ctx.Done():
			return
		}
		last = s.scrape(ctx, i, last)
		<-s.room
	}
}

// scrape scrapes once and returns the series that it found.
func (s *Scraper) scrape(ctx context.Context, i int, last map[string]inquest.Series) map[string]inquest.Series {
	t := &s.cfg.Targets[i]
	begin := time.Now()
	found, err := s.fetch(ctx, t, begin)
	took := time.Since(begin)
	if ctx.Err() != nil {
		return last
	}
	seen := map[string]inquest.Series{}
	for _, x := range found {
		seen[x.Name+inquest.LabelText(x.Labels)] = inquest.Series{Name: x.Name, Labels: x.Labels, Type: x.Type}
	}
	for key, x := range last { // what is gone has ended, and its last value must not be taken for today's
		if _, still := seen[key]; !still {
			x.Samples = []inquest.Sample{{Time: begin.UTC(), Value: math.Float64frombits(ingest.StaleNaN)}}
			found = append(found, x)
		}
	}
	up := 1.0
	if err != nil {
		up = 0
	}
	n := len(seen)
	for _, x := range [...]struct {
		name  string
		value float64
	}{{"up", up}, {"scrape_duration_seconds", took.Seconds()}, {"scrape_samples_scraped", float64(n)}} {
		found = append(found, inquest.Series{Name: x.name, Labels: t.Labels, Type: "gauge", Samples: []inquest.Sample{{Time: begin.UTC(), Value: x.value}}})
	}
	if kept := s.cfg.Appender.Append(ctx, found); kept != nil {
		err = errors.Join(err, kept)
	}
	s.note(i, TargetState{URL: t.URL, Job: t.Job, Up: up == 1, Last: begin, Took: took, Samples: n}, err)
	return seen
}

func (s *Scraper) note(i int, state TargetState, err error) {
	if err != nil {
		state.Error = err.Error()
	}
	if s.cfg.Intake != nil {
		source := s.cfg.Intake.Source(state.Job, "scrape")
		switch {
		case err == nil:
			s.cfg.Intake.Received(source, ingest.Metrics, state.Samples)
		case state.Up: // one that is down has sent nothing that could be shed
			s.cfg.Intake.NotTaken(source, ingest.Metrics, max(state.Samples, 1), err)
		}
	}
	s.mu.Lock()
	s.state[i] = state
	s.mu.Unlock()
}

// States returns how the last scrape of each target went.
func (s *Scraper) States() []TargetState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.state)
}

// fetch asks a target and reads its answer.
func (s *Scraper) fetch(ctx context.Context, t *Target, at time.Time) ([]inquest.Series, error) {
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL, nil)
	if err != nil {
		return nil, err
	}
	if t.Authorization != nil {
		value, err := t.Authorization()
		if err != nil {
			return nil, fmt.Errorf("scrape %s: %w", t.URL, err)
		}
		r.Header.Set("Authorization", value)
	}
	r.Header.Set("Accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
	r.Header.Set("User-Agent", "inquest")
	res, err := cmp.Or(s.own[t.TLS], s.client).Do(r)
	if err != nil {
		return nil, fmt.Errorf("scrape: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("scrape %s: it answers %s", t.URL, res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, s.cfg.MaxBody+1)) // unpacked: the transport does it
	if err != nil {
		return nil, fmt.Errorf("scrape %s: %w", t.URL, err)
	}
	if int64(len(body)) > s.cfg.MaxBody {
		return nil, fmt.Errorf("scrape %s: its answer has more than %d bytes", t.URL, s.cfg.MaxBody)
	}
	return s.read(t, body, at)
}

func (s *Scraper) read(t *Target, body []byte, at time.Time) ([]inquest.Series, error) {
	if n := bytes.Count(body, []byte{'\n'}) - bytes.Count(body, []byte("\n#")); n > s.cfg.MaxSamples+1 {
		return nil, fmt.Errorf("scrape %s: its answer has more than %d samples", t.URL, s.cfg.MaxSamples)
	}
	var out []inquest.Series
	bad, reason := 0, ""
	_, err := parse.ReadExposition(bytes.NewReader(body), func(x *inquest.Series) {
		if strings.HasSuffix(x.Name, "_created") && x.Type != "gauge" && x.Type != "" {
			return // when a counter was made is no measurement
		}
		for i := range x.Samples {
			if x.Samples[i].Time.IsZero() {
				x.Samples[i].Time = at.UTC()
			}
		}
		x.Labels, x.Source = t.labels(x.Labels), inquest.Source{}
		out = append(out, *x)
	}, func(line int, why string) {
		if bad++; reason == "" {
			reason = fmt.Sprintf("line %d: %s", line, why)
		}
	})
	if err == nil && bad > 0 && (len(out) == 0 || bad > len(out)) {
		err = fmt.Errorf("scrape %s: the answer is no exposition of metrics: %s", t.URL, reason)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// labels puts the target's labels over a series' own, which are kept as exported_job and so on, as Prometheus does.
func (t *Target) labels(own map[string]string) map[string]string {
	out := maps.Clone(t.Labels)
	for k, v := range own {
		if v == "" {
			continue
		}
		if _, ok := t.Labels[k]; ok {
			k = "exported_" + k
		}
		out[k] = v
	}
	return out
}
