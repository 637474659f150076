package rates_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// request is a record of an access log.
func request(method, url string, status int) *parse.Record {
	r := &parse.Record{}
	r.Reset()
	r.Kind, r.Method, r.URL, r.Status = parse.KindAccess, method, url, status
	r.Time, r.Clock = noon.UnixNano(), parse.ClockUTC
	return r
}

// said is a record of an application's log.
func said(level inquest.Level, message string) *parse.Record {
	r := &parse.Record{}
	r.Reset()
	r.Level, r.Message = level, message
	r.Time, r.Clock = noon.UnixNano(), parse.ClockUTC
	return r
}

// shown is the last sample of each series, by name and labels.
func shown(all []inquest.Series) map[string]float64 {
	out := map[string]float64{}
	for _, s := range all {
		out[s.Name+inquest.LabelText(s.Labels)] = s.Samples[len(s.Samples)-1].Value
	}
	return out
}

// only keeps the series of one name.
func only(all []inquest.Series, name string) (out []inquest.Series) {
	for _, s := range all {
		if s.Name == name {
			out = append(out, s)
		}
	}
	return out
}

// read hands the records of a text to a sink.
func read(t testing.TB, text string, sink parse.Sink) parse.FileReport {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.log"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return parse.ReadFile(context.Background(), dir, "a.log", parse.Options{Workers: 1}, func() parse.Sink { return sink })
}

func lines(all []inquest.Series) (out []string) {
	for _, s := range all {
		text := s.Name + inquest.LabelText(s.Labels)
		for _, x := range s.Samples {
			text += fmt.Sprintf(" %g@%s", x.Value, x.Time.Sub(noon))
		}
		out = append(out, text)
	}
	sort.Strings(out)
	return out
}
