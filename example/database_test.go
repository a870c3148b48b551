package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
)

// Who has signed up is still signed in when the program has ended and begun
// again, and lives on from there. On a server's database the secret must be the
// same too.
func TestRestart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, kind testdb.Server) {
		chosen := options{addr: "localhost:0", database: kind.New(t).URL}
		if kind.Dialect != auth.SQLite {
			chosen.secret = strings.Repeat("s", 32)
		}
		base, stop := startProgram(t, chosen)
		b := browserAt(t, base)
		b.signUp("ada@example.com").says("Ada Lovelace", "Not verified")
		session := b.cookies()
		stop()

		base, stop = startProgram(t, chosen)
		defer stop()
		b = browserAt(t, base)
		b.takeCookies(session)
		b.open("/account").at("/account").says("Ada Lovelace", "ada@example.com")
		b.post("/account", "name", "Countess of Lovelace 👑", "image", "").at("/account").says("Countess of Lovelace 👑")
		b.post("/password", "password", firstPassword, "new-password", secondPassword, "revoke", "on").
			at("/password").notices("Your password is changed.")
		b.open("/sessions").at("/sessions").says("This device").saysNot("Sign out all others")
		b.post("/sign-up", "name", "Eve", "email", "ADA@example.com", "new-password", firstPassword).
			notices("Error: User already exists. Use another email.")
		b.post("/sign-out").at("/sign-in")
		b.signIn("ada@example.com", firstPassword).at("/sign-in")
		b.signIn("ada@example.com", secondPassword).at("/account")
	})
}

// browserAt is a browser at a program that startProgram has started.
func browserAt(t *testing.T, base string) *browser {
	return (&server{url: strings.TrimSuffix(base, "/")}).browser(t)
}

func (b *browser) cookies() []*http.Cookie { return b.client.Jar.Cookies(b.url()) }

func (b *browser) takeCookies(cookies []*http.Cookie) {
	b.client.Jar, _ = cookiejar.New(nil)
	b.client.Jar.SetCookies(b.url(), cookies)
}

func (b *browser) url() *url.URL {
	u, err := url.Parse(b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

// A secret of its own for every run would end all sessions: the cookie must be
// refused then, or TestRestart proves nothing.
func TestRestartWithAnotherSecret(t *testing.T) {
	chosen := options{addr: "localhost:0", database: filepath.Join(t.TempDir(), "test.db")}
	base, stop := startProgram(t, chosen)
	b := browserAt(t, base)
	b.signUp("ada@example.com")
	session := b.cookies()
	stop()
	if err := os.Remove(chosen.database + ".secret"); err != nil {
		t.Fatal(err)
	}
	base, stop = startProgram(t, chosen)
	defer stop()
	b = browserAt(t, base)
	b.takeCookies(session)
	b.open("/account").at("/sign-in")
	b.signIn("ada@example.com", firstPassword).at("/account")
}

// Tables of others that are in the way are reported before anybody signs up.
func TestTablesOfOthers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, kind testdb.Server) {
		source := kind.New(t).URL
		db, err := openDatabase(t.Context(), source)
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.pool.ExecContext(t.Context(), `CREATE TABLE verification (id varchar(36) NOT NULL PRIMARY KEY, reason varchar(10) NOT NULL)`)
		if err = db.close(err); err != nil {
			t.Fatal(err)
		}
		err = run(t.Context(), options{addr: "localhost:0", database: source}, nil)
		if want := `column "reason" is NOT NULL and has no default`; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	})
}

// The hashes of passwords are for nobody else on the machine.
func TestFilesArePrivate(t *testing.T) {
	dir := t.TempDir()
	base, stop := startProgram(t, options{addr: "localhost:0", database: filepath.Join(dir, "what?.db#1")})
	browserAt(t, base).signUp("ada@example.com")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 4 { // the database, its log and the index of that, the secret
		t.Errorf("files %v", files)
	}
	for _, file := range files {
		if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file.Name(), info.Mode(), err)
		}
	}
	stop()
	if files, err = os.ReadDir(dir); err != nil || len(files) != 2 { // closed: the log is gone
		t.Errorf("files %v after the end, %v", files, err)
	}
}
