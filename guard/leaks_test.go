package guard_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/guard"
	"github.com/inquesthq/inquest/guard/answer"
)

// Each body of the leak corpus is sent in each way that a handler has, to a client that wants JSON, a page or text.
func TestNoLeakReachesAClient(t *testing.T) {
	files, err := filepath.Glob("answer/testdata/leaks/*")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d bodies, %v", len(files), err)
	}
	judge, err := answer.New(answer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{".json": "application/json", ".html": "text/html; charset=utf-8", ".txt": "text/plain", ".xml": "application/xml"}
	ways := map[string]func(contentType string, body []byte) guard.HandlerFunc{
		"written at once": func(contentType string, body []byte) guard.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) error {
				w.Header().Set("Content-Type", contentType)
				w.WriteHeader(http.StatusInternalServerError)
				_, err := w.Write(body)
				return err
			}
		},
		"written byte by byte and flushed, with a 502": func(contentType string, body []byte) guard.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) error {
				w.Header().Set("Content-Type", contentType)
				w.WriteHeader(http.StatusBadGateway)
				for i := range body {
					if _, err := w.Write(body[i : i+1]); err != nil {
						return err
					}
					_ = http.NewResponseController(w).Flush() // what cannot be flushed yet is not
				}
				return nil
			}
		},
		"in gzip, with a 503": func(contentType string, body []byte) guard.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) error {
				w.Header().Set("Content-Type", contentType)
				w.Header().Set("Content-Encoding", "gzip")
				w.WriteHeader(http.StatusServiceUnavailable)
				z := gzip.NewWriter(w)
				_, err := z.Write(body)
				return errors.Join(err, z.Close())
			}
		},
		"by http.Error": func(_ string, body []byte) guard.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) error {
				http.Error(w, string(body), http.StatusInternalServerError)
				return nil
			}
		},
		"as an error": func(_ string, body []byte) guard.HandlerFunc { return returning(errors.New(string(body))) },
		"as a panic": func(_ string, body []byte) guard.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) error { panic(string(body)) }
		},
	}
	sent := 0
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		contentType := types[filepath.Ext(file)]
		inside := judge.Leaks(answer.Answer{Status: 500, Header: http.Header{"Content-Type": {contentType}}, Body: body, Whole: true})
		for way, handler := range ways {
			g, k := newGuard(t, guard.Config{})
			h := g.Handle(handler(contentType, body))
			for accept, want := range map[string]string{"application/json": "application/json", "text/html": "text/html; charset=utf-8", "text/plain": "application/json"} {
				r := get("/")
				r.Header.Set("Accept", accept)
				w := serve(h, r)
				sent++
				got := answer.Answer{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes(), Whole: true}
				if leaks := judge.Leaks(got); len(leaks) > 0 {
					t.Errorf("%s %s to %s: %v reached the client in %s", file, way, accept, leaks, w.Body)
				}
				for _, l := range inside {
					if bytes.Contains(w.Body.Bytes(), []byte(l.Text)) {
						t.Errorf("%s %s to %s: %q reached the client in %s", file, way, accept, l.Text, w.Body)
					}
				}
				id := w.Header().Get("X-Error-Id")
				if w.Code < 500 && w.Code != 429 || w.Header().Get("Content-Type") != want || w.Code >= 500 && !strings.Contains(w.Body.String(), id) {
					t.Errorf("%s %s to %s: %d %v %s", file, way, accept, w.Code, w.Header(), w.Body)
				}
				if records := k.records(); w.Code >= 500 && (id == "" || records[len(records)-1].ErrorID != id) {
					t.Errorf("%s %s: told %q, recorded %+v", file, way, id, records)
				}
			}
		}
	}
	t.Logf("%d answers", sent)
}
