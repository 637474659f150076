package postmortem_test

import (
	"testing"

	"github.com/inquesthq/inquest/internal/postmortem"
)

func BenchmarkLint(b *testing.B) {
	text := whole(b)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		postmortem.Lint(text, postmortem.Options{})
	}
}
