package docstest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testnode"
)

// prelude lets a documented script start the program that was built already, in the
// background, as if in a terminal of its own.
const prelude = `
go() {
	if [ "$1" = run ]; then
		"$PROGRAM" >>"$WORK/log" 2>&1 &
		echo $! >>"$WORK/started"
	fi
}
`

// endOfBlock stands between the outputs of two blocks.
const endOfBlock = "\n--- end of a block ---\n"

// run starts a program by the script of its page and looks at what that prints.
func (p program) run(t *testing.T, binary string) {
	if p.notRun != "" {
		t.Skip("compiled, not run: " + p.notRun)
	}
	for _, tool := range []string{"bash", "curl", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			testnode.Missing(t, tool+" is missing", "to run this test, install bash, curl and openssl")
		}
	}
	script, expected := p.script()
	work := t.TempDir()
	// A server may need a moment before it answers.
	settings := "retry-connrefused\nretry = 60\nretry-delay = 1\nsilent\nshow-error\n"
	if err := os.WriteFile(filepath.Join(work, ".curlrc"), []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, work) })
	command := exec.CommandContext(t.Context(), "bash", "-c", prelude+script)
	command.Dir = work
	command.Env = append(environment(t), "PROGRAM="+binary, "WORK="+work, "CURL_HOME="+work)
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	if err := command.Run(); err != nil {
		t.Errorf("%v\n%s", err, complaints.String())
	}
	outputs := strings.Split(out.String(), endOfBlock)
	for i, want := range expected {
		if !matches(want.code, outputs[i]) {
			t.Errorf("%s: the block before it printed\n%s%s", want.name(), outputs[i], complaints.String())
		}
	}
	p.wait(t)
	if t.Failed() {
		log, _ := os.ReadFile(filepath.Join(work, "log"))
		t.Logf("the program said\n%s", log)
	}
}

// script returns the shell blocks behind a program, as one script, and for each
// block what it has to print.
func (p program) script() (script string, expected []block) {
	var last block
	for _, b := range p.after {
		switch {
		case b.language == "sh" && b.notRun == "":
			script += p.ports.replace(b.code) + "printf '" + strings.ReplaceAll(endOfBlock, "\n", `\n`) + "'\n"
			expected = append(expected, block{page: b.page, line: b.line, code: implied(b)})
		case (b.language == "json" || b.language == "text") && last.language == "sh" && last.notRun == "":
			b.code = p.ports.replace(b.code)
			expected[len(expected)-1] = b
		}
		last = b
	}
	if !strings.Contains(script, "go run") {
		script = "go run .\n" + script
	}
	return script, expected
}

// implied is what a block prints of which the page shows nothing.
func implied(b block) string {
	if strings.Contains(b.code, "/get-session") {
		return `"session":{`
	}
	return ""
}

// matches reports whether the lines of a block are in the output, in their order.
func matches(want, output string) bool {
	var pattern strings.Builder
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*?") + "(?s:.*?)")
		}
	}
	return regexp.MustCompile(pattern.String()).MatchString(output)
}

// wait demands that the program serves.
func (p program) wait(t *testing.T) {
	t.Helper()
	if len(p.ports) == 0 {
		t.Error("the program names no port")
	}
	for _, port := range p.ports {
		url := fmt.Sprintf("http://localhost:%d/api/auth/ok", port)
		response, err := http.Get(url)
		for deadline := time.Now().Add(time.Minute); err != nil && time.Now().Before(deadline); {
			time.Sleep(100 * time.Millisecond)
			response, err = http.Get(url)
		}
		if err != nil {
			t.Error(err)
			continue
		}
		_ = response.Body.Close()
	}
}

// stop ends what the script has started.
func stop(t *testing.T, work string) {
	started, err := os.ReadFile(filepath.Join(work, "started"))
	if err != nil {
		t.Error(err)
	}
	for _, pid := range strings.Fields(string(started)) {
		number, err := strconv.Atoi(pid)
		if err != nil {
			t.Error(err)
			continue
		}
		if process, err := os.FindProcess(number); err == nil {
			_ = process.Kill()
		}
	}
}

// ports are the documented ones and those that a test has instead.
type ports map[string]int

var documentedPort = regexp.MustCompile(`(localhost)?:(80\d\d|3000)\b`)

func (p ports) replace(text string) string {
	return documentedPort.ReplaceAllStringFunc(text, func(found string) string {
		documented := found[strings.LastIndex(found, ":"):]
		if p[documented] == 0 {
			p[documented] = freePort()
		}
		return fmt.Sprintf("localhost:%d", p[documented])
	})
}

func freePort() int {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
