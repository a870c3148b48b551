package auth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seed3b05b409/auth"
)

// signInPage is a page of one's own that signs in. It counts as the endpoint does.
func signInPage(a *auth.Auth) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, err := a.API.SignInEmail.Call(r.Context(),
			auth.SignInEmailRequest{Email: r.FormValue("email"), Password: r.FormValue("password")},
			auth.WithRequest(r), auth.WithRateLimit(), auth.ForwardHeaders(w))
		if refused, ok := errors.AsType[*auth.APIError](err); ok {
			http.Error(w, refused.Message, refused.Status)
		}
	}
}

// Passwords cannot be guessed at any speed, neither at the endpoint nor on a page that
// calls it.
func ExampleWithRateLimit() {
	a, err := auth.New(auth.Config{
		BaseURL:       "https://example.com",
		Secret:        "a secret of at least 32 characters",
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		RateLimit: auth.RateLimit{Rules: map[string]auth.RateRule{
			"/sign-in/*": {Window: time.Hour, Max: 2},
		}},
	})
	if err != nil {
		panic(err)
	}
	page := signInPage(a)
	for range 3 {
		rec := httptest.NewRecorder()
		page(rec, httptest.NewRequest("POST", "https://example.com/in?email=john@doe.com&password=guess", nil))
		fmt.Println(rec.Code)
	}
	// Output:
	// 401
	// 401
	// 429
}
