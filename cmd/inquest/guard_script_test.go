package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/inquesthq/inquest/guard"
	"github.com/inquesthq/inquest/guard/record"
)

// guarded NAME FILE: a service behind guard, which writes its records to FILE; its address is put into the variable.
// /ok/ID answers, /error/ID returns an error, /panic/ID panics, /trace/ID writes a stack trace itself, /limit/ID tells a limit as 500.
func guarded(ts *testscript.TestScript, _ bool, args []string) {
	file, err := os.OpenFile(ts.MkAbs(args[1]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	ts.Check(err)
	g, err := guard.New(guard.Config{Service: "checkout", Sink: record.NewLines(file)})
	ts.Check(err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ok/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("POST /error/{id}", g.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		guard.Annotate(r.Context(), "userId", "usr_456")
		return fmt.Errorf("reserve order %s: %w", r.PathValue("id"), errors.New("no lines\nin \"stock\""))
	}))
	mux.HandleFunc("GET /panic/{id}", func(_ http.ResponseWriter, r *http.Request) {
		panic(fmt.Errorf("order %s is lost", r.PathValue("id")))
	})
	mux.HandleFunc("GET /trace/{id}", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "java.lang.IllegalStateException: order has no lines\n\tat com.shop.Orders.place(Orders.java:88)", http.StatusInternalServerError)
	})
	mux.HandleFunc("GET /limit/{id}", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error":"connection pool exhausted"}`, http.StatusInternalServerError)
	})
	server := httptest.NewUnstartedServer(g.Wrap(mux))
	server.Config.ReadHeaderTimeout = time.Minute
	server.Start()
	ts.Defer(func() { server.Close(); _ = file.Close() })
	ts.Setenv(args[0], server.Listener.Addr().String())
}
