package oauthtest

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/seed3b05b409/auth"
)

// plainHasher is that of original.mjs.
type plainHasher struct{}

func (plainHasher) Hash(_ context.Context, password string) (string, error) {
	return "plain:" + password, nil
}

func (plainHasher) Verify(_ context.Context, hash, password string) (bool, error) {
	return hash == "plain:"+password, nil
}

// serve serves this library on a store, or on none.
func (w *world) serve(t *testing.T, name string, store auth.Store) *site {
	t.Helper()
	config := auth.Config{
		BaseURL:       baseURL,
		Secret:        secret,
		Store:         store,
		Stateless:     store == nil,
		EmailPassword: auth.EmailPassword{Enabled: true},
		Passwords:     auth.Passwords{Hasher: plainHasher{}},
		RateLimit:     auth.RateLimit{Disabled: true},
		Providers: []auth.Provider{
			auth.OIDC("op", w.op.Issuer, w.op.ClientID, w.op.ClientSecret),
			auth.OIDC("mock", w.mock.Issuer, w.mock.ClientID, w.mock.ClientSecret),
		},
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})),
	}
	if w.setting.config != nil {
		w.setting.config(&config)
	}
	a, err := auth.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return &site{name: name, origin: server.URL}
}
