package problem

import (
	"crypto/rand"
	"strconv"
	"sync"
	"time"
)

const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// IDs makes ids of failures: ERR-<epoch milliseconds>-<6 of 0-9A-Z>, as in ERR-1732845600000-K7X2MN. They sort by time
// and cannot be guessed. Those of one IDs never clash: six letters drawn at random would, once in a few million at a
// thousand failures a millisecond. The zero value is ready.
type IDs struct {
	mu   sync.Mutex
	ms   int64
	used map[[6]byte]struct{} // in that millisecond
}

// Next returns a new id for a failure at the given time. Where the clock steps back the ids keep the latest time.
func (g *IDs) Next(at time.Time) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ms := at.UnixMilli(); ms > g.ms || g.used == nil {
		g.ms, g.used = ms, make(map[[6]byte]struct{}, 1)
	}
	for {
		tail := draw()
		if _, clash := g.used[tail]; clash {
			continue
		}
		g.used[tail] = struct{}{}
		b := make([]byte, 0, 24)
		b = append(b, "ERR-"...)
		b = strconv.AppendInt(b, g.ms, 10)
		b = append(b, '-')
		return string(append(b, tail[:]...))
	}
}

// draw returns six letters, each as likely as any other.
func draw() (tail [6]byte) {
	const fair = 256 / len(letters) * len(letters) // bytes from here on would favour the first letters
	var random [16]byte
	for n := 0; n < len(tail); {
		_, _ = rand.Read(random[:]) // never fails: see crypto/rand
		for _, b := range random {
			if int(b) < fair && n < len(tail) {
				tail[n] = letters[int(b)%len(letters)]
				n++
			}
		}
	}
	return tail
}

// ValidID reports whether s has the form of an id.
func ValidID(s string) bool {
	if len(s) != 24 || s[:4] != "ERR-" || s[17] != '-' {
		return false
	}
	for i := 4; i < len(s); i++ {
		digit := s[i] >= '0' && s[i] <= '9'
		if i != 17 && !digit && (i < 17 || s[i] < 'A' || s[i] > 'Z') {
			return false
		}
	}
	return true
}
