package auth_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/seed3b05b409/auth"
)

// withSecrets is the same program before, during and after a rotation.
func withSecrets(store auth.Store, secrets ...auth.Secret) *auth.Auth {
	a, err := auth.New(auth.Config{
		BaseURL:       "https://example.com",
		Secrets:       secrets,
		Store:         store,
		EmailPassword: auth.EmailPassword{Enabled: true},
	})
	if err != nil {
		panic(err)
	}
	return a
}

// A new secret signs, the old one is still believed until it is taken away.
func ExampleSecret() {
	store, ctx := auth.NewMemoryStore(), context.Background()
	old := auth.Secret{Version: 1, Value: "the first secret, 32 characters "}
	next := auth.Secret{Version: 2, Value: "the second secret, 32 characters"}

	var sent http.Header
	if _, err := withSecrets(store, old).API.SignUpEmail.Call(ctx, john, auth.ReturnHeaders(&sent)); err != nil {
		panic(err)
	}
	cookie, err := http.ParseSetCookie(sent.Get("Set-Cookie"))
	if err != nil {
		panic(err)
	}
	headers := http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}}
	for _, a := range []*auth.Auth{withSecrets(store, next, old), withSecrets(store, next)} {
		session, err := a.API.GetSession.Call(ctx, auth.GetSessionRequest{}, auth.WithHeaders(headers))
		if err != nil {
			panic(err)
		}
		fmt.Println("signed in:", session != nil)
	}
	// Output:
	// signed in: true
	// signed in: false
}
