package bench

import (
	"context"
	"database/sql"
	"encoding/gob"
	"net/http"
	"testing"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/mysqlstore"
	"github.com/alexedwards/scs/postgresstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"github.com/seed3b05b409/auth"
)

// scsSession is github.com/alexedwards/scs with the members of a session and its user
// as values of its session. It has no users, no signed cookies and no tables but its
// own, so that there is one look-up here too. GET returns the session, POST signs up.
type scsSession struct{ *scs.SessionManager }

func newSCSSession(store scs.Store) scsSession {
	gob.Register(time.Time{}) // as its documentation asks for
	sessions := scs.New()
	sessions.Store = store
	return scsSession{sessions}
}

func (s scsSession) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		s.get(r.Context(), w)
		return
	}
	row, err := newRow(r)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.keep(r.Context(), &auth.SessionData{Session: &row.session, User: &row.user})
}

// keep stores a session as simple values, which the getters return.
func (s scsSession) keep(ctx context.Context, data *auth.SessionData) {
	for name, value := range scsValues(plainJSON(data)) {
		s.Put(ctx, name, value)
	}
}

func (s scsSession) get(ctx context.Context, w http.ResponseWriter) {
	if !s.Exists(ctx, "userId") {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	optional := func(name string) *string {
		if text, ok := s.Get(ctx, name).(string); ok {
			return &text
		}
		return nil
	}
	answer(w, &sessionJSON{
		Session: sessionColumns{
			ExpiresAt: s.GetTime(ctx, "expiresAt"), Token: s.GetString(ctx, "token"),
			CreatedAt: s.GetTime(ctx, "createdAt"), UpdatedAt: s.GetTime(ctx, "updatedAt"),
			IPAddress: optional("ipAddress"), UserAgent: optional("userAgent"),
			UserID: s.GetString(ctx, "userId"), ID: s.GetString(ctx, "id"),
		},
		User: userColumns{
			Name: s.GetString(ctx, "name"), Email: s.GetString(ctx, "email"), EmailVerified: s.GetBool(ctx, "emailVerified"),
			Image: optional("image"), CreatedAt: s.GetTime(ctx, "userCreatedAt"), UpdatedAt: s.GetTime(ctx, "userUpdatedAt"),
			ID: s.GetString(ctx, "userId"),
		},
	})
}

func scsValues(data *sessionJSON) map[string]any {
	s, u := &data.Session, &data.User
	values := map[string]any{
		"expiresAt": s.ExpiresAt, "token": s.Token, "createdAt": s.CreatedAt, "updatedAt": s.UpdatedAt, "id": s.ID,
		"userId": u.ID, "name": u.Name, "email": u.Email, "emailVerified": u.EmailVerified,
		"userCreatedAt": u.CreatedAt, "userUpdatedAt": u.UpdatedAt,
	}
	for name, text := range map[string]*string{"ipAddress": s.IPAddress, "userAgent": s.UserAgent, "image": u.Image} {
		if text != nil {
			values[name] = *text
		}
	}
	return values
}

// newSCS is get-session with it for somebody who is signed in.
func newSCS(b *testing.B, db *sql.DB, dialect auth.Dialect, data *auth.SessionData) peer {
	b.Helper()
	store, err := newSCSStore(db, dialect)
	if err != nil {
		b.Fatal(err)
	}
	sessions := newSCSSession(store)
	ctx, err := sessions.Load(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	sessions.keep(ctx, data)
	token, _, err := sessions.Commit(ctx)
	if err != nil {
		b.Fatal(err)
	}
	return peer{"scs", sessions.LoadAndSave(sessions), http.Header{"Cookie": {sessions.Cookie.Name + "=" + token}}}
}

// scsHandler is it in a process of its own.
func scsHandler(s setting) (http.Handler, error) {
	store, err := openSCSStore(s)
	if err != nil {
		return nil, err
	}
	sessions := newSCSSession(store)
	return sessions.LoadAndSave(sessions), nil
}

func openSCSStore(s setting) (scs.Store, error) {
	if s.Redis != "" {
		return goredisstore.NewWithPrefix(s.openRedis(), s.Prefix), nil
	}
	if s.Dialect == "" {
		return newSCSStore(nil, "")
	}
	db, err := s.openDatabase()
	if err != nil {
		return nil, err
	}
	return newSCSStore(db, s.Dialect)
}

// scsTables are the databases of scs, with the tables that its documentation names.
// Nothing is cleaned up while it is measured.
var scsTables = map[auth.Dialect]struct {
	create string
	store  func(*sql.DB) scs.Store
}{
	auth.SQLite: {
		"CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)",
		func(db *sql.DB) scs.Store { return sqlite3store.NewWithCleanupInterval(db, 0) },
	},
	auth.PostgreSQL: {
		"CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)",
		func(db *sql.DB) scs.Store { return postgresstore.NewWithCleanupInterval(db, 0) },
	},
	auth.MySQL: {
		"CREATE TABLE IF NOT EXISTS sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL)",
		func(db *sql.DB) scs.Store { return mysqlstore.NewWithCleanupInterval(db, 0) },
	},
}

// newSCSStore returns one in memory where there is no database.
func newSCSStore(db *sql.DB, dialect auth.Dialect) (scs.Store, error) {
	if db == nil {
		return memstore.NewWithCleanupInterval(0), nil
	}
	table := scsTables[dialect]
	_, err := db.Exec(table.create)
	return table.store(db), err
}
