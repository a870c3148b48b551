package clienttest

import (
	"bufio"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

//go:embed package.json package-lock.json *.mjs
var sources embed.FS

const (
	howToRun    = "to run this test, install node 20 or newer and npm"
	npmTimeout  = 5 * time.Minute
	nodeTimeout = 3 * time.Minute
)

// drive runs the steps against a server, each as a subtest. Without an outbox
// they are those that every server passes.
func drive(t *testing.T, origin, outbox string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), nodeTimeout)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "drive.mjs")
	node.Dir = scripts(t)
	node.Env = append(os.Environ(), "AUTH_URL="+origin, "OUTBOX_URL="+outbox)
	var complaints strings.Builder
	node.Stderr = &complaints
	out, err := node.Output()
	if report(t, string(out)) == 0 || err != nil && !t.Failed() {
		t.Errorf("node drive.mjs: %v\n%s%s", err, out, complaints.String())
	}
}

// report turns the script's lines into subtests and returns how many there are.
func report(t *testing.T, output string) (steps int) {
	lines := bufio.NewScanner(strings.NewReader(output))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct{ Step, Error string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Errorf("drive.mjs printed %q: %v", lines.Text(), err)
			continue
		}
		steps++
		t.Run(line.Step, func(t *testing.T) {
			if line.Error != "" {
				t.Error(line.Error)
			}
		})
	}
	return steps
}

// scripts returns a directory with the scripts and what they import. It is
// outside of the repository, which stays as it was cloned.
func scripts(t *testing.T) string {
	t.Helper()
	requireTool(t, "node")
	requireTool(t, "npm")
	dir := t.TempDir()
	if err := os.CopyFS(dir, sources); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(packages(t), "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// requireTool skips the test on a machine without the tool, but not in CI.
func requireTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: %s", name, howToRun)
	}
	t.Skipf("%s is missing: %s", name, howToRun)
}

// packages returns a directory whose node_modules is what the lock file asks
// for. It is kept in the user's cache, by the lock file's hash.
func packages(t *testing.T) string {
	t.Helper()
	lock, err := sources.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	sum := sha256.Sum256(lock)
	dir := filepath.Join(cache, "auth-clienttest", hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	install(t, dir)
	return dir
}

// install runs npm ci beside dir and then moves the result there, so that dir
// is complete whenever it exists.
func install(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "install-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(work)
	if err := os.CopyFS(work, sources); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), npmTimeout)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = work
	if out, err := npm.CombinedOutput(); err != nil {
		if os.Getenv("CI") != "true" {
			t.Skipf("npm ci failed, perhaps without a network: %v; %s", err, howToRun)
		}
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	if err := os.Rename(work, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, raced := os.Stat(dir); raced != nil {
			t.Fatal(err)
		}
	}
}
