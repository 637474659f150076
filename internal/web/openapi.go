package web

import (
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/web/wire"
)

type object = wire.Object

var pathParam = regexp.MustCompile(`\{(\w+)\}`)

// OpenAPI is the OpenAPI 3.1 document of the interface, made of the same tables as the routes and the ways in.
func (w *Web) OpenAPI() any {
	s := wire.NewSchemas()
	paths := object{}
	add := func(method, path string, op object) {
		item, _ := paths[path].(object)
		if item == nil {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(method)] = op
	}
	for _, r := range w.routes {
		add(r.method, "/api/v1"+r.apiPath(), w.operation(r, s))
	}
	for i := range w.cfg.Ways {
		add(w.cfg.Ways[i].method(), w.cfg.Ways[i].Path, w.cfg.Ways[i].operation(s))
	}
	s.Of(reflect.TypeFor[problem]())
	return object{
		"openapi": "3.1.0",
		"info":    object{"title": "Inquest", "version": w.cfg.Version, "description": "Why did this service answer 5xx? Every page of the server as JSON, and what can be done there."},
		"paths":   paths,
		"components": object{
			"schemas":         s.Named,
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}},
		},
		"security": []any{object{"token": []any{}}},
	}
}

func (w *Web) operation(r route, s *wire.Schemas) object {
	op := object{"summary": r.summary, "operationId": operationID(r.method, r.apiPath()), "x-role": string(r.role)}
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
	if r.input != nil {
		op["requestBody"] = object{"required": true, "content": content("application/json", s.Of(reflect.TypeOf(r.input)))}
	}
	op["responses"] = object{
		"200":     object{"description": "OK", "content": content("application/json", s.Of(reflect.TypeOf(r.output)))},
		"default": object{"description": "A problem (RFC 9457)", "content": content("application/problem+json", object{"$ref": "#/components/schemas/problem"})},
	}
	return op
}

func content(kind string, schema any) object { return object{kind: object{"schema": schema}} }

// operationID is "getIncidentsById", "postIncidentsByIdAcknowledge".
func operationID(method, path string) string {
	var b strings.Builder
	b.WriteString(strings.ToLower(method))
	for part := range strings.FieldsFuncSeq(path, func(c rune) bool { return c == '/' || c == '-' }) {
		if m := pathParam.FindStringSubmatch(part); m != nil {
			part = "by" + strings.ToUpper(m[1][:1]) + m[1][1:]
		}
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
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
