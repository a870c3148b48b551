package openapitest

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

const toolTimeout = 3 * time.Minute

// command runs node and returns what it says.
func command(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), toolTimeout)
	defer cancel()
	node := exec.CommandContext(ctx, "node", args...)
	node.Dir = dir
	node.Env = append(node.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", "CI=true", "NO_COLOR=1")
	out, err := node.CombinedOutput()
	return string(out), err
}

// run is command for what has to succeed.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := command(t, dir, args...)
	if err != nil {
		t.Fatalf("node %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// serve serves an instance on loopback and returns where its endpoints are.
func serve(t *testing.T, a *auth.Auth) string {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return server.URL + "/api/auth"
}

// TestTypeScript: openapi-typescript makes types of the documents, which compile, and a
// program that is written with them and openapi-fetch compiles and works.
func TestTypeScript(t *testing.T) {
	dir, names := workshop(t)
	for _, name := range names {
		run(t, dir, "node_modules/openapi-typescript/bin/cli.js", name+".json", "-o", name+".ts")
	}
	run(t, dir, "node_modules/typescript/bin/tsc", "-p", "tsconfig.json")
	config := everything(t)
	config.RateLimit.Disabled = true
	server := httptest.NewUnstartedServer(nil)
	config.BaseURL = "http://" + server.Listener.Addr().String()
	server.Config.Handler = newAuth(t, config)
	server.Start()
	t.Cleanup(server.Close)
	out := run(t, dir, "out/usage.js", config.BaseURL+"/api/auth")
	steps := 0
	for line := range strings.Lines(out) {
		var said struct{ Step string }
		if json.Unmarshal([]byte(line), &said) == nil && said.Step != "" {
			steps++
		}
	}
	if steps < 15 {
		t.Errorf("the program took %d steps:\n%s", steps, out)
	}
}
