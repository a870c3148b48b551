package soaktest

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	osuser "os/user"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testdb"
)

// A cluster is a database server of the test's own, which it can crash.
type cluster struct {
	testdb.Database
	tb      testing.TB
	name    string // of the product
	dir     string // of the data
	port    int
	owner   *syscall.SysProcAttr // who runs it
	program []string             // that starts it
	signal  string               // that makes it crash

	command *exec.Cmd
	life    io.Closer // of the server, which ends with it or with this program
}

// newCluster prepares one that root runs as another user.
func newCluster(tb testing.TB, name, user string) *cluster {
	tb.Helper()
	c := &cluster{tb: tb, name: name, port: freePort(tb)}
	c.makeDirectory(user)
	tb.Cleanup(func() { _ = os.RemoveAll(c.dir) })
	return c
}

// missing skips a test whose server is not installed, or fails it with CI=true.
func missing(tb testing.TB, program, product string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf("no %s: install %s's server", program, product)
	}
	tb.Skipf("no %s: install %s's server to have it crash", program, product)
}

// makeDirectory makes that of the data. Root is not let: a user stands in.
func (c *cluster) makeDirectory(name string) {
	var err error
	if c.dir, err = os.MkdirTemp("", "auth-soak-"); err != nil {
		c.tb.Fatal(err)
	}
	if os.Getuid() != 0 {
		return
	}
	owner, err := osuser.Lookup(name)
	if err != nil {
		c.tb.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
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

// environment has a place for temporary files that the server may write to.
func (c *cluster) environment() []string { return append(os.Environ(), "TMPDIR="+c.dir) }

// initialize makes the data of a new server.
func (c *cluster) initialize(program string, arguments ...string) {
	command := exec.Command(program, arguments...)
	command.SysProcAttr, command.Dir, command.Env = c.owner, c.dir, c.environment()
	if out, err := command.CombinedOutput(); err != nil {
		c.tb.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// start starts the server and waits until it answers. A shell stands between, which
// makes it crash when this program closes a pipe or ends.
func (c *cluster) start() {
	guard := fmt.Sprintf(`"$@" & server=$!; cat >/dev/null; kill -%s $server; wait $server`, c.signal)
	c.command = exec.Command("sh", append([]string{"-c", guard, "guard"}, c.program...)...)
	c.command.SysProcAttr, c.command.Dir, c.command.Env = c.owner, c.dir, c.environment()
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
			c.tb.Errorf("%s does not answer: %v", c.name, err)
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
