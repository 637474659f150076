package report

import (
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/redact"
)

// Limits on text, in runes. A quote is a log line with its stack trace; whoever needs more opens the file at the line.
const (
	quoteLimit = 4000
	textLimit  = 1200
)

// safe returns a deep copy of v fit for people's eyes: secrets redacted, control characters visible, one line each
// except for quoted evidence, lengths bounded.
func safe[T any](v T) T {
	return scrub(v, func(field, s string) string {
		s = redact.Text(bound(s))
		if field == "Evidence.Text" {
			return redact.Lines(s, quoteLimit)
		}
		return redact.Clean(s, textLimit)
	})
}

// redacted returns a deep copy of v fit for machines: secrets redacted, lengths bounded, the rest verbatim.
func redacted[T any](v T) T {
	return scrub(v, func(_, s string) string { return cutBytes(redact.Text(bound(s)), 4*quoteLimit) })
}

// mostRead is how much of a text is looked at, in bytes: all that can be shown and enough around it to see what is a
// secret, whatever a log line of megabytes costs otherwise.
const mostRead = 64 << 10

// bound cuts a text that is too long at a blank, so that it does not cut a secret into something unrecognisable.
func bound(s string) string {
	if len(s) <= mostRead {
		return s
	}
	cut := mostRead
	if blank := strings.LastIndexAny(s[:mostRead], " \n\t"); blank > mostRead/2 {
		cut = blank
	}
	return cutBytes(s, cut)
}

func cutBytes(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max] + "…"
}

// scrub returns a deep copy of v in which leaf has been applied to every string. It walks by reflection so that a
// field added to the nouns tomorrow cannot slip past it.
func scrub[T any](v T, leaf func(field, s string) string) T {
	c := copier{leaf: leaf}
	out := reflect.New(reflect.TypeFor[T]()).Elem()
	c.copy(out, reflect.ValueOf(v), "")
	return out.Interface().(T)
}

type copier struct {
	leaf func(field, s string) string
}

var timeType = reflect.TypeFor[time.Time]()

func (c copier) copy(dst, src reflect.Value, field string) {
	switch src.Kind() {
	case reflect.String:
		dst.SetString(c.leaf(field, src.String()))
	case reflect.Struct:
		if src.Type() == timeType {
			dst.Set(src)
			return
		}
		for i := range src.NumField() {
			c.copy(dst.Field(i), src.Field(i), src.Type().Name()+"."+src.Type().Field(i).Name)
		}
	case reflect.Pointer:
		if !src.IsNil() {
			dst.Set(reflect.New(src.Type().Elem()))
			c.copy(dst.Elem(), src.Elem(), field)
		}
	case reflect.Slice:
		if !src.IsNil() {
			dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
			for i := range src.Len() {
				c.copy(dst.Index(i), src.Index(i), field)
			}
		}
	case reflect.Map:
		c.copyMap(dst, src, field)
	default:
		dst.Set(src)
	}
}

func (c copier) copyMap(dst, src reflect.Value, field string) {
	if src.IsNil() {
		return
	}
	dst.Set(reflect.MakeMapWithSize(src.Type(), src.Len()))
	for it := src.MapRange(); it.Next(); {
		key, value := reflect.New(src.Type().Key()).Elem(), reflect.New(src.Type().Elem()).Elem()
		c.copy(key, it.Key(), field)
		c.copy(value, it.Value(), field)
		if value.Kind() == reflect.String && it.Key().Kind() == reflect.String {
			// A label's key tells a secret as well as "key=value" does.
			if redact.Pair(it.Key().String(), it.Value().String()) == redact.Marker {
				value.SetString(redact.Marker)
			}
		}
		dst.SetMapIndex(key, value)
	}
}

// state is what kind of answer a diagnosis is.
type state uint8

const (
	stateHealthy state = iota
	stateOpen
	stateFound
)

func stateOf(d *inquest.Diagnosis) state {
	switch {
	case !d.Incident:
		return stateHealthy
	case d.Verdict == nil || d.Verdict.Level == inquest.Open || d.Verdict.Mechanism == "":
		return stateOpen
	}
	return stateFound
}
