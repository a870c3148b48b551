package bench

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// bareQuery finds a session and its user.
const bareQuery = `SELECT s."expiresAt", s."token", s."createdAt", s."updatedAt", s."ipAddress", s."userAgent", s."userId", s."id",
	u."name", u."email", u."emailVerified", u."image", u."createdAt", u."updatedAt", u."id"
	FROM "session" s JOIN "user" u ON u."id" = s."userId" WHERE s."token" = ? LIMIT 1`

// bareSQL is what a careful author writes for one database: prepared statements
// and structs, nothing else. GET returns the session, POST signs up.
type bareSQL struct {
	db      *sql.DB
	dialect auth.Dialect
	session *sql.Stmt
	inserts [3]*sql.Stmt // user, account, session
	hash    func(password string) string
}

func newBareSQL(b *testing.B, db *sql.DB, dialect auth.Dialect) *bareSQL {
	b.Helper()
	s := &bareSQL{db: db, dialect: dialect, hash: func(password string) string { return password }}
	s.session = prepare(b, db, s.query(bareQuery))
	for i, statement := range []string{
		`INSERT INTO "user" ("id", "name", "email", "emailVerified", "createdAt", "updatedAt") VALUES (?, ?, ?, ?, ?, ?)`,
		`INSERT INTO "account" ("id", "accountId", "providerId", "userId", "password", "createdAt", "updatedAt") VALUES (?, ?, ?, ?, ?, ?, ?)`,
		`INSERT INTO "session" ("id", "token", "userId", "expiresAt", "createdAt", "updatedAt", "ipAddress", "userAgent") VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
	} {
		s.inserts[i] = prepare(b, db, s.query(statement))
	}
	return s
}

// query writes a statement as the database wants it.
func (s *bareSQL) query(statement string) string { return inDialect(s.dialect, statement) }

func inDialect(dialect auth.Dialect, statement string) string {
	switch dialect {
	case auth.MySQL:
		return strings.ReplaceAll(statement, `"`, "`")
	case auth.PostgreSQL:
		parts := strings.Split(statement, "?")
		for i := range parts[1:] {
			parts[i] += "$" + strconv.Itoa(i+1)
		}
		return strings.Join(parts, "")
	}
	return statement
}

func (s *bareSQL) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var err error
	if r.Method == http.MethodPost {
		err = s.signUp(w, r)
	} else {
		err = s.get(w, r)
	}
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func (s *bareSQL) get(w http.ResponseWriter, r *http.Request) error {
	token := signedToken(r)
	if token == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	var data sessionJSON
	c, u := &data.Session, &data.User
	if err := s.session.QueryRowContext(r.Context(), token).Scan(
		&c.ExpiresAt, &c.Token, &c.CreatedAt, &c.UpdatedAt, &c.IPAddress, &c.UserAgent, &c.UserID, &c.ID,
		&u.Name, &u.Email, &u.EmailVerified, &u.Image, &u.CreatedAt, &u.UpdatedAt, &u.ID,
	); err != nil {
		return err
	}
	if c.ExpiresAt.Before(time.Now()) {
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	for _, date := range []*time.Time{&c.ExpiresAt, &c.CreatedAt, &c.UpdatedAt, &u.CreatedAt, &u.UpdatedAt} {
		*date = date.UTC()
	}
	answer(w, &data)
	return nil
}

// date returns a time as the original stores it.
func (s *bareSQL) date(t time.Time) any {
	if s.dialect == auth.SQLite {
		return t.Format("2006-01-02T15:04:05.000Z")
	}
	return t
}

func (s *bareSQL) signUp(w http.ResponseWriter, r *http.Request) error {
	var in struct{ Name, Email, Password string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
		return err
	}
	created := time.Now().UTC().Truncate(time.Millisecond)
	now, ends := s.date(created), s.date(created.Add(7*24*time.Hour))
	id, token, hash := rand.Text(), rand.Text(), s.hash(in.Password)
	tx, err := s.db.BeginTx(r.Context(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for i, values := range [][]any{
		{id, in.Name, in.Email, false, now, now},
		{rand.Text(), id, "credential", id, hash, now, now},
		{rand.Text(), token, id, ends, now, now, "", ""},
	} {
		if _, err := tx.StmtContext(r.Context(), s.inserts[i]).ExecContext(r.Context(), values...); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: sign(token), Path: "/", MaxAge: 7 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	answer(w, &signUpJSON{Token: token, User: userColumns{Name: in.Name, Email: in.Email, CreatedAt: created, UpdatedAt: created, ID: id}})
	return nil
}

type signUpJSON struct {
	Token string      `json:"token"`
	User  userColumns `json:"user"`
}

func sign(token string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return url.QueryEscape(token + "." + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
