package config

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// into reads a node into a value by its type. A struct's fields are named by their yaml tags, all of them optional here: what must
// be there, and fits together, is checked by whom the value is for. A number with the tag unit:"bytes" may be written as 64KiB.
func (d *doc) into(n *yaml.Node, key, unit string, v reflect.Value) {
	switch to := v.Addr().Interface().(type) {
	case *string:
		if s, ok := d.text(n, key); ok {
			*to = s
		}
	case *bool:
		d.truth(key, to)(n)
	case *time.Duration:
		d.duration(n, key, to)
	case *time.Time:
		d.moment(n, key, to)
	case *int, *int64:
		d.whole(n, key, unit, v)
	case *float64:
		f, err := strconv.ParseFloat(n.Value, 64)
		if n.Kind != yaml.ScalarNode || err != nil {
			d.fault(n, key, "%s is no number; write one such as 0.2", kindOf(n))
			return
		}
		*to = f
	default:
		d.composite(n, key, unit, v)
	}
}

func (d *doc) composite(n *yaml.Node, key, unit string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.into(n, key, unit, v.Elem())
	case reflect.Struct:
		d.structure(n, key, v)
	case reflect.Slice:
		d.each(n, key, "...", func(e *yaml.Node) {
			item := reflect.New(v.Type().Elem()).Elem()
			d.into(e, key, unit, item)
			v.Set(reflect.Append(v, item))
		})
	case reflect.Map:
		if n.Kind != yaml.MappingNode {
			d.fault(n, key, "%s where names are expected; write \"name:\" and its settings below it", kindOf(n))
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := n.Content[i]
			item := reflect.New(v.Type().Elem()).Elem()
			if v.MapIndex(reflect.ValueOf(name.Value)).IsValid() {
				d.fault(name, show(name.Value), "it is already given above; keep one of the two")
			}
			d.into(n.Content[i+1], show(name.Value), unit, item)
			v.SetMapIndex(reflect.ValueOf(name.Value), item)
		}
	default:
		panic("config: no reader for " + v.Type().String()) // a field of a kind that is not written down above
	}
}

func (d *doc) structure(n *yaml.Node, key string, v reflect.Value) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		d.fault(n, key, "nothing below it; write its settings, or take the key out")
		return
	}
	var fields []field
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Tag.Get("yaml")
		if name == "" {
			continue
		}
		fields = append(fields, field{name, "", func(n *yaml.Node) { d.into(n, name, f.Tag.Get("unit"), v.Field(i)) }})
	}
	d.mapping(n, key, fields)
}

func (d *doc) duration(n *yaml.Node, key string, to *time.Duration) {
	got, err := time.ParseDuration(n.Value)
	switch {
	case n.Kind != yaml.ScalarNode || err != nil:
		d.fault(n, key, "%s is no duration; write a number with its unit: 500ms, 5s, 2m, 1h", kindOf(n))
	case got < 0:
		d.fault(n, key, "%s is negative; leave the key out for the default", show(n.Value))
	default:
		*to = got
	}
}

func (d *doc) moment(n *yaml.Node, key string, to *time.Time) {
	got, err := time.Parse(time.RFC3339, n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		d.fault(n, key, "%s is no time; write it with its zone: 2026-03-14T09:00:00Z", kindOf(n))
		return
	}
	*to = got
}

// sizes are the units of bytes, the longer names first.
var sizes = []struct {
	name string
	n    float64
}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"b", 1}}

func (d *doc) whole(n *yaml.Node, key, unit string, v reflect.Value) {
	text, factor := strings.ToLower(strings.TrimSpace(n.Value)), 1.0
	if unit == "bytes" {
		for _, s := range sizes {
			if rest, ok := strings.CutSuffix(text, s.name); ok {
				text, factor = strings.TrimSpace(rest), s.n
				break
			}
		}
		f, err := strconv.ParseFloat(text, 64)
		if n.Kind != yaml.ScalarNode || err != nil || f < 0 || f*factor > 1<<53 {
			d.fault(n, key, "%s is no size; write 64KiB, 100MB or a number of bytes", kindOf(n))
			return
		}
		v.SetInt(int64(f * factor))
		return
	}
	i, err := strconv.ParseInt(text, 10, 32)
	if n.Kind != yaml.ScalarNode || err != nil {
		d.fault(n, key, "%s is no whole number; write one such as 5", kindOf(n))
		return
	}
	v.SetInt(i)
}
