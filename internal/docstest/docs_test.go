package docstest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A built is every page as Go packages, compiled.
type built struct {
	sources []source
	dir     string // of the programs, each with the name of its directory; "generated" runs the fragments
}

// build compiles all pages with one command. The files are not among those of the
// module, where the go command would find them at other times.
func build(t *testing.T) built {
	t.Helper()
	b := built{dir: t.TempDir()}
	files := make(map[string]string)
	runner := "package main\n\nimport \"github.com/seed3b05b409/auth/internal/docstest\"\n"
	calls := ""
	for _, p := range pages(t) {
		s, err := p.source()
		if err != nil {
			t.Error(err)
			continue
		}
		for name, text := range s.files {
			files[name] = text
		}
		b.sources = append(b.sources, s)
		runner += fmt.Sprintf("import %q\n", generated+"/"+s.page)
		calls += "docstest.Run(" + s.page + ".Fragments)\n"
	}
	files["main.go"] = runner + "func main() {\n" + calls + "}\n"
	command := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-overlay", overlay(t, files), "-o", b.dir+string(filepath.Separator), "./generated/...")
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("go build: %v\n%s", err, out)
	}
	return b
}

// overlay writes files and the list that tells the go command where they are.
func overlay(t *testing.T, files map[string]string) (list string) {
	t.Helper()
	here, err := filepath.Abs("generated")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replace := make(map[string]string)
	for name, text := range files {
		file := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		replace[filepath.Join(here, filepath.FromSlash(name))] = file
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	list = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestGo compiles the Go code of all pages and runs what can be run.
func TestGo(t *testing.T) {
	b := build(t)
	if t.Failed() {
		return
	}
	t.Run("fragments", b.runFragments)
	for _, s := range b.sources {
		for _, p := range s.programs {
			t.Run(p.name(), func(t *testing.T) { p.run(t, filepath.Join(b.dir, p.directory)) })
		}
	}
}

// environment has a value for every variable that a page reads.
func environment(t *testing.T) []string {
	t.Helper()
	variables := os.Environ()
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			for _, read := range getenv.FindAllStringSubmatch(b.code, -1) {
				variables = append(variables, read[1]+"=a text of at least 32 characters")
			}
		}
	}
	return variables
}

var getenv = regexp.MustCompile(`os\.Getenv\("(\w+)"\)`)

func (b built) runFragments(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(b.dir, "generated"))
	command.Env, command.Dir, command.Stderr = environment(t), t.TempDir(), t.Output()
	out, err := command.Output()
	if err != nil {
		t.Error(err)
	}
	problems := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		var name, problem string
		if _, err := fmt.Sscanf(line, ResultMark+" %q %q", &name, &problem); err == nil {
			problems[name] = problem
		}
	}
	for _, s := range b.sources {
		for _, fragment := range s.fragments {
			t.Run(fragment.name(), func(t *testing.T) {
				problem, ran := problems[fragment.name()]
				switch {
				case fragment.notRun != "":
					t.Log("compiled, not run: " + fragment.notRun)
				case !ran:
					t.Error("the program ended before")
				case problem != "":
					t.Error(problem)
				}
			})
		}
	}
}
