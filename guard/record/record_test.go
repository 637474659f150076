package record_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest/guard/record"
)

func sample() record.Record {
	return record.Record{
		Time: time.Date(2026, 11, 29, 12, 0, 0, 7_000_000, time.UTC), Service: "checkout", ErrorID: "ERR-1732845600000-K7X2MN", ErrorClass: "net.OpError",
		Message: "boom", Stack: "a\nb", Endpoint: "POST /orders/{id}", Status: 500, Duration: 1500 * time.Microsecond, Method: "POST", URL: "/orders/1", RequestID: "r-12345678",
		Fields: map[string]string{"userId": "usr_456"},
	}
}

func TestARecordIsOneLine(t *testing.T) {
	var out bytes.Buffer
	l := record.NewLines(&out)
	for range 2 {
		if err := l.Write(sample()); err != nil {
			t.Fatal(err)
		}
	}
	const want = `{"durationMs":1.5,"endpoint":"POST /orders/{id}","errorClass":"net.OpError","errorId":"ERR-1732845600000-K7X2MN","level":"ERROR","message":"boom",` +
		`"request":{"method":"POST","url":"/orders/1","userId":"usr_456"},"requestId":"r-12345678","service":"checkout","stack":"a\nb","status":500,"timestamp":"2026-11-29T12:00:00.007Z","userId":"usr_456"}` + "\n"
	if out.String() != want+want {
		t.Errorf("got\n%swant\n%s", out.String(), want+want)
	}
}

func TestARecordForSlog(t *testing.T) {
	var out bytes.Buffer
	if err := record.NewSlog(slog.NewJSONHandler(&out, nil)).Write(sample()); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	request, _ := got["request"].(map[string]any)
	if got["errorId"] != "ERR-1732845600000-K7X2MN" || got["level"] != "ERROR" || got["userId"] != "usr_456" || request["userId"] != "usr_456" || request["method"] != "POST" {
		t.Errorf("%s", out.String())
	}
}

// A folder that cannot be written to, as on a full disk: the records wait in memory and come later.
func TestRecordsWaitForALogThatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "errors.log")
	sink := sinkFunc(func(r record.Record) error {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0) // it is not there yet
		if err != nil {
			return err
		}
		defer f.Close()
		return record.NewLines(f).Write(r)
	})
	s := record.NewSafe(sink, 3)
	for range 5 {
		if err := s.Write(sample()); err == nil {
			t.Fatal("the loss was hidden")
		}
	}
	if len(s.Waiting()) != 3 || s.Lost() != 2 {
		t.Errorf("%d wait, %d lost; want 3 and 2", len(s.Waiting()), s.Lost())
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(sample()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || bytes.Count(b, []byte("\n")) != 4 || len(s.Waiting()) != 0 {
		t.Errorf("%d lines, %d wait (%v)", bytes.Count(b, []byte("\n")), len(s.Waiting()), err)
	}
}

type sinkFunc func(record.Record) error

func (f sinkFunc) Write(r record.Record) error { return f(r) }

func TestWhatWaitsAndFailsAgainWaitsOn(t *testing.T) {
	calls := 0
	s := record.NewSafe(sinkFunc(func(record.Record) error {
		if calls++; calls == 2 {
			return nil
		}
		return errors.New("full")
	}), 10)
	_ = s.Write(sample())
	_ = s.Write(sample()) // works, then the disk is full again
	if len(s.Waiting()) != 1 {
		t.Errorf("%d wait", len(s.Waiting()))
	}
}

func TestSecretsAreTakenOut(t *testing.T) {
	r := record.NewRedactor()
	for in, secret := range map[string]string{
		"password=hunter22 for shop":                                           "hunter22",
		`{"password":"hunter22","user":"x"}`:                                   "hunter22",
		`{"api_key": "abc123def"}`:                                             "abc123def",
		"Authorization: Bearer abcdefghijkl.mnop":                              "abcdefghijkl",
		"header Basic dXNlcjpwYXNz was refused":                                "dXNlcjpwYXNz",
		"bad token eyJhbGciOi.eyJzdWIiOi.abc":                                  "eyJhbGciOi",
		"postgres://shop:s3cret@db:5432/shop":                                  "s3cret",
		"redis://:s3cret@cache/0":                                              "s3cret",
		"card 4111 1111 1111 1111 declined":                                    "4111 1111",
		"card 4111111111111111 declined":                                       "4111111111111111",
		"amex 378282246310005":                                                 "378282246310005",
		"key AKIAIOSFODNN7EXAMPLE":                                             "AKIAIOSFODNN7EXAMPLE",
		"payment_token: tok_xyz":                                               "tok_xyz",
		"charge with tok_visa_12":                                              "tok_visa_12",
		"cookie=session12345":                                                  "session12345",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----": "MIIB",
	} {
		got := r.Text(in)
		if strings.Contains(got, secret) || !strings.Contains(got, record.Redacted) {
			t.Errorf("%q became %q", in, got)
		}
		if again := r.Text(got); again != got {
			t.Errorf("%q became %q the second time", got, again)
		}
	}
	for _, in := range []string{
		"order 1732845600000 failed at 12:00:00", "took 4111111111111112 ns", "user usr_456, cart cart_789", "unexpected token ':' in JSON", "GET /orders/17?page=2", "",
	} {
		if got := r.Text(in); got != in {
			t.Errorf("%q became %q", in, got)
		}
	}
	u, err := url.Parse("/cb/4111111111111111?code=abc&state=1&page=2&access_token=x&empty=")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.URL(u), "/cb/[redacted]?code=[redacted]&state=[redacted]&page=2&access_token=[redacted]&empty="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("password=", "hunter22x")
	f.Add("Authorization: Bearer ", "abcdefgh12345678")
	r := record.NewRedactor()
	f.Fuzz(func(t *testing.T, before, _ string) {
		got := r.Text(before + " password=Zq8hunter22 ")
		if strings.Contains(got, "Zq8hunter22") && !strings.Contains(before, "Zq8hunter22") && strings.Count(before, `"`)+strings.Count(before, "'") == 0 {
			t.Errorf("after %q the password stays: %q", before, got)
		}
	})
}
