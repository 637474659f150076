package policy_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/inquesthq/inquest/guard/policy"
)

func TestRetryNext(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	cut := fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)
	later := func(v string) http.Header { return http.Header{"Retry-After": {v}} }
	cases := map[string]struct {
		attempt policy.Attempt
		again   bool
	}{
		"503 to a GET": {policy.Attempt{Number: 1, Repeatable: true, Status: 503}, true},
		"504 to a GET": {policy.Attempt{Number: 2, Repeatable: true, Status: 504}, true},
		"429 to a GET": {policy.Attempt{Number: 1, Repeatable: true, Status: 429}, true},
		"500: the same request meets the same bug": {policy.Attempt{Number: 1, Repeatable: true, Status: 500}, false},
		"404":                                      {policy.Attempt{Number: 1, Repeatable: true, Status: 404}, false},
		"503 to a POST":                            {policy.Attempt{Number: 1, Status: 503}, false},
		"the third attempt was the last":           {policy.Attempt{Number: 3, Repeatable: true, Status: 503}, false},
		"cut, GET":                                 {policy.Attempt{Number: 1, Repeatable: true, Err: cut}, true},
		"cut, POST: it may have been done":         {policy.Attempt{Number: 1, Err: cut}, false},
		"refused, POST: nothing was sent":          {policy.Attempt{Number: 1, Err: refused}, true},
		"a wrong certificate stays wrong":          {policy.Attempt{Number: 1, Repeatable: true, Err: x509.UnknownAuthorityError{}}, false},
		"a name that does not exist":               {policy.Attempt{Number: 1, Repeatable: true, Err: &net.DNSError{IsNotFound: true}}, false},
		"a name server that did not answer":        {policy.Attempt{Number: 1, Repeatable: true, Err: &net.DNSError{IsTimeout: true}}, true},
		"our own refusal is final":                 {policy.Attempt{Number: 1, Repeatable: true, Err: &policy.LimitError{}}, false},
		"come back in 9 s":                         {policy.Attempt{Number: 1, Repeatable: true, Status: 503, Header: later("9")}, true},
		"come back in 11 s: not held open so long": {policy.Attempt{Number: 1, Repeatable: true, Status: 503, Header: later("11")}, false},
		"come back never":                          {policy.Attempt{Number: 1, Repeatable: true, Status: 503, Header: later("99999999999999999999999")}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := must(policy.NewRetry(policy.RetryConfig{}))(t)
			wait, again := r.Next(c.attempt)
			if again != c.again {
				t.Fatalf("again: %v, want %v", again, c.again)
			}
			after, _ := policy.RetryAfter(c.attempt.Header, time.Now())
			if again && (wait < after || wait > after+100*time.Millisecond<<(c.attempt.Number-1)) {
				t.Errorf("waits %v", wait)
			}
		})
	}
}

func TestBackoffIsSpreadOverItsWholeRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := must(policy.NewRetryBudget(policy.BudgetConfig{Max: 100_000}))(t)
		r := must(policy.NewRetry(policy.RetryConfig{Attempts: 100, MaxBackoff: time.Second, Budget: budget}))(t)
		for attempt, bound := range map[int]time.Duration{1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 4: 800 * time.Millisecond, 5: time.Second, 90: time.Second} {
			var sum, most time.Duration
			const n = 2000
			for range n {
				wait, ok := r.Next(policy.Attempt{Number: attempt, Repeatable: true, Status: 503})
				if !ok || wait > bound {
					t.Fatalf("attempt %d: %v, %v", attempt, wait, ok)
				}
				sum, most = sum+wait, max(most, wait)
			}
			if mean := sum / n; mean < bound*2/5 || mean > bound*3/5 || most < bound*9/10 {
				t.Errorf("attempt %d: mean %v, most %v, bound %v: not drawn evenly", attempt, sum/n, most, bound)
			}
		}
	})
}

func TestRetriesEndWithTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := must(policy.NewRetry(policy.RetryConfig{}))(t)
		retries := 0
		for range 100 {
			r.Begin()
			for n := 1; ; n++ {
				if _, ok := r.Next(policy.Attempt{Number: n, Repeatable: true, Status: 503}); !ok {
					break
				}
				retries++
			}
		}
		if retries > 30 { // a fifth of 100, and the 10 saved up
			t.Errorf("%d retries for 100 failing calls", retries)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		value string
		want  time.Duration
		ok    bool
	}{
		"seconds":            {"120", 2 * time.Minute, true},
		"zero":               {"0", 0, true},
		"spaces around":      {" 5 ", 5 * time.Second, true},
		"a date":             {"Sun, 29 Nov 2026 12:00:30 GMT", 30 * time.Second, true},
		"a date of RFC 850":  {"Sunday, 29-Nov-26 12:01:00 GMT", time.Minute, true},
		"a date in the past": {"Sun, 29 Nov 2026 11:00:00 GMT", 0, true},
		"absurdly many":      {"99999999999999999999", 100 * 365 * 24 * time.Hour, true},
		"absent":             {"", 0, false},
		"negative":           {"-1", 0, false},
		"a fraction":         {"1.5", 0, false},
		"words":              {"soon", 0, false},
	}
	for name, c := range cases {
		got, ok := policy.RetryAfter(http.Header{"Retry-After": {c.value}}, now)
		if got != c.want || ok != c.ok {
			t.Errorf("%s: %q is %v, %v; want %v, %v", name, c.value, got, ok, c.want, c.ok)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Sun, 29 Nov 2026 12:00:30 GMT")
	f.Fuzz(func(t *testing.T, value string) {
		if d, ok := policy.RetryAfter(http.Header{"Retry-After": {value}}, time.Unix(0, 0)); d < 0 || !ok && d != 0 {
			t.Errorf("%q: %v, %v", value, d, ok)
		}
	})
}

func TestRepeatable(t *testing.T) {
	for method, want := range map[string]bool{"": true, "GET": true, "HEAD": true, "OPTIONS": true, "TRACE": true, "PUT": true, "DELETE": true, "POST": false, "PATCH": false, "CONNECT": false, "get": false} {
		if got := policy.Repeatable(method, nil); got != want {
			t.Errorf("%q: %v", method, got)
		}
	}
	if !policy.Repeatable("POST", http.Header{"Idempotency-Key": {"7d"}}) {
		t.Error("a POST with an Idempotency-Key may be repeated")
	}
}

func TestErrorReason(t *testing.T) {
	dial := func(err error) error { return fmt.Errorf("Get: %w", &net.OpError{Op: "dial", Net: "tcp", Err: err}) }
	cases := map[string]struct {
		err  error
		want policy.Reason
	}{
		"none":                 {nil, policy.None},
		"nobody listens":       {dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), policy.Refused},
		"no route":             {dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), policy.Refused},
		"connecting too long":  {dial(os.ErrDeadlineExceeded), policy.ConnectTimeout},
		"handshake too long":   {errors.New("net/http: TLS handshake timeout"), policy.ConnectTimeout},
		"no such name":         {dial(&net.DNSError{Name: "db.internal", IsNotFound: true}), policy.DNS},
		"header too late":      {errors.New("net/http: timeout awaiting response headers"), policy.HeaderTimeout},
		"our own limit":        {fmt.Errorf("x: %w", policy.ErrHeaderTimeout), policy.HeaderTimeout},
		"deadline":             {context.DeadlineExceeded, policy.HeaderTimeout},
		"stalled":              {fmt.Errorf("x: %w", policy.ErrStall), policy.Stall},
		"reset":                {&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, policy.Cut},
		"ended early":          {io.ErrUnexpectedEOF, policy.Cut},
		"idle race":            {errors.New("http: server closed idle connection"), policy.Cut},
		"HTTP/2 reset":         {errors.New("stream error: stream ID 3; INTERNAL_ERROR; received from peer"), policy.Cut},
		"garbage":              {errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0"`), policy.Malformed},
		"huge header":          {errors.New("net/http: server response headers exceeded 65536 bytes; aborted"), policy.Malformed},
		"unknown authority":    {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, policy.TLS},
		"plain text where TLS": {http.ErrSchemeMismatch, policy.TLS},
		"not TLS":              {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, policy.TLS},
		"breaker":              {fmt.Errorf("x: %w", policy.ErrOpen), policy.BreakerOpen},
		"bulkhead":             {policy.ErrFull, policy.Shed},
		"rate":                 {policy.ErrLimited, policy.Limited},
		"the client left":      {policy.ErrClientLeft, policy.ClientLeft},
		"cancelled":            {context.Canceled, policy.ClientLeft},
		"anything else":        {errors.New("declined"), policy.Other},
	}
	for name, c := range cases {
		if got := policy.ErrorReason(c.err); got != c.want {
			t.Errorf("%s: %v is %q, want %q", name, c.err, got, c.want)
		}
	}
}

func TestErrorOutcome(t *testing.T) {
	left, cancel := context.WithCancel(t.Context())
	cancel()
	cases := map[string]struct {
		ctx  context.Context
		err  error
		want policy.Outcome
	}{
		"done":                           {t.Context(), nil, policy.Success},
		"a row that is not there":        {t.Context(), fmt.Errorf("user: %w", sql.ErrNoRows), policy.Success},
		"an error":                       {t.Context(), errors.New("refused"), policy.Failure},
		"a deadline":                     {t.Context(), context.DeadlineExceeded, policy.Failure},
		"refused by a policy":            {t.Context(), fmt.Errorf("x: %w", policy.ErrFull), policy.Ignored},
		"the caller left":                {left, errors.New("read: closed"), policy.Ignored},
		"cancelled from somewhere below": {t.Context(), context.Canceled, policy.Ignored},
	}
	for name, c := range cases {
		if got := policy.ErrorOutcome(c.ctx, c.err); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
