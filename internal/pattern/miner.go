package pattern

import (
	"slices"

	"github.com/inquesthq/inquest/internal/stat"
)

const (
	// DefaultMaxTemplates is far above what programs have (thousands); reaching it means that a value is not masked, and
	// then what is beyond is noise. An entry costs some 200 bytes and its text.
	DefaultMaxTemplates = 50_000
	// DefaultMaxBuckets bounds an entry's histogram to 4 KiB: a chart needs no more points.
	DefaultMaxBuckets = 512
)

// Config bounds a Miner. The zero value means the defaults. Miners that are merged must have equal Configs.
type Config struct {
	MaxTemplates int // distinct templates kept
	MaxBuckets   int // filled buckets of each entry's histogram
}

// Entry is what is known of one pattern.
type Entry struct {
	ID       ID
	Template string
	Count    uint64
	// First and Last are the extreme times in Unix nanoseconds, 0 when no line carried a time.
	First, Last int64
	// Histogram holds the lines that carried a time.
	Histogram stat.Histogram
}

// Miner counts patterns. What it holds in the end depends only on the multiset of the lines added, not on their order
// nor on how they were divided among merged Miners. Past MaxTemplates it keeps the templates with the smallest IDs, which
// amounts to a fair draw that every division of the input makes alike, and counts all else in the entry Other.
//
// Not safe for concurrent use: give each goroutine its own and Merge.
type Miner struct {
	cfg     Config
	entries map[ID]*Entry
	other   *Entry
	heap    []ID // when full: the kept IDs, the largest first
	masker  masker
	shapes  []shape
}

// New returns an empty Miner.
func New(cfg Config) *Miner {
	if cfg.MaxTemplates <= 0 {
		cfg.MaxTemplates = DefaultMaxTemplates
	}
	if cfg.MaxBuckets <= 0 {
		cfg.MaxBuckets = DefaultMaxBuckets
	}
	return &Miner{cfg: cfg, entries: map[ID]*Entry{}, shapes: make([]shape, cachedShapes)}
}

// Add counts one line at a time in Unix nanoseconds (0: unknown) and returns its entry. The entry stays the same for equal
// templates unless it is given up for MaxTemplates; then the caller sees Other.
func (m *Miner) Add(line []byte, at int64) *Entry { return m.AddN(line, at, 1) }

// AddN counts a line that stands for n equal ones, as "last message repeated n times" and samplers write.
func (m *Miner) AddN(line []byte, at int64, n uint32) *Entry {
	line = firstLine(line)
	key := shapeOf(line)
	known := &m.shapes[key%cachedShapes]
	e := known.entry
	if e == nil || known.key != key {
		text := m.masker.mask(line)
		id := hashText(text)
		if e = m.entries[id]; e == nil {
			e = m.entry(id, string(text))
		}
		if !m.masker.sawDigit {
			*known = shape{key, e}
		}
	}
	e.Count += uint64(n)
	if at != 0 {
		e.seen(at, at)
		e.Histogram.Add(at, n)
	}
	return e
}

func (e *Entry) seen(first, last int64) {
	if first != 0 && (e.First == 0 || first < e.First) {
		e.First = first
	}
	if last != 0 && (e.Last == 0 || last > e.Last) {
		e.Last = last
	}
}

// entry makes the entry of a template seen for the first time, or returns Other's.
func (m *Miner) entry(id ID, text string) *Entry {
	if len(m.entries) < m.cfg.MaxTemplates {
		return m.insert(id, text)
	}
	if m.heap == nil {
		m.fillHeap()
	}
	if largest := m.heap[0]; id < largest {
		m.giveUp(largest)
		e := m.insert(id, text)
		m.heap[0] = id
		m.sink(0)
		return e
	}
	return m.overflow()
}

func (m *Miner) insert(id ID, text string) *Entry {
	e := &Entry{ID: id, Template: text, Histogram: stat.NewHistogram(m.cfg.MaxBuckets)}
	m.entries[id] = e
	return e
}

func (m *Miner) overflow() *Entry {
	if m.other == nil {
		m.other = &Entry{ID: Other, Template: "(other)", Histogram: stat.NewHistogram(m.cfg.MaxBuckets)}
	}
	return m.other
}

func (m *Miner) giveUp(id ID) {
	m.overflow().merge(m.entries[id])
	delete(m.entries, id)
	clear(m.shapes)
}

func (e *Entry) merge(o *Entry) {
	e.Count += o.Count
	e.seen(o.First, o.Last)
	e.Histogram.Merge(&o.Histogram)
}

// fillHeap orders the kept IDs once the limit is reached: descending order is a heap with the largest in front.
func (m *Miner) fillHeap() {
	m.heap = make([]ID, 0, len(m.entries))
	for id := range m.entries {
		m.heap = append(m.heap, id)
	}
	slices.SortFunc(m.heap, func(a, b ID) int { return compareID(b, a) })
}

// sink restores the heap below i.
func (m *Miner) sink(i int) {
	for {
		c := 2*i + 1
		if c >= len(m.heap) {
			return
		}
		if c+1 < len(m.heap) && m.heap[c+1] > m.heap[c] {
			c++
		}
		if m.heap[i] >= m.heap[c] {
			return
		}
		m.heap[i], m.heap[c] = m.heap[c], m.heap[i]
		i = c
	}
}

// Merge adds what other holds; other stays as it is. Merging is commutative and associative.
func (m *Miner) Merge(other *Miner) {
	for id, o := range other.entries {
		e := m.entries[id]
		if e == nil {
			e = m.entry(id, o.Template)
		}
		e.merge(o)
	}
	if other.other != nil {
		m.overflow().merge(other.other)
	}
}

// Entry returns the entry of an ID, nil when there is none.
func (m *Miner) Entry(id ID) *Entry {
	if id == Other {
		return m.other
	}
	return m.entries[id]
}

// Len returns the number of patterns, Other included.
func (m *Miner) Len() int {
	if m.other != nil {
		return len(m.entries) + 1
	}
	return len(m.entries)
}

// Entries returns all entries, the most frequent first and equals by ID; Other, if any, is the last.
func (m *Miner) Entries() []*Entry {
	out := make([]*Entry, 0, m.Len())
	for _, e := range m.entries {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b *Entry) int {
		switch {
		case a.Count > b.Count:
			return -1
		case a.Count < b.Count:
			return 1
		}
		return compareID(a.ID, b.ID)
	})
	if m.other != nil {
		out = append(out, m.other)
	}
	return out
}

func compareID(a, b ID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
