package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/seed3b05b409/auth"
)

// A second factor: Ann gets codes by mail from now on, and needs one to sign in.
func ExampleTwoFactor() {
	var mailed string
	tf := &auth.TwoFactor{OTP: auth.TwoFactorOTPOptions{
		Send: func(_ context.Context, user *auth.User, code string) error {
			mailed = code
			return nil
		},
	}}
	a, err := auth.New(auth.Config{
		BaseURL:       "https://example.com",
		Secret:        "a secret of at least 32 characters",
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		Plugins:       []auth.Plugin{tf},
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	var response http.Header
	if _, err := a.API.SignUpEmail.Call(ctx, john, auth.ReturnHeaders(&response)); err != nil {
		panic(err)
	}
	enable := auth.EnableTwoFactorRequest{Password: john.Password, Method: auth.MethodOTP}
	if _, err := tf.Enable.Call(ctx, enable, auth.WithHeaders(asBrowser(response))); err != nil {
		panic(err)
	}

	in := auth.SignInEmailRequest{Email: john.Email, Password: john.Password}
	_, err = a.API.SignInEmail.Call(ctx, in, auth.ReturnHeaders(&response))
	challenge, ok := errors.AsType[*auth.TwoFactorChallenge](err)
	fmt.Println(ok, challenge.TwoFactorMethods)

	browser := auth.WithHeaders(asBrowser(response))
	if _, err := tf.SendOTP.Call(ctx, auth.SendTwoFactorOTPRequest{}, browser); err != nil {
		panic(err)
	}
	out, err := tf.VerifyOTP.Call(ctx, auth.VerifyTwoFactorRequest{Code: mailed}, browser)
	if err != nil {
		panic(err)
	}
	fmt.Println(out.User.Name)
	// Output:
	// true [otp]
	// John Doe
}
