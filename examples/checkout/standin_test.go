package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// standIn is a payment or inventory service that behaves as it is told to.
type standIn struct {
	*httptest.Server
	calls atomic.Int64
	mode  atomic.Value // of the modes below
}

// The ways to behave.
const (
	works   = "works"
	refuses = "refuses" // by business rules: 402, 409
	fails   = "fails"   // 500 with a stack trace
	hangs   = "hangs"
	resets  = "resets" // closes the connection in the middle of the answer's header
)

func newStandIn(t *testing.T, refusal int, answer string) *standIn {
	t.Helper()
	s := &standIn{}
	s.mode.Store(works)
	gone := make(chan struct{})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		switch s.mode.Load() {
		case works:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, answer)
		case refuses:
			w.WriteHeader(refusal)
			fmt.Fprint(w, `{"error":"REFUSED"}`)
		case fails:
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, "java.lang.NullPointerException\n\tat com.bank.Charge.run(Charge.java:17)")
		case hangs:
			select {
			case <-r.Context().Done():
			case <-gone:
			case <-time.After(time.Minute):
			}
		case resets:
			c, buf, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = buf.WriteString("HTTP/1.1 201 Crea")
				_ = buf.Flush()
				_ = c.Close()
			}
		}
	}))
	t.Cleanup(func() { close(gone); s.Close() })
	return s
}

func newPayment(t *testing.T) *standIn {
	return newStandIn(t, http.StatusPaymentRequired, `{"transactionId":"txn_789"}`)
}

func newInventory(t *testing.T) *standIn {
	return newStandIn(t, http.StatusConflict, `{"reservationId":"res_1"}`)
}
