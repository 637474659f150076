package mechanism

import "strings"

// Placeholders are the names that may stand in braces in a text or command of the catalogue, with what they mean.
func Placeholders() map[string]string {
	return map[string]string{
		"service": "the component that reported the failure, or whose measurements show it", "peer": "the dependency that failed, where the culprit is another than the service", "host": "the dependency's host", "port": "its port",
		"database": "name of the database", "user": "the service's user or role", "table": "table", "column": "column", "query": "the statement",
		"pid": "process (or database session) to look at", "path": "the file, directory or URL path from the evidence",
		"version": "the new version", "previous": "the version before", "since": "begin of the incident", "request": "id of a failing request",
		"folder": "the case folder", "message": "the error's message",
	}
}

// Fill puts values into the placeholders of a template: "{service}" becomes the value of "service", or "<service>" when
// there is none. Values come from logs, which strangers may write to, and people paste commands into a shell: a value
// that holds anything but letters, digits and ._:/@%+-, (or begins with a dash) is not put in.
func Fill(template string, values map[string]string) string {
	pairs := make([]string, 0, 64)
	for name := range Placeholders() {
		v := values[name]
		if !harmless(v) {
			v = "<" + name + ">"
		}
		pairs = append(pairs, "{"+name+"}", v)
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

func harmless(v string) bool {
	if v == "" || v[0] == '-' || len(v) > 200 {
		return false
	}
	for i := range len(v) {
		c := v[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._:/@%+-,", c) >= 0) {
			return false
		}
	}
	return true
}
