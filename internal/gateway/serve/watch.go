package serve

import (
	"os"
	"time"

	"github.com/inquesthq/inquest/internal/gateway"
)

// watch looks whether files changed: the configuration, and the certificates that it names. It looks at them once a second, which works
// on every file system, and for files that are replaced as a whole or are links that are turned (Kubernetes does that).
type watch struct {
	files []string
	seen  []stamp
}

type stamp struct {
	at   time.Time
	size int64
}

func newWatch(file string, listen []gateway.Listen) *watch {
	w := &watch{}
	if file == "" {
		return w
	}
	w.files = append(w.files, file)
	for _, l := range listen {
		if l.Cert != "" {
			w.files = append(w.files, l.Cert, l.Key)
		}
	}
	w.seen = w.look()
	return w
}

func (w *watch) look() []stamp {
	out := make([]stamp, len(w.files))
	for i, f := range w.files {
		if st, err := os.Stat(f); err == nil { // a file that is just being replaced looks as before it was there
			out[i] = stamp{st.ModTime(), st.Size()}
		}
	}
	return out
}

// changed reports a change once it has settled: what is being written has another size a second later.
func (w *watch) changed() bool {
	now := w.look()
	changed := false
	for i := range now {
		if now[i] == w.seen[i] || now[i].at.IsZero() {
			continue
		}
		changed = true
	}
	w.seen = now
	return changed
}
