package benchmarks

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

//go:embed package.json package-lock.json original.mjs
var sources embed.FS

const npmTimeout = 10 * time.Minute // better-sqlite3 may have to be compiled

// scripts returns a directory with original.mjs and what it imports, outside of
// the repository, which stays as it was cloned.
func scripts(b *testing.B) string {
	b.Helper()
	installed, dir := packages(b), b.TempDir()
	if err := os.CopyFS(dir, sources); err != nil {
		b.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		b.Fatal(err)
	}
	return dir
}

// packages returns a directory whose node_modules is what the lock file asks
// for. It is kept in the user's cache, by the hash of what npm reads.
func packages(b *testing.B) string {
	b.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(b, tool+" is missing", "install node 20 or newer and npm")
		}
	}
	read := sha256.New()
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := sources.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		read.Write(text)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "auth-benchmarks", hex.EncodeToString(read.Sum(nil)[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	install(b, dir)
	return dir
}

// install runs npm ci beside dir and then moves the result there, so that dir
// is complete whenever it exists.
func install(b *testing.B, dir string) {
	b.Helper()
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		b.Fatal(err)
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "install-")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(work)
	if err := os.CopyFS(work, sources); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), npmTimeout)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
	npm.Dir = work
	npm.Env = append(os.Environ(), nodeHeaders(ctx)...)
	if out, err := npm.CombinedOutput(); err != nil {
		b.Logf("npm ci: %v\n%s", err, out)
		missing(b, "npm ci failed", "it needs the npm registry and, to compile better-sqlite3, a C++ compiler, make, python3 and the headers of node")
	}
	if err := os.Rename(work, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, raced := os.Stat(dir); raced != nil {
			b.Fatal(err)
		}
	}
}

// nodeHeaders tells npm where the headers of the installed node are, if they are
// there, so that a compilation need not download them.
func nodeHeaders(ctx context.Context) []string {
	out, err := exec.CommandContext(ctx, "node", "-p", "process.execPath").Output()
	if err != nil {
		return nil
	}
	program, err := filepath.EvalSymlinks(strings.TrimSpace(string(out)))
	if err != nil {
		return nil
	}
	dir := filepath.Dir(filepath.Dir(program))
	if _, err := os.Stat(filepath.Join(dir, "include", "node", "node.h")); err != nil {
		return nil
	}
	return []string{"npm_config_nodedir=" + dir}
}
