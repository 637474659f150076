package mem

import (
	"math/bits"
	"strings"
)

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
