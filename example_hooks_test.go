package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/seed3b05b409/auth"
)

// onlyCompany refuses to sign up with an address elsewhere.
func onlyCompany(x *auth.Exchange) error {
	in, ok := x.Input().(*auth.SignUpEmailRequest)
	if ok && !strings.HasSuffix(in.Email, "@doe.com") {
		return auth.NewError(http.StatusForbidden, "NOT_INVITED", "Only with an address of the company")
	}
	return nil
}

// Hooks run around every endpoint, over HTTP and in calls.
func ExampleHooks() {
	a, err := auth.New(auth.Config{
		BaseURL:       "https://example.com",
		Secret:        "a secret of at least 32 characters",
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		Hooks: auth.Hooks{
			Before: onlyCompany,
			After: func(x *auth.Exchange) error {
				fmt.Println(x.Operation().Name(), "failed:", x.Failure() != nil)
				return nil
			},
		},
	})
	if err != nil {
		panic(err)
	}
	stranger := john
	stranger.Email = "john@example.org"
	for _, in := range []auth.SignUpEmailRequest{john, stranger} {
		_, err := a.API.SignUpEmail.Call(context.Background(), in)
		fmt.Println(err)
	}
	// Output:
	// signUpEmail failed: false
	// <nil>
	// auth: Only with an address of the company (NOT_INVITED)
}
