package testnode

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
)

// TestInstall: scripts find the packages, and better-sqlite3 where they asked for
// it.
func TestInstall(t *testing.T) {
	for _, test := range []struct {
		name    string
		install func(tb testing.TB, scripts fs.FS) string
		script  string
	}{
		{"packages", Install, `import "better-auth"; import "@better-auth/redis-storage"; import "ioredis"; import "happy-dom"; import "react-dom/client"; import "tough-cookie"; console.log(42)`},
		{"SQLite", InstallSQLite, `import "better-auth"; import Database from "better-sqlite3"; console.log(new Database(":memory:").prepare("SELECT 42").pluck().get())`},
	} {
		t.Run(test.name, func(t *testing.T) {
			node := exec.CommandContext(t.Context(), "node", "script.mjs")
			node.Dir = test.install(t, fstest.MapFS{"script.mjs": {Data: []byte(test.script)}})
			out, err := node.CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != "42" {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestBuild: npm run build runs once, among the packages.
func TestBuild(t *testing.T) {
	program := fstest.MapFS{
		"package.json":      {Data: []byte(`{"name": "program", "private": true, "scripts": {"build": "node build.mjs"}}`)},
		"package-lock.json": {Data: []byte(`{"name": "program", "lockfileVersion": 3, "requires": true, "packages": {"": {"name": "program"}}}`)},
		"build.mjs":         {Data: []byte(`import { writeFileSync } from "node:fs"; writeFileSync("built.txt", "` + t.TempDir() + ` " + Math.random())`)},
		"src/text.txt":      {Data: []byte("text")},
	}
	first := Build(t, program)
	built, err := os.ReadFile(filepath.Join(first, "built.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(first, "src", "text.txt")); string(text) != "text" {
		t.Error(text, err)
	}
	again, err := os.ReadFile(filepath.Join(Build(t, program), "built.txt"))
	if err != nil || string(again) != string(built) {
		t.Errorf("built again: %s, %v", again, err)
	}
	program["src/text.txt"] = &fstest.MapFile{Data: []byte("other text")}
	if other := Build(t, program); other == first || filepath.Dir(other) != filepath.Dir(first) {
		t.Errorf("another program is in %s, the first in %s", other, first)
	}
	for _, dir := range []string{first, Build(t, program)} {
		_ = os.RemoveAll(dir)
	}
}

// TestHash: a change of a name or a content is another directory.
func TestHash(t *testing.T) {
	seen := make(map[string]bool)
	for _, files := range []fstest.MapFS{
		{"a": {Data: []byte("x")}},
		{"a": {Data: []byte("y")}},
		{"b": {Data: []byte("x")}},
		{"a": {Data: []byte("x")}, "b": {}},
	} {
		seen[hash(t, files)] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d hashes for 4 contents", len(seen))
	}
}

// TestOnce: those who come at the same time get one directory, complete, and
// nothing else stays.
func TestOnce(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "cache")
	dir := filepath.Join(parent, "dir")
	var fills atomic.Int64
	fill := func(dir string) error {
		fills.Add(1)
		return os.WriteFile(filepath.Join(dir, "file"), []byte("content"), 0o644)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			once(t, dir, fill)
			if content, err := os.ReadFile(filepath.Join(dir, "file")); string(content) != "content" {
				t.Error("incomplete:", err)
			}
		})
	}
	all.Wait()
	filled := fills.Load()
	if once(t, dir, fill); fills.Load() != filled {
		t.Error("filled again")
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 1 {
		t.Error("left in the cache:", left, err)
	}
}
