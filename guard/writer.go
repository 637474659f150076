package guard

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/inquesthq/inquest/guard/answer"
)

// writer is the response writer of a request under the guard. It lets everything through at once but two: an answer
// from 500 on, and the beginning of a success that may be an error in disguise.
type writer state

// envelope is how long a success may be to be held: what is longer is a document.
const envelope = 4 << 10

// Header implements [http.ResponseWriter].
func (w *writer) Header() http.Header { return w.w.Header() }

// Unwrap is for [http.ResponseController]: deadlines and full duplex are the server's affair.
func (w *writer) Unwrap() http.ResponseWriter { return w.w }

// WriteHeader implements [http.ResponseWriter]. The header of a success waits for the first piece of its body, as it does
// in net/http.
func (w *writer) WriteHeader(status int) {
	switch {
	case status < 200 && status != http.StatusSwitchingProtocols:
		w.w.WriteHeader(status)
	case w.status != 0: // a second header changes nothing, as in net/http
	case status >= 500:
		w.status, w.holding = status, true
	case status < 300 && status != http.StatusSwitchingProtocols:
		w.status = status
	default:
		w.status = status
		(*state)(w).send()
	}
}

// Write implements [http.ResponseWriter].
func (w *writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.failed && w.sent {
		return len(b), nil // the failure was answered: what the handler still says is not part of it
	}
	if !w.sent && !w.holding {
		if len(b) <= envelope && w.judged() && answer.Suspect(b) {
			w.holding = true
		} else {
			(*state)(w).send()
		}
	}
	if !w.holding {
		return w.w.Write(b)
	}
	return w.hold(b)
}

// hold keeps a piece of the body until the whole is judged.
func (w *writer) hold(b []byte) (int, error) {
	if w.status < 500 && len(w.held)+len(b) > envelope {
		(*state)(w).release()
		return w.w.Write(b)
	}
	room := answer.Limit - len(w.held)
	if len(b) > room {
		w.overflow = true
	}
	w.held = append(w.held, b[:min(len(b), max(0, room))]...)
	return len(b), nil
}

// judged reports whether bodies of this type are looked at: JSON, pages, and what names no type.
func (w *writer) judged() bool {
	ct := w.w.Header()["Content-Type"]
	return len(ct) == 0 || strings.Contains(ct[0], "json") || strings.Contains(ct[0], "html")
}

// ReadFrom implements [io.ReaderFrom], so that files still go from disk to network without passing through us.
func (w *writer) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.sent && !w.holding && !w.judged() {
		(*state)(w).send()
	}
	if w.sent && !w.failed {
		return io.Copy(w.w, r)
	}
	return io.Copy(onlyWriter{w}, r)
}

type onlyWriter struct{ io.Writer }

// Flush implements [http.Flusher].
func (w *writer) Flush() { _ = w.FlushError() }

// FlushError is for [http.ResponseController]. A success that is flushed is a stream, no envelope; a failure is kept until
// it was judged.
func (w *writer) FlushError() error {
	switch {
	case w.holding && w.status >= 500:
		return nil
	case w.holding:
		(*state)(w).release()
	case !w.sent && w.status != 0:
		(*state)(w).send()
	case w.status == 0:
		w.status, w.sent = http.StatusOK, true
	}
	return http.NewResponseController(w.w).Flush()
}

// Hijack implements [http.Hijacker]. The connection is the handler's from then on.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.w).Hijack()
	if err == nil {
		w.status, w.sent, w.holding = http.StatusSwitchingProtocols, true, false
	} else if errors.Is(err, http.ErrNotSupported) {
		err = fmt.Errorf("guard: this connection cannot be taken over, as with HTTP/2: %w", err)
	}
	return conn, rw, err
}
