package mechanism

import "slices"

// With returns the catalogue with a user's own mechanisms in it. One that has the ID of a shipped entry takes its place;
// a new one stands before the shipped ones of its class, in the order given: ties are settled by the order, the more
// specific first, and who describes a fault of their own system knows more of it than a general entry does.
func With(own []Mechanism) []Mechanism {
	list := All()
	for _, m := range slices.Backward(own) {
		if at := slices.IndexFunc(list, func(x Mechanism) bool { return x.ID == m.ID }); at >= 0 {
			list[at] = m
			continue
		}
		at := slices.IndexFunc(list, func(x Mechanism) bool { return x.ID.Class() == m.ID.Class() })
		if at < 0 {
			at = len(list) // no such class: Validate refuses it
		}
		list = slices.Insert(list, at, m)
	}
	return list
}
