package main

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// message is what the demo reads of a notice (docs/notify.md).
type message struct {
	Occasion string `json:"occasion"`
	Title    string `json:"title"`
	Text     string `json:"text"`
	Link     string `json:"link"`
	Incident struct {
		ID string `json:"id"`
	} `json:"incident"`
	at time.Time // it arrived
}

// receiver is the webhook of the people on call.
type receiver struct {
	url    string
	server *http.Server
	mu     sync.Mutex
	got    []message
}

func openReceiver() (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + l.Addr().String() + "/on-call"}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := r.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // a listener of loopback does not break
		}
	}()
	return r, nil
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	m := message{at: time.Now()}
	if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, 1<<20)).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, m)
}

// messages about incidents, in the order in which they came.
func (r *receiver) messages() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []message
	for _, m := range r.got {
		if m.Incident.ID != "" {
			out = append(out, m)
		}
	}
	return out
}
