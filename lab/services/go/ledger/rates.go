package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// rates asks the provider of exchange rates.
type rates struct {
	url    string
	client *http.Client
}

func newRates(url string) *rates {
	return &rates{url: url, client: &http.Client{Timeout: 3 * time.Second}}
}

func (s *server) fx(r *http.Request) (any, error) {
	return s.rates.get(r.PathValue("currency"))
}

func (x *rates) get(currency string) (any, error) {
	resp, err := x.client.Get(x.url + "/v1/rates?base=EUR")
	if err != nil {
		return nil, fmt.Errorf("ask for rates: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		return nil, fmt.Errorf("ask for rates: provider answered %s", resp.Status)
	}
	var body struct{ Rates map[string]float64 }
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		return nil, fmt.Errorf("read rates: %w", err)
	}
	rate, ok := body.Rates[currency]
	if !ok {
		return nil, errNotFound
	}
	return map[string]any{"currency": currency, "rate": rate}, nil
}
