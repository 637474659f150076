package web

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/inquesthq/inquest/internal/web/wire"
)

// Way is a way in for signals, as the OpenAPI document describes it; its handler is the server's. It takes a POST.
type Way struct {
	Path    string
	Summary string
	Query   map[string]string // parameters of the address, and what they say
	Takes   []string          // content types; the first is the usual one
	Input   any               // zero value of what JSON holds; nil: another's format, which Summary names
	Answers int               // status when it is kept; 0 is 200
	Signed  bool              // who sends is proved by a secret of the settings, not by a token
}

// checkWays keeps ways in from being served without a description.
func checkWays(all []Way) error {
	for _, w := range all {
		if !strings.HasPrefix(w.Path, "/") || w.Summary == "" || len(w.Takes) == 0 {
			return fmt.Errorf("web: the way in %q is not described: it needs a summary and what it takes", w.Path)
		}
	}
	return nil
}

func (w *Way) operation(s *wire.Schemas) object {
	op := object{"tags": []string{"ways in"}, "summary": w.Summary, "operationId": operationID(http.MethodPost, strings.TrimPrefix(w.Path, "/api/v1"))}
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
