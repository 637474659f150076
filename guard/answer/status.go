package answer

import (
	"bytes"
	"encoding/json"
	"html"
	"strconv"
	"strings"
)

// Verdict is what an answer's status should have been.
type Verdict struct {
	Status int    // the right one; that of the answer if nothing is wrong with it
	Rule   string // ID of the rule that says so; "" if nothing is wrong
	Reason string // of the rule
	Error  Error  // what the answer reports; empty if nothing is wrong
}

// Changed reports whether the answer's own status was wrong.
func (v Verdict) Changed() bool { return v.Rule != "" }

// Status judges the status of an answer by its body. It changes a 500 whose body names a limit, an exhausted pool, an
// open breaker or a timeout, and a 2xx whose body is an error. All other statuses, and problem details (RFC 9457), are
// taken to be meant as they were sent.
func (j *Judge) Status(a Answer) Verdict {
	same := Verdict{Status: a.Status}
	success := a.Status >= 200 && a.Status < 300
	if a.Status != 500 && !success || len(a.Body) == 0 || success && !suspect(&a) {
		return same
	}
	body, err := a.plain()
	if err != nil {
		return same
	}
	mediaType := a.mediaType(body)
	if problem(mediaType) {
		return same
	}
	if success {
		return j.success(a, mediaType, body)
	}
	if status, rule := j.byText(withoutFrames(errorText(mediaType, body))); rule != "" {
		return verdict(status, rule, Extract(a))
	}
	return same
}

func verdict(status int, rule string, e Error) Verdict {
	for _, r := range Rules() {
		if r.ID == rule {
			return Verdict{status, rule, r.Reason, e}
		}
	}
	return Verdict{status, rule, "", e}
}

// Words judges the text of an error alone, as one inside a program has it: the status that its words deserve, and the
// rule that says so; 0 and "" if none does.
func (j *Judge) Words(text string) (status int, rule string) { return j.byText(withoutFrames(text)) }

// byText asks the rules about words.
func (j *Judge) byText(text string) (status int, rule string) {
	for i := range j.texts {
		if r := &j.texts[i]; r.match(text) {
			if !j.on(r.id) {
				return 0, "" // it is what the rule is about: no later rule may take it for something else
			}
			return r.status, r.id
		}
	}
	return 0, ""
}

// suspect is a quick look at a successful answer: nearly all need no second one.
func suspect(a *Answer) bool {
	if a.Header.Get("Content-Encoding") != "" {
		return len(a.Body) < 4<<10
	}
	return a.Whole && Suspect(a.Body) // an envelope is short; a cut one cannot be told from a document
}

// Suspect reports whether a successful answer that begins like this is worth keeping until [Judge.Status] has seen all
// of it. It allocates nothing, and costs a few searches for words.
func Suspect(beginning []byte) bool {
	b := beginning
	for len(b) > 0 && (b[0] <= ' ' || b[0] == 0xEF || b[0] == 0xBB || b[0] == 0xBF) { // white space, byte order mark
		b = b[1:]
	}
	switch {
	case len(b) == 0:
		return false
	case b[0] == '{':
		return bytes.Contains(b, []byte("rror")) || bytes.Contains(b, []byte("false")) || bytes.Contains(b, []byte("fail")) ||
			bytes.Contains(b, []byte("RROR")) || bytes.Contains(b, []byte("FAIL")) || bytes.Contains(b, []byte("__type")) || bytes.Contains(b, []byte("xception")) || bytes.Contains(b, []byte("fault")) ||
			five(b, `ode":`) || five(b, `tatus":`)
	case b[0] == '<':
		return bytes.Contains(b, []byte("title>")) || bytes.Contains(b, []byte("TITLE>")) || bytes.Contains(b, []byte("<h1>"))
	}
	return false
}

// five reports whether what follows the end of a key begins like a 5xx.
func five(b []byte, key string) bool {
	i := bytes.Index(b, []byte(key))
	if i < 0 {
		return false
	}
	b = bytes.TrimLeft(b[i+len(key):], " \t")
	return len(b) >= 3 && b[0] == '5' && b[1] >= '0' && b[1] <= '9' && b[2] >= '0' && b[2] <= '9'
}

func (j *Judge) success(a Answer, mediaType string, body []byte) Verdict {
	same := Verdict{Status: a.Status}
	switch {
	case (mediaType == "text/html" || mediaType == "application/xhtml+xml") && j.on(RuleLiePage):
		m := j.page().FindSubmatch(body)
		if lower := bytes.ToLower(body); m == nil && len(body) < 1<<10 && !bytes.Contains(lower, []byte("<title")) {
			m = j.heading().FindSubmatch(body)
		}
		if m == nil {
			return same
		}
		status := map[byte]int{'i': 500, 'b': 502, 's': 503, 'g': 504}[m[2][0]|0x20]
		if n, err := strconv.Atoi(string(m[1])); err == nil {
			status = n
		}
		return verdict(status, RuleLiePage, Error{Message: string(m[2]), Shape: "html"})
	case isJSON(mediaType) && mediaType != "application/health+json" && j.on(RuleLie):
		var doc map[string]any
		if json.Unmarshal(body, &doc) != nil || !envelope(doc) {
			return same
		}
		e := extractJSON(doc)
		return verdict(j.lieStatus(doc, e), RuleLie, e)
	}
	return same
}

// envelope reports whether a document is an error and nothing else. A document that also carries something, such as a
// stored error report, a partial batch or an answer with warnings, is a success.
func envelope(doc map[string]any) bool {
	if _, ok := doc["jsonrpc"]; ok {
		return false // JSON-RPC answers 200 by its own specification
	}
	if _, ok := doc["data"]; ok && doc["errors"] != nil {
		return false // so does GraphQL: errors beside data
	}
	failed, explicit := false, false
	for key, v := range doc {
		switch strings.ReplaceAll(strings.ToLower(key), "_", "") {
		case "error", "errors", "errormessage", "errortype", "exception", "fault":
			failed = failed || !empty(v)
		case "success", "ok", "succeeded", "issuccess":
			if v == true || v == "true" {
				return false
			}
			if v == false || v == "false" {
				failed, explicit = true, true
			}
		case "status", "result":
			if s, ok := v.(string); ok && isFailWord(s) {
				failed = true
			}
		}
		failed = failed || serverFault(key, v) || key == "__type" && !empty(v)
	}
	if !failed {
		return false
	}
	for key, v := range doc {
		if envelopeKey(key) {
			continue
		}
		if v == false && !explicit {
			return false // available:false, valid:false: the answer to what was asked
		}
		if empty(v) {
			continue
		}
		if _, scalar := v.(map[string]any); explicit && !scalar {
			if _, list := v.([]any); !list {
				continue // success:false beside the number of the order that failed
			}
		}
		return false
	}
	return true
}

// serverFault reports whether a field says in numbers that the server failed. That it says 4xx is no sign: such numbers
// are also those of products, prizes and errors that a document is about.
func serverFault(key string, v any) bool {
	switch strings.ReplaceAll(strings.ToLower(key), "_", "") {
	case "status", "statuscode", "code":
		n, ok := v.(float64)
		return ok && n >= 500 && n <= 599 && n == float64(int(n))
	}
	return false
}

func isFailWord(s string) bool {
	switch strings.ToLower(s) {
	case "error", "fail", "failed", "failure":
		return true
	}
	return false
}

// empty values say that there is no error, or carry nothing.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		s := strings.ToLower(strings.TrimSpace(v))
		return s == "" || s == "none" || s == "null" || s == "ok" || s == "no error" || s == "success"
	case float64:
		return v == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, inner := range v {
			if !empty(inner) {
				return false
			}
		}
		return true
	}
	return false
}

// envelopeKey knows the names that stand beside an error in the envelopes of common frameworks.
func envelopeKey(key string) bool {
	switch strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(key, "_", ""), "-", "")) {
	case "error", "errors", "errorcode", "errormessage", "errortype", "errordescription", "errorid", "errordetails", "erroruri", "fault", "exception", "exceptionmessage", "exceptiontype",
		"code", "status", "statuscode", "statustext", "result", "resultcode", "success", "succeeded", "issuccess", "ok",
		"message", "messages", "msg", "reason", "detail", "details", "description", "title", "type", "hint", "cause",
		"timestamp", "time", "path", "instance", "method", "requestid", "traceid", "correlationid", "spanid",
		"trace", "stack", "stacktrace", "retry", "retryable", "retriable", "transient", "temporary", "retryafter", "retryafterseconds", "documentationurl", "moreinfo", "helpurl":
		return true
	}
	return strings.HasSuffix(key, "__type") // Amazon's
}

// lieStatus is the status that an error in a 2xx should have had: the one that it names, or the one that its words
// deserve, or 500.
func (j *Judge) lieStatus(doc map[string]any, e Error) int {
	if n, err := strconv.Atoi(e.Code); err == nil && n >= 400 && n <= 599 {
		return n
	}
	for _, key := range []string{"status", "statusCode", "status_code", "code"} {
		for _, d := range []any{doc, doc["error"]} {
			if m, ok := d.(map[string]any); ok {
				if n, ok := m[key].(float64); ok && n >= 400 && n <= 599 && n == float64(int(n)) {
					return int(n)
				}
			}
		}
	}
	if status := codeStatus(e.Code); status != 0 {
		return status
	}
	if status, _ := j.byText(e.Code + "\n" + e.Message); status != 0 {
		return status
	}
	if s, ok := doc["status"].(string); ok && strings.EqualFold(s, "fail") {
		return 400 // JSend: fail is the client's, error the server's
	}
	return 500
}

// codeStatus knows the code words of gRPC, Google's APIs and common practice. They are compared whole: the words of a
// message would say "not found" of a column as well as of a customer.
func codeStatus(code string) int {
	switch strings.ToUpper(strings.NewReplacer("-", "_", " ", "_").Replace(code)) {
	case "INVALID_ARGUMENT", "BAD_REQUEST", "VALIDATION_ERROR", "VALIDATION_FAILED", "INVALID_REQUEST", "FAILED_PRECONDITION", "OUT_OF_RANGE", "MISSING_REQUIRED_FIELDS":
		return 400
	case "UNAUTHENTICATED", "UNAUTHORIZED", "INVALID_TOKEN", "NOT_AUTHED", "INVALID_AUTH":
		return 401
	case "PAYMENT_REQUIRED", "PAYMENT_DECLINED", "CARD_DECLINED":
		return 402
	case "PERMISSION_DENIED", "FORBIDDEN", "ACCESS_DENIED", "ACCESSDENIED":
		return 403
	case "NOT_FOUND", "RESOURCE_NOT_FOUND", "NOTFOUND":
		return 404
	case "CONFLICT", "ALREADY_EXISTS", "ABORTED", "DUPLICATE":
		return 409
	case "RESOURCE_EXHAUSTED":
		return 429
	case "UNIMPLEMENTED":
		return 501
	case "UNAVAILABLE", "SERVICE_UNAVAILABLE":
		return 503
	case "DEADLINE_EXCEEDED":
		return 504
	}
	return 0
}

// errorText is what the words of a body are, without the markup and the escapes around them.
func errorText(mediaType string, body []byte) string {
	switch {
	case isJSON(mediaType):
		var doc any
		if json.Unmarshal(body, &doc) == nil {
			var b strings.Builder
			gather(&b, doc, 0)
			return b.String()
		}
	case strings.Contains(mediaType, "html"), strings.Contains(mediaType, "xml"):
		return html.UnescapeString(string(body))
	}
	return string(body)
}

// gather writes all strings of a JSON value, one a line, keys not included.
func gather(b *strings.Builder, v any, depth int) {
	const deepest = 100 // encoding/json allows 10,000; an error is not nested like that
	if depth > deepest {
		return
	}
	switch v := v.(type) {
	case string:
		b.WriteString(v)
		b.WriteByte('\n')
	case []any:
		for _, x := range v {
			gather(b, x, depth+1)
		}
	case map[string]any:
		for _, k := range sortedKeys(v) {
			gather(b, v[k], depth+1)
		}
	}
}
