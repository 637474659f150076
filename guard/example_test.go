package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/inquesthq/inquest/guard"
	"github.com/inquesthq/inquest/guard/health"
	"github.com/inquesthq/inquest/guard/maintenance"
	"github.com/inquesthq/inquest/guard/metric"
	"github.com/inquesthq/inquest/guard/policy"
	"github.com/inquesthq/inquest/guard/record"
)

// A service with everything: errors answered and recorded, a dependency behind its policies, health, numbers, and
// maintenance.
func Example() {
	payment := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer payment.Close()

	var numbers metric.Prometheus
	var dependencies guard.Registry
	pay, err := dependencies.Add(guard.DependencyConfig{Name: "payment", Breaker: policy.BreakerConfig{Failures: 5, OpenFor: 30 * time.Second}, Observer: &numbers})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: pay.Transport(nil)}
	g, err := guard.New(guard.Config{Service: "checkout", Sink: record.NewLines(io.Discard), Observer: &numbers})
	if err != nil {
		fmt.Println(err)
		return
	}
	h, err := health.New(health.Config{Checks: []health.Check{health.Breakers("breakers", 0, dependencies.Breakers)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var closed maintenance.Switch

	mux := http.NewServeMux()
	h.Register(mux)
	mux.Handle("GET /metrics", &numbers)
	mux.Handle("POST /orders", g.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if r.FormValue("cart") == "" {
			return guard.BadRequest("MISSING_REQUIRED_FIELDS", "cart is missing")
		}
		guard.Annotate(r.Context(), "cartId", r.FormValue("cart"))
		req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, payment.URL, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return guard.Unavailable(fmt.Errorf("payment answered %s", resp.Status), 0)
		}
		w.WriteHeader(http.StatusCreated)
		return nil
	}))
	service := closed.Wrap(g.Wrap(mux))

	show := func(method, target string) {
		w := httptest.NewRecorder()
		service.ServeHTTP(w, httptest.NewRequest(method, target, nil))
		code, _, _ := strings.Cut(strings.TrimPrefix(w.Body.String(), `{"error":"`), `"`)
		fmt.Println(strings.TrimSpace(fmt.Sprintln(w.Code, code, w.Header().Get("Retry-After"))))
	}
	show("POST", "/orders")
	for range 5 {
		show("POST", "/orders?cart=1")
	}
	show("POST", "/orders?cart=1") // the breaker is open: payment is not asked
	w := httptest.NewRecorder()
	service.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 400 MISSING_REQUIRED_FIELDS
	// 503 SERVICE_TEMPORARILY_UNAVAILABLE 5
	// 503 SERVICE_TEMPORARILY_UNAVAILABLE 5
	// 503 SERVICE_TEMPORARILY_UNAVAILABLE 5
	// 503 SERVICE_TEMPORARILY_UNAVAILABLE 5
	// 503 SERVICE_TEMPORARILY_UNAVAILABLE 5
	// 503 SERVICE_TEMPORARILY_UNAVAILABLE 30
	// 200 {"status":"warn"}
}

// A dependency that is no HTTP service, such as a database.
func ExampleDependency_Do() {
	database, err := guard.NewDependency(guard.DependencyConfig{Name: "database", Breaker: policy.BreakerConfig{Failures: 2}})
	if err != nil {
		fmt.Println(err)
		return
	}
	query := func(context.Context) error { return errors.New("connection reset") }
	for range 3 {
		err := database.Do(context.Background(), query)
		fmt.Println(err, errors.Is(err, policy.ErrOpen))
	}
	// Output:
	// connection reset false
	// connection reset false
	// database: circuit breaker is open after: connection reset true
}

// The same failure for a program and for a person.
func ExampleGuard_Handle() {
	g, err := guard.New(guard.Config{Sink: record.NewLines(io.Discard)})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := g.Handle(func(http.ResponseWriter, *http.Request) error {
		return guard.Conflict("INVENTORY_CONFLICT", "The chair is out of stock.")
	})
	for _, accept := range []string{"*/*", "application/problem+json"} {
		r := httptest.NewRequest(http.MethodPost, "/orders", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Print(w.Body)
	}
	// Output:
	// {"error":"INVENTORY_CONFLICT","message":"The chair is out of stock."}
	// {"code":"INVENTORY_CONFLICT","detail":"The chair is out of stock.","status":409,"title":"Conflict","type":"about:blank"}
}
