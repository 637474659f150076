package policy

import (
	"fmt"
	"hash/maphash"
	"sync"
	"time"
)

// shards of a keyed limiter: enough that two clients on two cores seldom meet at one lock.
const shards = 16

// KeyedRateLimiter limits a rate per key, such as the client's address or its API key, in bounded memory: 16 bytes of
// payload per key, of which the limiter keeps a seeded hash, never the key itself.
type KeyedRateLimiter struct {
	cfg    RateConfig
	gcra   gcra
	most   int // keys a shard
	start  time.Time
	seed   maphash.Seed
	shards [shards]shard
}

type shard struct {
	mu    sync.Mutex
	whole map[uint64]int64
	_     [48]byte // shards of one cache line would wait for each other
}

// NewKeyedRateLimiter returns a limiter that keeps up to keys keys (default 65,536, about 4 MB). Beyond that it
// forgets those whose quota is whole again, which changes nothing, and else those nearest to it: whoever floods it with
// keys buys some leniency for old ones and takes nothing from anybody.
func NewKeyedRateLimiter(cfg RateConfig, keys int) (*KeyedRateLimiter, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	setDefault(&keys, 1<<16)
	if keys < shards {
		return nil, fmt.Errorf("policy: rate limit %q: room for %d keys; at least %d, or 0 for the default", cfg.Name, keys, shards)
	}
	l := &KeyedRateLimiter{cfg: cfg, gcra: cfg.gcra(), most: keys / shards, start: time.Now(), seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].whole = map[uint64]int64{}
	}
	return l, nil
}

// Allow decides for one call of the given key. A refused call takes nothing from the quota.
func (l *KeyedRateLimiter) Allow(key string) Quota {
	hash := maphash.String(l.seed, key)
	now := int64(time.Since(l.start))
	s := &l.shards[hash%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	whole, known := s.whole[hash]
	next, ok := l.gcra.take(whole, now)
	if ok {
		if !known && len(s.whole) >= l.most {
			s.forget(now)
		}
		s.whole[hash] = next
	}
	return l.cfg.quota(l.gcra, next, now, ok)
}

// forget makes room: of a few keys, in the random order of a map, all that are whole, or else the one nearest to it.
func (s *shard) forget(now int64) {
	const look = 16
	var nearest uint64
	var least int64
	seen, dropped := 0, false
	for hash, whole := range s.whole {
		if whole <= now {
			delete(s.whole, hash)
			dropped = true
		} else if seen == 0 || whole < least {
			nearest, least = hash, whole
		}
		if seen++; seen == look {
			break
		}
	}
	if !dropped {
		delete(s.whole, nearest)
	}
}

// Name returns the name of the limit.
func (l *KeyedRateLimiter) Name() string { return l.cfg.Name }

// Keys returns how many keys are held.
func (l *KeyedRateLimiter) Keys() int {
	n := 0
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		n += len(s.whole)
		s.mu.Unlock()
	}
	return n
}
