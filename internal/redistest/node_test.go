package redistest

import (
	"bufio"
	"embed"
	"os"
	"os/exec"
	"testing"

	"github.com/seed3b05b409/auth/internal/testnode"
)

//go:embed server.mjs
var scripts embed.FS

// startNode runs server.mjs and returns its origin.
func startNode(t *testing.T, prefix string) string {
	t.Helper()
	node := exec.CommandContext(t.Context(), "node", "server.mjs")
	node.Dir, node.Stderr = testnode.Install(t, scripts), os.Stderr
	node.Env = append(os.Environ(), "AUTH_SECRET="+secret, "AUTH_TEST_REDIS="+redisAddress(), "REDIS_PREFIX="+prefix)
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
	lines := bufio.NewScanner(output)
	if !lines.Scan() {
		t.Fatalf("server.mjs did not say where it serves: %v", lines.Err())
	}
	return lines.Text()
}
