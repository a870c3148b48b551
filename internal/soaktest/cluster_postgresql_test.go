package soaktest

import (
	"cmp"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/seed3b05b409/auth/internal/testdb"
)

// newPostgreSQL starts a PostgreSQL server.
func newPostgreSQL(tb testing.TB) *cluster {
	tb.Helper()
	bin := findPostgreSQL()
	if bin == "" {
		missing(tb, "initdb", "PostgreSQL")
	}
	c := newCluster(tb, "PostgreSQL", "postgres")
	source := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", c.port)
	c.Database = testdb.Database{Driver: testdb.PostgreSQL.Driver, Source: source, URL: source}
	c.initialize(filepath.Join(bin, "initdb"), "--auth=trust", "--username=postgres", "--no-sync", "--pgdata="+c.dir)
	c.signal = "QUIT"
	c.program = []string{
		filepath.Join(bin, "postgres"), "-D", c.dir, "-k", c.dir, "-p", strconv.Itoa(c.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
	}
	tb.Cleanup(c.crash)
	c.start()
	return c
}

// findPostgreSQL returns where the programs of PostgreSQL's server are, empty if they
// are not there.
func findPostgreSQL() string {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }))
}
