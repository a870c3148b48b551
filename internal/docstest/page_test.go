package docstest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// A page is a Markdown file with its blocks of code.
type page struct {
	name   string // from the root of the repository
	blocks []block
}

// A block is what stands between two fences.
type block struct {
	page     string
	line     int // of the first line of code
	language string
	code     string
	notRun   string // why, empty for all others
}

func (b block) name() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// at is a directive: errors of the compiler name the page.
func (b block) at() string { return fmt.Sprintf("//line %s:%d\n", b.page, b.line) }

func (b block) program() bool { return b.language == "go" && strings.HasPrefix(b.code, "package main") }

// pages returns README.md and everything in docs.
func pages(t *testing.T) (all []page) {
	t.Helper()
	names, err := filepath.Glob(root + "/docs/*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, name := range append(names, root+"/README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		name = strings.TrimPrefix(filepath.ToSlash(name), root+"/")
		all = append(all, page{name, blocks(name, string(text))})
	}
	return all
}

// elsewhere is the server that pages about other servers name.
const elsewhere = "https://auth.internal"

var notRun = regexp.MustCompile(`^<!-- not run: (.+) -->$`)

func blocks(page, text string) (found []block) {
	var open *block
	var mark, indent string
	number := 0
	for line := range strings.Lines(text) {
		number++
		trimmed := strings.TrimSpace(line)
		fence := strings.HasPrefix(trimmed, "```")
		switch {
		case fence && open == nil:
			indent, _, _ = strings.Cut(line, "`")
			open = &block{page: page, line: number + 1, language: trimmed[3:], notRun: mark}
		case fence:
			if strings.Contains(open.code, elsewhere) && open.notRun == "" {
				open.notRun = "asks another server"
			}
			found = append(found, *open)
			open, mark = nil, ""
		case open != nil:
			open.code += strings.TrimPrefix(line, indent)
		case notRun.MatchString(trimmed):
			mark = notRun.FindStringSubmatch(trimmed)[1]
		case trimmed != "":
			mark = ""
		}
	}
	return found
}
