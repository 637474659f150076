// Package peers lets several servers on one database read each other's lines. Each keeps what it has received on its own disk; whoever investigates asks the
// others for the segments of the hours in question, of which it keeps copies, so that the next look fetches only what has been added since.
//
// It promises: what is served is segments that the spool lists, to who holds a token of an admin; what is fetched is written below one folder, whatever the
// other server says its name is; each look is bounded in time and bytes, and what is missing is said.
package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/spool"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

// The addresses under which a server shows the others what it has.
const (
	segmentsPath = "/api/v1/peers/segments"
	linesPath    = "/api/v1/peers/lines"
	tracePath    = "/api/v1/peers/trace"
)

// idHeader is the id of the process that answers: one that lists itself among the others must not read its own lines twice.
const idHeader = "X-Inquest-Server"

// Listing is what a server has of a window.
type Listing struct {
	Server    string    `json:"server"` // id of the process
	Segments  []Segment `json:"segments"`
	DeletedTo time.Time `json:"deletedTo,omitzero"` // lines that arrived before were deleted to make room
}

// Segment is one file of raw lines, to which lines are only ever added.
type Segment struct {
	Name   string    `json:"name"`   // of the file, slash-separated; unique on its server
	Source string    `json:"source"` // whose log it is
	Kind   string    `json:"kind"`   // tells the formats of one source apart
	Start  time.Time `json:"start"`  // when its first line arrived, by that server's clock
	End    time.Time `json:"end"`
	Size   int64     `json:"size"` // bytes, all of them whole lines
}

// Shared is what a server shows the others.
type Shared struct {
	ID    string // of this process
	Spool *spool.Spool
	May   func(*http.Request) error // whether who asks is another server
	Find  Find
	Mount func(web.Way, http.Handler) // serves and describes an address
	Log   func(string)
}

// Open mounts the addresses.
func (s *Shared) Open() {
	window := map[string]string{"from": "RFC 3339", "to": "RFC 3339; without both, all"}
	for _, x := range []struct {
		way   web.Way
		serve func(http.ResponseWriter, *http.Request) error
	}{
		{web.Way{Method: http.MethodGet, Path: segmentsPath, Summary: "For other servers: the files of raw lines that arrived here in a window", Query: window, Output: Listing{}}, s.segments},
		{web.Way{Method: http.MethodGet, Path: linesPath, Summary: "For other servers: one of these files, or a Range of it", Query: map[string]string{"segment": "its name"}}, s.lines},
		{web.Way{Method: http.MethodGet, Path: tracePath, Summary: "For other servers: the lines here about one request", Query: map[string]string{"id": "of the request, its trace or its error; several that belong together may be given"}, Output: web.Trace{}}, s.trace},
	} {
		s.Mount(x.way, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			err := s.May(r)
			if err == nil {
				w.Header().Set(idHeader, s.ID)
				err = x.serve(w, r)
			}
			if err != nil {
				s.fail(w, err)
			}
		}))
	}
}

var errInput = errors.New("cannot be understood")

// fail answers with an error. What is wrong here concerns the operator of this server, not whoever asks.
func (s *Shared) fail(w http.ResponseWriter, err error) {
	status, text := http.StatusInternalServerError, "it went wrong here; this server's log says how"
	switch {
	case errors.Is(err, auth.ErrNobody), errors.Is(err, auth.ErrInvalid):
		status, text = http.StatusUnauthorized, err.Error()
	case errors.Is(err, auth.ErrForbidden):
		status, text = http.StatusForbidden, err.Error()
	case errors.Is(err, errInput):
		status, text = http.StatusBadRequest, err.Error()
	case errors.Is(err, store.ErrNotFound):
		status, text = http.StatusNotFound, "not here"
	default:
		s.Log("peers: " + err.Error())
	}
	http.Error(w, text, status)
}

func (s *Shared) segments(w http.ResponseWriter, r *http.Request) error {
	var window inquest.Window
	for name, at := range map[string]*time.Time{"from": &window.From, "to": &window.To} {
		text := r.FormValue(name)
		if text == "" {
			continue
		}
		var err error
		if *at, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return fmt.Errorf("%w: %s: %q is no time such as 2026-11-29T08:00:00Z", errInput, name, text)
		}
	}
	if window.From.IsZero() != window.To.IsZero() {
		return fmt.Errorf("%w: from and to belong together; give both or none", errInput)
	}
	out := Listing{Server: s.ID, Segments: []Segment{}, DeletedTo: s.Spool.Stats().DeletedTo}
	for _, g := range s.Spool.Segments(window) {
		out.Segments = append(out.Segments, Segment{Name: g.Name, Source: g.Source.Name, Kind: g.Source.Kind, Start: g.Start, End: g.End, Size: g.Size})
	}
	return answer(w, out)
}

// lines serves a segment that the spool lists: no other file can be named.
func (s *Shared) lines(w http.ResponseWriter, r *http.Request) error {
	all, name := s.Spool.Segments(inquest.Window{}), r.FormValue("segment")
	i := slices.IndexFunc(all, func(g spool.Segment) bool { return g.Name == name })
	if i < 0 {
		return fmt.Errorf("segment %q: %w", name, store.ErrNotFound)
	}
	f, err := os.Open(filepath.Join(all[i].Dir, filepath.FromSlash(name)))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) { // it was deleted in between, for age
			err = store.ErrNotFound
		}
		return fmt.Errorf("segment %q: %w", name, err)
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(f, 0, all[i].Size))
	return nil
}

func (s *Shared) trace(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", errInput, err)
	}
	ids := r.Form["id"]
	if len(ids) == 0 || len(ids) > mostIDs || slices.ContainsFunc(ids, func(id string) bool { return len(id) < 4 }) {
		return fmt.Errorf("%w: id: give one to %d, of at least four characters each", errInput, mostIDs)
	}
	t, err := s.Find(r.Context(), ids...)
	if err != nil {
		return err
	}
	return answer(w, t)
}

func answer(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // who asked may have left
	return nil
}
