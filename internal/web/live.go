package web

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/inquesthq/inquest/internal/auth"
)

// live tells open pages that something has changed. What it was they read themselves, with their own rights.
type live struct {
	mu       sync.Mutex
	watchers map[chan string]bool
}

func newLive() *live { return &live{watchers: map[chan string]bool{}} }

// Changed tells open pages that an incident has changed; "" for anything else. The server calls it for whatever the desk tells.
func (w *Web) Changed(incident string) {
	w.live.mu.Lock()
	defer w.live.mu.Unlock()
	for c := range w.live.watchers {
		select {
		case c <- incident:
		default: // it has not read the last one yet, and will read everything then
		}
	}
}

// mostWatchers bounds how many pages can be open: each keeps a connection.
const mostWatchers = 1000

func (l *live) watch() (chan string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.watchers) >= mostWatchers {
		return nil, false
	}
	c := make(chan string, 1)
	l.watchers[c] = true
	return c, true
}

func (l *live) leave(c chan string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watchers, c)
}

const (
	heartbeat = 15 * time.Second // proxies close what is silent for long; most wait a minute
	longest   = 15 * time.Minute // then the page connects again, and whoever was signed out is not told any more
)

// serveEvents is a stream of server-sent events: "changed" with the incident's number, and a comment now and then.
func (w *Web) serveEvents(rw http.ResponseWriter, r *http.Request) {
	who, err := w.cfg.Auth.Authenticate(r)
	if err == nil && !who.Role.Allows(auth.Viewer) {
		err = auth.ErrForbidden
	}
	if err != nil {
		w.fail(rw, &call{r: r}, err)
		return
	}
	c, ok := w.live.watch()
	if !ok {
		w.fail(rw, &call{r: r}, &statusError{http.StatusServiceUnavailable, "too many pages are open"})
		return
	}
	defer w.live.leave(c)
	ctx, cancel := context.WithTimeout(r.Context(), longest)
	defer cancel()
	rw.Header().Set("Content-Type", "text/event-stream")
	rw.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	out := http.NewResponseController(rw)
	_ = out.SetWriteDeadline(time.Time{}) // the server's is for answers that end
	write := func(text string) bool {
		if _, err := fmt.Fprint(rw, text); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	if !write("retry: 3000\n: connected\n\n") {
		return
	}
	for {
		beat, stop := context.WithTimeout(ctx, heartbeat)
		alive := true
		select {
		case id := <-c:
			alive = write("event: changed\ndata: " + id + "\n\n")
		case <-beat.Done():
			alive = ctx.Err() == nil && write(": \n\n")
		}
		stop()
		if !alive {
			return
		}
	}
}
