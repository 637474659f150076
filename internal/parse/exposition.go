package parse

import (
	"io"

	"github.com/inquesthq/inquest"
)

// ReadExposition reads the answer of one scrape: OpenMetrics or Prometheus text. Samples without a time have the zero time. skip hears of
// lines that are none; it returns how many samples there are.
func ReadExposition(r io.Reader, each func(*inquest.Series), skip func(line int, reason string)) (int, error) {
	return readOpenMetrics(r, "", seriesSink(each), skip)
}

type seriesSink func(*inquest.Series)

func (seriesSink) Log(*Record) {}

func (f seriesSink) Signal(s Signal) {
	if s.Series != nil {
		f(s.Series)
	}
}
