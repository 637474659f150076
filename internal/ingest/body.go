package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// firstHold is set aside for a body of unknown length; it doubles as the body comes.
const firstHold = 64 << 10

// Body reads a request's body, unpacked, within the limits of size, time and memory. What it is in is held until the Hold is released, which
// is the caller's to do; it is not nil only if the error is.
func (in *Intake) Body(w http.ResponseWriter, r *http.Request) ([]byte, *Hold, error) {
	packed := false
	switch e := strings.ToLower(r.Header.Get("Content-Encoding")); e {
	case "", "identity":
	case "gzip":
		packed = true
	default:
		return nil, nil, Refuse(http.StatusUnsupportedMediaType, "the body is encoded in %.40q: send it plain or with gzip", e)
	}
	return in.read(w, r, packed)
}

// RawBody is Body for bodies whose packing is not HTTP's.
func (in *Intake) RawBody(w http.ResponseWriter, r *http.Request) ([]byte, *Hold, error) {
	return in.read(w, r, false)
}

func (in *Intake) read(w http.ResponseWriter, r *http.Request, packed bool) ([]byte, *Hold, error) {
	if r.ContentLength > in.cfg.MaxBody {
		return nil, nil, in.tooLarge()
	}
	first := int64(firstHold)
	if !packed && r.ContentLength >= 0 {
		first = r.ContentLength + 512 // a byte more than the length tells the end without growing
	}
	h, err := in.Hold(r.Context(), first)
	if err != nil {
		return nil, nil, err
	}
	// A server that cannot set a deadline (a test's recorder) has none to miss.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(in.cfg.BodyTimeout))
	from := io.LimitReader(r.Body, in.cfg.MaxBody+1)
	if packed {
		var z *gzip.Reader
		if z, err = gzip.NewReader(from); err == nil {
			defer z.Close()
			from = z
		}
	}
	var body []byte
	if err == nil {
		body, err = in.grow(from, h)
	}
	if err != nil {
		h.Release()
		return nil, nil, in.bodyError(err)
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return body, h, nil
}

func (in *Intake) grow(from io.Reader, h *Hold) ([]byte, error) {
	body := make([]byte, 0, h.n)
	for {
		if len(body) == cap(body) {
			size := min(int64(2*cap(body)), in.cfg.MaxBody+512)
			if int64(len(body)) > in.cfg.MaxBody {
				return nil, in.tooLarge()
			}
			if err := h.Resize(size + int64(len(body))); err != nil { // both while it is copied
				return nil, err
			}
			body = append(make([]byte, 0, size), body...)
			_ = h.Resize(size)
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > in.cfg.MaxBody:
			return nil, in.tooLarge()
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, err
		}
	}
}

func (in *Intake) tooLarge() error {
	return Refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes when it is unpacked: send smaller batches", in.cfg.MaxBody)
}

func (in *Intake) bodyError(err error) error {
	var e *Refusal
	switch {
	case errors.As(err, &e), errors.Is(err, ErrBusy):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Refusal{Status: http.StatusRequestTimeout, Err: fmt.Errorf("the body did not arrive within %s", in.cfg.BodyTimeout)}
	case errors.Is(err, context.Canceled), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return Refuse(http.StatusBadRequest, "the body ends too early: %w", err)
	}
	return Refuse(http.StatusBadRequest, "the body cannot be read: %w", err)
}
