package programtest

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestComments does what the comment of each program says: it starts what go run
// starts and runs the curl commands. One succeeds unless a status is said after it.
func TestComments(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, tool+" is missing", "to run this test, install it")
		}
	}
	for _, name := range driven() {
		t.Run(name, func(t *testing.T) {
			s := &script{dir: t.TempDir(), addrs: make(map[string]string)}
			switch name {
			case "instances":
				s.run = sharedServers(t)
			case "spa":
				s.run.args = []string{"-web", builtPages(t)}
			}
			for _, line := range commands(t, name) {
				s.do(t, name, line)
			}
			if s.curls == 0 {
				t.Error("nothing to try with curl")
			}
		})
	}
}

// commands returns the indented lines of a program's comment, those that go on in the
// next line as one.
func commands(t *testing.T, name string) (lines []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "example", name, "main.go"), nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(file.Doc.Text(), "Command "+name+" ") {
		t.Errorf("the comment does not begin with the name: %s", file.Doc.Text())
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(file.Doc.Text(), "\\\n", ""), "\n") {
		if command, ok := strings.CutPrefix(line, "\t"); ok {
			lines = append(lines, strings.TrimSpace(command))
		}
	}
	return lines
}

// A script runs commands, at free ports instead of the ones that they name.
type script struct {
	run   run
	dir   string            // where curl keeps cookies
	addrs map[string]string // by the address in the comment
	curls int
}

var (
	address  = regexp.MustCompile(`localhost:\d+`)
	listenAt = regexp.MustCompile(`-addr (\S+)`)
	expected = regexp.MustCompile(`# (\d{3})\b`)
)

func (s *script) do(t *testing.T, name, command string) {
	t.Helper()
	command = address.ReplaceAllStringFunc(command, func(named string) string { return s.addr(t, named) })
	switch first, rest, _ := strings.Cut(command, " "); first {
	case "export":
		s.run.env = append(s.run.env, rest)
	case "go":
		if !strings.Contains(rest, " -dev ") { // needs a Vite server
			s.start(t, name, rest)
		}
	case "curl":
		s.curls++
		s.curl(t, rest)
	}
}

// addr returns the address that stands for one of the comment.
func (s *script) addr(t *testing.T, named string) string {
	t.Helper()
	if s.addrs[named] == "" {
		free, err := freeAddr()
		if err != nil {
			t.Fatal(err)
		}
		s.addrs[named] = free
	}
	return s.addrs[named]
}

func (s *script) start(t *testing.T, name, command string) {
	t.Helper()
	command, _, _ = strings.Cut(command, " #")
	r := s.run
	r.addr = s.addr(t, "localhost:3000")
	if m := listenAt.FindStringSubmatch(command); m != nil {
		r.addr = m[1]
		command = strings.Replace(command, m[0], "", 1)
	}
	arguments := strings.Fields(command)
	if len(arguments) < 2 || arguments[0] != "run" || arguments[1] != "./example/"+name {
		t.Fatalf("go %s does not start the program", command)
	}
	r.args = append(arguments[2:], r.args...)
	start(t, name, r)
}

func (s *script) curl(t *testing.T, arguments string) {
	t.Helper()
	want := "2.."
	if m := expected.FindStringSubmatch(arguments); m != nil {
		want = m[1]
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", `curl -sS -o answer -w '%{http_code}' `+arguments)
	cmd.Dir = s.dir
	cmd.Stderr = t.Output()
	status, err := cmd.Output()
	if err != nil || !regexp.MustCompile("^"+want+"$").Match(status) {
		answer, _ := os.ReadFile(filepath.Join(s.dir, "answer"))
		t.Errorf("curl %s: status %s, want %s, %v\n%s", arguments, status, want, err, answer)
	}
}
