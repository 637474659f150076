package answer_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/inquesthq/inquest/guard/answer"
)

// A failure is rare, but a body of the greatest length must not cost a second of CPU.
func BenchmarkLeaksInALongBody(b *testing.B) {
	j := newJudge(b)
	a := answer.Answer{Status: 500, Body: bytes.Repeat([]byte("so sorry, order 17 failed at 12:00. "), answer.Limit/36)}
	b.SetBytes(int64(len(a.Body)))
	for b.Loop() {
		j.Leaks(a)
	}
}

func BenchmarkLeaksInAnError(b *testing.B) {
	j := newJudge(b)
	a := corpus(b, "clean")["stripe.json"]
	for b.Loop() {
		j.Leaks(a)
	}
}

// Nearly all answers are successes that are not suspect.
func BenchmarkStatusOfASuccess(b *testing.B) {
	j := newJudge(b)
	a := answer.Answer{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Whole: true,
		Body: []byte(`{"items":[` + string(bytes.Repeat([]byte(`{"id":12345,"name":"chair","price":49.90},`), 24)) + `{}]}`)}
	b.ReportAllocs()
	for b.Loop() {
		if j.Status(a).Changed() {
			b.Fatal("changed")
		}
	}
}
