package soaktest

import (
	"cmp"
	"database/sql"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testdb"
)

// A cluster is a PostgreSQL server of the test's own, which it can crash.
type cluster struct {
	testdb.Database
	tb       testing.TB
	bin, dir string
	port     int
	owner    *syscall.SysProcAttr // who runs it

	command *exec.Cmd
	life    io.Closer // of the server, which ends with it or with this program
}

// newCluster starts one. Without the programs it skips the test, or fails with
// CI=true.
func newCluster(tb testing.TB) *cluster {
	tb.Helper()
	c := &cluster{tb: tb, bin: findCluster()}
	switch {
	case c.bin != "":
	case os.Getenv("CI") == "true":
		tb.Fatal("no initdb: install PostgreSQL's server")
	default:
		tb.Skip("no initdb: install PostgreSQL's server to have it crash")
	}
	c.makeDirectory()
	tb.Cleanup(func() { _ = os.RemoveAll(c.dir) })
	c.port = freePort(tb)
	source := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", c.port)
	c.Database = testdb.Database{Driver: testdb.PostgreSQL.Driver, Source: source, URL: source}
	initialize := exec.Command(filepath.Join(c.bin, "initdb"), "--auth=trust", "--username=postgres", "--no-sync", "--pgdata="+c.dir)
	initialize.SysProcAttr, initialize.Dir = c.owner, c.dir
	if out, err := initialize.CombinedOutput(); err != nil {
		tb.Fatalf("initdb: %v\n%s", err, out)
	}
	tb.Cleanup(c.crash)
	c.start()
	return c
}

// findCluster returns where the programs of PostgreSQL's server are, empty if they
// are not there.
func findCluster() string {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }))
}

// makeDirectory makes that of the data. Root is not let: the user postgres stands in.
func (c *cluster) makeDirectory() {
	var err error
	if c.dir, err = os.MkdirTemp("", "auth-soak-"); err != nil {
		c.tb.Fatal(err)
	}
	if os.Getuid() != 0 {
		return
	}
	postgres, err := osuser.Lookup("postgres")
	if err != nil {
		c.tb.Fatal(err)
	}
	uid, _ := strconv.Atoi(postgres.Uid)
	gid, _ := strconv.Atoi(postgres.Gid)
	c.owner = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if err := os.Chown(c.dir, uid, gid); err != nil {
		c.tb.Fatal(err)
	}
}

func freePort(tb testing.TB) int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

// start starts the server and waits until it answers. A shell stands between, which
// makes it crash when this program closes a pipe or ends.
func (c *cluster) start() {
	const guard = `"$@" & server=$!; cat >/dev/null; kill -QUIT $server; wait $server`
	c.command = exec.Command("sh", "-c", guard, "guard", filepath.Join(c.bin, "postgres"),
		"-D", c.dir, "-k", c.dir, "-p", strconv.Itoa(c.port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off")
	c.command.SysProcAttr, c.command.Dir = c.owner, c.dir
	var err error
	if c.life, err = c.command.StdinPipe(); err != nil {
		c.tb.Fatal(err)
	}
	if err := c.command.Start(); err != nil {
		c.tb.Fatal(err)
	}
	c.await()
}

func (c *cluster) await() {
	db, err := sql.Open(c.Driver, c.Source)
	if err != nil {
		c.tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if err = db.Ping(); err == nil {
			return
		}
		if time.Since(begun) > patience {
			c.tb.Errorf("PostgreSQL does not answer: %v", err)
			return
		}
	}
}

// crash ends the server at once: what it has in memory is lost.
func (c *cluster) crash() {
	if c.command == nil {
		return
	}
	_ = c.life.Close()
	_ = c.command.Wait()
	c.command = nil
}
