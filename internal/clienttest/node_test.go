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

// drive runs the steps against a server, each as a subtest. Without an outbox
// they are those that every server passes.
func drive(t *testing.T, origin, outbox string) {
	t.Helper()
	dir := testnode.Install(t, scripts)
	ctx, cancel := context.WithTimeout(t.Context(), nodeTimeout)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "drive.mjs")
	node.Dir = dir
	node.Env = append(os.Environ(), "AUTH_URL="+origin, "OUTBOX_URL="+outbox)
	var complaints strings.Builder
	node.Stderr = &complaints
	out, err := node.Output()
	if report(t, string(out)) == 0 || err != nil && !t.Failed() {
		t.Errorf("node drive.mjs: %v\n%s%s", err, out, complaints.String())
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
