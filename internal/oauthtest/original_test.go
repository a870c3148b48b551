package oauthtest

import (
	"embed"
	"encoding/json"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testleak"
	"github.com/seed3b05b409/auth/internal/testnode"
)

//go:embed original.mjs client.mjs
var scripts embed.FS

// original is the process in which the npm package runs. It serves every world.
var original struct {
	sync.Mutex
	process *testnode.Process
}

func TestMain(m *testing.M) {
	testleak.Main(m, testnode.StopProviders, func() {
		if original.process != nil {
			original.process.Stop()
		}
	})
}

// theOriginal returns the process, which the first test starts.
func theOriginal(t *testing.T) *testnode.Process {
	t.Helper()
	original.Lock()
	defer original.Unlock()
	if original.process == nil {
		original.process = testnode.Start(t, testnode.InstallSQLite(t, scripts), "original.mjs", func(json.RawMessage) {})
	}
	return original.process
}

// serveOriginal serves the npm package on a database, or on none.
func (w *world) serveOriginal(t *testing.T, dialect auth.Dialect, url string) *site {
	t.Helper()
	o := theOriginal(t)
	s := &site{name: "npm", shared: true}
	var served struct{ Origin string }
	o.Ask(t, "serve", map[string]any{"dialect": dialect, "url": url, "providers": w.originalProviders(), "options": w.originalOptions()}, &served)
	s.origin = served.Origin
	newBrowser(t).get(s, "/ok").is(200) // has asked the providers for their metadata then
	t.Cleanup(func() { o.Ask(t, "stop", map[string]any{"origin": s.origin}, nil) })
	return s
}

func (w *world) originalOptions() map[string]any {
	return merge(map[string]any{
		"baseURL":   baseURL,
		"secret":    secret,
		"rateLimit": map[string]any{"enabled": false},
		"logger":    map[string]any{"level": "error"},
	}, w.setting.options)
}

func (w *world) originalProviders() []map[string]any {
	scopes := []string{"openid", "email", "profile"}
	return []map[string]any{
		merge(map[string]any{
			"providerId": "op", "discoveryUrl": w.op.DiscoveryURL(), "scopes": scopes,
			"clientId": w.op.ClientID, "clientSecret": w.op.ClientSecret,
		}, w.setting.provider),
		merge(map[string]any{
			"providerId": "mock", "discoveryUrl": w.mock.DiscoveryURL(), "scopes": scopes,
			"clientId": w.mock.ClientID, "clientSecret": w.mock.ClientSecret,
		}, w.setting.provider),
	}
}
