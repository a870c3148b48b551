package auth_test

import (
	"go/ast"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestContents: the table of contents lists every page, in one line each.
func TestContents(t *testing.T) {
	contents, err := os.ReadFile("docs/README.md")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) < 10 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	for _, page := range pages {
		name := filepath.Base(page)
		if lines := strings.Count(string(contents), "- ["+name+"]("+name+"): "); name != "README.md" && lines != 1 {
			t.Errorf("docs/README.md lists %s %d times", name, lines)
		}
	}
}

// TestLinks: every relative link in a Markdown file leads to a file and, behind #, to
// one of its headings.
func TestLinks(t *testing.T) {
	links := 0
	for _, name := range markdownFiles(t) {
		for _, link := range markdownLink.FindAllStringSubmatch(prose(t, name), -1) {
			target, anchor, _ := strings.Cut(link[1], "#")
			if strings.Contains(target, ":") {
				continue // another site
			}
			links++
			file := name
			if target != "" {
				file = filepath.Join(filepath.Dir(name), filepath.FromSlash(target))
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s: %v", name, link[1], err)
			} else if anchor != "" && !slices.Contains(anchors(prose(t, file)), anchor) {
				t.Errorf("%s links to %s, and there is no such heading", name, link[1])
			}
		}
	}
	if links < 20 {
		t.Errorf("%d links", links)
	}
}

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	codeBlock    = regexp.MustCompile("(?ms)^ *```.*?^ *```$")

	heading     = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func markdownFiles(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && path != "."):
			return fs.SkipDir
		case strings.HasSuffix(path, ".md"):
			names = append(names, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// prose returns a Markdown file without its blocks of code.
func prose(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return codeBlock.ReplaceAllString(string(text), "")
}

// anchors returns those of the headings, as GitHub makes them.
func anchors(text string) (all []string) {
	for _, found := range heading.FindAllStringSubmatch(text, -1) {
		words := notInAnchor.ReplaceAllString(strings.ToLower(found[1]), "")
		all = append(all, strings.ReplaceAll(words, " ", "-"))
	}
	return all
}

// TestSecurityTable keeps docs/security.md and the tests of all modules that are named
// after advisories together.
func TestSecurityTable(t *testing.T) {
	text, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	promised := advisoryTest.FindAllString(string(text), -1)
	var written []string
	for dir := range testDirectories(t) {
		written = append(written, testNames(t, dir, "TestAdvisory_")...)
	}
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
func testNames(t *testing.T, dir, prefix string) (names []string) {
	t.Helper()
	for _, file := range testFiles(t, dir) {
		for _, declared := range file.Decls {
			if fn, ok := declared.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, prefix) {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}
