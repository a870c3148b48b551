package auth_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed3b05b409/auth"
)

// mailbox collects mails instead of sending them.
type mailbox []auth.Mail

func (m *mailbox) send(_ context.Context, mail auth.Mail) error {
	*m = append(*m, mail)
	return nil
}

// Somebody has forgotten the password: a mail has a link, its token is good for one new
// password.
func Example_passwordReset() {
	var mails mailbox
	a, err := auth.New(auth.Config{
		BaseURL:       "https://example.com",
		Secret:        "a secret of at least 32 characters",
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true, SendResetPassword: mails.send},
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if _, err := a.API.SignUpEmail.Call(ctx, john); err != nil {
		panic(err)
	}

	ask := auth.RequestPasswordResetRequest{Email: "john@doe.com", RedirectTo: "/new-password"}
	out, err := a.API.RequestPasswordReset.Call(ctx, ask)
	if err != nil {
		panic(err)
	}
	fmt.Println(out.Message)
	fmt.Println("to", mails[0].User.Email)

	choose := auth.ResetPasswordRequest{Token: mails[0].Token, NewPassword: "another horse"}
	if _, err := a.API.ResetPassword.Call(ctx, choose); err != nil {
		panic(err)
	}
	_, err = a.API.ResetPassword.Call(ctx, choose)
	fmt.Println("again:", errors.Is(err, auth.ErrInvalidToken))

	_, err = a.API.SignInEmail.Call(ctx, auth.SignInEmailRequest{Email: "john@doe.com", Password: "another horse"})
	fmt.Println("signed in:", err == nil)
	// Output:
	// If this email exists in our system, check your email for the reset link
	// to john@doe.com
	// again: true
	// signed in: true
}
