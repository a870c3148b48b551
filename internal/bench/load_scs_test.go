package bench

import (
	"database/sql"
	"encoding/gob"
	"net/http"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/mysqlstore"
	"github.com/alexedwards/scs/postgresstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"github.com/seed3b05b409/auth"
)

// scsHandler is github.com/alexedwards/scs with the members of a session and its
// user as the data of its session. That has no users, no signed cookies and no
// tables but its own.
func scsHandler(s setting) (http.Handler, error) {
	store, err := newSCSStore(s)
	if err != nil {
		return nil, err
	}
	gob.Register(&sessionJSON{})
	sessions := scs.New()
	sessions.Store = store
	return sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			answer(w, sessions.Get(r.Context(), "data"))
			return
		}
		row, err := newRow(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		sessions.Put(r.Context(), "data", plainJSON(&auth.SessionData{Session: &row.session, User: &row.user}))
	})), nil
}

// scsTables are the databases of scs, with the tables that its documentation names.
var scsTables = map[auth.Dialect]struct {
	create string
	store  func(*sql.DB) scs.Store
}{
	auth.SQLite: {
		"CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)",
		func(db *sql.DB) scs.Store { return sqlite3store.New(db) },
	},
	auth.PostgreSQL: {
		"CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)",
		func(db *sql.DB) scs.Store { return postgresstore.New(db) },
	},
	auth.MySQL: {
		"CREATE TABLE IF NOT EXISTS sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL)",
		func(db *sql.DB) scs.Store { return mysqlstore.New(db) },
	},
}

func newSCSStore(s setting) (scs.Store, error) {
	if s.Redis != "" {
		return goredisstore.NewWithPrefix(s.openRedis(), s.Prefix), nil
	}
	if s.Dialect == "" {
		return memstore.New(), nil
	}
	db, err := s.openDatabase()
	if err != nil {
		return nil, err
	}
	table := scsTables[s.Dialect]
	_, err = db.Exec(table.create)
	return table.store(db), err
}
