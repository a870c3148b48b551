package soaktest

import (
	"fmt"
	"os/exec"
	"strconv"
	"testing"

	"github.com/seed3b05b409/auth/internal/testdb"
)

// The user of MariaDB whom a read-only server binds too, unlike root.
const mariaDBUser = "app"

// newMariaDB starts a MariaDB server. Its database is root's, its source that of
// mariaDBUser. A commit survives the end of the process, if not of the machine.
func newMariaDB(tb testing.TB) *cluster {
	tb.Helper()
	program, err := exec.LookPath("mariadbd")
	if err != nil {
		missing(tb, "mariadbd", "MariaDB")
	}
	c := newCluster(tb, "MariaDB", "mysql")
	source := fmt.Sprintf("root@tcp(127.0.0.1:%d)/", c.port)
	c.Database = testdb.Database{Driver: testdb.MySQL.Driver, Source: source}
	c.initialize("mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--datadir="+c.dir)
	c.signal = "KILL"
	c.program = []string{
		program, "--no-defaults", "--datadir=" + c.dir, "--socket=" + c.dir + "/socket", "--port=" + strconv.Itoa(c.port),
		"--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=2",
	}
	tb.Cleanup(c.crash)
	c.start()
	return c
}
