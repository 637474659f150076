// Package serverfile reads the file of `inquest serve`. It stands apart from package config, so that the gateway alone does not link the server.
package serverfile

import (
	"reflect"

	"github.com/inquesthq/inquest/internal/config"
	"github.com/inquesthq/inquest/internal/server"
)

// Load reads the file of a server. It checks every key, word and reference; the error joins everything found wrong, one line each, with file,
// line and remedy. An empty file is a server with defaults.
func Load(path string) (server.Settings, error) {
	b, err := config.ReadFile("server", path)
	if err != nil {
		return server.Settings{}, err
	}
	return Parse(path, b)
}

// Parse is Load for the content of a file; path is for the messages.
func Parse(path string, b []byte) (server.Settings, error) {
	var s server.Settings
	err := config.OneDocument(path, b, "server", "", reflect.ValueOf(&s).Elem(), func(fault func(path []string, text string)) {
		for _, f := range server.Check(s) {
			fault(f.Path, f.Text)
		}
	})
	return s.Complete(), err
}
