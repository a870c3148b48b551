package bench

import (
	"database/sql"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// The tables as Auth.Migrate makes them.
var (
	users = &auth.Table{Name: "user", Columns: []auth.Column{
		{Name: "name", Type: auth.TypeString},
		{Name: "email", Type: auth.TypeString, Unique: true},
		{Name: "emailVerified", Type: auth.TypeBoolean},
		{Name: "image", Type: auth.TypeString, Nullable: true},
		{Name: "createdAt", Type: auth.TypeDate},
		{Name: "updatedAt", Type: auth.TypeDate},
	}}
	sessions = &auth.Table{Name: "session", Columns: []auth.Column{
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

// BenchmarkLookup finds a session and its user by the session's token, among a
// thousand to a hundred thousand of them, with AUTH_BENCH_LARGE=1 a million, with
// -short only the thousand. A user has three. The budget of the memory store: the same time at every size,
// and 1 KiB of memory for a session. Databases have trees, which grow by a
// level now and then.
func BenchmarkLookup(b *testing.B) {
	sizes := []int{1_000, 10_000, 100_000}
	switch {
	case testing.Short():
		sizes = sizes[:1]
	case os.Getenv("AUTH_BENCH_LARGE") != "":
		sizes = append(sizes, 1_000_000)
	}
	for _, on := range backends[:3] {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%s/%d", on.name, size), func(b *testing.B) {
				store, db := on.store(b)
				bytes := fill(b, store, db, on.server.Dialect, size)
				lookUp(b, store, size)
				if db == nil {
					b.ReportMetric(float64(bytes)/float64(size), "bytes/session")
				}
				runtime.KeepAlive(store)
			})
		}
	}
}

func lookUp(b *testing.B, store auth.Store, size int) {
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 7919) % size
		rows, err := store.Select(b.Context(), auth.Query{
			Table: sessions, Where: []auth.Condition{auth.Where("token", token(i))}, Limit: 1,
			Join: &auth.Join{Table: users, Column: "userId"},
		})
		if err != nil || len(rows) != 1 {
			b.Fatal(rows, err)
		}
	}
}

// fill stores sessions and a third as many users, and returns how much memory
// the sessions take in this process.
func fill(b *testing.B, store auth.Store, db *sql.DB, dialect auth.Dialect, size int) uint64 {
	b.Helper()
	if db != nil {
		if err := store.(auth.SchemaStore).Migrate(b.Context(), []*auth.Table{users, sessions}); err != nil {
			b.Fatal(err)
		}
		fillSQL(b, db, dialect, size)
		return 0
	}
	now := time.Now()
	insert := func(table *auth.Table, row auth.Row) {
		if err := store.Insert(b.Context(), table, row); err != nil {
			b.Fatal(err)
		}
	}
	for i := range (size + 2) / 3 {
		insert(users, auth.Row{"Ada Lovelace", fmt.Sprintf("ada-%d@example.com", i), false, nil, now, now, userID(i)})
	}
	before := heap()
	for i := range size {
		insert(sessions, auth.Row{now.Add(time.Hour), token(i), now, now, "203.0.113.7", browser, userID(i / 3), fmt.Sprintf("id-%029d", i)})
	}
	return heap() - before
}

// token is as long as a session's token, 32 characters, as are the ids.
func token(i int) string { return fmt.Sprintf("token-%026d", i) }

func userID(i int) string { return fmt.Sprintf("user-%027d", i) }

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// fillings are the statements with which the databases write the rows
// themselves, which is much faster. %d is the last number.
var fillings = map[auth.Dialect][]string{
	auth.SQLite: {
		`WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d / 3)
		INSERT INTO "user" ("name", "email", "emailVerified", "createdAt", "updatedAt", "id")
		SELECT 'Ada Lovelace', 'ada-' || n || '@example.com', 0, '2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z', printf('user-%%027d', n)
		FROM numbers`,
		`WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d)
		INSERT INTO "session" ("expiresAt", "token", "createdAt", "updatedAt", "ipAddress", "userAgent", "userId", "id")
		SELECT '2126-01-02T03:04:05.678Z', printf('token-%%026d', n), '2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z',
			'203.0.113.7', '` + browser + `', printf('user-%%027d', n / 3), printf('id-%%029d', n)
		FROM numbers`,
		`ANALYZE`,
	},
	auth.PostgreSQL: {
		`INSERT INTO "user" ("name", "email", "emailVerified", "createdAt", "updatedAt", "id")
		SELECT 'Ada Lovelace', 'ada-' || n || '@example.com', false, now(), now(), 'user-' || lpad(n::text, 27, '0')
		FROM generate_series(0, %d / 3) AS numbers(n)`,
		`INSERT INTO "session" ("expiresAt", "token", "createdAt", "updatedAt", "ipAddress", "userAgent", "userId", "id")
		SELECT now() + interval '1 hour', 'token-' || lpad(n::text, 26, '0'), now(), now(),
			'203.0.113.7', '` + browser + `', 'user-' || lpad((n / 3)::text, 27, '0'), 'id-' || lpad(n::text, 29, '0')
		FROM generate_series(0, %d) AS numbers(n)`,
		`VACUUM ANALYZE "user"`, `VACUUM ANALYZE "session"`,
	},
}

func fillSQL(b *testing.B, db *sql.DB, dialect auth.Dialect, size int) {
	b.Helper()
	for _, statement := range fillings[dialect] {
		if strings.Contains(statement, "%") {
			statement = fmt.Sprintf(statement, size-1)
		}
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatalf("%v: %s", err, statement)
		}
	}
}
