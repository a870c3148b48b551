package redistest

import (
	"bufio"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

//go:embed package.json package-lock.json server.mjs
var sources embed.FS

const (
	howToRunNode = "to run this test, install node 20 or newer and npm"
	npmTimeout   = 5 * time.Minute
)

// startNode runs server.mjs and returns its origin.
func startNode(t *testing.T, prefix string) string {
	t.Helper()
	dir := scripts(t)
	node := exec.CommandContext(t.Context(), "node", "server.mjs")
	node.Dir, node.Stderr = dir, os.Stderr
	node.Env = append(os.Environ(), "AUTH_SECRET="+secret, "AUTH_TEST_REDIS="+redisAddress(), "REDIS_PREFIX="+prefix)
	input, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close() // ends it
		_ = node.Wait()
	})
	lines := bufio.NewScanner(output)
	if !lines.Scan() {
		t.Fatalf("server.mjs did not say where it serves: %v", lines.Err())
	}
	return lines.Text()
}

// scripts returns a directory outside of the repository with the script and what
// it imports.
func scripts(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, "%s is missing: %s", tool, howToRunNode)
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, sources); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(packages(t), "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// missing skips the test, but not in CI.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
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
	dir := filepath.Join(cache, "auth-redistest", hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err != nil {
		install(t, dir)
	}
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
		missing(t, "npm ci failed, perhaps without a network: %v; %s\n%s", err, howToRunNode, out)
	}
	if err := os.Rename(work, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, raced := os.Stat(dir); raced != nil {
			t.Fatal(err)
		}
	}
}
