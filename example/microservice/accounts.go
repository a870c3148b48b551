package main

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/seed3b05b409/auth"
)

// newAccounts is the service with the accounts.
func newAccounts(baseURL, secret string) (http.Handler, error) {
	a, err := auth.New(auth.Config{
		BaseURL:       baseURL,
		Secret:        cmp.Or(secret, rand.Text()+rand.Text()),
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		Session:       auth.SessionOptions{CookieCache: auth.CookieCache{Enabled: true}}, // for those who have the secret too
		RateLimit: auth.RateLimit{Rules: map[string]auth.RateRule{
			"/get-session": {Window: 10 * time.Second, Max: 10_000}, // other services ask for all of their users
		}},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", a)
	return mux, nil
}
