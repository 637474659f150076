package mem

// numberTable finds the number of a stream by the hash of its name. Every request line asks it, so it is laid out for the
// memory that a look-up touches: one word of an open-addressing table. Names are not compared: the hashes have 64 bits, under
// a key that is drawn anew for each file, so that two of 12,000 routes share one in four of a million million files, and
// nobody can write requests to bring it about.
type numberTable struct {
	slots []numberSlot // a power of two, at most half full; linear probing
	n     int
}

type numberSlot struct {
	hash   uint64
	number uint32 // 1 more than the number; 0: free
}

// find returns the number that was put under hash.
func (t *numberTable) find(hash uint64) (uint32, bool) {
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; i < uint64(len(t.slots)); i = (i + 1) & mask {
		slot := &t.slots[i]
		if slot.hash == hash && slot.number != 0 {
			return slot.number - 1, true
		}
		if slot.number == 0 {
			break
		}
	}
	return 0, false
}

// put adds a number under a hash that find did not find.
func (t *numberTable) put(hash uint64, number uint32) {
	if t.n++; 2*t.n > len(t.slots) {
		old := t.slots
		t.slots = make([]numberSlot, max(64, 2*len(old)))
		for _, slot := range old {
			if slot.number != 0 {
				t.place(slot)
			}
		}
	}
	t.place(numberSlot{hash, number + 1})
}

// clear forgets all numbers.
func (t *numberTable) clear() {
	clear(t.slots)
	t.n = 0
}

// copy makes t hold what o does.
func (t *numberTable) copy(o *numberTable) {
	t.slots, t.n = append(t.slots[:0], o.slots...), o.n
}

func (t *numberTable) place(slot numberSlot) {
	mask := uint64(len(t.slots) - 1)
	i := slot.hash & mask
	for t.slots[i].number != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = slot
}
