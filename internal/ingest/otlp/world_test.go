package otlp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/ingest/otlp"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/spool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a spool and a store of metrics.
type memory struct {
	mu     sync.Mutex
	lines  map[spool.Source][]byte
	series []inquest.Series
	fail   error
}

func (m *memory) Append(_ context.Context, src spool.Source, lines []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if m.lines == nil {
		m.lines = map[spool.Source][]byte{}
	}
	m.lines[src] = append(m.lines[src], lines...)
	return nil
}

func (m *memory) of(name, kind string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return string(m.lines[spool.Source{Name: name, Kind: kind}])
}

type appender struct{ *memory }

func (a appender) Append(_ context.Context, series []inquest.Series) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil {
		return a.fail
	}
	for _, s := range series {
		s.Labels = maps.Clone(s.Labels)
		s.Samples = slices.Clone(s.Samples)
		a.series = append(a.series, s)
	}
	return nil
}

// samples are the series as text.
func (m *memory) samples() (out []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.series {
		out = append(out, fmt.Sprintf("%s%s %s %v", s.Name, strings.ReplaceAll(inquest.LabelText(s.Labels), ", ", ","), s.Type, s.Samples[0].Value))
	}
	slices.Sort(out)
	return out
}

var now = time.Date(2026, 11, 29, 14, 30, 0, 0, time.UTC)

type world struct {
	*memory
	intake   *ingest.Intake
	receiver *otlp.Receiver
}

func newWorld(t testing.TB, cfg ingest.Config, auth ingest.Auth) *world {
	t.Helper()
	w := &world{memory: &memory{}}
	var err error
	cfg.Now = func() time.Time { return time.Time{} } // what is counted is compared; when, internal/ingest tests
	if w.intake, err = ingest.New(cfg); err != nil {
		t.Fatal(err)
	}
	w.receiver, err = otlp.New(otlp.Config{Intake: w.intake, Spool: w.memory, Appender: appender{w.memory}, Auth: auth, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := w.intake.Held(); n != 0 {
			t.Errorf("%d bytes are held after the last request", n)
		}
	})
	return w
}

func (w *world) post(path, kind string, body []byte, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", kind)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.receiver.Handler().ServeHTTP(rec, r)
	return rec
}

const (
	protobuf = "application/x-protobuf"
	jsonType = "application/json"
)

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sink keeps what internal/parse reads.
type sink struct {
	logs  []*parse.Record
	spans []*inquest.Span
}

func (s *sink) Log(r *parse.Record) {
	c := *r
	c.Fields = slices.Clone(r.Fields)
	s.logs = append(s.logs, &c)
}

func (s *sink) Signal(x parse.Signal) {
	if x.Span != nil {
		s.spans = append(s.spans, x.Span)
	}
}

// read has the reader of investigations read what was kept.
func read(t testing.TB, text string) (*sink, parse.FileReport) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.log"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &sink{}
	rep := parse.ReadFile(context.Background(), dir, "a.log", parse.Options{Workers: 1, AllFields: true}, func() parse.Sink { return s })
	if rep.Err != nil {
		t.Fatal(rep.Err)
	}
	return s, rep
}

var errDisk = errors.New("the disk is full")
