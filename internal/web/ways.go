package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/inquesthq/inquest/internal/web/wire"
)

// Way is an address beside the pages, as the OpenAPI document describes it; its handler is the server's. Signals come in by POST, other servers ask by GET.
type Way struct {
	Method  string // "" is POST
	Path    string
	Summary string
	Query   map[string]string // parameters of the address, and what they say
	Takes   []string          // content types; the first is the usual one
	Input   any               // zero value of what JSON holds; nil: another's format, which Summary names
	Output  any               // zero value of the JSON that a GET answers with; nil: another's format, which Summary names
	Answers int               // status when it is kept; 0 is 200
	Signed  bool              // who sends is proved by a secret of the settings, not by a token
}

// checkWays keeps ways in from being served without a description.
func checkWays(all []Way) error {
	for _, w := range all {
		if !strings.HasPrefix(w.Path, "/") || w.Summary == "" || len(w.Takes) == 0 && w.method() == http.MethodPost {
			return fmt.Errorf("web: the way in %q is not described: it needs a summary and what it takes", w.Path)
		}
	}
	return nil
}

func (w *Way) method() string { return cmp.Or(w.Method, http.MethodPost) }

// Pattern is what a ServeMux knows it by.
func (w *Way) Pattern() string { return w.method() + " " + w.Path }

func (w *Way) operation(s *wire.Schemas) object {
	op := object{"tags": []string{"ways in"}, "summary": w.Summary, "operationId": operationID(w.method(), strings.TrimPrefix(w.Path, "/api/v1"))}
	var params []any
	for _, name := range slices.Sorted(maps.Keys(w.Query)) {
		params = append(params, object{"name": name, "in": "query", "description": w.Query[name], "schema": object{"type": "string"}})
	}
	if params != nil {
		op["parameters"] = params
	}
	if w.Signed {
		op["security"] = []any{}
	} else {
		op["x-role"] = "a token of the source, or of an admin"
	}
	if w.method() == http.MethodGet {
		return w.outward(op, s)
	}
	body := object{}
	for _, kind := range w.Takes {
		schema := any(object{})
		if w.Input != nil && kind == "application/json" {
			schema = s.Of(reflect.TypeOf(w.Input))
		}
		maps.Copy(body, content(kind, schema))
	}
	op["requestBody"] = object{"required": true, "content": body}
	status := w.Answers
	if status == 0 {
		status = http.StatusOK
	}
	op["responses"] = object{
		strconv.Itoa(status): object{"description": "It is kept"},
		"default":            object{"description": "It is not, and why. 429 and 503: send it again after Retry-After"},
	}
	return op
}

// outward describes what another server asks for.
func (w *Way) outward(op object, s *wire.Schemas) object {
	op["tags"], op["x-role"] = []string{"between servers"}, "a token of an admin"
	answer := object{"description": "What was asked for"}
	if w.Output != nil {
		answer["content"] = content("application/json", s.Of(reflect.TypeOf(w.Output)))
	}
	op["responses"] = object{strconv.Itoa(http.StatusOK): answer, "default": object{"description": "It is not there, or not for whoever asks"}}
	return op
}
