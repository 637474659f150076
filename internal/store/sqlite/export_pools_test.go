package sqlite

import "database/sql"

// Pools are the connections of a store.
func Pools(s *Store) map[string]*sql.DB {
	return map[string]*sql.DB{"writer": s.write, "reader": s.read}
}
