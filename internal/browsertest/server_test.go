package browsertest

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testleak"
)

// buildFlags are those that the tests run with, as far as they matter.
var buildFlags []string

// workDir holds the built program for as long as the tests run.
var workDir string

func TestMain(m *testing.M) {
	var err error
	if workDir, err = os.MkdirTemp("", "browsertest"); err != nil {
		panic(err)
	}
	testleak.Main(m, func() { _ = os.RemoveAll(workDir) })
}

// The programs, each built when the first test needs it.
var (
	buildExample = builder("example")
	buildSPA     = builder("example", "spa")
)

// builder returns a function that builds the program in a folder and returns its path.
func builder(folder ...string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		program := filepath.Join(workDir, folder[len(folder)-1]+".exe")
		args := append([]string{"build", "-o", program}, buildFlags...)
		cmd := exec.Command("go", append(args, ".")...)
		cmd.Dir = filepath.Join(append([]string{"..", ".."}, folder...)...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		return program, cmd.Run()
	})
}

const (
	startTimeout = 20 * time.Second
	stopTimeout  = 20 * time.Second
)

var announcement = regexp.MustCompile(`(?:pages +|serving at )(http://[^\s/]+)`)

// noProviders hides those of the machine, so that there is the demonstration one.
var noProviders = []string{
	"GOOGLE_CLIENT_ID=", "GOOGLE_CLIENT_SECRET=", "GITHUB_CLIENT_ID=", "GITHUB_CLIENT_SECRET=",
	"MICROSOFT_CLIENT_ID=", "MICROSOFT_CLIENT_SECRET=", "DISCORD_CLIENT_ID=", "DISCORD_CLIENT_SECRET=",
	"OIDC_ISSUER=", "OIDC_CLIENT_ID=",
}

// startServer runs the example on a port of its own until the test ends, and
// returns its URL.
func startServer(t *testing.T) string {
	t.Helper()
	return startProgram(t, buildExample, "-addr", "localhost:0", "-db", filepath.Join(t.TempDir(), "example.db"))
}

// startProgram runs a program until the test ends and returns its URL. A race that it
// finds in itself fails the test by its exit status.
func startProgram(t *testing.T, build func() (string, error), args ...string) string {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatalf("the program does not build: %v", err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), noProviders...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	urls := make(chan string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		findURL(io.TeeReader(out, t.Output()), urls)
	}()
	t.Cleanup(func() { stopServer(t, cmd, drained) })
	select {
	case url := <-urls:
		return url
	case <-drained:
		t.Fatal("the program ended without an announcement")
	case <-time.After(startTimeout):
		t.Fatal("the program did not announce where it serves")
	}
	return ""
}

// findURL sends the announced URL and reads on, so that the program can write.
func findURL(out io.Reader, urls chan<- string) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := announcement.FindStringSubmatch(lines.Text()); found != nil {
			urls <- found[1]
		}
	}
}

// stopServer asks the program to end as Ctrl-C does.
func stopServer(t *testing.T, cmd *exec.Cmd, drained <-chan struct{}) {
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		_ = cmd.Process.Kill()
	}
	select {
	case <-drained:
	case <-time.After(stopTimeout):
		t.Error("the program did not end when it was interrupted")
		_ = cmd.Process.Kill()
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
}

// freePort returns a port at which nothing listens.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}
