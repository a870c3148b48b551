package main

import (
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
)

func TestParseSource(t *testing.T) {
	const pragmas = "?_pragma=busy_timeout%285000%29&_pragma=journal_mode%28WAL%29&_pragma=synchronous%28NORMAL%29&_pragma=foreign_keys%28ON%29"
	for _, c := range []struct {
		flag    string
		dialect auth.Dialect
		dsn     string
		shown   string
	}{
		{"memory", "", "", "memory"},
		{"example.db", auth.SQLite, "file:example.db" + pragmas, "example.db"},
		{"sqlite:example.db", auth.SQLite, "file:example.db" + pragmas, "example.db"},
		{"sqlite:///var/lib/a.db", auth.SQLite, "file:/var/lib/a.db" + pragmas, "/var/lib/a.db"},
		{"./what?.db#1", auth.SQLite, "file:./what%3F.db%231" + pragmas, "./what?.db#1"},
		{`C:\data\a.db`, auth.SQLite, "", `C:\data\a.db`},
		{"postgres://ada:pw@db:5432/app?sslmode=disable&password=pw", auth.PostgreSQL,
			"postgres://ada:pw@db:5432/app?sslmode=disable&password=pw", "postgres://ada@db:5432/app"},
		{"postgresql:///app?host=/run/postgresql", auth.PostgreSQL, "postgresql:///app?host=/run/postgresql", "postgresql:///app"},
		{"mysql://ada:p%40w@db/app", auth.MySQL, "ada:p@w@tcp(db:3306)/app", "mysql://ada@db:3306/app"},
		{"mysql://ada@[::1]:3307/app?tls=true", auth.MySQL, "ada@tcp([::1]:3307)/app?tls=true", "mysql://ada@[::1]:3307/app"},
		{"mysql:///app", auth.MySQL, "tcp(127.0.0.1:3306)/app", "mysql://@127.0.0.1:3306/app"},
		{"ada:pw@unix(/run/mysqld.sock)/app", auth.MySQL, "ada:pw@unix(/run/mysqld.sock)/app", "mysql://ada@/run/mysqld.sock/app"},
	} {
		got, err := parseSource(c.flag)
		if err != nil || got.dialect != c.dialect || c.dsn != "" && got.dsn != c.dsn || got.shown != c.shown {
			t.Errorf("%s: %+v, %v", c.flag, got, err)
		}
	}
}

func TestParseSourceReportsMistakes(t *testing.T) {
	for flag, says := range map[string]string{
		"":                               "no file given",
		"sqlite:":                        "no file given",
		"mongodb://ada:secret@localhost": "no database has URLs that begin with mongodb",
		"mysql://ada:secret@localhost":   "name of the database is missing",
		"ada:secret@tcp(localhost)/":     "name of the database is missing",
		"mysql://ada:secret@db/a?loc=%":  "invalid URL escape",
		"mysql://ada:secret@db/a?loc=x":  "unknown time zone x",
		"postgres://ada:secret%@db/a":    "invalid URL escape",
	} {
		_, err := parseSource(flag)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q in it", flag, err, says)
		}
	}
}
