package mem

import (
	"hash/maphash"
	"math/bits"
	"slices"
	"strings"
)

// streamTable finds the stream of a request. Every request line asks it, so it is laid out for the memory that a look-up
// touches: one word of an open-addressing table, then the stream itself. Only hashes are compared in the table; the
// stream's own name decides.
type streamTable struct {
	seed  maphash.Seed
	slots []streamSlot // a power of two, at most half full; linear probing
	all   []*Stream    // in the order of arrival

	evicted bool   // there were too many
	last    uint64 // then: the highest rank that stays
}

type streamSlot struct {
	hash   uint64
	stream *Stream // nil: free
}

func newStreamTable() streamTable {
	return streamTable{seed: maphash.MakeSeed(), slots: make([]streamSlot, 64)}
}

// hash hashes the name of a stream. The seed is drawn anew for each table, so that nobody can write requests whose routes
// collide; it has no influence on what the table holds.
func (t *streamTable) hash(observer uint32, name []byte) uint64 {
	return maphash.Bytes(t.seed, name) ^ uint64(observer)*0x9e3779b97f4a7c15
}

// find returns the stream of a name ("METHOD /route") and observer, nil if there is none.
func (t *streamTable) find(hash uint64, observer uint32, name []byte) *Stream {
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := &t.slots[i]
		if slot.stream == nil {
			return nil
		}
		if slot.hash == hash && slot.stream.observer == observer && slot.stream.name == string(name) {
			return slot.stream
		}
	}
}

// add adds a stream that find did not find.
func (t *streamTable) add(hash uint64, st *Stream) {
	if 2*(len(t.all)+1) > len(t.slots) {
		t.resize(2 * len(t.slots))
	}
	t.all = append(t.all, st)
	t.put(hash, st)
}

// other returns the stream for the routes beyond maxStreams.
func (t *streamTable) other(observer uint32, name string) *Stream {
	key := []byte(" " + other)
	h := t.hash(observer, key)
	if have := t.find(h, observer, key); have != nil {
		return have
	}
	st := newStream(observer, name, string(key), 0)
	t.add(h, st)
	return st
}

// shrink gives up the streams beyond the limit; what they counted goes to those for other routes.
func (t *streamTable) shrink(limit int) {
	out, last := surplus(t.all, limit)
	if len(out) == 0 {
		return
	}
	t.evicted, t.last = true, last
	gone := make(map[*Stream]bool, len(out))
	for _, st := range out {
		gone[st] = true
	}
	t.all = slices.DeleteFunc(t.all, func(st *Stream) bool { return gone[st] })
	t.resize(len(t.slots))
	for _, st := range out {
		t.other(st.observer, st.Observer).merge(st)
	}
}

func (t *streamTable) put(hash uint64, st *Stream) {
	mask := uint64(len(t.slots) - 1)
	i := hash & mask
	for t.slots[i].stream != nil {
		i = (i + 1) & mask
	}
	t.slots[i] = streamSlot{hash, st}
}

func (t *streamTable) resize(n int) {
	t.slots = make([]streamSlot, n)
	for _, st := range t.all {
		t.put(t.hash(st.observer, []byte(st.name)), st)
	}
}

// nameTable numbers the few names that come back on every line: who wrote it, which upstream answered. Most look-ups end
// at a small cache that takes no hashing.
type nameTable struct {
	ids    map[string]uint32
	names  []string
	recent [64]uint32 // id+1 by cacheSlot
}

func newNameTable() nameTable { return nameTable{ids: map[string]uint32{}} }

// id returns the number of a name, a new one for a new name.
func (t *nameTable) id(name string) uint32 {
	slot := &t.recent[cacheSlot(name)]
	if *slot != 0 && t.names[*slot-1] == name {
		return *slot - 1
	}
	id, ok := t.ids[name]
	if !ok {
		name = strings.Clone(name)
		id = uint32(len(t.names))
		t.ids[name] = id
		t.names = append(t.names, name)
	}
	*slot = id + 1
	return id
}

func (t *nameTable) has(name string) bool {
	_, ok := t.ids[name]
	return ok
}

// cacheSlot tells names apart by their length and their first and last eight bytes: 0 to 63.
func cacheSlot(name string) uint64 {
	n := len(name)
	h := uint64(n)
	if n >= 8 {
		h ^= word(name) ^ bits.RotateLeft64(word(name[n-8:]), 21)
	} else {
		for i := range n {
			h = h<<8 | uint64(name[i])
		}
	}
	return h * 0x9e3779b97f4a7c15 >> 58
}

// word is the first eight bytes of s.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
