package bench

import (
	"database/sql"
	"encoding/gob"
	"net/http"
	"testing"
	"time"

	"github.com/alexedwards/scs/postgresstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"github.com/seed3b05b409/auth"
)

// scsStores are those of alexedwards/scs for our backends, with the tables of its
// documentation. Nothing is cleaned up while it is measured.
var scsStores = map[auth.Dialect]func(b *testing.B, db *sql.DB) scs.Store{
	"": func(*testing.B, *sql.DB) scs.Store { return memstore.NewWithCleanupInterval(0) },
	auth.SQLite: func(b *testing.B, db *sql.DB) scs.Store {
		execute(b, db, `CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)`)
		return sqlite3store.NewWithCleanupInterval(db, 0)
	},
	auth.PostgreSQL: func(b *testing.B, db *sql.DB) scs.Store {
		execute(b, db, `CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)`)
		return postgresstore.NewWithCleanupInterval(db, 0)
	},
}

func execute(b *testing.B, db *sql.DB, statement string) {
	b.Helper()
	if _, err := db.ExecContext(b.Context(), statement); err != nil {
		b.Fatalf("%v: %s", err, statement)
	}
}

// newSCS is get-session with alexedwards/scs. It knows nothing of users, so that the
// session holds what is to be said of its user, and there is one look-up here too.
// Its cookie is a token without a MAC.
func newSCS(b *testing.B, store scs.Store, data *auth.SessionData) peer {
	b.Helper()
	gob.Register(time.Time{}) // as its documentation asks for
	manager := scs.New()
	manager.Store = store
	ctx, err := manager.Load(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	for name, value := range scsValues(plainJSON(data)) {
		manager.Put(ctx, name, value)
	}
	token, _, err := manager.Commit(ctx)
	if err != nil {
		b.Fatal(err)
	}
	return peer{"scs", manager.LoadAndSave(&scsSession{manager}), http.Header{"Cookie": {manager.Cookie.Name + "=" + token}}}
}

// scsValues are simple values, as its getters return them.
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

type scsSession struct{ manager *scs.SessionManager }

func (s *scsSession) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m, ctx := s.manager, r.Context()
	if !m.Exists(ctx, "userId") {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	optional := func(name string) *string {
		if text, ok := m.Get(ctx, name).(string); ok {
			return &text
		}
		return nil
	}
	answer(w, &sessionJSON{
		Session: sessionColumns{
			ExpiresAt: m.GetTime(ctx, "expiresAt"), Token: m.GetString(ctx, "token"),
			CreatedAt: m.GetTime(ctx, "createdAt"), UpdatedAt: m.GetTime(ctx, "updatedAt"),
			IPAddress: optional("ipAddress"), UserAgent: optional("userAgent"),
			UserID: m.GetString(ctx, "userId"), ID: m.GetString(ctx, "id"),
		},
		User: userColumns{
			Name: m.GetString(ctx, "name"), Email: m.GetString(ctx, "email"), EmailVerified: m.GetBool(ctx, "emailVerified"),
			Image: optional("image"), CreatedAt: m.GetTime(ctx, "userCreatedAt"), UpdatedAt: m.GetTime(ctx, "userUpdatedAt"),
			ID: m.GetString(ctx, "userId"),
		},
	})
}
