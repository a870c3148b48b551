package soaktest

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
)

// lockFile writes to the database from elsewhere for longer than the server waits.
func (s *soak) lockFile(db *sql.DB) fault {
	ctx := s.t.Context()
	return fault{name: "database locked", fails: true, strike: func(r *rand.Rand) {
		conn, err := db.Conn(ctx)
		if err != nil {
			s.t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			s.t.Log("no lock:", err) // the server was too busy
			return
		}
		linger(r)
		if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
			s.t.Error(err)
		}
	}}
}

// fillDisk lets no file of the server grow, or none be written at all.
func (s *soak) fillDisk(path string) fault {
	limit := func(bytes int64) {
		if err := s.server.ask(fmt.Sprintf("/limit?bytes=%d", bytes), nil); err != nil {
			s.t.Error(err)
		}
	}
	return fault{name: "disk full", fails: true, strike: func(r *rand.Rand) {
		var size int64
		if log, err := os.Stat(path + "-wal"); err == nil && r.IntN(2) == 0 {
			size = log.Size()
		}
		limit(size)
		linger(r)
	}, heal: func() { limit(unlimited) }}
}

// unlimited is what a file may have if it is not limited.
const unlimited = 1 << 50

// forbidWrites starts the server again with a database that it can only read.
func (s *soak) forbidWrites() fault {
	return fault{name: "database read-only", loses: true, fails: true, strike: func(r *rand.Rand) {
		s.server.kill()
		s.server.start("&_pragma=query_only(1)")
		linger(r)
	}, heal: func() {
		s.server.kill()
		s.server.start("")
	}}
}
