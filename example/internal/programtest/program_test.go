package programtest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testleak"
)

// root is the directory of the whole repository, where people start the programs.
var root = filepath.Join("..", "..", "..")

// workDir holds the built programs for as long as the tests run.
var workDir string

func TestMain(m *testing.M) {
	var err error
	if workDir, err = os.MkdirTemp("", "programtest"); err != nil {
		panic(err)
	}
	testleak.Main(m, func() { _ = os.RemoveAll(workDir) })
}

// names are the programs, which are the folders with a main.go.
var names = sync.OnceValue(func() (names []string) {
	files, _ := filepath.Glob(filepath.Join(root, "example", "*", "main.go")) // the pattern is a good one
	for _, file := range files {
		names = append(names, filepath.Base(filepath.Dir(file)))
	}
	return names
})

// driven are the programs that these tests use: those without tests of their own.
var driven = sync.OnceValue(func() []string {
	return slices.DeleteFunc(slices.Clone(names()), func(name string) bool {
		own, _ := filepath.Glob(filepath.Join(root, "example", name, "*_test.go"))
		return len(own) > 0
	})
})

// build makes all of them at once, so that what they share is compiled once.
var build = sync.OnceValues(func() (dir string, err error) {
	args := []string{"build", "-o", workDir + string(filepath.Separator)}
	for _, name := range driven() {
		args = append(args, "./"+name)
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = filepath.Join(root, "example")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return workDir, nil
})

const (
	startTimeout = 20 * time.Second
	stopTimeout  = 20 * time.Second
)

// A program is one that runs.
type program struct {
	t     *testing.T
	url   string
	cmd   *exec.Cmd
	ended chan error
}

// A run is how to start a program.
type run struct {
	args, env []string
	addr      string // default: a free one
}

// start runs a program until the end of the test.
func start(t *testing.T, name string, r run) *program {
	t.Helper()
	p, err := r.start(t, name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// start is for any goroutine. A port that was free may be taken meanwhile; then it
// takes another one.
func (r run) start(t *testing.T, name string) (p *program, err error) {
	t.Helper()
	for range 3 {
		addr := r.addr
		if addr == "" {
			if addr, err = freeAddr(); err != nil {
				return nil, err
			}
		}
		p, err = launch(t, name, addr, r)
		if err == nil || r.addr != "" || !strings.Contains(err.Error(), "address already in use") {
			break
		}
	}
	return p, err
}

// freeAddr returns an address at which nothing listens.
func freeAddr() (string, error) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("localhost:%d", listener.Addr().(*net.TCPAddr).Port), listener.Close()
}

func launch(t *testing.T, name, addr string, r run) (*program, error) {
	t.Helper()
	dir, err := build()
	if err != nil {
		return nil, err
	}
	output := &announcement{to: t.Output(), url: make(chan string, 1)}
	p := &program{t: t, ended: make(chan error, 1)}
	p.cmd = exec.Command(filepath.Join(dir, name), append([]string{"-addr", addr}, r.args...)...)
	p.cmd.Env = append(append(os.Environ(), "AUTH_SECRET="), r.env...)
	p.cmd.Dir = root
	p.cmd.Stdout, p.cmd.Stderr = output, output
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.cmd.Wait() }()
	deadline := time.After(startTimeout)
	select {
	case p.url = <-output.url:
	case err := <-p.ended:
		return nil, fmt.Errorf("%s ended: %v\n%s", name, err, output)
	case <-deadline:
		_ = p.cmd.Process.Kill()
		return nil, fmt.Errorf("%s did not say where it serves:\n%s", name, output)
	}
	t.Cleanup(p.stop)
	return p, nil
}

func (p *program) addr() string { return strings.TrimPrefix(p.url, "http://") }

// stop tells the program to end and waits until it has. What it does then has to
// succeed, unless it is one without any graceful end.
func (p *program) stop() {
	p.t.Helper()
	select {
	case err := <-p.ended:
		p.ended <- err
		return // it was stopped or killed before
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		_ = p.cmd.Process.Kill()
	}
	select {
	case err := <-p.ended:
		p.ended <- nil
		if err != nil && filepath.Base(p.cmd.Path) != "minimal" {
			p.t.Errorf("%s ended with %v", p.cmd.Path, err)
		}
	case <-time.After(stopTimeout):
		p.t.Errorf("%s did not end when it was told to", p.cmd.Path)
		_ = p.cmd.Process.Kill()
	}
}

// kill ends the program as a power failure does.
func (p *program) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	p.ended <- <-p.ended
}

// An announcement is what a program writes until it says where it serves, which it
// sends.
type announcement struct {
	to  io.Writer
	url chan string

	mu    sync.Mutex
	text  bytes.Buffer
	found bool
}

var announced = regexp.MustCompile(`serving at (http://[^\s/]+)\n`)

func (a *announcement) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.found {
		return a.to.Write(p)
	}
	a.text.Write(p)
	if m := announced.FindSubmatch(a.text.Bytes()); m != nil {
		a.found = true
		a.url <- string(m[1])
	}
	return a.to.Write(p)
}

func (a *announcement) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text.String()
}
