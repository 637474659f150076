package words_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/web/words"
)

func TestFigures(t *testing.T) {
	nan := words.Number(math.NaN())
	for _, c := range []struct{ got, want string }{
		{words.Percent(nan), "–"}, {words.Percent(0), "0%"}, {words.Percent(1e-7), "<0.01%"}, {words.Percent(0.0007), "0.07%"}, {words.Percent(0.0123), "1.2%"},
		{words.Percent(0.163), "16%"}, {words.Percent(0.999), "99.9%"}, {words.Percent(0.99999), "99.99%"}, {words.Percent(1), "100%"}, {words.Percent(0.9951), "99.51%"},
		{words.Scaled(nan, "x"), "–"}, {words.Scaled(0, "x"), "0x"}, {words.Scaled(0.001, ""), "<0.01"}, {words.Scaled(12.345, ""), "12.3"}, {words.Scaled(1234, ""), "1,234"},
		{words.Scaled(56789, ""), "56.8k"}, {words.Scaled(7.89e6, ""), "7.89M"}, {words.Scaled(99.96, ""), "100"},
		{words.Seconds(nan), "–"}, {words.Seconds(0.2144), "214 ms"}, {words.Seconds(4.81), "4.81 s"},
		{words.Count(0), "0"}, {words.Count(999), "999"}, {words.Count(1234567), "1,234,567"}, {words.Count(-1234), "-1,234"},
		{words.Bytes(0), "0 B"}, {words.Bytes(1023), "1023 B"}, {words.Bytes(5 << 20), "5 MiB"}, {words.Bytes(1536), "1.5 KiB"}, {words.Bytes(900 << 40), "900 TiB"},
		{words.Span(-time.Second), "0 s"}, {words.Span(59 * time.Second), "59 s"}, {words.Span(8*time.Minute + 59*time.Second), "8 min"}, {words.Span(2 * time.Hour), "2 h"},
		{words.Span(26*time.Hour + time.Minute), "26 h 1 min"}, {words.Span(72 * time.Hour), "3 days"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestWhatIsNotKnownIsNull(t *testing.T) {
	b, err := json.Marshal([]words.Number{1.5, words.Number(math.NaN()), words.Number(math.Inf(1)), 0})
	if err != nil || string(b) != "[1.5,null,null,0]" {
		t.Errorf("%s, %v", b, err)
	}
	for _, v := range []any{nil, "1", true} {
		if words.NumberOf(v).Known() {
			t.Errorf("%v is a number", v)
		}
	}
	if words.NumberOf(3) != 3 || words.NumberOf(2.5) != 2.5 || words.NumberOf(words.Number(1)) != 1 {
		t.Error("numbers are not taken as they are")
	}
}

func TestNumbersComeBackFromJSONAsTheyWere(t *testing.T) {
	for _, want := range []words.Number{words.Number(math.NaN()), 0, 0.0333, -2.5e9} {
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got := words.Number(7)
		if err := json.Unmarshal(b, &got); err != nil || got.Known() != want.Known() || want.Known() && got != want {
			t.Errorf("%s is read as %v, %v", b, got, err)
		}
	}
	var n words.Number
	if err := json.Unmarshal([]byte(`"much"`), &n); err == nil {
		t.Error("a text is taken for a number")
	}
}
