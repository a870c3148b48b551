package programtest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

var documentedRow = regexp.MustCompile(`(?m)^\| \[(\w+)\]\(\.\./example/(?:(\w+)/)?main\.go\) \| .+ \| .*` + "`go run \\./example(?:/(\\w+))?[` ]")

// TestTable: docs/examples.md has a row for each program, and no other.
func TestTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "examples.md"))
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, row := range documentedRow.FindAllStringSubmatch(string(text), -1) {
		name := row[1]
		if name == "example" {
			name = ""
		}
		if row[2] != name || row[3] != name {
			t.Errorf("the row of %s is about %q and %q", row[1], row[2], row[3])
		}
		documented = append(documented, name)
	}
	slices.Sort(documented)
	want := append([]string{""}, names()...) // the first is example itself
	if !slices.Equal(documented, want) {
		t.Errorf("docs/examples.md has %q, there are %q", documented, want)
	}
}
