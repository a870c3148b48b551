package auth_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocumentedCode type-checks the Go code of pages for users: a reader who
// copies it must not meet the compiler. Blocks that are no program are the body
// of a function that has the variables of preamble.
func TestDocumentedCode(t *testing.T) {
	set := token.NewFileSet()
	importer := withMore{compiledImporter(t, set, "expvar", "log", "os"), make(map[string]*types.Package)}
	programs := 0
	for _, name := range []string{
		"README.md", "docs/databases.md", "docs/base-url.md", "docs/verify-sessions.md", "docs/social-sign-in.md", "docs/providers.md",
		"docs/write-a-plugin.md", "docs/plugins.md", "docs/events.md", "docs/troubleshooting.md",
	} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range joinPackages(goBlocks(string(text))) {
			if strings.HasPrefix(block.code, "package main") {
				programs++
			} else if !strings.HasPrefix(block.code, "package ") {
				block.code = preamble + block.code + "\n}\n"
			}
			t.Run(name+" "+block.name, func(t *testing.T) {
				checked := typeCheck(t, set, importer, block.code)
				importer.own["example.com/"+checked.Name()] = checked
			})
		}
	}
	if programs == 0 {
		t.Error("README.md has no complete program")
	}
}

// joinPackages puts the blocks of a package that a page builds step by step
// together: its first one has the package clause, further ones are declarations.
func joinPackages(blocks []codeBlock) (joined []codeBlock) {
	library := -1
	for _, block := range blocks {
		switch {
		case library >= 0 && declaration.MatchString(block.code):
			joined[library].code += "\n" + block.code
			continue
		case strings.HasPrefix(block.code, "package main"):
		case strings.HasPrefix(block.code, "package "):
			library = len(joined)
		}
		joined = append(joined, block)
	}
	return joined
}

var declaration = regexp.MustCompile(`^(func|type|const|var) `)

// withMore finds packages that no module here has: the drivers of databases, which
// programs import for their effects only, so that an empty package will do, and
// those that a page has built.
type withMore struct {
	types.Importer
	own map[string]*types.Package
}

func (w withMore) Import(path string) (*types.Package, error) {
	if own := w.own[path]; own != nil {
		return own, nil
	}
	if path != "modernc.org/sqlite" {
		return w.Importer.Import(path)
	}
	driver := types.NewPackage(path, "sqlite")
	driver.MarkComplete()
	return driver, nil
}

const preamble = `package readme

import (
	"context"
	"crypto"
	"database/sql"
	"errors"
	"expvar"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/seed3b05b409/auth"
)

func readme(ctx context.Context, key crypto.Signer, a *auth.Auth, db *sql.DB, mux *http.ServeMux, w http.ResponseWriter, r *http.Request, err error) {
`

type codeBlock struct{ name, code string }

var goFence = regexp.MustCompile("(?ms)^```go\n(.*?)^```")

// goBlocks returns the fenced blocks of Go code, named by their lines.
func goBlocks(markdown string) []codeBlock {
	var blocks []codeBlock
	for _, at := range goFence.FindAllStringSubmatchIndex(markdown, -1) {
		line := 1 + strings.Count(markdown[:at[2]], "\n")
		blocks = append(blocks, codeBlock{fmt.Sprintf("line %d", line), markdown[at[2]:at[3]]})
	}
	return blocks
}

// typeCheck reports what a compiler would, but for results and imports that a
// fragment leaves unused.
func typeCheck(t *testing.T, set *token.FileSet, importer types.Importer, code string) *types.Package {
	t.Helper()
	file, err := parser.ParseFile(set, "block.go", code, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	isProgram := file.Name.Name != "readme"
	config := types.Config{Importer: importer, Error: func(err error) {
		if problem, ok := err.(types.Error); !ok || !problem.Soft || isProgram {
			t.Error(err)
		}
	}}
	checked, _ := config.Check(file.Name.Name, set, []*ast.File{file}, nil) // its error has been reported
	return checked
}

// TestSecurityTable keeps docs/security.md and the tests it promises together.
func TestSecurityTable(t *testing.T) {
	text, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	promised := advisoryTest.FindAllString(string(text), -1)
	written := testNames(t, ".", "TestAdvisory_")
	for _, name := range promised {
		if !slices.Contains(written, name) {
			t.Errorf("docs/security.md names %s, which does not exist", name)
		}
	}
	for _, name := range written {
		if !slices.Contains(promised, name) {
			t.Errorf("docs/security.md does not name %s", name)
		}
	}
}

var advisoryTest = regexp.MustCompile(`TestAdvisory_\w+`)

// TestRecommendations: the tests that docs/social-sign-in.md promises exist.
func TestRecommendations(t *testing.T) {
	text, err := os.ReadFile("docs/social-sign-in.md")
	if err != nil {
		t.Fatal(err)
	}
	promised := regexp.MustCompile(`Test[A-Z]\w+`).FindAllString(string(text), -1)
	if len(promised) < 10 {
		t.Errorf("the page names %d tests", len(promised))
	}
	written := append(testNames(t, ".", "Test"), testNames(t, "internal/oauthtest", "Test")...)
	for _, name := range promised {
		if !slices.Contains(written, name) {
			t.Errorf("docs/social-sign-in.md names %s, which does not exist", name)
		}
	}
}

// testNames returns the names of the tests in a directory that begin with a prefix.
func testNames(t *testing.T, dir, prefix string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range file.Decls {
			if fn, ok := declared.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, prefix) {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}
