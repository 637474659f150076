package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/auth"
)

// object is a JSON object; its keys are written in order.
type object = map[string]any

var pathParam = regexp.MustCompile(`\{(\w+)\}`)

// OpenAPI is the OpenAPI 3.1 document of the interface, made of the same table as the routes.
func (w *Web) OpenAPI() any {
	s := &schemas{seen: map[string]any{}}
	paths := object{}
	for _, r := range w.routes {
		path := "/api/v1" + r.apiPath()
		item, _ := paths[path].(object)
		if item == nil {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(r.method)] = w.operation(r, s)
	}
	s.of(reflect.TypeFor[problem]())
	return object{
		"openapi": "3.1.0",
		"info":    object{"title": "Inquest", "version": w.cfg.Version, "description": "Why did this service answer 5xx? Every page of the server as JSON, and what can be done there."},
		"paths":   paths,
		"components": object{
			"schemas":         s.seen,
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}},
		},
		"security": []any{object{"token": []any{}}},
	}
}

func (w *Web) operation(r route, s *schemas) object {
	op := object{"summary": r.summary, "operationId": operationID(r), "x-role": string(r.role)}
	var params []any
	for _, m := range pathParam.FindAllStringSubmatch(r.path, -1) {
		params = append(params, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, q := range r.query {
		params = append(params, object{"name": q.name, "in": "query", "description": q.summary, "schema": object{"type": "string"}})
	}
	if params != nil {
		op["parameters"] = params
	}
	if r.public && w.cfg.PublicReports {
		op["security"] = []any{}
	}
	content := func(kind string, schema any) object { return object{kind: object{"schema": schema}} }
	if r.input != nil {
		op["requestBody"] = object{"required": true, "content": content("application/json", s.of(reflect.TypeOf(r.input)))}
	}
	op["responses"] = object{
		"200":     object{"description": "OK", "content": content("application/json", s.of(reflect.TypeOf(r.output)))},
		"default": object{"description": "A problem (RFC 9457)", "content": content("application/problem+json", object{"$ref": "#/components/schemas/problem"})},
	}
	return op
}

// operationID is "getIncidentsById", "postIncidentsByIdAcknowledge".
func operationID(r route) string {
	var b strings.Builder
	b.WriteString(strings.ToLower(r.method))
	for part := range strings.FieldsFuncSeq(r.apiPath(), func(c rune) bool { return c == '/' || c == '-' }) {
		if m := pathParam.FindStringSubmatch(part); m != nil {
			part = "by" + strings.ToUpper(m[1][:1]) + m[1][1:]
		}
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// schemas describes Go types as JSON Schema, each named struct once.
type schemas struct{ seen map[string]any }

func (s *schemas) of(t reflect.Type) any {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[Number]():
		return object{"type": []string{"number", "null"}}
	case reflect.TypeFor[json.RawMessage]():
		return object{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return object{"anyOf": []any{s.of(t.Elem()), object{"type": "null"}}}
	case reflect.Slice, reflect.Array:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		return s.named(t)
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		return object{"type": "integer"}
	}
	return object{} // anything
}

var typeArgument = regexp.MustCompile(`\[.*\.(\w+)\]`)

func (s *schemas) named(t reflect.Type) any {
	name := typeArgument.ReplaceAllString(t.Name(), "Of$1") // list[...Incident] is listOfIncident
	ref := object{"$ref": "#/components/schemas/" + name}
	if s.seen[name] != nil {
		return ref
	}
	properties := object{}
	s.seen[name] = object{"type": "object", "properties": properties}
	var required []string
	for f := range t.Fields() {
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || tag == "-" {
			continue
		}
		if tag == "" {
			tag = f.Name
		}
		properties[tag] = s.of(f.Type)
		if !strings.Contains(options, "omit") {
			required = append(required, tag)
		}
	}
	if required != nil {
		s.seen[name] = object{"type": "object", "properties": properties, "required": required}
	}
	return ref
}

func (w *Web) serveOpenAPI(rw http.ResponseWriter, r *http.Request) {
	c := &call{r: r}
	who, err := w.cfg.Auth.Authenticate(r)
	if err == nil && !who.Role.Allows(auth.Viewer) {
		err = auth.ErrForbidden
	}
	if err != nil {
		w.fail(rw, c, err)
		return
	}
	w.json(rw, http.StatusOK, w.OpenAPI())
}

// Routes lists method, path and least role of every row, for tests and for the page of the interface.
func (w *Web) Routes() []string {
	out := map[string]bool{}
	for _, r := range w.routes {
		for _, p := range r.patterns() {
			out[p+" "+string(r.role)] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}
