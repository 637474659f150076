package config

import (
	"reflect"

	"github.com/inquesthq/inquest/internal/server"
)

// LoadServer reads the file of a server. It checks every key, word and reference; the error joins everything found wrong, one line each, with file,
// line and remedy. An empty file is a server with defaults.
func LoadServer(path string) (server.Settings, error) {
	b, err := readFile("server", path)
	if err != nil {
		return server.Settings{}, err
	}
	return ParseServer(path, b)
}

// ParseServer is LoadServer for the content of a file; path is for the messages.
func ParseServer(path string, b []byte) (server.Settings, error) {
	var s server.Settings
	err := oneDocument(path, b, "server", "", reflect.ValueOf(&s).Elem(), func(fault func(path []string, text string)) {
		for _, f := range server.Check(s) {
			fault(f.Path, f.Text)
		}
	})
	return s.Complete(), err
}
