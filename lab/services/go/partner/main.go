// Command partner stands in for a third party (payment provider, insurer, rates, geocoder). How it behaves is
// told by a file that it reads before every answer, so a recording can change it without a restart.
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log"
	"math/rand/v2"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// behaviour is the content of the control file.
type behaviour struct {
	DelayMS int     // before the answer
	Status  int     // 0 means 200
	Ratio   float64 // share of requests that get Status, 0 means all
	Body    string  // "" means a proper answer
	Type    string  // content type of Body
	Limit   int     // requests a second, further ones get 429
	Busy    int     // answers at the same time, further requests get 503
	Strict  bool    // a charge whose amount is not a whole number gets 422
}

// wholeAmount tells whether the amount of a charge is a whole number; other requests have none.
func wholeAmount(r *http.Request) bool {
	var charge struct{ Amount json.Number }
	if err := json.NewDecoder(r.Body).Decode(&charge); err != nil || charge.Amount == "" {
		return true
	}
	_, err := charge.Amount.Int64()
	return err == nil
}

func main() {
	control := os.Getenv("CONTROL")
	var second int64
	var used int
	var busy atomic.Int64
	lock := make(chan struct{}, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b behaviour
		if text, err := os.ReadFile(control); err == nil {
			_ = json.Unmarshal(text, &b) // a broken control file means ordinary behaviour
		}
		if b.Limit > 0 {
			lock <- struct{}{}
			if now := time.Now().Unix(); now != second {
				second, used = now, 0
			}
			used++
			over := used > b.Limit
			<-lock
			if over {
				w.Header().Set("Retry-After", "1")
				http.Error(w, `{"error":{"code":"rate_limit_exceeded","message":"Too many requests"}}`, 429)
				return
			}
		}
		if n := busy.Add(1); b.Busy > 0 && n > int64(b.Busy) {
			busy.Add(-1)
			http.Error(w, `{"error":"overloaded, try again later"}`, 503)
			return
		}
		defer busy.Add(-1)
		if b.Strict && !wholeAmount(r) {
			http.Error(w, `{"error":{"code":"invalid_amount","message":"amount must be a whole number of cents"}}`, 422)
			return
		}
		time.Sleep(time.Duration(b.DelayMS)*time.Millisecond + time.Duration(5+rand.IntN(20))*time.Millisecond)
		body, ctype := fmt.Sprintf(`{"id":"ch_%08x","covered":true,"status":"succeeded","rates":{"USD":1.0841,"GBP":0.8402,"NOK":11.62}}`, rand.Uint32()), "application/json"
		if b.Body != "" && (b.Ratio == 0 || rand.Float64() < b.Ratio) {
			body, ctype = b.Body, b.Type
		}
		w.Header().Set("Content-Type", ctype)
		if b.Status != 0 && (b.Ratio == 0 || rand.Float64() < b.Ratio) {
			w.WriteHeader(b.Status)
		}
		fmt.Fprint(w, body)
	})
	srv := &http.Server{Addr: os.Getenv("LISTEN"), Handler: handler, ErrorLog: log.New(os.Stderr, "", 0)}
	srv.SetKeepAlivesEnabled(os.Getenv("CLOSE") == "")
	if cert := os.Getenv("CERT"); cert != "" {
		// Without tickets every connection shows its certificate: a client that resumes a session does not look at it again.
		srv.TLSConfig = &tls.Config{SessionTicketsDisabled: os.Getenv("CLOSE") != "", GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c, err := tls.LoadX509KeyPair(cert, os.Getenv("KEY"))
			return &c, err
		}}
		log.Fatal(srv.ListenAndServeTLS("", ""))
	}
	log.Fatal(srv.ListenAndServe())
}
