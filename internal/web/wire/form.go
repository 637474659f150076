// Package wire turns forms into Go structs, and describes Go structs as JSON Schema: the two ways in which the table of routes uses their types.
package wire

import (
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// New returns a pointer to a new value of the type of v.
func New(v any) any { return reflect.New(reflect.TypeOf(v)).Interface() }

// FromForm puts the fields of a form into a struct, by the names that it has in JSON. Lists are written with commas.
func FromForm(form url.Values, into any) error {
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if !form.Has(name) {
			continue
		}
		if err := setField(v.Field(i), form[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func setField(f reflect.Value, values []string) error {
	text := strings.TrimSpace(strings.ReplaceAll(values[0], "\r\n", "\n"))
	if f.Type() == reflect.TypeFor[time.Time]() {
		return setTime(f, text)
	}
	switch f.Kind() {
	case reflect.String:
		f.SetString(text)
	case reflect.Bool:
		f.SetBool(text == "on" || text == "true" || text == "1")
	case reflect.Int, reflect.Int8, reflect.Int64:
		if text == "" {
			return nil
		}
		n, err := strconv.ParseInt(text, 10, f.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is no number", text)
		}
		f.SetInt(n)
	case reflect.Slice:
		for _, all := range values {
			for part := range strings.SplitSeq(all, ",") {
				if part = strings.TrimSpace(part); part != "" {
					f.Set(reflect.Append(f, reflect.ValueOf(part).Convert(f.Type().Elem())))
				}
			}
		}
	default:
		return fmt.Errorf("a form cannot hold a %s", f.Type())
	}
	return nil
}

// setTime reads what <input type="datetime-local"> sends, as UTC, or RFC 3339.
func setTime(f reflect.Value, text string) error {
	if text == "" {
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			f.Set(reflect.ValueOf(t))
			return nil
		}
	}
	return fmt.Errorf("%q is no time: write it as 2026-11-29T15:04", text)
}
