package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/seed3b05b409/auth"
)

// Nobody signs in before the address is proven to be theirs. Following the link in the
// mail proves it and signs in.
func Example_emailVerification() {
	var link string
	a, err := auth.New(auth.Config{
		BaseURL:       "https://example.com",
		Secret:        "a secret of at least 32 characters",
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true, RequireEmailVerification: true},
		EmailVerification: auth.EmailVerification{
			AutoSignIn: true,
			Send: func(_ context.Context, mail auth.Mail) error {
				link = mail.URL
				return nil
			},
		},
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	in := john
	in.CallbackURL = "/welcome" // where the link leads in the end
	if _, err := a.API.SignUpEmail.Call(ctx, in); err != nil {
		panic(err)
	}
	_, err = a.API.SignInEmail.Call(ctx, auth.SignInEmailRequest{Email: in.Email, Password: in.Password})
	fmt.Println("verified:", !errors.Is(err, auth.ErrEmailNotVerified))

	rec := httptest.NewRecorder()
	a.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, link, nil))
	fmt.Println(rec.Code, rec.Header().Get("Location"), len(rec.Result().Cookies()), "cookie")
	// Output:
	// verified: false
	// 302 /welcome 1 cookie
}
