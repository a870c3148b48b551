package auth_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth/internal/testleak"
)

func TestMain(m *testing.M) { testleak.Main(m) }

// unchecked are the directories whose tests are not asked what they leave behind.
var unchecked = map[string]string{
	"internal/bench": "its servers run as long as the program, for all benchmarks",
}

// TestLeakChecks: every directory with tests has a TestMain that looks for what they
// leave behind.
func TestLeakChecks(t *testing.T) {
	checked := 0
	for dir := range testDirectories(t) {
		has := slices.ContainsFunc(testFiles(t, dir), checksLeaks)
		switch _, listed := unchecked[dir]; {
		case has && listed:
			t.Errorf("%s is checked, but listed as unchecked", dir)
		case !has && !listed:
			t.Errorf("%s has tests without func TestMain(m *testing.M) { testleak.Main(m) }", dir)
		case has:
			checked++
		}
	}
	if checked < 15 {
		t.Errorf("%d directories", checked)
	}
}

// testDirectories returns those of the repository that have tests.
func testDirectories(t *testing.T) map[string]bool {
	t.Helper()
	dirs := make(map[string]bool)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata" || strings.HasPrefix(path, ".") && path != "."):
			return fs.SkipDir
		case strings.HasSuffix(path, "_test.go"):
			dirs[filepath.ToSlash(filepath.Dir(path))] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

// testFiles returns the syntax of a directory's tests.
func testFiles(t *testing.T, dir string) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// checksLeaks reports whether a file has a TestMain that calls testleak.Main, or Main
// in the tests of testleak itself.
func checksLeaks(file *ast.File) (checks bool) {
	for _, declared := range file.Decls {
		main, ok := declared.(*ast.FuncDecl)
		if !ok || main.Name.Name != "TestMain" {
			continue
		}
		ast.Inspect(main, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				name := types.ExprString(call.Fun)
				checks = checks || name == "testleak.Main" || name == "Main" && file.Name.Name == "testleak"
			}
			return true
		})
	}
	return checks
}
