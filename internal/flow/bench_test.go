package flow_test

import (
	"testing"

	"github.com/inquesthq/inquest/internal/casestest"
	"github.com/inquesthq/inquest/internal/flow"
)

// BenchmarkInvestigate is the whole line on the example: reading some 20,000 records, and the diagnosis.
func BenchmarkInvestigate(b *testing.B) {
	const folder = "../../examples/black-friday"
	files, err := casestest.Files(folder)
	if err != nil {
		b.Fatal(err)
	}
	size := 0
	for _, f := range files {
		size += len(f.Bytes)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := flow.Investigate(b.Context(), folder, flow.Options{Workers: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
