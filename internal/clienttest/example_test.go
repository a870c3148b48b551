package clienttest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testnode"
)

// The first thing that a reader does: start the example, then point a client at
// it. The example is built outside of this module, so the test's cache does not
// notice when it changes: add -count=1 then.
func TestOfficialClientAgainstExample(t *testing.T) {
	testnode.Require(t)
	trio{Plain: startExample(t)}.drive(t, "everywhere")
}

// startExample runs the example on a free port and returns its origin.
func startExample(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "example")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = filepath.Join("..", "..", "example")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build ./example: %v\n%s", err, out)
	}
	server := exec.CommandContext(t.Context(), program, "-addr", "localhost:0")
	server.Dir = dir // where it makes its database
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) }
	server.WaitDelay = 15 * time.Second
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Wait() }) // the test's context has ended it
	return announced(t, output)
}

// announced reads the address of the API from what the example prints, and lets
// it print on.
func announced(t *testing.T, output io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "API "); ok {
			go func() { _, _ = io.Copy(io.Discard, output) }()
			return strings.TrimSuffix(strings.TrimSpace(url), "/api/auth")
		}
	}
	t.Fatalf("the example did not say where it serves: %v", lines.Err())
	return ""
}
