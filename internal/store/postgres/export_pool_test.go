package postgres

import "database/sql"

// DB is the store's pool.
func DB(s *Store) *sql.DB { return s.db }
