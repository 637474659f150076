package answer

import (
	"bytes"
	"encoding/json"
	"html"
	"net/http"
	"strings"
)

// Kind is what an answer gives away.
type Kind string

// The kinds of what an answer gives away.
const (
	Stack      Kind = "stack"      // a stack trace, an exception, a debug page
	SQL        Kind = "sql"        // a statement, or an error of the database's
	Connection Kind = "connection" // a connection string
	Secret     Kind = "secret"     // a key, a token, a password
	Host       Kind = "host"       // an internal name or address
	Path       Kind = "path"       // a path on the server's disk
	Version    Kind = "version"    // a product and its version
	Opaque     Kind = "opaque"     // a coding that cannot be looked into, or more than an error has to say
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{Stack, SQL, Connection, Secret, Host, Path, Version, Opaque} }

func (k Kind) what() string {
	return map[Kind]string{
		Stack: "a stack trace or the name of an exception class", SQL: "SQL or the database's own words",
		Connection: "a connection string", Secret: "a key, token or password", Host: "names and addresses of the inside",
		Path: "paths of the server's disk", Version: "products with their versions", Opaque: "what cannot be looked into",
	}[k]
}

// Severity is how bad it is: 3 gives access, 2 shows the inside, 1 helps to choose an attack.
func (k Kind) Severity() int {
	switch k {
	case Secret, Connection:
		return 3
	case Version, Opaque:
		return 1
	}
	return 2
}

// Leak is one thing that an answer gives away.
type Leak struct {
	Kind Kind
	Text string // what was found, at most 80 bytes; for the inside only
}

// Leaks returns what a body gives away, at most one leak of each kind. It judges by content: an error that was written for clients has none.
func (j *Judge) Leaks(a Answer) []Leak {
	if len(a.Body) == 0 {
		return nil
	}
	body, err := a.plain()
	if err != nil {
		if !j.on("leak-" + string(Opaque)) {
			return nil
		}
		return []Leak{{Opaque, a.Header.Get("Content-Encoding")}}
	}
	var text []seen
	for _, t := range j.visible(a.mediaType(body), body) {
		text = append(text, seen{t, strings.ToLower(t)})
	}
	var leaks []Leak
	for _, k := range Kinds() {
		if !j.on("leak-" + string(k)) {
			continue
		}
		for _, t := range text {
			if m := j.find(k, t); m != "" {
				leaks = append(leaks, Leak{k, excerpt(m)})
				break
			}
		}
	}
	if len(body) >= Limit && j.on("leak-"+string(Opaque)) {
		leaks = append(leaks, Leak{Opaque, "longer than any error"})
	}
	return leaks
}

// visible returns the texts to look through: what people read, and the raw body, in which keys and attributes stand.
func (j *Judge) visible(mediaType string, body []byte) []string {
	body = bytes.ReplaceAll(body, []byte{0}, nil) // what is left of UTF-16 reads like ASCII
	raw := string(body)
	texts := []string{raw}
	var doc any
	switch {
	case (isJSON(mediaType) || bytes.HasPrefix(bytes.TrimSpace(body), []byte("{"))) && json.Unmarshal(body, &doc) == nil:
		var b strings.Builder
		gather(&b, doc, 0)
		texts = []string{b.String(), keysOnly(doc)}
		if s := b.String(); strings.Contains(s, "&#") || strings.Contains(s, "&lt;") || strings.Contains(s, "&quot;") {
			texts = append(texts, html.UnescapeString(s))
		}
	case strings.Contains(mediaType, "html") || strings.Contains(mediaType, "xml") || strings.Contains(raw, "</"):
		texts = append(texts, html.UnescapeString(j.tag().ReplaceAllString(raw, "\n")), html.UnescapeString(j.tag().ReplaceAllString(raw, "")))
	case strings.Contains(raw, `\n`) || strings.Contains(raw, `\"`) || strings.Contains(raw, `\u`): // JSON that was cut
		texts = append(texts, strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\"`, `"`, `\/`, "/", `\u0022`, `"`, `\u0027`, "'", `\\`, `\`).Replace(raw))
	}
	return texts
}

// keysOnly writes the keys that name internals, with a sign that they hold something, for the rules that look at keys.
func keysOnly(doc any) string {
	var b strings.Builder
	var walk func(v any, depth int)
	walk = func(v any, depth int) {
		if depth > 100 {
			return
		}
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x, depth+1)
			}
		case map[string]any:
			for _, k := range sortedKeys(v) {
				if s, ok := v[k].(string); ok && s != "" || !ok && !empty(v[k]) {
					b.WriteString(`"` + k + `":"`)
					if ok {
						b.WriteString(s)
					}
					b.WriteString("x\"\n")
				}
				walk(v[k], depth+1)
			}
		}
	}
	walk(doc, 0)
	return b.String()
}

func excerpt(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "")
	}
	return s
}

// LeakyHeaders names the fields that tell products and versions and help no client.
func LeakyHeaders() []string {
	return []string{"Server", "X-Powered-By", "X-Aspnet-Version", "X-Aspnetmvc-Version", "X-Runtime", "X-Generator", "X-Backend-Server", "X-Served-By", "X-Debug-Token", "X-Debug-Token-Link", "X-Debug-Exception", "X-Debug-Exception-File", "X-Php-Version"}
}

// StripHeader removes [LeakyHeaders], and of the fields that no standard knows and those that speak of errors, the ones
// whose value gives something away. It is for answers from 500 on.
func (j *Judge) StripHeader(h http.Header) {
	for _, name := range LeakyHeaders() {
		delete(h, name)
	}
	for name, values := range h {
		if !talkative(name) {
			continue
		}
		for _, v := range values {
			if j.leaky(seen{v, strings.ToLower(v)}) {
				delete(h, name)
				break
			}
		}
	}
}

// talkative reports whether a field may hold what a program says of its errors.
func talkative(name string) bool {
	if strings.HasPrefix(name, "X-") {
		return true
	}
	for _, word := range []string{"Error", "Exception", "Debug", "Stack", "Message", "Detail", "Warning"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

func (j *Judge) leaky(t seen) bool {
	for _, k := range Kinds() {
		if j.on("leak-"+string(k)) && j.find(k, t) != "" {
			return true
		}
	}
	return false
}
