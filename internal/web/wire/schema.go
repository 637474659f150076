package wire

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/web/words"
)

// Object is a JSON object.
type Object = map[string]any

// Schemas describes Go types as JSON Schema (2020-12), each named struct once.
type Schemas struct {
	Named map[string]any // by name
}

// NewSchemas returns an empty set.
func NewSchemas() *Schemas { return &Schemas{Named: map[string]any{}} }

// Of describes a type; a struct is added to Named and referred to as OpenAPI does.
func (s *Schemas) Of(t reflect.Type) any {
	switch t {
	case reflect.TypeFor[time.Time]():
		return Object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[words.Number]():
		return Object{"type": []string{"number", "null"}}
	case reflect.TypeFor[json.RawMessage]():
		return Object{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return Object{"anyOf": []any{s.Of(t.Elem()), Object{"type": "null"}}}
	case reflect.Slice, reflect.Array:
		return Object{"type": "array", "items": s.Of(t.Elem())}
	case reflect.Map:
		return Object{"type": "object", "additionalProperties": s.Of(t.Elem())}
	case reflect.Struct:
		return s.named(t)
	case reflect.String:
		return Object{"type": "string"}
	case reflect.Bool:
		return Object{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return Object{"type": "number"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		return Object{"type": "integer"}
	}
	return Object{} // anything
}

var typeArgument = regexp.MustCompile(`\[.*\.(\w+)\]`)

func (s *Schemas) named(t reflect.Type) any {
	name := typeArgument.ReplaceAllString(t.Name(), "Of$1") // list[...Incident] is listOfIncident
	ref := Object{"$ref": "#/components/schemas/" + name}
	if s.Named[name] != nil {
		return ref
	}
	properties := Object{}
	s.Named[name] = Object{"type": "object", "properties": properties}
	var required []string
	for f := range t.Fields() {
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || tag == "-" {
			continue
		}
		if tag == "" {
			tag = f.Name
		}
		properties[tag] = s.Of(f.Type)
		if !strings.Contains(options, "omit") {
			required = append(required, tag)
		}
	}
	if required != nil {
		s.Named[name] = Object{"type": "object", "properties": properties, "required": required}
	}
	return ref
}
