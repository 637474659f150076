package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAChargeOfAFractionOfACentIsToldFromOthers(t *testing.T) {
	for body, want := range map[string]bool{
		`{"amount":1299,"card":"tok_visa"}`: true,
		`{"amount":1268.4735}`:              false,
		`{"card":"tok_visa"}`:               true,
		``:                                  true,
	} {
		if got := wholeAmount(httptest.NewRequest(http.MethodPost, "/v1/charges", strings.NewReader(body))); got != want {
			t.Errorf("wholeAmount(%s) = %v, want %v", body, got, want)
		}
	}
}
