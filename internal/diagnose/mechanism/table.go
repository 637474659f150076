package mechanism

import "github.com/inquesthq/inquest"

// All returns the catalogue, in the order of the classes in DESIGN.md; the order is part of the product (ties between
// equally supported mechanisms are settled by it, the more specific first).
func All() []Mechanism {
	return []Mechanism{
		nullDereference(),
		typeError(),
		unhandledRejection(),
		panicked(),
		parseError(),
		uncaught(), // last of its class: whatever no other entry describes

		poolExhausted(),
		tooManyConnections(),
		databaseDown(),
		readOnly(),
		lockContention(),
		slowQuery(),
		queryError(),

		missingEnv(),
		wrongPath(),
		badCredential(),
		configSyntax(),
		permission(),
		wrongUpstream(),
		keepaliveMismatch(),
		limitTooSmall(),
		timeoutTooShort(),
		errorMapping(),

		memory(),
		disk(),
		fileDescriptors(),
		ports(),
		threads(),
		cpu(),

		schemaMismatch(),
		missingDependency(),
		syntaxError(),
		startupCrash(),
		regression(), // last of its class: a release that no other entry explains

		refused(),
		dns(),
		tls(),
		rateLimited(),
		dependencyTimeout(),
		upstreamOverload(),
		badResponse(),
	}
}

// ByID returns the entry with this ID.
func ByID(id inquest.MechanismID) (Mechanism, bool) {
	for _, m := range All() {
		if m.ID == id {
			return m, true
		}
	}
	return Mechanism{}, false
}

// ByClass returns the entries of a class, in the order of the catalogue.
func ByClass(c inquest.Class) []Mechanism {
	var out []Mechanism
	for _, m := range All() {
		if m.ID.Class() == c {
			out = append(out, m)
		}
	}
	return out
}

// Brings reports whether the catalogue declares that m brings the other about: in the same component, or, if above, in a
// component that calls it.
func (m *Mechanism) Brings(other inquest.MechanismID, above bool) bool {
	for _, id := range m.Explains {
		if id == other {
			return true
		}
	}
	if !above {
		return false
	}
	for _, id := range m.Above {
		if id == other {
			return true
		}
	}
	return false
}
