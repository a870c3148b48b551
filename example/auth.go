package main

import (
	"golang.org/x/text/unicode/norm"

	"github.com/seed3b05b409/auth"
)

// newAuth configures authentication: everything that this program has chosen is
// in here. The mails that it causes in the background run on background, so
// that the time of an answer does not tell who has an account.
func newAuth(baseURL, secret string, mails *outbox, background func(task func())) (*auth.Auth, error) {
	return auth.New(auth.Config{
		AppName: "Example",
		BaseURL: baseURL,
		Secret:  secret,
		Store:   auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{
			Enabled:                       true,
			SendResetPassword:             mails.resetPassword,
			RevokeSessionsOnPasswordReset: true,
		},
		EmailVerification: auth.EmailVerification{
			Send:         mails.verifyAddress,
			SendOnSignUp: true,
		},
		User: auth.UserOptions{
			ChangeEmail: auth.ChangeEmail{Enabled: true, SendConfirmation: mails.confirmChange},
			Delete:      auth.DeleteUser{Enabled: true, SendVerification: mails.deleteAccount},
		},
		Passwords:  auth.Passwords{Normalize: norm.NFKC.String},
		Background: background,
	})
}
