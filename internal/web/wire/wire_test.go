package wire_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/web/wire"
	"github.com/inquesthq/inquest/internal/web/words"
)

type word string

type sample struct {
	Text  string    `json:"text"`
	Many  []word    `json:"many,omitempty"`
	On    bool      `json:"on"`
	Small int8      `json:"small"`
	At    time.Time `json:"at,omitzero"`
}

func TestFormsBecomeStructs(t *testing.T) {
	for name, c := range map[string]struct {
		form string
		want sample
		err  string
	}{
		"all of it":             {"text=+a%0D%0Ab+&many=x,y&many=z&on=on&small=-7&at=2026-11-29T15:04", sample{Text: "a\nb", Many: []word{"x", "y", "z"}, On: true, Small: -7, At: time.Date(2026, 11, 29, 15, 4, 0, 0, time.UTC)}, ""},
		"nothing":               {"", sample{}, ""},
		"empty fields":          {"text=&many=+,+&on=&small=&at=", sample{}, ""},
		"a field that is not":   {"csrf=x&other=1", sample{}, ""},
		"a number too large":    {"small=300", sample{}, `small: "300" is no number`},
		"words for a number":    {"small=many", sample{}, `small: "many" is no number`},
		"a time of another age": {"at=yesterday", sample{}, `at: "yesterday" is no time`},
		"a zone":                {"at=2026-11-29T15:04:05%2B01:00", sample{At: time.Date(2026, 11, 29, 15, 4, 5, 0, time.FixedZone("", 3600))}, ""},
		"false":                 {"on=false", sample{}, ""},
	} {
		form, err := url.ParseQuery(c.form)
		if err != nil {
			t.Fatal(err)
		}
		got := wire.New(sample{}).(*sample)
		err = wire.FromForm(form, got)
		if c.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), c.err) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if d := cmp.Diff(c.want, *got); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
	if err := wire.FromForm(url.Values{"x": {"1"}}, &struct {
		X chan int `json:"x"`
	}{}); err == nil {
		t.Error("a channel came out of a form")
	}
}

type page[T any] struct {
	Items []T            `json:"items"`
	Best  *T             `json:"best"`
	Rate  words.Number   `json:"rate"`
	Map   map[string]int `json:"map,omitempty"`
	Any   any            `json:"any"`
	Not   string         `json:"-"`
	inner int            //nolint:unused // a field that is not exported is no part of a schema
}

func TestTypesBecomeSchemas(t *testing.T) {
	s := wire.NewSchemas()
	ref := s.Of(reflect.TypeFor[page[sample]]())
	type o = wire.Object
	want := map[string]any{
		"pageOfsample": o{"type": "object", "required": []string{"items", "best", "rate", "any"}, "properties": o{
			"items": o{"type": "array", "items": o{"$ref": "#/components/schemas/sample"}}, "best": o{"anyOf": []any{o{"$ref": "#/components/schemas/sample"}, o{"type": "null"}}},
			"rate": o{"type": []string{"number", "null"}}, "map": o{"type": "object", "additionalProperties": o{"type": "integer"}}, "any": o{},
		}},
		"sample": o{"type": "object", "required": []string{"text", "on", "small"}, "properties": o{
			"text": o{"type": "string"}, "many": o{"type": "array", "items": o{"type": "string"}}, "on": o{"type": "boolean"}, "small": o{"type": "integer"}, "at": o{"type": "string", "format": "date-time"},
		}},
	}
	if d := cmp.Diff(want, s.Named); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(any(o{"$ref": "#/components/schemas/pageOfsample"}), ref); d != "" {
		t.Error(d)
	}
}

func FuzzFromForm(f *testing.F) {
	f.Add("text=hello&severity=2&factors=bug,load&until=2026-11-29T15:04&force=on")
	f.Add("severity=999&until=x")
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		var in struct {
			Text     string    `json:"text"`
			Severity int8      `json:"severity"`
			Force    bool      `json:"force"`
			Factors  []string  `json:"factors"`
			Until    time.Time `json:"until"`
		}
		if err := wire.FromForm(form, &in); err == nil && form.Has("text") && strings.TrimSpace(strings.ReplaceAll(form.Get("text"), "\r\n", "\n")) != in.Text {
			t.Errorf("%q became %q", form.Get("text"), in.Text)
		}
	})
}
