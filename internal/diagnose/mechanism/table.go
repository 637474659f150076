package mechanism

// All returns the catalogue, in the order of the classes in DESIGN.md; the order is part of the product (ties between
// equally supported mechanisms are settled by it, the more specific first).
func All() []Mechanism {
	return []Mechanism{
		nullDereference(),
		poolExhausted(),
		refused(),
	}
}
