package conformance

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
)

// goServer is a service on net/http.
func goServer(h http.HandlerFunc) func() (Server, func(), error) {
	return func() (Server, func(), error) {
		s := httptest.NewUnstartedServer(h)
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.Start()
		return Server{URL: s.URL}, s.Close, nil
	}
}

// untrusted is a service with a certificate that nobody signed.
func untrusted() (Server, func(), error) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	return Server{URL: s.URL}, s.Close, nil
}

func plainForTLS() (Server, func(), error) {
	s := httptest.NewServer(http.NotFoundHandler())
	return Server{URL: strings.Replace(s.URL, "http://", "https://", 1)}, s.Close, nil
}
