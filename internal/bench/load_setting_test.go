package bench

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"os"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
	"github.com/seed3b05b409/auth/internal/testnode"
)

// A setting tells a server process which peer it is and where its sessions are: in
// memory, unless a field says something else. Go and node read it as JSON from the
// variable settingVariable.
type setting struct {
	Peer        string          `json:"peer"`
	Origin      string          `json:"origin"`
	Secret      string          `json:"secret"`
	Dialect     auth.Dialect    `json:"dialect"`     // of Database
	Database    testdb.Database `json:"database"`    // with the tables
	Redis       string          `json:"redis"`       // address of a secondary storage
	Prefix      string          `json:"prefix"`      // of the keys there
	CookieCache bool            `json:"cookieCache"` // sessions are read from a compact copy in a cookie
	Plain       bool            `json:"plain"`       // passwords are stored as they are
	Guarded     bool            `json:"guarded"`     // with the timeouts that the documentation recommends
}

// settingVariable makes this program a server instead of a test.
const settingVariable = "AUTH_BENCH_SERVE"

// inMemory is what all settings begin with.
var inMemory = setting{Origin: origin, Secret: secret}

// as returns the setting for a peer.
func (s setting) as(peer string) setting {
	s.Peer = peer
	return s
}

// shared reports whether servers share sessions, one person's cookies being good
// on each of them.
func (s setting) shared() bool { return s.Dialect != "" || s.Redis != "" || s.CookieCache }

// maxConnections is the size of every peer's pool.
const maxConnections = 8

// openDatabase opens the database for the life of the process.
func (s setting) openDatabase() (*sql.DB, error) {
	db, err := sql.Open(s.Database.Driver, s.Database.Source)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	return db, nil
}

func (s setting) openRedis() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.Redis, PoolSize: maxConnections})
}

// A home is where servers keep sessions.
type home struct {
	name  string
	empty func(tb testing.TB) setting
}

// homes have the names of the performance report.
var homes = []home{
	{"memory", func(testing.TB) setting { return inMemory }},
	{"SQLite", inDatabase(testdb.SQLite, sqliteCommits)},
	{"PostgreSQL", inDatabase(testdb.PostgreSQL, "synchronous_commit=off")},
	{"MariaDB", inDatabase(testdb.MySQL, "parseTime=true&time_zone=%27%2B00:00%27")},
	{"Redis", inRedis},
	{"cookie cache", inCookies},
}

func inDatabase(server testdb.Server, parameters string) func(testing.TB) setting {
	return func(tb testing.TB) setting {
		tb.Helper()
		s := inMemory
		s.Dialect, s.Database = server.Dialect, server.New(tb).With(parameters)
		return s
	}
}

func inCookies(testing.TB) setting {
	s := inMemory
	s.CookieCache = true
	return s
}

// inRedis returns a setting with a key prefix of its own, whose keys are removed in
// the end.
func inRedis(tb testing.TB) setting {
	tb.Helper()
	s := inMemory
	s.Redis, s.Prefix = cmp.Or(os.Getenv("AUTH_TEST_REDIS"), "127.0.0.1:6379"), "auth-bench:"+rand.Text()+":"
	client := s.openRedis()
	if err := client.Ping(tb.Context()).Err(); err != nil {
		_ = client.Close()
		testnode.Missing(tb, "no Redis: "+err.Error(), "start a Redis at 127.0.0.1:6379 or name one in AUTH_TEST_REDIS")
	}
	tb.Cleanup(func() {
		defer client.Close()
		found := client.Scan(context.Background(), 0, s.Prefix+"*", 1000).Iterator()
		for found.Next(context.Background()) {
			client.Del(context.Background(), found.Val())
		}
		if err := found.Err(); err != nil {
			tb.Error(err)
		}
	})
	return s
}
