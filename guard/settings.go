package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

// maxSettings bounds what ReadDependencies reads: settings of a service are some kilobytes.
const maxSettings = 1 << 20

// ReadDependencies reads the settings of dependencies from JSON, so that operators can change them without a build. It is one object, its keys the
// names of the dependencies:
//
//	{
//	  "payment":   {"breaker": {"failures": 5, "open_for": "30s"}},
//	  "inventory": {"breaker": {"failures": 3, "open_for": "15s"}, "timeouts": {"response": "2s"}, "bulkhead": {"in_flight": 20}}
//	}
//
// Whatever is left out has its default. The keys of an entry, all optional, are breaker (failures, open_for, probes, probe_timeout, ratio,
// window, min_requests), retry (attempts, statuses, backoff, max_backoff, max_retry_after), timeouts (connect, response, stall, query),
// bulkhead (in_flight, queue, wait), rate (limit, per, burst), adaptive (min, max, initial, tolerance) and failure_statuses. Durations are texts such as
// "500ms". The result is sorted by name and complete but for what JSON cannot say (Judge, Observer, OnChange). An error names the line or the
// dependency, and what is wrong there.
func ReadDependencies(r io.Reader) ([]DependencyConfig, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSettings+1))
	if err != nil {
		return nil, fmt.Errorf("guard: settings of dependencies: %w", err)
	}
	if len(text) > maxSettings {
		return nil, fmt.Errorf("guard: settings of dependencies: more than %d bytes: this is no file of settings", maxSettings)
	}
	out, err := readDependencies(text)
	if err != nil {
		return nil, fmt.Errorf("guard: settings of dependencies: %w", err)
	}
	slices.SortFunc(out, func(a, b DependencyConfig) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return out, nil
}

func readDependencies(text []byte) (out []DependencyConfig, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil {
		return nil, located(text, d.InputOffset(), err)
	} else if t != json.Delim('{') {
		return nil, errors.New(`line 1: not an object; write {"payment": {"breaker": {"failures": 5}}}`)
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, located(text, d.InputOffset(), err)
		}
		name, _ := t.(string)
		if name == "" || seen[name] { // encoding/json would let the second one win in silence
			return nil, located(text, d.InputOffset(), fmt.Errorf("%q: a dependency has one entry, under its own name", name))
		}
		seen[name] = true
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, located(text, d.InputOffset(), err)
		}
		cfg, err := dependencyOf(name, raw)
		if err != nil {
			return nil, located(text, d.InputOffset()-int64(len(raw)), fmt.Errorf("%q: %w", name, err))
		}
		out = append(out, cfg)
	}
	if _, err := d.Token(); err != nil {
		return nil, located(text, d.InputOffset(), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, located(text, d.InputOffset(), errors.New("something follows the object"))
	}
	return out, nil
}

// located puts the number of the line before an error.
func located(text []byte, offset int64, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		offset = syntax.Offset
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the text ends too early: a bracket is missing")
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:min(max(offset, 0), int64(len(text)))], []byte{'\n'}), err)
}

// span is a time.Duration written as "1m30s".
type span time.Duration

func (s *span) UnmarshalJSON(text []byte) error {
	var word string
	if err := json.Unmarshal(text, &word); err != nil {
		return fmt.Errorf("%s is no duration; write a text such as \"500ms\" or \"30s\"", text)
	}
	d, err := time.ParseDuration(word)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is no duration; write one such as \"500ms\" or \"30s\", or leave it out for the default", word)
	}
	*s = span(d)
	return nil
}

// settings is an entry as JSON has it.
type settings struct {
	Breaker struct {
		Failures     int     `json:"failures"`
		OpenFor      span    `json:"open_for"`
		Probes       int     `json:"probes"`
		ProbeTimeout span    `json:"probe_timeout"`
		Ratio        float64 `json:"ratio"`
		Window       span    `json:"window"`
		MinRequests  int     `json:"min_requests"`
	} `json:"breaker"`
	Retry struct {
		Attempts      int   `json:"attempts"`
		Statuses      []int `json:"statuses"`
		Backoff       span  `json:"backoff"`
		MaxBackoff    span  `json:"max_backoff"`
		MaxRetryAfter span  `json:"max_retry_after"`
	} `json:"retry"`
	Timeouts struct {
		Connect  span `json:"connect"`
		Response span `json:"response"`
		Stall    span `json:"stall"`
		Query    span `json:"query"`
	} `json:"timeouts"`
	Bulkhead struct {
		InFlight int  `json:"in_flight"`
		Queue    int  `json:"queue"`
		Wait     span `json:"wait"`
	} `json:"bulkhead"`
	Rate struct {
		Limit int  `json:"limit"`
		Per   span `json:"per"`
		Burst int  `json:"burst"`
	} `json:"rate"`
	Adaptive struct {
		Min       int     `json:"min"`
		Max       int     `json:"max"`
		Initial   int     `json:"initial"`
		Tolerance float64 `json:"tolerance"`
	} `json:"adaptive"`
	FailureStatuses []int `json:"failure_statuses"`
}

// dependencyOf reads one entry and tries it out, so that a wrong number is an error here and not at the first call.
func dependencyOf(name string, raw []byte) (DependencyConfig, error) {
	var s settings
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return DependencyConfig{}, err
	}
	b, r, t, u := &s.Breaker, &s.Retry, &s.Timeouts, &s.Bulkhead
	cfg := DependencyConfig{
		Name: name,
		Breaker: policy.BreakerConfig{Failures: b.Failures, OpenFor: time.Duration(b.OpenFor), Probes: b.Probes, ProbeTimeout: time.Duration(b.ProbeTimeout),
			Ratio: b.Ratio, Window: time.Duration(b.Window), MinRequests: b.MinRequests},
		Retry: policy.RetryConfig{Attempts: r.Attempts, Statuses: r.Statuses, Backoff: time.Duration(r.Backoff), MaxBackoff: time.Duration(r.MaxBackoff),
			MaxRetryAfter: time.Duration(r.MaxRetryAfter)},
		Timeouts: policy.Timeouts{Connect: time.Duration(t.Connect), Response: time.Duration(t.Response), Stall: time.Duration(t.Stall), Query: time.Duration(t.Query)},
		Bulkhead: policy.BulkheadConfig{InFlight: u.InFlight, Queue: u.Queue, Wait: time.Duration(u.Wait)},
		Rate:     policy.RateConfig{Limit: s.Rate.Limit, Per: time.Duration(s.Rate.Per), Burst: s.Rate.Burst},
		Adaptive: policy.AdaptiveConfig{Min: s.Adaptive.Min, Max: s.Adaptive.Max, Initial: s.Adaptive.Initial, Tolerance: s.Adaptive.Tolerance},

		FailureStatuses: s.FailureStatuses,
	}
	if u.InFlight == 0 && (u.Queue != 0 || u.Wait != 0) {
		return cfg, errors.New("bulkhead: in_flight is missing: how many calls at a time")
	}
	if s.Rate.Limit == 0 && (s.Rate.Per != 0 || s.Rate.Burst != 0) {
		return cfg, errors.New("rate: limit is missing: how many calls per \"per\"")
	}
	tried := &Dependency{cfg: cfg}
	return cfg, tried.build()
}
