package peers

import (
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/inquesthq/inquest/internal/store"
)

// Known tells which server answers at which address, so that one with two addresses is read once. The zero value knows none.
type Known struct {
	mu sync.Mutex
	at map[string]string // address by id of the process
}

// claim reports whether a server, by its id, is the one that is read at this address: the first address at which it answered.
func (k *Known) claim(id, address string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.at, func(other, at string) bool { return at == address && other != id }) // another process answers there by now
	if k.at == nil {
		k.at = map[string]string{}
	}
	if k.at[id] == "" {
		k.at[id] = address
	}
	return k.at[id] == address
}

// release forgets who answered at an address: nobody does any more.
func (k *Known) release(address string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.at, func(_, at string) bool { return at == address })
}

// health remembers whether a server answers.
type health struct {
	mu    sync.Mutex
	since time.Time // when it was asked last
	why   error     // it did not answer then, nil when it did
}

// away returns why a server that did not answer a moment ago is not asked, nil when it is to be.
func (h *health) away(now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if idle := now.Sub(h.since); h.why != nil && idle >= 0 && idle < away {
		return h.why
	}
	return nil
}

// note keeps how a question was answered, and tells when that is another way than before.
func (h *health) note(err error, now time.Time, tell func(string)) {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, errSelf) {
		err = nil
	}
	h.mu.Lock()
	was := h.why
	h.why, h.since = err, now
	h.mu.Unlock()
	switch {
	case err == nil && was != nil:
		tell(" answers again")
	case err != nil && (was == nil || was.Error() != err.Error()):
		tell(": " + err.Error())
	}
}
