package server_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/server"
)

func TestAMetricsStoreElsewhereIsToldWhoWrites(t *testing.T) {
	got := &asked{}
	mimir := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got.add(r.URL.Path + " " + r.Header.Get("X-Scope-OrgID") + " " + r.Header.Get("Authorization"))
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[]}}`))
	}))
	defer mimir.Close()
	dir := t.TempDir()
	serving(t, server.Settings{Data: filepath.Join(dir, "data"), Rules: server.Rules{Interval: time.Second}, Metrics: server.Metrics{Remote: mimir.URL + "/prometheus", RemoteWrite: mimir.URL + "/api/v1/push",
		Headers: map[string]string{"X-Scope-OrgID": "shop"}, HeaderFiles: map[string]string{"authorization": file(t, filepath.Join(dir, "secret"), "Basic aW5xdWVzdDp4\n")}}})
	for _, path := range []string{"/api/v1/push", "/prometheus/api/v1/query"} {
		until(t, path+" is asked", func() bool { return got.count(path+" shop Basic aW5xdWVzdDp4") > 0 })
	}
}
