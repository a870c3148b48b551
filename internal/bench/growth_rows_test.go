package bench

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// The tables as Auth.Migrate makes them.
var (
	userTable = &auth.Table{Name: "user", Columns: []auth.Column{
		{Name: "name", Type: auth.TypeString},
		{Name: "email", Type: auth.TypeString, Unique: true},
		{Name: "emailVerified", Type: auth.TypeBoolean},
		{Name: "image", Type: auth.TypeString, Nullable: true},
		{Name: "createdAt", Type: auth.TypeDate},
		{Name: "updatedAt", Type: auth.TypeDate},
	}}
	sessionTable = &auth.Table{Name: "session", Columns: []auth.Column{
		{Name: "expiresAt", Type: auth.TypeDate},
		{Name: "token", Type: auth.TypeString, Unique: true},
		{Name: "createdAt", Type: auth.TypeDate},
		{Name: "updatedAt", Type: auth.TypeDate},
		{Name: "ipAddress", Type: auth.TypeString, Nullable: true},
		{Name: "userAgent", Type: auth.TypeString, Nullable: true},
		{Name: "userId", Type: auth.TypeString, References: "user", Index: true},
	}}
)

const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// token is as long as a session's token, 32 characters, as are the ids.
func token(i int) string { return fmt.Sprintf("token-%026d", i) }

func userID(i int) string { return fmt.Sprintf("user-%027d", i) }

func sessionID(i int) string { return fmt.Sprintf("id-%029d", i) }

// cookieOf returns the headers of a request with a session.
func cookieOf(i int) http.Header {
	return http.Header{"Cookie": {cookieName + "=" + sign(token(i))}}
}

func (p *population) insert(b *testing.B, table *auth.Table, row auth.Row) {
	if err := p.store.Insert(b.Context(), table, row); err != nil {
		b.Fatal(err)
	}
}

// fill stores sessions through the store, those from one number up to another.
func (p *population) fill(b *testing.B, from, to int, lifetime time.Duration) {
	b.Helper()
	now := time.Now()
	for i := from; i < to; i++ {
		p.insert(b, sessionTable, auth.Row{now.Add(lifetime), token(i), now, now, "203.0.113.7", browser, userID(i / 3 % p.users()), sessionID(i)})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A filling are statements with which a database writes the rows itself, which is much
// faster.
type filling struct {
	users    string   // $1: how many
	sessions string   // $1: the first number; $2: how many; $3: how long they live
	analyze  []string // tell the planner of queries
}

var fillings = map[auth.Dialect]filling{
	auth.SQLite: {
		users: `WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < $1)
		INSERT INTO "user" ("name", "email", "emailVerified", "createdAt", "updatedAt", "id")
		SELECT 'Ada Lovelace', 'ada-' || n || '@example.com', 0, '2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z', printf('user-%027d', n)
		FROM numbers`,
		sessions: `WITH RECURSIVE numbers(n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < $1 + $2)
		INSERT INTO "session" ("expiresAt", "token", "createdAt", "updatedAt", "ipAddress", "userAgent", "userId", "id")
		SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now', $3), printf('token-%026d', n),
			strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), '203.0.113.7', '` + browser + `',
			printf('user-%027d', n / 3 % (SELECT count(*) - 1 FROM "user")), printf('id-%029d', n)
		FROM numbers`,
		analyze: []string{`ANALYZE`},
	},
	auth.PostgreSQL: {
		users: `INSERT INTO "user" ("name", "email", "emailVerified", "createdAt", "updatedAt", "id")
		SELECT 'Ada Lovelace', 'ada-' || n || '@example.com', false, now(), now(), 'user-' || lpad(n::text, 27, '0')
		FROM generate_series(0, $1::int - 1) AS numbers(n)`,
		sessions: `INSERT INTO "session" ("expiresAt", "token", "createdAt", "updatedAt", "ipAddress", "userAgent", "userId", "id")
		SELECT now() + $3::text::interval, 'token-' || lpad(n::text, 26, '0'), now(), now(), '203.0.113.7', '` + browser + `',
			'user-' || lpad((n / 3 % (SELECT count(*) - 1 FROM "user"))::text, 27, '0'), 'id-' || lpad(n::text, 29, '0')
		FROM generate_series($1::int, $1::int + $2::int - 1) AS numbers(n)`,
		analyze: []string{`VACUUM ANALYZE "user"`, `VACUUM ANALYZE "session"`},
	},
}

func (p *population) run(b *testing.B, statement string, arguments ...any) {
	b.Helper()
	if _, err := p.db.ExecContext(b.Context(), statement, arguments...); err != nil {
		b.Fatalf("%v: %s", err, statement)
	}
}

func (p *population) analyze(b *testing.B) {
	b.Helper()
	for _, statement := range fillings[p.dialect].analyze {
		p.run(b, statement)
	}
}
