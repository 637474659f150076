package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// standIn is one of the two services that checkout calls: a bank, and a warehouse.
type standIn struct {
	at     string // host:port, the same after a restart
	server *http.Server
	answer http.HandlerFunc
}

func openStandIn(answer http.HandlerFunc) (*standIn, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &standIn{at: fmt.Sprintf("127.0.0.1:%d", port), answer: answer}
	return s, s.open()
}

func (s *standIn) open() error {
	l, err := net.Listen("tcp", s.at)
	if err != nil {
		return err
	}
	s.server = &http.Server{Handler: s.answer, ReadHeaderTimeout: 5 * time.Second}
	go func(server *http.Server) {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // a listener of loopback does not break
		}
	}(s.server)
	return nil
}

// die lets go of the port and of all connections: whoever calls is refused.
func (s *standIn) die() error { return s.server.Close() }

// bank charges cards, and declines one of fifty.
func bank(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(time.Duration(10+rand.IntN(20)) * time.Millisecond)
	if rand.IntN(50) == 0 {
		reply(w, http.StatusPaymentRequired, map[string]string{"error": "DECLINED"})
		return
	}
	reply(w, http.StatusCreated, map[string]string{"transactionId": fmt.Sprintf("txn_%d", rand.Int32())})
}

// warehouse reserves goods, and has run out of one of a hundred.
func warehouse(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(time.Duration(2+rand.IntN(5)) * time.Millisecond)
	if rand.IntN(100) == 0 {
		reply(w, http.StatusConflict, map[string]string{"error": "SOLD_OUT"})
		return
	}
	reply(w, http.StatusCreated, map[string]string{"reservationId": fmt.Sprintf("res_%d", rand.Int32())})
}

func reply(w http.ResponseWriter, status int, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that left is no matter
}
