package answer

import (
	"encoding/json"
	"encoding/xml"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Error is what an answer reports, in whatever shape.
type Error struct {
	Code    string // the machine's word: an exception, a code, a number; may be empty
	Message string // the sentence for people; may be empty
	Shape   string // where it was found: json, problem, xml, soap, header, html, text; empty if nothing was
}

// maxMessage is how much of a message is worth keeping, in bytes.
const maxMessage = 1000

// Extract finds code and message of the error that an answer reports. It knows the shapes of Amazon (JSON, XML, header),
// Google, Azure, OData, Stripe, Slack, Elasticsearch, OAuth, JSON:API, GraphQL, JSON-RPC, JSend, Spring, Django,
// FastAPI, Rails, ASP.NET, Apigee, gRPC, SOAP, problem details, error pages, and plain text.
func Extract(a Answer) Error {
	body, err := a.plain()
	if err != nil {
		body = nil
	}
	mediaType := a.mediaType(body)
	var e Error
	switch {
	case isJSON(mediaType):
		var doc any
		if json.Unmarshal(body, &doc) == nil {
			e = extractJSON(doc)
			if problem(mediaType) {
				e.Shape = "problem"
			}
		}
	case strings.Contains(mediaType, "html"):
		e = extractHTML(string(body))
	case strings.Contains(mediaType, "xml"):
		e = extractXML(body)
	}
	if e.Shape == "" && len(body) > 0 && strings.HasPrefix(mediaType, "text/") {
		if line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n"); line != "" {
			e = Error{Message: line, Shape: "text"}
		}
	}
	if h := extractHeader(a.Header); h.Shape != "" && e.Code == "" {
		e.Code = h.Code
		if e.Message == "" {
			e.Message = h.Message
		}
		if e.Shape == "" {
			e.Shape = h.Shape
		}
	}
	e.Code, e.Message = bounded(e.Code), bounded(e.Message)
	return e
}

func bounded(s string) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "\uFFFD")
	if len(s) <= maxMessage {
		return s
	}
	cut := maxMessage
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut]
}

// extractHeader knows the headers that carry an error.
func extractHeader(h http.Header) Error {
	if t := h.Get("X-Amzn-Errortype"); t != "" { // ThrottlingException:http://internal.amazon.com/...
		t, _, _ = strings.Cut(t, ":")
		return Error{Code: t, Shape: "header"}
	}
	if c := h.Get("X-Ms-Error-Code"); c != "" {
		return Error{Code: c, Shape: "header"}
	}
	if s := h.Get("Grpc-Status"); s != "" && s != "0" {
		message := h.Get("Grpc-Message")
		if m, err := url.PathUnescape(message); err == nil {
			message = m
		}
		return Error{Code: s, Message: message, Shape: "header"}
	}
	if auth := h.Get("Www-Authenticate"); strings.Contains(auth, `error="`) { // RFC 6750
		return Error{Code: parameter(auth, "error"), Message: parameter(auth, "error_description"), Shape: "header"}
	}
	return Error{}
}

func parameter(s, name string) string {
	for _, sep := range []string{" ", ",", ", "} {
		if _, after, ok := strings.Cut(s, sep+name+`="`); ok {
			value, _, _ := strings.Cut(after, `"`)
			return value
		}
	}
	return ""
}

func extractHTML(body string) Error {
	lower := strings.ToLower(body)
	for _, tag := range []string{"title", "h1"} {
		from := strings.Index(lower, "<"+tag+">")
		if from < 0 || len(lower) != len(body) {
			continue
		}
		from += len(tag) + 2
		to := strings.Index(lower[from:], "</"+tag)
		if to < 0 {
			continue
		}
		text := strings.TrimSpace(html.UnescapeString(body[from : from+to]))
		if text == "" {
			continue
		}
		first, rest, _ := strings.Cut(text, " ")
		if n, err := strconv.Atoi(first); err == nil && n >= 400 && n <= 599 {
			return Error{Code: first, Message: strings.TrimSpace(rest), Shape: "html"}
		}
		return Error{Message: text, Shape: "html"}
	}
	return Error{}
}

// extractXML reads the elements that carry errors, wherever they stand: Amazon's Code and Message, SOAP's faults.
func extractXML(body []byte) Error {
	d := xml.NewDecoder(strings.NewReader(string(body)))
	d.Strict = false
	var e Error
	var path []string
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		switch t := token.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
		case xml.EndElement:
			if len(path) > 0 {
				path = path[:len(path)-1]
			}
		case xml.CharData:
			text := strings.TrimSpace(string(t))
			if text == "" || len(path) == 0 {
				continue
			}
			e.element(path, text)
		}
	}
	return e
}

func (e *Error) element(path []string, text string) {
	soap := slices.Contains(path, "Fault")
	set := func(p *string) {
		if *p == "" {
			*p, e.Shape = text, "xml"
			if soap {
				e.Shape = "soap"
			}
		}
	}
	switch path[len(path)-1] {
	case "Code", "code", "faultcode", "errorCode", "ErrorCode":
		set(&e.Code)
	case "Value":
		if soap {
			set(&e.Code)
		}
	case "Message", "message", "faultstring", "detail", "title", "errorMessage", "ErrorMessage":
		set(&e.Message)
	case "Text":
		if soap {
			set(&e.Message)
		}
	}
}

// extractJSON finds the part of a document that is the error, and reads code and message from it.
func extractJSON(doc any) Error {
	e := Error{Shape: "json"}
	for depth := 0; depth < 8; depth++ {
		switch v := doc.(type) {
		case []any:
			if len(v) == 0 {
				return e.orNothing()
			}
			doc = v[0] // the first of several errors stands for them
		case string:
			e.fill("", v)
			return e.orNothing()
		case map[string]any:
			next := e.object(v)
			if next == nil {
				return e.orNothing()
			}
			doc = next
		default:
			return e.orNothing()
		}
	}
	return e.orNothing()
}

func (e *Error) fill(code, message string) {
	if e.Code == "" {
		e.Code = code
	}
	if e.Message == "" {
		e.Message = message
	}
}

func (e *Error) orNothing() Error {
	if e.Code == "" && e.Message == "" {
		return Error{}
	}
	return *e
}

// object reads what one object says, and returns the part that says more, or nil.
func (e *Error) object(m map[string]any) any {
	keys := folded(m)
	text := func(names ...string) string {
		for _, n := range names {
			switch v := keys[n].(type) {
			case string:
				if v != "" {
					return v
				}
			case float64:
				return strconv.FormatFloat(v, 'f', -1, 64)
			case map[string]any: // OData: message is {lang, value}
				if s, ok := v["value"].(string); ok {
					return s
				}
			}
		}
		return ""
	}
	if t := text("type"); strings.HasPrefix(t, "http") || t == "about:blank" { // problem details
		e.fill(text("code"), text("detail", "title"))
		e.fill(t, "")
		return nil
	}
	message := text("message", "msg", "errormessage", "exceptionmessage", "errordescription", "faultstring", "description", "reason", "detail", "title")
	code := text("_type", "errorcode", "code", "errortype", "exceptiontype", "exception", "type")
	for _, name := range []string{"error", "errors", "odataerror", "fault", "extensions", "detail", "rootcause"} {
		switch v := keys[name].(type) {
		case string:
			switch { // a code if a message stands beside it, or if it looks like one
			case name != "error":
			case message == "" && !looksLikeCode(v):
				message = v
			case code == "":
				code = v
			}
		case map[string]any, []any:
			if empty(v) {
				continue
			}
			if name != "error" && name != "errors" && name != "odataerror" && name != "fault" {
				e.fill(code, message)
			}
			if nested := e.nested(v, name); nested != nil {
				return nested
			}
		}
	}
	if code == "" {
		code = text("status", "statuscode") // Google: {"code":429,"status":"RESOURCE_EXHAUSTED"} has a code already
		if isFailWord(code) {
			code = ""
		}
	}
	e.fill(lastPart(code), message)
	return nil
}

// nested returns v if it is an error, and reads it here if it is a map from fields to messages, as Rails sends them.
func (e *Error) nested(v any, name string) any {
	m, ok := v.(map[string]any)
	if !ok || name != "errors" {
		return v
	}
	for _, field := range sortedKeys(m) {
		if list, ok := m[field].([]any); ok && len(list) > 0 {
			if s, ok := list[0].(string); ok {
				e.fill(field, field+" "+s)
				return []any{}
			}
		}
	}
	return v
}

// folded maps the keys of an object in lower case and without separators to its values.
func folded(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	fold := strings.NewReplacer("_", "", "-", "", ".", "")
	for _, k := range sortedKeys(m) {
		key := fold.Replace(strings.ToLower(k))
		if k == "__type" {
			key = "_type"
		}
		if _, taken := out[key]; !taken {
			out[key] = m[k]
		}
	}
	return out
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// looksLikeCode: one word without spaces, as in channel_not_found or INVENTORY_CONFLICT.
func looksLikeCode(s string) bool {
	return s != "" && !strings.ContainsAny(s, " \t\n") && strings.ContainsAny(s, "_.-") || s != "" && s == strings.ToUpper(s) && !strings.Contains(s, " ")
}

// lastPart takes the namespace off a code: com.amazonaws.dynamodb.v20120810#ThrottlingException.
func lastPart(code string) string {
	if i := strings.LastIndexByte(code, '#'); i >= 0 {
		return code[i+1:]
	}
	return code
}
