package ingest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/inquesthq/inquest/internal/ingest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func intake(t testing.TB, cfg ingest.Config) *ingest.Intake {
	t.Helper()
	in, err := ingest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func zipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(b)
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBodiesWithinTheirLimits(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	big := bytes.Repeat([]byte("abcdefgh"), most/8)
	bomb := zipped(t, make([]byte, 200<<20))
	for name, c := range map[string]struct {
		body     []byte
		encoding string
		chunked  bool
		status   int
		want     []byte
	}{
		"plain":                         {[]byte("hello"), "", false, 200, []byte("hello")},
		"empty":                         {nil, "", false, 200, []byte{}},
		"of unknown length":             {big, "", true, 200, big},
		"with gzip":                     {zipped(t, big), "gzip", false, 200, big},
		"the largest":                   {big, "identity", false, 200, big},
		"a byte too large":              {append([]byte("x"), big...), "", false, 413, nil},
		"a byte too large, no length":   {append([]byte("x"), big...), "", true, 413, nil},
		"a zip bomb":                    {bomb, "gzip", false, 413, nil},
		"a zip bomb, no length":         {bomb, "gzip", true, 413, nil},
		"a zip that ends early":         {zipped(t, big)[:50], "gzip", false, 400, nil},
		"no zip":                        {[]byte("plain text that says it is packed"), "gzip", false, 400, nil},
		"nothing that says it is a zip": {nil, "gzip", false, 400, nil},
		"another packing":               {[]byte("x"), "br", false, 415, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := intake(t, ingest.Config{MaxBody: most, InFlight: 4 * most})
			r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(c.body))
			if c.chunked {
				r.ContentLength = -1
			}
			r.Header.Set("Content-Encoding", c.encoding)
			body, hold, err := in.Body(httptest.NewRecorder(), r)
			status, _ := ingest.Status(err)
			if status != c.status || err == nil && !bytes.Equal(body, c.want) {
				t.Errorf("%d, %v, %d bytes", status, err, len(body))
			}
			if hold != nil {
				if in.Held() < int64(len(body)) {
					t.Errorf("%d bytes are held for a body of %d", in.Held(), len(body))
				}
				hold.Release()
				hold.Release()
			}
			if in.Held() != 0 {
				t.Errorf("%d bytes are held when nobody is there", in.Held())
			}
		})
	}
}

func TestABodyThatDoesNotComeIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	in := intake(t, ingest.Config{BodyTimeout: 50 * time.Millisecond})
	status := make(chan int, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _, err := in.Body(w, r)
		s, _ := ingest.Status(err)
		status <- s
		ingest.Answer(w, err)
	}))
	defer server.Close()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nslow")
	if got := <-status; got != http.StatusRequestTimeout {
		t.Errorf("status %d", got)
	}
	if in.Held() != 0 {
		t.Errorf("%d bytes are held", in.Held())
	}
	_, _ = io.Copy(io.Discard, c)
}

func TestWhoFindsNoRoomWaitsAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := intake(t, ingest.Config{InFlight: 100, MaxBody: 100, Patience: time.Second})
		ctx := context.Background()
		a, err := in.Hold(ctx, 80)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if _, err := in.Hold(ctx, 30); !errors.Is(err, ingest.ErrBusy) || time.Since(begin) != time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		if _, err := in.TryHold(30); !errors.Is(err, ingest.ErrBusy) {
			t.Error(err)
		}
		if err := a.Resize(101); !errors.Is(err, ingest.ErrBusy) {
			t.Error(err)
		}
		time.AfterFunc(300*time.Millisecond, a.Release)
		begin = time.Now()
		b, err := in.Hold(ctx, 30)
		if err != nil || time.Since(begin) != 300*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := in.Hold(gone, 90); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		b.Release()
	})
}

func TestSourcesAreNamesAndNotTooMany(t *testing.T) {
	t.Parallel()
	in := intake(t, ingest.Config{MaxSources: 10})
	for name, want := range map[string]string{
		"checkout": "checkout", "": "unknown", " ": "unknown", "a\x00b\nc\x1b[31m": "a_b_c_[31m", "../../etc": "../../etc", "\xff\xfe": "__",
		strings.Repeat("ü", 200): strings.Repeat("ü", 128),
	} {
		if got := in.Source(name, "unknown"); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	distinct := map[string]bool{}
	for i := range 10_000 {
		s := in.Source(fmt.Sprint("s", i), "unknown")
		distinct[s] = true
		in.Received(s, ingest.Logs, 1)
	}
	if len(distinct) > 10 || !distinct[ingest.Other] || in.Source("checkout", "") != "checkout" {
		t.Errorf("%d sources", len(distinct))
	}
}

func TestWhatIsTakenAndNotTakenIsCounted(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 29, 11, 59, 0, 0, time.UTC)
	in := intake(t, ingest.Config{MaxSources: 2, Now: func() time.Time { at = at.Add(time.Second); return at }})
	in.Received("shop", ingest.Logs, 3)
	in.Received("shop", ingest.Logs, 4)
	in.Received("shop", ingest.Spans, 0)
	in.NotTaken("shop", ingest.Logs, 5, ingest.ErrBusy)
	in.NotTaken("shop", ingest.Logs, 6, errors.New("the disk is full"))
	in.NotTaken("cart", ingest.Metrics, 7, ingest.Refuse(400, "no"))
	want := []ingest.Stat{{Source: "cart", Signal: "metrics", Refused: 7, LastRefused: at}, {Source: "shop", Signal: "logs", Received: 7, Shed: 11, LastReceived: at.Add(-3 * time.Second), LastShed: at.Add(-time.Second)}}
	if diff := cmp.Diff(want, in.Stats()); diff != "" {
		t.Error(diff)
	}
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	sum := map[string]float64{}
	for _, s := range in.Series(now) {
		if len(s.Samples) != 1 || s.Samples[0].Time != now || s.Type != "counter" {
			t.Errorf("%+v", s)
		}
		sum[s.Name+"/"+s.Labels["source"]+"/"+s.Labels["signal"]] = s.Samples[0].Value
	}
	if diff := cmp.Diff(map[string]float64{"inquest_ingest_received_total/shop/logs": 7, "inquest_ingest_shed_total/shop/logs": 11, "inquest_ingest_refused_total/shop/logs": 0,
		"inquest_ingest_received_total/cart/metrics": 0, "inquest_ingest_shed_total/cart/metrics": 0, "inquest_ingest_refused_total/cart/metrics": 7}, sum); diff != "" {
		t.Error(diff)
	}
	for i := range 100 {
		in.Received(fmt.Sprint(i), ingest.Logs, 1)
	}
	if n := len(in.Stats()); n > 11 {
		t.Errorf("%d counts", n)
	}
}

func TestErrorsAreAnsweredSoThatSendersDoTheRightThing(t *testing.T) {
	t.Parallel()
	var who ingest.Auth = func(r *http.Request, source string) error {
		switch {
		case r.Header.Get("Authorization") == "":
			return fmt.Errorf("no: %w", ingest.ErrUnauthenticated)
		case source != "" && source != "shop":
			return errors.New("this token sends for shop")
		}
		return nil
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	known := r.Clone(context.Background())
	known.Header.Set("Authorization", "Bearer x")
	for name, c := range map[string]struct {
		err    error
		status int
		after  string
	}{
		"no room":            {fmt.Errorf("x: %w", ingest.ErrBusy), 429, "1"},
		"the disk":           {errors.New("the disk is full"), 503, "10"},
		"wrong":              {fmt.Errorf("x: %w", ingest.Refuse(400, "bad %d", 1)), 400, ""},
		"nobody":             {who.Check(r, ""), 401, ""},
		"for another source": {who.Check(known, "cart"), 403, ""},
		"for its source":     {who.Check(known, "shop"), 200, ""},
		"no auth at all":     {ingest.Auth(nil).Check(r, "x"), 200, ""},
	} {
		if c.err == nil {
			if c.status != 200 {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		w := httptest.NewRecorder()
		ingest.Answer(w, c.err)
		if w.Code != c.status || w.Header().Get("Retry-After") != c.after || !strings.Contains(w.Body.String(), c.err.Error()) || (c.status == 401) != (w.Header().Get("WWW-Authenticate") != "") {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
	}
}

func TestLimitsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, cfg := range []ingest.Config{{InFlight: -1}, {MaxBody: 2, InFlight: 1}, {MaxSources: -1}} {
		if _, err := ingest.New(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
}
