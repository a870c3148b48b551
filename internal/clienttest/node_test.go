package clienttest

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testnode"
)

//go:embed *.mjs
var scripts embed.FS

const nodeTimeout = 3 * time.Minute

// A trio of servers is what the themes talk to. All have /outbox. At the provider
// users of the first two sign in as well.
type trio struct {
	Plain    string `json:"plain"`
	Strict   string `json:"strict"`
	Plugins  string `json:"plugins"`
	Provider string `json:"-"`
}

// drive runs themes against servers, each step as a subtest.
func (p trio) drive(t *testing.T, themes ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), nodeTimeout)
	defer cancel()
	node := exec.CommandContext(ctx, "node", append([]string{"drive.mjs"}, themes...)...)
	node.Dir = testnode.Install(t, scripts)
	node.Env = append(os.Environ(), "PLAIN_URL="+p.Plain, "STRICT_URL="+p.Strict, "PLUGINS_URL="+p.Plugins, "PROVIDER_URL="+p.Provider)
	var complaints strings.Builder
	node.Stderr = &complaints
	out, err := node.Output()
	if report(t, string(out)) == 0 || err != nil && !t.Failed() {
		t.Errorf("node drive.mjs %v: %v\n%s%s", themes, err, out, complaints.String())
	}
}

// report turns the script's lines into subtests and returns how many there are.
func report(t *testing.T, output string) (steps int) {
	lines := bufio.NewScanner(strings.NewReader(output))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct{ Step, Error string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Errorf("drive.mjs printed %q: %v", lines.Text(), err)
			continue
		}
		steps++
		t.Run(line.Step, func(t *testing.T) {
			if line.Error != "" {
				t.Error(line.Error)
			}
		})
	}
	return steps
}

// originals starts the servers of the npm package.
func originals(t *testing.T, op *provider) (p trio) {
	t.Helper()
	node := exec.CommandContext(t.Context(), "node", "server.mjs")
	node.Dir, node.Stderr = testnode.Install(t, scripts), t.Output()
	node.Env = append(os.Environ(), "PROVIDER_URL="+op.url)
	p.Provider = op.url
	input, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close() // ends it
		_ = node.Wait()
	})
	if err := json.NewDecoder(output).Decode(&p); err != nil {
		t.Fatalf("server.mjs did not say where it serves: %v", err)
	}
	return p
}
