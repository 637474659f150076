package mem

import (
	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/pattern"
)

// PeerField is the field of a failed span's example that says whom it called.
const PeerField = "span.peer"

// addSpan accumulates a span of a file for the service graph and, when it failed, counts it under the pattern of its error.
// Callers hold the lock.
func (s *Store) addSpan(sp *inquest.Span, file int32) {
	s.traces.Add(*sp)
	if !sp.Error {
		return
	}
	text := sp.Name + ": " + sp.Message
	if sp.Peer != "" {
		text += " (" + sp.Peer + ")"
	}
	id := pattern.Hash([]byte(text))
	k := patternKey{sp.Service, inquest.LevelError, id}
	p := s.errSpans[k]
	if p == nil {
		if len(s.errSpans) >= maxPatterns {
			return
		}
		p = &Pattern{ID: id, Service: sp.Service, Level: inquest.LevelError, Template: pattern.Template([]byte(text))}
		s.errSpans[k] = p
	}
	at := sp.Start.Add(sp.Duration).UnixNano()
	p.Count++
	p.Times.Add(at, 1)
	if h := HashID(sp.TraceID); h != 0 {
		p.addID(h)
	}
	p.addInstance(sp.Instance)
	if p.wants(at) {
		x := Example{Time: at, File: file, Line: int32(sp.Source.Line), Text: text, Instance: sp.Instance, RequestID: sp.TraceID}
		if sp.Peer != "" {
			x.Fields = []parse.Field{{Name: PeerField, Value: sp.Peer}}
		}
		p.add(x)
	}
}
