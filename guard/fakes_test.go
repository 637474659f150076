package guard_test

import (
	"net/http"

	"github.com/inquesthq/inquest/guard/metric"
)

// nothing observes nothing.
type nothing struct{}

func (nothing) Observe(metric.Name, float64, metric.Attrs) {}

// discarder is a response writer that keeps nothing.
type discarder struct{ h http.Header }

func (d *discarder) Header() http.Header         { return d.h }
func (d *discarder) Write(b []byte) (int, error) { return len(b), nil }
func (d *discarder) WriteHeader(int)             {}
