package mem

import (
	"strings"

	"github.com/inquesthq/inquest/internal/parse"
)

// Served tells from whose addresses the requests of one file came that were answered well: a server behind another one sees a single
// address, and that all failures have it says nothing.
type Served struct {
	Client string // one of them, "" when none was logged
	Many   bool   // there are others
}

// serve notes the client of a request that was answered well.
func (s *Served) serve(r *parse.Record) {
	switch r.ClientAddr {
	case "", s.Client:
	default:
		if s.Many = s.Client != ""; !s.Many {
			s.Client = strings.Clone(r.ClientAddr)
		}
	}
}

func (s *Served) merge(o Served) {
	s.Many = s.Many || o.Many || s.Client != "" && o.Client != "" && s.Client != o.Client
	if s.Client == "" || o.Client != "" && o.Client < s.Client {
		s.Client = o.Client
	}
}

// Served returns whom a file's server served.
func (s *Store) Served(file int32) Served { return s.served[file] }
