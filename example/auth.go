package main

import (
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/seed3b05b409/auth"
)

// attempts bounds how often a client may try a password or have a mail sent,
// from a page or over the API. The default is stricter and stops people who
// type fast.
var attempts = auth.RateRule{Window: time.Minute, Max: 20}

// newConfig is everything that this program chooses about authentication. Mails
// are sent by tasks that run on background, so that the time of an answer does
// not tell who has an account.
func newConfig(baseURL, secret string, store auth.Store, mails *outbox, p plugins, background func(task func())) auth.Config {
	return auth.Config{
		BaseURL: baseURL,
		Secret:  secret,
		Store:   store,
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
		Passwords: auth.Passwords{Normalize: norm.NFKC.String},
		Plugins:   p.all(),
		RateLimit: auth.RateLimit{Rules: map[string]auth.RateRule{
			"/sign-in/*":               attempts,
			"/sign-up/*":               attempts,
			"/request-password-reset":  attempts,
			"/reset-password":          attempts,
			"/send-verification-email": attempts,
			"/change-email":            attempts,
			"/change-password":         attempts,
			"/delete-user":             attempts,
			"/two-factor/*":            attempts,
		}},
		ErrorPage:  auth.ErrorPage{URL: providerErrorPath}, // of sign-ins that cannot be told apart any more
		Background: background,
	}
}
