// Package testnode gives tests the npm package better-auth and what it needs to
// run against databases and Redis, in the versions of package-lock.json, and builds
// programs that have a package-lock.json of their own. It also starts OpenID
// providers: StartOpenIDProvider a strict one, StartMockProvider one that lies.
//
// It needs node 20 or newer and npm, and the npm registry for its first run,
// which may take minutes. A test that lacks one of them is skipped with a line
// that says how to run it; with CI=true it fails.
package testnode

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

//go:embed package.json package-lock.json
var manifest embed.FS

//go:embed commands.mjs
var commands embed.FS

const npmTimeout = 10 * time.Minute // better-sqlite3 may have to be compiled

// Install returns a directory with the scripts, which can import the packages
// but for better-sqlite3. It is in the user's cache, for later runs and other
// tests, so the scripts should not write there.
func Install(tb testing.TB, scripts fs.FS) (dir string) {
	tb.Helper()
	Require(tb)
	return place(tb, scripts, InstallManifest(tb, manifest))
}

// InstallManifest returns a directory whose node_modules is what a manifest asks for:
// package.json and package-lock.json. It is in the user's cache like that of Install.
func InstallManifest(tb testing.TB, manifest fs.FS) (dir string) {
	tb.Helper()
	Require(tb)
	return packages(tb, manifest, "", npm{arguments: []string{"--ignore-scripts"}, needs: "the npm registry"})
}

// InstallSQLite is Install with better-sqlite3. Unless the download of a compiled
// one succeeds, that needs a C++ compiler, make and python3.
func InstallSQLite(tb testing.TB, scripts fs.FS) (dir string) {
	tb.Helper()
	Require(tb)
	return place(tb, scripts, packages(tb, manifest, "-sqlite-"+ask(tb, "process.versions.modules"), npm{
		environment: headers(ask(tb, "process.execPath")),
		needs:       "the npm registry and, to compile better-sqlite3, a C++ compiler, make, python3 and the headers of node",
	}))
}

// Build returns a directory with the program after npm run build. It is in the
// user's cache, for later runs. The packages of its package-lock.json are above it,
// so that only a change of package.json, package-lock.json or .npmrc installs them
// again.
func Build(tb testing.TB, program fs.FS) (dir string) {
	tb.Helper()
	home := InstallManifest(tb, only{program, []string{"package.json", "package-lock.json", ".npmrc"}})
	dir = filepath.Join(home, "program-"+hash(tb, program))
	once(tb, dir, func(dir string) error {
		if err := os.CopyFS(dir, program); err != nil {
			return err
		}
		command := exec.CommandContext(tb.Context(), "npm", "run", "build")
		command.Dir = dir
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("npm run build: %w\n%s", err, out)
		}
		return nil
	})
	return dir
}

// only is the part of a file system that has the names.
type only struct {
	fs.FS
	names []string
}

// ReadDir leaves out of the root what has another name.
func (o only) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(o.FS, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !slices.Contains(o.names, e.Name()) }), err
}

// Require ends the test on a machine without node and npm.
func Require(tb testing.TB) {
	tb.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			Missing(tb, tool+" is missing", "to run this test, install node 20 or newer and npm")
		}
	}
}

// Missing skips the test on a machine without what it needs, but not in CI.
func Missing(tb testing.TB, what, remedy string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf("%s: %s", what, remedy)
	}
	tb.Skipf("%s: %s", what, remedy)
}

// ask returns the value of an expression in node.
func ask(tb testing.TB, expression string) string {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), "node", "-p", expression).Output()
	if err != nil {
		tb.Fatalf("node -p %s: %v", expression, err)
	}
	return strings.TrimSpace(string(out))
}

// headers tells npm where the headers of the installed node are, if they are
// there, so that a compilation need not download them.
func headers(node string) (environment []string) {
	program, err := filepath.EvalSymlinks(node)
	if err != nil {
		return nil
	}
	dir := filepath.Dir(filepath.Dir(program))
	if _, err := os.Stat(filepath.Join(dir, "include", "node", "node.h")); err != nil {
		return nil
	}
	return []string{"npm_config_nodedir=" + dir}
}

// npm is how npm ci runs.
type npm struct {
	arguments, environment []string
	needs                  string // what it may lack when it fails
}

func (n npm) install(tb testing.TB, dir string, manifest fs.FS) error {
	tb.Helper()
	if err := os.CopyFS(dir, manifest); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(tb.Context(), npmTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, "npm", append([]string{"ci", "--no-audit", "--no-fund"}, n.arguments...)...)
	command.Dir, command.Env = dir, append(os.Environ(), n.environment...)
	if out, err := command.CombinedOutput(); err != nil {
		tb.Logf("npm ci: %v\n%s", err, out)
		Missing(tb, "npm ci failed", "it needs "+n.needs)
	}
	return nil
}

// packages returns a directory whose node_modules is what the lock file of the
// manifest asks for.
func packages(tb testing.TB, manifest fs.FS, kind string, n npm) (dir string) {
	tb.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir = filepath.Join(cache, "auth-testnode", hash(tb, manifest)+kind)
	once(tb, dir, func(dir string) error {
		tb.Helper()
		return n.install(tb, dir, manifest)
	})
	return dir
}

// place puts scripts below the packages, where node looks for what they import,
// and commands.mjs beside them.
func place(tb testing.TB, scripts fs.FS, packages string) (dir string) {
	tb.Helper()
	dir = filepath.Join(packages, "scripts-"+hash(tb, scripts)+hash(tb, commands))
	once(tb, dir, func(dir string) error { return errors.Join(os.CopyFS(dir, scripts), os.CopyFS(dir, commands)) })
	return dir
}

// hash is of names and contents.
func hash(tb testing.TB, files fs.FS) string {
	tb.Helper()
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		fmt.Fprintf(sum, "%q %q\n", path, content)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// once fills a directory that does not exist. It is filled beside its place and
// then moved there, so that it is complete whenever it exists. When several
// processes do that at the same time, the first one's stays.
func once(tb testing.TB, dir string, fill func(dir string) error) {
	tb.Helper()
	if _, err := os.Stat(dir); err == nil {
		return
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		tb.Fatal(err)
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "unfinished-")
	if err != nil {
		tb.Fatal(err)
	}
	defer os.RemoveAll(work)
	if err := fill(work); err != nil {
		tb.Fatal(err)
	}
	if err := os.Rename(work, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, raced := os.Stat(dir); raced != nil {
			tb.Fatal(err)
		}
	}
}
